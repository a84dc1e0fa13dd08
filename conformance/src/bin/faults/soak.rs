//! Random schedules of faults, sizes, flushes and shutdowns, for as long as somebody wants.
//!
//! Each round has a destination, identities and faults of its own, which its seed decides. While
//! four threads hand spans over, another one samples the counts.

mod random;
mod schedule;

use std::io::{Write, stdout};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use agentspan_testkit::{Answer, Oracle, Service};
use opentelemetry::KeyValue;

use self::random::Random;
use self::schedule::{answer_to, early_faults};
use crate::Failure;
use crate::defence::Defence;
use crate::front::{Front, WIRE};
use crate::measure::rss_kib;
use crate::stage::{Settings, Stage};

const THREADS: u64 = 4;

/// What all rounds had together.
#[derive(Default)]
struct Sums {
    rounds: u64,
    accepted: u64,
    exported: u64,
    lost: u64,
    perhaps_twice: u64,
    samples: u64,
    mismatches: u64,
}

/// Plays rounds until the time is over. The first one that finds something does not end it.
pub(crate) fn run(arguments: &[String]) -> Result<bool, Failure> {
    let Options {
        minutes,
        seed,
        without,
    } = Options::parse(arguments)?;
    let end = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    let mut sums = Sums::default();
    let mut rss = Vec::new();
    let mut told = Instant::now();
    while Instant::now() < end {
        let round = seed.wrapping_add(sums.rounds);
        let problems = play(round, without, &mut sums)?;
        sums.rounds += 1;
        sums.mismatches += problems.len() as u64;
        for problem in problems {
            writeln!(stdout(), "seed {round}: {problem}")?;
        }
        rss.push(rss_kib());
        if told.elapsed() > Duration::from_secs(10) {
            tell(&sums, &rss)?;
            told = Instant::now();
        }
    }
    tell(&sums, &rss)?;
    Ok(sums.mismatches == 0 && is_flat(&rss) && sums.rounds > 0)
}

/// What is asked for.
struct Options {
    minutes: f64,
    seed: u64,
    without: Option<Defence>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            minutes: 1.0,
            seed: 0,
            without: None,
        };
        for pair in arguments.chunks(2) {
            match pair {
                [name, value] if name == "--minutes" => options.minutes = value.parse()?,
                [name, value] if name == "--seed" => options.seed = value.parse()?,
                [name, value] if name == "--without" => {
                    options.without = Some(Defence::named(value)?);
                }
                _ => return Err("soak [--minutes N] [--seed S] [--without DEFENCE]".into()),
            }
        }
        Ok(options)
    }
}

fn tell(sums: &Sums, rss: &[u64]) -> Result<(), Failure> {
    let mib = rss.last().copied().unwrap_or_default() / 1024;
    writeln!(
        stdout(),
        "{} rounds, {} spans: {} exported, {} lost for a reason; {} sent again after no answer; {} samples, {} \
         mismatches; {mib} MiB",
        sums.rounds,
        sums.accepted,
        sums.exported,
        sums.lost,
        sums.perhaps_twice,
        sums.samples,
        sums.mismatches,
    )?;
    Ok(())
}

/// Whether the second half of the rounds needed about as much memory at their ends as the first
/// half.
fn is_flat(rss: &[u64]) -> bool {
    let (first, second) = rss.split_at(rss.len() / 2);
    let most = |half: &[u64]| half.iter().copied().max().unwrap_or_default();
    rss.len() < 20 || most(second) <= most(first) * 5 / 4 + 16 * 1024
}

