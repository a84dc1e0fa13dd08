//! Ends its process in one way or another, for `tests/it/last_spans.rs`, which looks at what arrived.
//!
//! `last_spans URL WAY` delivers to the loopback service at the URL. Three spans have ended and are queued
//! for an hour when the process ends.

#![expect(clippy::print_stdout, reason = "the test waits for it")]

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::hint::black_box;
use std::io;
use std::mem;
use std::panic;
use std::process::{ExitCode, abort, exit};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use agentspan::agent365::Delivery;
use agentspan::discovery::Environment;
use agentspan::otel::{ScopeTracer, set_default_tracer};
use agentspan::prelude::*;
use agentspan::{Configuration, Telemetry, configure};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::{Builder, Runtime};

/// What a failure of the program is called in its spans.
#[derive(Debug)]
struct RunFailed;

impl fmt::Display for RunFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the run failed")
    }
}

impl Error for RunFailed {}

type Failure = Box<dyn Error + Send + Sync>;

/// Long enough for a loopback.
const WHILE: Duration = Duration::from_secs(30);

fn main() -> Result<ExitCode, Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, way] = arguments.as_slice() else {
        return Err("last_spans URL WAY".into());
    };
    if let Some(way) = way.strip_prefix("own-provider-") {
        return own_provider(url, way);
    }
    let telemetry = install(url)?;
    spans()?;
    end(way, telemetry)
}

fn spans() -> Result<(), Failure> {
    for tool in ["clock", "calendar", "weather"] {
        operation(tool)?.in_scope_infallible(|_| ());
    }
    Ok(())
}

fn end(way: &str, telemetry: Telemetry) -> Result<ExitCode, Failure> {
    match way {
        "return" => Ok(ExitCode::SUCCESS),
        "return-a-code" => Ok(ExitCode::from(7)),
        "question-mark" => {
            operation("bank")?.in_scope(|_| Err::<(), _>(RunFailed))?;
            Ok(ExitCode::SUCCESS)
        }
        "panic" => operation("bank")?.in_scope_infallible(|_| fail()),
        "panic-in-a-thread" => panic_in_a_thread(),
        "panic-in-a-task" => panic_in_a_task(),
        "return-during-a-task" => return_during_a_task(telemetry),
        "leak" => {
            mem::forget(telemetry);
            Ok(ExitCode::SUCCESS)
        }
        "static" => {
            static TELEMETRY: OnceLock<Telemetry> = OnceLock::new();
            TELEMETRY.get_or_init(|| telemetry);
            Ok(ExitCode::SUCCESS)
        }
        "exit" => exit(7),
        "shutdown-and-exit" => {
            telemetry.shutdown(WHILE)?;
            exit(7)
        }
        "abort" => abort(),
        "panic-twice" => {
            let _second = PanicsInDrop;
            fail()
        }
        "overflow" => overflow(black_box(1)),
        "abort-on-panic" => {
            abort_on_panic(|| ());
            fail()
        }
        "flush-and-abort-on-panic" => flush_and_abort_on_panic(telemetry),
        "wait" => wait(),
        "flush-and-wait" => {
            runtime()?.block_on(telemetry.flush_async(WHILE))?;
            wait()
        }
        "wait-for-a-signal" => {
            runtime()?.block_on(until_asked_to_stop(&telemetry))?;
            Ok(ExitCode::SUCCESS)
        }
        other => Err(format!("no way {other}").into()),
    }
}

/// Panics while the thread unwinds already.
struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        let _ = fail();
    }
}

/// Needs more stack than there is.
#[expect(unconditional_recursion, reason = "this is what it is for")]
fn overflow(depth: u64) -> Result<ExitCode, Failure> {
    let deeper = black_box([depth; 1024]);
    let result = overflow(deeper[0] + 1);
    black_box(deeper);
    result
}

fn panic_in_a_thread() -> Result<ExitCode, Failure> {
    let scope = operation("bank")?;
    let failing = thread::spawn(|| scope.in_scope_infallible(|_| fail()));
    match failing.join() {
        Ok(result) => result,
        Err(_) => Ok(ExitCode::SUCCESS),
    }
}

fn panic_in_a_task() -> Result<ExitCode, Failure> {
    let runtime = runtime()?;
    let task = runtime.spawn(operation("bank")?.run_infallible(|_| async { fail() }));
    match runtime.block_on(task) {
        Ok(result) => result,
        Err(_) => Ok(ExitCode::SUCCESS),
    }
}

/// As with `#[tokio::main]`, the runtime outlives the guard, and drops the task after it.
fn return_during_a_task(telemetry: Telemetry) -> Result<ExitCode, Failure> {
    let runtime = runtime()?;
    runtime.spawn(operation("bank")?.run_infallible(|_| pending::<()>()));
    runtime.block_on(async { drop(telemetry) });
    Ok(ExitCode::SUCCESS)
}

/// As the guide says it.
fn flush_and_abort_on_panic(telemetry: Telemetry) -> Result<ExitCode, Failure> {
    let telemetry = Arc::new(telemetry);
    let in_hook = Arc::downgrade(&telemetry);
    abort_on_panic(move || {
        if let Some(telemetry) = in_hook.upgrade() {
            // The process ends in any case.
            let _ = telemetry.flush(WHILE);
        }
    });
    operation("bank")?.in_scope_infallible(|_| fail())
}

/// What a program does that has no guard.
fn own_provider(url: &str, way: &str) -> Result<ExitCode, Failure> {
    let processor = configuration(url).into_processor()?;
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    set_default_tracer(ScopeTracer::new(&provider))?;
    spans()?;
    if way == "shut-down" {
        provider.shutdown_with_timeout(WHILE)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn install(url: &str) -> Result<Telemetry, Failure> {
    Ok(configuration(url).install()?)
}

fn configuration(url: &str) -> Configuration {
    let resolver = token_from_fn(|_| Ok(Some(AccessToken::new("token")?)));
    let delivery = Delivery::builder(resolver)
        .with_loopback_endpoint(url)
        .with_batch_delay(Duration::from_secs(3600));
    configure()
        .with_environment(&Environment::default())
        .with_delivery(delivery)
        .with_flush_on_drop(WHILE)
        .with_switches_on()
}

fn operation(tool: &str) -> Result<ExecuteToolScope, Failure> {
    let agent = AgentDetails::new(AgentId::parse("agent-1")?);
    let tenant = TenantDetails::new(TenantId::parse("tenant-1")?);
    let call = ToolCallDetails::new(tool);
    Ok(ExecuteToolScope::start(&call, &agent, &tenant))
}

#[expect(clippy::panic, reason = "this is what it is for")]
fn fail() -> Result<ExitCode, Failure> {
    panic!("the run failed")
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// What `panic = "abort"` does: it calls the panic hook and aborts.
fn abort_on_panic(before: impl Fn() + Send + Sync + 'static) {
    panic::set_hook(Box::new(move |_| {
        before();
        abort();
    }));
}

/// Until the test ends the process.
fn wait() -> ! {
    println!("ready");
    loop {
        thread::park();
    }
}

/// As the guide says it, but that the handlers are there before the test hears of it.
async fn until_asked_to_stop(telemetry: &Telemetry) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        let mut terminated = signal(SignalKind::terminate())?;
        let mut interrupted = signal(SignalKind::interrupt())?;
        println!("ready");
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    telemetry.shutdown_async(WHILE).await?;
    Ok(())
}
