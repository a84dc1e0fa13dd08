//! Whether a flush and a shutdown come back in time, wherever they are called from, and whatever
//! they wait for in vain. Each line is a process of its own, since telemetry is installed once.

use std::env::current_exe;
use std::io::{Write, stdout};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use agentspan::discovery::Environment;
use agentspan::{Destination, Otlp, Telemetry, configure};
use agentspan_agent365::{AccessToken, Delivery, token_from_fn};
use agentspan_model::agent365::Profile;
use agentspan_testkit::{Answer, Oracle, Recording, Service};
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use tokio::runtime::{Builder, Runtime};

use crate::Failure;

/// How much time a call has.
const DEADLINE: Duration = Duration::from_millis(500);

/// How many callers there are at a time, at most.
const CALLERS: usize = 64;

/// What is waited for in vain.
const PEERS: [&str; 4] = [
    "nobody listens",
    "no answer",
    "the token resolver hangs",
    "40 destinations without an answer",
];

/// Where the calls come from.
const CALLS: [&str; 8] = [
    "no runtime",
    "a current-thread runtime",
    "a runtime with one worker",
    "a spawned task",
    "64 threads",
    "the drop of the guard",
    "a drop within a runtime",
    "after its runtime has gone",
];

const USAGE: &str = "liveness [--only TEXT] [--slack MILLISECONDS]";

/// Prints a line for each peer and caller, and says whether all came back in time.
pub(crate) fn run(arguments: &[String]) -> Result<bool, Failure> {
    let (mut only, mut slack) = (String::new(), 50);
    for pair in arguments.chunks(2) {
        match pair {
            [child, rest] if child == "in-child" => {
                let rest: Vec<_> = rest.split('\t').collect();
                return in_child(&rest).map(|()| true);
            }
            [name, value] if name == "--only" => only.clone_from(value),
            [name, value] if name == "--slack" => slack = value.parse()?,
            _ => return Err(USAGE.into()),
        }
    }
    let most = DEADLINE + Duration::from_millis(slack);
    let (mut lines, mut late) = (0, 0);
    for (peer, call) in PEERS.iter().flat_map(|peer| CALLS.map(|call| (peer, call))) {
        let title = format!("{peer:34} {call:28}");
        if !title.contains(&only) {
            continue;
        }
        let longest = in_another_process(peer, call)?;
        let verdict = if longest <= most { "ok" } else { "LATE" };
        let millis = longest.as_millis();
        writeln!(
            stdout(),
            "{title} {millis:5} ms of {} ms  {verdict}",
            most.as_millis()
        )?;
        lines += 1;
        late += usize::from(longest > most);
    }
    writeln!(stdout(), "{lines} lines, {late} late")?;
    Ok(late == 0 && lines > 0)
}

/// The longest call of a line.
fn in_another_process(peer: &str, call: &str) -> Result<Duration, Failure> {
    let service = Service::builder()
        .recording(Recording::CountsOnly)
        .answer_with(|_| Answer::hang())
        .start()?;
    let url = service.url();
    let service = Some(service).filter(|_| peer != PEERS[0]);
    let output = Command::new(current_exe()?)
        .args(["liveness", "in-child", &[peer, call, &url].join("\t")])
        .stderr(Stdio::inherit())
        .output()?;
    drop(service);
    if !output.status.success() {
        return Err(format!("{peer}, {call}: {}", output.status).into());
    }
    let micros = String::from_utf8(output.stdout)?.trim().parse()?;
    Ok(Duration::from_micros(micros))
}

