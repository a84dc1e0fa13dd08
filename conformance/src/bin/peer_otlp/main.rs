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

use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_processor::TraceError;

use crate::send::Protocol;

const USAGE: &str =
    "usage: peer_otlp assistant|conversation genai|openinference masked|clear http|grpc
       peer_otlp relayed COLLECTOR DIRECTORY";

/// What makes a trace: everything happens in the trace that is current.
type Story = fn() -> Result<(), TraceError>;

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
        "assistant" => assistant::work,
        "conversation" => conversation::work,
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
