//! A service that never answers, and as many spans as the machine makes, a tenth of them with a
//! megabyte of text: what the calls take, what memory it takes, and whether every loss is counted.

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::thread;
use std::time::{Duration, Instant};

use agentspan_agent365::{AccessToken, Delivery, token_from_fn};
use agentspan_model::agent365::Profile;
use agentspan_testkit::{Answer, Oracle, Recording, Service};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::Failure;
use crate::measure::{Memory, rss_kib};

/// As many as the machine has cores in CI: more would measure how threads wait for a core.
const THREADS: usize = 2;

/// The queue's 64 MiB and a quarter, and 16 MiB for all else; and the texts that callers hold.
const MOST_KIB: u64 = (64 * 5 / 4 + 16 + 2 * THREADS as u64) * 1024;

/// Hands spans over for so long, and says whether memory stayed within its bound and every span is
/// accounted for.
pub(super) fn run(length: Duration) -> Result<bool, Failure> {
    let service = Service::builder()
        .recording(Recording::CountsOnly)
        .answer_with(|_| Answer::hang())
        .start()?;
    let token = AccessToken::new("t")?;
    let delivery = Delivery::builder(token_from_fn(move |_| Ok(Some(token.clone()))))
        .with_profile(Profile::V2)
        .with_loopback_endpoint(service.url())
        .build()?;
    let provider = SdkTracerProvider::builder()
        .with_span_processor(delivery.span_processor())
        .build();
    let tracer = provider.tracer("dead");
    let (memory, idle) = (Memory::start(), rss_kib());
    let end = Instant::now() + length;
    let calls = thread::scope(|scope| {
        let producers = [(); THREADS].map(|()| scope.spawn(|| produce(&tracer, end)));
        let calls = producers.map(|one| one.join().map_err(|_| "a panic"));
        calls.into_iter().collect::<Result<Vec<_>, _>>()
    })?;
    let mut all = Calls::default();
    calls.iter().for_each(|calls| all.add(calls));
    let peak = memory.peak_kib();
    let stats = delivery.stats();
    let offered = all.count;
    let adds_up = stats.accepted == offered
        && stats.exported == 0
        && stats.dropped() + stats.queued == offered;
    writeln!(
        stdout(),
        "{offered} spans in {:.0} s, a tenth of 1 MB: {stats}",
        length.as_secs_f64()
    )?;
    writeln!(
        stdout(),
        "calls: median {} µs, p99 {} µs, p99.9 {} µs, longest {} µs",
        all.at(0.5),
        all.at(0.99),
        all.at(0.999),
        all.at(1.0)
    )?;
    writeln!(
        stdout(),
        "memory: {idle} KiB before, at most {peak} KiB more, of {MOST_KIB} KiB"
    )?;
    Ok(adds_up && peak <= MOST_KIB && offered > 0)
}

/// How long calls took. A list of all of them would be most of the memory that is measured.
#[derive(Default)]
struct Calls {
    count: u64,
    /// How many calls took this many microseconds.
    of_length: BTreeMap<u128, u64>,
}

impl Calls {
    fn count(&mut self, length: Duration) {
        self.count += 1;
        *self.of_length.entry(length.as_micros()).or_default() += 1;
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        for (length, count) in &other.of_length {
            *self.of_length.entry(*length).or_default() += count;
        }
    }

    /// The microseconds that this share of the calls took at most.
    fn at(&self, share: f64) -> u128 {
        let wanted = (self.count as f64 * share).ceil() as u64;
        let mut sum = 0;
        let mut lengths = self.of_length.iter();
        let found = lengths.find(|(_, count)| {
            sum += *count;
            sum >= wanted
        });
        found.map_or(0, |(length, _)| *length)
    }
}

/// Ends spans until a time, and says how long each of these calls took.
fn produce(tracer: &SdkTracer, end: Instant) -> Calls {
    let mut calls = Calls::default();
    let mut number = 0;
    while Instant::now() < end {
        let length = if number % 10 == 0 { 1_000_000 } else { 100 };
        let mut span = tracer
            .span_builder("chat")
            .with_attributes(Oracle::attributes_of(number % 100, Profile::V2, number))
            .start(tracer);
        span.set_attribute(KeyValue::new("text", "x".repeat(length)));
        let started = Instant::now();
        drop(span);
        calls.count(started.elapsed());
        number += 1;
    }
    calls
}
