//! A13: measures how much memory a delivery needs that cannot deliver. `tests/it/memory_bound.rs`
//! runs it for a small queue; `cargo run -p proofs --bin memory_bound 64` does so for the
//! default one.
//!
//! `memory_bound MIB` prints a line for each row, and ends with an error if one needs more than a
//! quarter beyond the queue's MiB, and 16 MiB. Each row is a process of its own.
//!
//! `memory_bound URL PROFILE ROW MIB` hands over spans at full speed, for a queue of so many MiB
//! and four times as many bytes as it takes. A tenth of the spans have a text of a 64th of the
//! queue. It prints the most memory that the process had beyond what it had before, in KiB, and
//! ends with an error if a span is not accounted for.

mod table;

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use agentspan_agent365::{AccessToken, Delivery, ExportToken, PerRequestExport, token_from_fn};
use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

type Failure = Box<dyn Error>;

/// What the spans of a row are like.
struct Row {
    tenants: usize,
    /// What the long texts are made of.
    letter: &'static str,
    per_request: bool,
    /// No span has a long text.
    small: bool,
    /// The only span has one text of so many bytes.
    huge: Option<usize>,
}

impl Row {
    fn of(name: &str) -> Option<Self> {
        let row = Self {
            tenants: 1,
            letter: "x",
            per_request: false,
            small: false,
            huge: None,
        };
        Some(match name {
            "plain" => row,
            "control" => Self {
                letter: "\u{1}",
                ..row
            },
            "tenants" => Self {
                tenants: 100,
                ..row
            },
            "tenants-control" => Self {
                tenants: 100,
                letter: "\u{1}",
                ..row
            },
            "per-request" => Self {
                per_request: true,
                ..row
            },
            "small" => Self { small: true, ..row },
            "huge" => Self {
                huge: Some(4),
                ..row
            },
            _ => return None,
        })
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (url, profile, row, mib) = match arguments.as_slice() {
        [mib] => return table::check(mib.parse()?),
        [url, profile, row, mib] => (url, profile, row, mib),
        _ => return Err("memory_bound MIB, or memory_bound URL PROFILE ROW MIB".into()),
    };
    let profile = match profile.as_str() {
        "v0.1" => Profile::V0_1,
        "v2" => Profile::V2,
        _ => return Err("v0.1 or v2".into()),
    };
    let row = Row::of(row).ok_or("no such row")?;
    let queue = mib.parse::<usize>()? * 1024 * 1024;
    let token = AccessToken::new("t")?;
    let mut delivery = Delivery::builder(token_from_fn(move |_| Ok(Some(token.clone()))))
        .with_profile(profile)
        .with_loopback_endpoint(url)
        .with_max_bytes(queue);
    if row.per_request {
        delivery = delivery.with_per_request_export(PerRequestExport::new());
    }
    let delivery = delivery.build()?;
    let long = match row.huge {
        Some(times) => row.letter.repeat(queue * times),
        None if row.small => "short".to_owned(),
        None => row.letter.repeat(queue / 64),
    };
    let idle = status_kib("VmRSS:")?;
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOn)
        .with_span_processor(delivery.span_processor())
        .build();
    hand_over(&row, queue, long, &provider, &delivery);
    let peak = status_kib("VmHWM:")?;
    let stats = delivery.stats();
    if stats.accepted != stats.exported + stats.dropped() + stats.queued {
        return Err(format!("{stats}").into());
    }
    writeln!(io::stdout(), "{}", peak.saturating_sub(idle))?;
    // Nothing else has to be said, and nobody takes the rest.
    std::process::exit(0);
}

/// Hands the spans over, and lets the delivery try to send them for a while.
fn hand_over(
    row: &Row,
    queue: usize,
    long: String,
    provider: &SdkTracerProvider,
    delivery: &Delivery,
) {
    let mut long = Some(long);
    let (mut bytes, mut number) = (0, 0);
    let spans_enough = |number: usize| row.huge.is_some() && number > 0;
    while bytes < 4 * queue && !spans_enough(number) {
        let text = match (row.huge, number % 10) {
            // It is the caller's no more.
            (Some(_), _) => long.take().unwrap_or_default(),
            (None, 0) => long.clone().unwrap_or_default(),
            (None, _) => "short".to_owned(),
        };
        bytes += text.len() + 1_000;
        end_span(row, number, text, provider);
        number += 1;
    }
    // The delivery forms batches and encodes bodies, and nothing of it gets through.
    let started = Instant::now();
    let is_busy = || delivery.stats().attempts < if row.huge.is_some() { 1 } else { 12 };
    while started.elapsed() < Duration::from_secs(2) && is_busy() {
        let _ = delivery.flush(Duration::from_millis(50));
    }
}

fn end_span(row: &Row, number: usize, text: String, provider: &SdkTracerProvider) {
    let tenant = format!("00000000-0000-0000-0000-{:012}", number % row.tenants);
    let token = AccessToken::new("t").map(ExportToken::new);
    let _token = token.as_ref().ok().map(ExportToken::enter);
    let tracer = provider.tracer("memory_bound");
    let mut span = tracer
        .span_builder("chat")
        .with_attributes([
            KeyValue::new(keys::TENANT_ID, tenant.clone()),
            KeyValue::new(keys::MICROSOFT_TENANT_ID, tenant),
            KeyValue::new(keys::GEN_AI_AGENT_ID, "agent"),
            KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat"),
        ])
        .start_with_context(&tracer, &Context::current());
    // What a span has at its start is copied by the SDK for whoever looks at it there.
    span.set_attribute(KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, text));
    drop(span);
}

/// A line of what the system knows of the process, in KiB.
fn status_kib(name: &str) -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kib.ok_or("no such line")?.parse()?)
}
