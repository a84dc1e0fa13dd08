//! A process that starts, makes one span, delivers it and ends: its whole life is measured.
//!
//! It uses nothing of the library of the benchmarks: the clock of a peer there spends 20 ms before `main`.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::prelude::*;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::trace::SdkTracerProvider;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const AGENT: &str = "a0000000-0000-0000-0000-000000000000";

/// Longer than a loopback ever needs.
const SHUTDOWN: Duration = Duration::from_secs(10);

#[expect(clippy::print_stderr, reason = "the end of a program")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["nothing", _] => Ok(()),
        ["agentspan", sink] => ours(sink),
        ["opentelemetry_sdk + OTLP protobuf", sink] => otlp(sink),
        _ => Err("usage: bench-start WHAT SINK".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn ours(sink: &str) -> Result<(), Box<dyn Error>> {
    let resolver = token_from_async_fn(|_| async { Ok(Some(AccessToken::new("token")?)) });
    let telemetry = agentspan::configure()
        .with_environment(&Environment::default())
        .with_service_name("start")
        .with_delivery(Delivery::builder(resolver).with_loopback_endpoint(sink))
        .with_switches_on()
        .install()?;
    let agent = AgentDetails::new(AgentId::parse(AGENT)?);
    let tenant = TenantDetails::new(TenantId::parse(TENANT)?);
    ExecuteToolScope::start(&ToolCallDetails::new("clock"), &agent, &tenant).end();
    telemetry.shutdown(SHUTDOWN)?;
    match telemetry.agent365_stats() {
        Some(stats) if stats.exported == 1 => Ok(()),
        stats => Err(format!("not delivered: {stats:?}").into()),
    }
}

fn otlp(sink: &str) -> Result<(), Box<dyn Error>> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{sink}/v1/traces"))
        .build()?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .build();
    let tracer = provider.tracer("start");
    let span = tracer
        .span_builder("execute_tool clock")
        .with_attributes([
            KeyValue::new("gen_ai.operation.name", "execute_tool"),
            KeyValue::new("gen_ai.tool.name", "clock"),
            KeyValue::new("gen_ai.agent.id", AGENT),
            KeyValue::new("tenant.id", TENANT),
        ])
        .start(&tracer);
    drop(span);
    provider.shutdown_with_timeout(SHUTDOWN)?;
    Ok(())
}
