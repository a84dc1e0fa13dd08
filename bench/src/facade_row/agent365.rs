//! Turns that the facade delivers to Agent 365, with all defaults.

use std::time::Duration;

use agentspan::Telemetry;
use agentspan::discovery::Environment;
use agentspan_agent365::{AccessToken, Delivery, DeliveryBuilder, token_from_async_fn};
use agentspan_model::mapping::ContentCapture;
use agentspan_otel::baggage::RequestBaggage;
use agentspan_otel::{BaggageBuilder, ScopeTracer};
use agentspan_processor::trace::OpenTrace;
use agentspan_testkit::turn;

use crate::agentspec_row::turn::{Events, Facts, Turn};
use crate::error::BenchError;
use crate::scope_row::data::{EventNames, TurnData};
use crate::scope_row::scopes::turn_of_scopes;
use crate::site::Pipeline;

/// Longer than a flush ever needs.
const FLUSH: Duration = Duration::from_secs(60);

/// A turn, and the telemetry that takes it to the service.
pub(crate) struct Agent365 {
    made: Made,
    telemetry: Telemetry,
}

enum Made {
    AgentSpec(Box<AgentSpec>),
    Scopes(Box<(ScopeTracer, TurnData)>),
}

/// A trace for all turns, and the baggage of each.
struct AgentSpec {
    trace: OpenTrace,
    baggage: RequestBaggage,
    turn: Turn,
}

impl Agent365 {
    /// Turns in Agent Spec, each with the baggage of its request.
    pub(crate) fn agent_spec(sink: &str) -> Result<Self, BenchError> {
        let telemetry = install(sink)?;
        let trace = telemetry.trace().start_detached();
        let baggage = BaggageBuilder::new()
            .with_tenant_id(turn::TENANT)
            .with_agent_id(turn::agent_id(0))
            .with_conversation_id("0000000c-0000-4000-8000-000000000001")
            .with_caller_id("000000ca-0000-4000-8000-000000000042")
            .with_caller_name("Ada");
        let made = AgentSpec {
            trace: trace.map_err(|error| BenchError::set_up("a trace")(error.into()))?,
            baggage: baggage.build(),
            turn: Turn::new(Facts::OfDefinitions)?,
        };
        Ok(Self {
            made: Made::AgentSpec(Box::new(made)),
            telemetry,
        })
    }

    /// Turns of scopes.
    pub(crate) fn scopes(sink: &str) -> Result<Self, BenchError> {
        let telemetry = install(sink)?;
        let tracer = ScopeTracer::new(telemetry.provider());
        let data = TurnData::new(EventNames::TURN)?;
        Ok(Self {
            made: Made::Scopes(Box::new((tracer, data))),
            telemetry,
        })
    }

    pub(crate) fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }
}

/// The delivery to the service on the loopback, with its defaults.
pub(crate) fn delivery(sink: &str) -> DeliveryBuilder {
    // As cheap as a header that never changes.
    let resolver = token_from_async_fn(|_| async { Ok(Some(AccessToken::new("token")?)) });
    Delivery::builder(resolver).with_loopback_endpoint(sink)
}

fn install(sink: &str) -> Result<Telemetry, BenchError> {
    agentspan::configure()
        .with_environment(&Environment::default())
        .with_content_capture(ContentCapture::SpanAndEvent)
        .with_delivery(delivery(sink))
        .with_switches_on()
        .install()
        .map_err(|error| BenchError::set_up("the facade")(error.into()))
}

impl Pipeline for Agent365 {
    fn turn(&self) {
        match &self.made {
            Made::AgentSpec(made) => {
                let _trace = made.trace.root().enter();
                let _baggage = made.baggage.enter();
                made.turn.run_here(Events::Always);
            }
            Made::Scopes(made) => turn_of_scopes(&made.0, &made.1),
        }
    }

    fn delivered(&self) -> u64 {
        let stats = self.telemetry.agent365_stats();
        stats.map_or(0, |stats| stats.exported)
    }

    fn flush(&self) {
        // What was not delivered is seen in the counts.
        let _ = self.telemetry.flush(FLUSH);
    }
}
