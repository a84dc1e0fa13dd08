//! Sends traces to receivers of OTLP, for `cargo xtask peers phoenix`, `peers otlp` and `peers rotel`.
//!
//! The drivers in `conformance/peers` start a receiver, run this program with the standard `OTEL_*`
//! variables, and read back what the receiver has to show. The program prints the id of the trace.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its standard streams"
)]

mod assistant;
mod conversation;
mod others;
mod relayed;
mod send;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use agentspan_model::agent365::Profile;
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_otel::{OtelBridge, ScopeTracer};
use agentspan_processor::{Trace, TraceError};
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::send::Protocol;

const USAGE: &str = "usage: peer_otlp STORY genai|openinference masked|clear http|grpc
       peer_otlp relayed COLLECTOR DIRECTORY";

/// What makes a trace with a provider that bridges spans of Agent Spec.
type Story = fn(&SdkTracerProvider, ContentCapture) -> Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("peer_otlp: {error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                eprintln!("  {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, collector, directory] = arguments.as_slice() {
        if command == "relayed" {
            return through_a_collector(Path::new(collector), Path::new(directory));
        }
    }
    let [story, rendering, content, protocol] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let story: Story = match story.as_str() {
        "assistant" => |provider, capture| in_trace(provider, capture, assistant::work),
        "conversation" => |provider, capture| in_trace(provider, capture, conversation::work),
        "scopes" => |provider, _| others::scopes(&ScopeTracer::with_profile(provider, Profile::V2)),
        "framework" => |provider, _| {
            others::framework(provider);
            Ok(())
        },
        _ => return Err(USAGE.into()),
    };
    let rendering = match rendering.as_str() {
        "genai" => Rendering::GenAi,
        "openinference" => Rendering::OpenInference,
        _ => return Err(USAGE.into()),
    };
    let capture = match content.as_str() {
        "masked" => ContentCapture::default(),
        "clear" => ContentCapture::SpanAndEvent,
        _ => return Err(USAGE.into()),
    };
    let protocol = match protocol.as_str() {
        "http" => Protocol::HttpProtobuf,
        "grpc" => Protocol::Grpc,
        _ => return Err(USAGE.into()),
    };
    let mapping = Mapping::new(rendering).with_capture(capture);
    let spans = send::record(story, capture)?;
    let trace_id = spans.first().ok_or("the trace has no spans")?;
    let trace_id = trace_id.span_context.trace_id().to_string();
    send::send(spans, mapping, protocol)?;
    Ok(trace_id)
}

/// Tells a story of Agent Spec in a trace of its own.
fn in_trace(
    provider: &SdkTracerProvider,
    capture: ContentCapture,
    story: fn() -> Result<(), TraceError>,
) -> Result<(), Box<dyn Error>> {
    Trace::builder()
        .with_name("peers")
        .with_processor(OtelBridge::new(provider).with_capture(capture))
        .in_trace(|_| story())?;
    Ok(())
}

/// What a collector passed on; an error says how it differs from what was sent.
fn through_a_collector(collector: &Path, directory: &Path) -> Result<String, Box<dyn Error>> {
    let outcome = relayed::run(collector, directory)?;
    if outcome.differences.is_empty() {
        let relayed::Outcome { spans, ways, .. } = outcome;
        return Ok(format!(
            "{spans} spans in {ways} ways arrived as they were sent"
        ));
    }
    Err(outcome.differences.join("\n").into())
}
