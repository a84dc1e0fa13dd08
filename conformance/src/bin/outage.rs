//! Says what a delivery with defaults loses in an outage of the service, in real time.
//!
//! `outage SECONDS` hands over ten spans a second, for each generation of the contract, while every connection is
//! closed. Then it lets the service answer, waits until all is delivered, and ends with an error if a span was lost.
//! The tests of the lanes do the same with a clock of their own.

use std::error::Error;
use std::io::{Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use agentspan_agent365::{AccessToken, Delivery, token_from_fn};
use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use agentspan_testkit::{Answer, Recording, Service};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;

type Failure = Box<dyn Error + Send + Sync>;

/// Longer than the longest pause between two tries.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> Result<(), Failure> {
    let seconds = std::env::args().nth(1).ok_or("outage SECONDS")?.parse()?;
    let outages = [Profile::V0_1, Profile::V2];
    let outages = outages.map(|profile| thread::spawn(move || outage(profile, seconds)));
    for outage in outages {
        outage.join().map_err(|_| "a panic")??;
    }
    Ok(())
}

fn outage(profile: Profile, seconds: u64) -> Result<(), Failure> {
    let is_down = Arc::new(AtomicBool::new(true));
    let answers_down = Arc::clone(&is_down);
    let service = Service::builder()
        .answer_with(move |_| match answers_down.load(SeqCst) {
            true => Answer::refuse(),
            false => Answer::status(200),
        })
        .recording(Recording::CountsOnly)
        .start()?;
    let token = AccessToken::new("t")?;
    let delivery = Delivery::builder(token_from_fn(move |_| Ok(Some(token.clone()))))
        .with_profile(profile)
        .with_loopback_endpoint(service.url())
        .build()?;
    let provider = SdkTracerProvider::builder()
        .with_span_processor(delivery.span_processor())
        .build();
    let tracer = provider.tracer("outage");
    let started = Instant::now();
    let mut ended = 0;
    while started.elapsed() < Duration::from_secs(seconds) {
        let attributes = [
            KeyValue::new(
                profile.tenant_id_key(),
                "e3064512-cc6d-4703-be71-a2ecaecaa98a",
            ),
            KeyValue::new(keys::GEN_AI_AGENT_ID, "agent"),
            KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat"),
            KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, "x".repeat(1_000)),
        ];
        let span = tracer.span_builder("chat").with_attributes(attributes);
        drop(span.start(&tracer));
        ended += 1;
        let next = started + Duration::from_millis(100 * ended);
        thread::park_timeout(next.saturating_duration_since(Instant::now()));
    }
    let before = delivery.stats();
    writeln!(stdout(), "{profile:?} at the end of the outage: {before}")?;
    is_down.store(false, SeqCst);
    let up = Instant::now();
    delivery.flush(PATIENCE)?;
    let (stats, after) = (delivery.stats(), up.elapsed());
    let attempts = stats.attempts;
    writeln!(
        stdout(),
        "{profile:?} {after:?} later: {stats}; {attempts} tries"
    )?;
    match stats.accepted == ended && stats.exported == ended {
        true => Ok(()),
        false => Err(format!("{profile:?} lost spans").into()),
    }
}