/// Calls, and prints how long the longest call took.
fn in_child(arguments: &[&str]) -> Result<(), Failure> {
    let [peer, call, url] = arguments else {
        return Err(USAGE.into());
    };
    let longest = match *call {
        "no runtime" => flush_and_shut_down(&telemetry(peer, url)?),
        "a current-thread runtime" => {
            let telemetry = telemetry(peer, url)?;
            let runtime = Builder::new_current_thread().build()?;
            runtime.block_on(async { flush_and_shut_down(&telemetry) })
        }
        "a runtime with one worker" => one_worker()?.block_on(awaited(&telemetry(peer, url)?)),
        "a spawned task" => {
            let telemetry = telemetry(peer, url)?;
            let runtime = one_worker()?;
            runtime.block_on(runtime.spawn(async move { flush_and_shut_down(&telemetry) }))?
        }
        "64 threads" => from_threads(&telemetry(peer, url)?),
        "the drop of the guard" => {
            let telemetry = telemetry(peer, url)?;
            timed(|| drop(telemetry))
        }
        "a drop within a runtime" => {
            let telemetry = telemetry(peer, url)?;
            let runtime = one_worker()?;
            // The task never ends, so that the runtime drops it, with what it has.
            runtime.spawn(async move {
                let _telemetry = telemetry;
                std::future::pending::<()>().await;
            });
            timed(|| drop(runtime))
        }
        "after its runtime has gone" => {
            let runtime = one_worker()?;
            let telemetry = runtime.block_on(async { telemetry(peer, url) })?;
            drop(runtime);
            flush_and_shut_down(&telemetry)
        }
        _ => return Err(USAGE.into()),
    };
    writeln!(stdout(), "{}", longest.as_micros())?;
    // A resolver that hangs would keep nobody else.
    std::process::exit(0)
}

fn one_worker() -> Result<Runtime, Failure> {
    Ok(Builder::new_multi_thread().worker_threads(1).build()?)
}

fn timed<T>(call: impl FnOnce() -> T) -> Duration {
    let started = Instant::now();
    drop(call());
    started.elapsed()
}

fn flush_and_shut_down(telemetry: &Telemetry) -> Duration {
    let flush = timed(|| telemetry.flush(DEADLINE));
    flush.max(timed(|| telemetry.shutdown(DEADLINE)))
}

async fn awaited(telemetry: &Telemetry) -> Duration {
    let started = Instant::now();
    let _ = telemetry.flush_async(DEADLINE).await;
    let flush = started.elapsed();
    let started = Instant::now();
    let _ = telemetry.shutdown_async(DEADLINE).await;
    flush.max(started.elapsed())
}

fn from_threads(telemetry: &Telemetry) -> Duration {
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| scope.spawn(|| flush_and_shut_down(telemetry)))
            .collect();
        let took = callers.into_iter().map(|caller| caller.join());
        took.map(|took| took.unwrap_or(Duration::MAX)).max()
    })
    .unwrap_or_default()
}

/// The thread goes with the process.
fn hang() -> ! {
    loop {
        thread::park();
    }
}

/// Telemetry with a few spans that go nowhere.
fn telemetry(peer: &str, url: &str) -> Result<Telemetry, Failure> {
    let hangs = peer == PEERS[2];
    let token = AccessToken::new("t")?;
    let resolver = token_from_fn(move |_| {
        if hangs {
            hang();
        }
        Ok(Some(token.clone()))
    });
    let mut configuration = configure()
        .with_environment(&Environment::default())
        .with_profile(Profile::V2)
        .with_delivery(Delivery::builder(resolver).with_loopback_endpoint(url))
        .with_flush_on_drop(DEADLINE)
        .with_switches_on();
    let others = if peer == PEERS[3] { 40 } else { 1 };
    for _ in 0..others {
        let otlp = Otlp::new().with_endpoint(format!("{url}/v1/traces"));
        configuration = configuration.with_destination(Destination::otlp_http(otlp)?);
    }
    let telemetry = configuration.install()?;
    let tracer = telemetry.provider().tracer("liveness");
    for number in 0..10 {
        let attributes = Oracle::attributes_of(number, Profile::V2, number);
        let span = tracer.span_builder("chat").with_attributes(attributes);
        drop(span.start(&tracer));
    }
    Ok(telemetry)
}
