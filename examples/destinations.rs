//! One trace sent to three destinations, one of them broken: `cargo run --example destinations`.
//!
//! The spans of an Agent Spec trace go to an OTLP receiver in this process, to the console, and to
//! a broken receiver, which answers 400. A recording keeps the trace itself. The report shows how
//! many spans each destination got and lost.

#![expect(clippy::print_stdout, reason = "the example shows what happens")]

use std::error::Error;
use std::time::Duration;

use agentspan::model::agentspec::{
    Agent, AgentExecutionSpan, Component, LlmConfig, LlmGenerationSpan,
};
use agentspan::model::mapping::Rendering;
use agentspan::otel::{ConsoleDetail, ConsoleExporter};
use agentspan::processor::{InMemory, Span};
use agentspan::{Destination, Otlp, TelemetryError};
use agentspan_testkit::{Answer, Service};

fn main() -> Result<(), Box<dyn Error>> {
    let receiver = Service::builder().script([Answer::status(200)]).start()?;
    let broken = Service::builder().script([Answer::status(400)]).start()?;
    let recording = InMemory::new();

    let url = |service: &Service| format!("{}/v1/traces", service.url());
    let console = ConsoleExporter::new().with_detail(ConsoleDetail::Names);
    let telemetry = agentspan::configure()
        .with_service_name("destinations")
        .with_destination(
            Destination::otlp_http(Otlp::new().with_endpoint(url(&receiver)))?
                .with_name("phoenix")
                .with_rendering(Rendering::OpenInference),
        )
        .with_destination(
            Destination::otlp_http(Otlp::new().with_endpoint(url(&broken)))?.with_name("broken"),
        )
        .with_destination(Destination::console(console))
        .with_agent_spec_processor("recording", recording.clone())
        .with_switches_on()
        .install()?;

    let agent = Agent::try_from(Component::builder("Agent", "librarian").build())?;
    let model = Component::builder("OpenAiConfig", "main model").with_text("model_id", "gpt-4o");
    let model = LlmConfig::try_from(model.build())?;

    println!("The console:\n");
    let trace = telemetry.trace().with_name("turn").start()?;
    let turn = Span::builder(AgentExecutionSpan::new(agent)).start()?;
    Span::builder(LlmGenerationSpan::new(model))
        .start()?
        .end()?;
    turn.end()?;
    trace.end()?;

    match telemetry.flush(Duration::from_secs(10)) {
        Ok(()) => return Err("nothing was lost".into()),
        Err(loss @ TelemetryError::Processor { .. }) => {
            println!("\nThe error of the flush:\n\n{loss}")
        }
        Err(error) => return Err(error.into()),
    }
    println!("\nThe report:\n\n{}", telemetry.report());
    println!("\nThe recording:\n\n{}", recording.tree());

    let received = receiver.wait_for(1, Duration::from_secs(10))?;
    let body = String::from_utf8_lossy(&received[0].body);
    assert!(body.contains("openinference.span.kind"));
    let report = telemetry.report();
    for name in ["phoenix", "console"] {
        let got = report.destination(name).ok_or("no such destination")?;
        assert_eq!((got.exported, got.dropped()), (3, 0));
    }
    telemetry.shutdown(Duration::from_secs(5))?;
    Ok(())
}