/// Plays one round and says what is not as it should be.
fn play(seed: u64, without: Option<Defence>, sums: &mut Sums) -> Result<Vec<String>, Failure> {
    let mut random = Random::new(seed);
    let front = WIRE[random.below(WIRE.len() as u64) as usize];
    let oracle = Oracle::new(1 + random.below(200) as usize);
    let service = service(front, seed)?;
    service.play(early_faults(&mut random));
    let settings = Settings {
        timeout: Duration::from_millis(300),
        age: Duration::from_secs(if random.one_in(8) { 1 } else { 900 }),
        batch_spans: 1 + random.below(600) as usize,
        queue_spans: if random.one_in(4) { 500 } else { 65_536 },
        ..Settings::new()
    };
    let stage = Stage::new(front, oracle, service, settings, without)?;
    let spans = 1_000 + random.below(9_000);
    let (next, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let (samples, wrong) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            while !is_over.load(SeqCst) {
                samples.fetch_add(1, SeqCst);
                wrong.fetch_add(u64::from(!stage.counts().add_up()), SeqCst);
                thread::park_timeout(Duration::from_millis(1));
            }
        });
        let workers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let mut random = Random::new(seed ^ ((thread + 1) << 32));
                let (stage, next) = (&stage, &next);
                scope.spawn(move || hand_over(stage, next, spans, &mut random))
            })
            .collect();
        for worker in workers {
            // A panic over there reaches the scope.
            drop(worker.join());
        }
        // Sometimes what is queued has all the time that it needs, and sometimes none.
        if !random.one_in(3) {
            stage.flush(Duration::from_secs(60));
        }
        stage.shutdown(Duration::from_millis(random.below(300)));
        is_over.store(true, SeqCst);
        sampler.thread().unpark();
    });
    sums.samples += samples.load(SeqCst);
    let mut problems = compare(&stage, spans, sums);
    let wrong = wrong.load(SeqCst);
    if wrong > 0 {
        problems.push(format!("{wrong} samples do not add up"));
    }
    Ok(problems
        .into_iter()
        .map(|problem| format!("{front}: {problem}"))
        .collect())
}

fn service(front: Front, seed: u64) -> Result<Service, Failure> {
    let builder = Service::builder();
    let builder = match front {
        Front::OtlpGrpc => builder.http2(),
        _ => builder,
    };
    let builder = builder.answer_with(move |request| -> Answer { answer_to(front, request, seed) });
    Ok(builder.start()?)
}

/// One thread's share of the spans: most are small, and one in 200 has up to a megabyte.
fn hand_over(stage: &Stage, next: &AtomicU64, spans: u64, random: &mut Random) {
    loop {
        let number = next.fetch_add(1, SeqCst);
        if number >= spans {
            return;
        }
        let length = match random.one_in(200) {
            true => random.below(1_000_000),
            false => random.below(400),
        };
        let text = KeyValue::new("text", "x".repeat(length as usize));
        drop(stage.start_span(number as usize, vec![text]));
        if random.one_in(2_000) {
            stage.flush(Duration::from_millis(random.below(200)));
        }
    }
}

/// Where the library, the service and what was handed over do not agree.
fn compare(stage: &Stage, spans: u64, sums: &mut Sums) -> Vec<String> {
    let counts = stage.counts();
    let requests = stage.service.as_ref().map(Service::requests);
    let account = stage.oracle.account(&requests.unwrap_or_default());
    let lost: u64 = counts.lost.values().sum();
    sums.accepted += counts.accepted;
    sums.exported += counts.exported;
    sums.lost += lost;
    sums.perhaps_twice += account.perhaps_twice as u64;
    let mut problems = Vec::new();
    if counts.accepted != spans || counts.queued > 0 || !counts.add_up() {
        problems.push(format!("{spans} spans, but {counts:?}"));
    }
    let taken = account.taken as u64;
    // What was in flight at the end of a shutdown may have been taken all the same.
    let unknown = counts.lost.get("shutdown_deadline").copied().unwrap_or(0);
    if !(counts.exported..=counts.exported + unknown).contains(&taken) {
        problems.push(format!("the service took {taken}: {counts:?}"));
    }
    if account.taken_twice + account.foreign > 0 {
        problems.push(format!("{account:?}"));
    }
    let prompts = match stage.front.is_agent365() {
        true => account.taken,
        false => 0,
    };
    if account.canaries != prompts {
        problems.push(format!("{prompts} prompts expected: {account:?}"));
    }
    problems
}
