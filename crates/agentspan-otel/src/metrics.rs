//! Metrics of agents, recorded from finished spans.

pub(crate) mod mcp;
mod measured;
mod release_0_1;
mod release_1_41;
mod series;

use std::sync::Arc;
use std::time::Duration;

use agentspan_model::mapping::Rendering;
use agentspan_queue::contain;
use agentspan_record::FinishedSpan;
use opentelemetry::Context;
use opentelemetry::metrics::{Histogram, Meter};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

pub(crate) use self::measured::Measured;

/// The buckets for durations that the
/// [conventions](https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/) recommend, in
/// seconds.
const SECONDS: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// The maximum length of a dimension. A longer text is not the name of a model or of an error type.
pub(crate) const LONGEST_NAME: usize = 128;

/// Replaces values that would create too many time series, or expose data that does not belong in a
/// metric. The conventions use this value for `error.type`.
pub(crate) const OTHER: &str = "_OTHER";

/// Records the duration and the token usage of the operations of agents.
///
/// A [`SpanProcessor`] that reads finished spans: spans of scopes, spans of other instrumentation
/// in any convention that [`NormalSpan`](agentspan_model::mapping::normal::NormalSpan) reads, and
/// Agent Spec spans from an [`OtelBridge`](crate::OtelBridge). It records
/// `gen_ai.client.operation.duration` in seconds and `gen_ai.client.token.usage`, with the buckets
/// that the GenAI conventions recommend.
///
/// **Messages of the Model Context Protocol** (spans with `mcp.method.name`, such as those of
/// [`McpScope`](crate::McpScope)) are recorded as `mcp.client.operation.duration` by the client,
/// and as `mcp.server.operation.duration` by the server. A call of a tool is also an operation of
/// the client, but not of the server, so that it is counted once.
/// [`McpSessions`](crate::McpSessions) has the metrics of sessions.
///
/// **Tokens** are counted for model calls. Some frameworks repeat the sum on the span of the agent;
/// it is not counted again.
///
/// **Dimensions** are `gen_ai.operation.name`, `gen_ai.provider.name`, `gen_ai.request.model`,
/// `gen_ai.response.model`, `error.type` of durations and `gen_ai.token.type` of tokens; for
/// messages, the dimensions of the conventions without the address of a resource. No dimension
/// holds an id or content. `_OTHER` replaces unknown operations, because a caller's baggage may
/// name any, and also texts of more than 128 bytes, methods that are not in the conventions, and
/// names of tools or prompts that a server does not have. `Chat` of Agent 365 0.1.0 is measured as
/// `chat`. The program decides the number of names of models and error types; the SDK limits it, by
/// default to 2,000 combinations per metric.
///
/// **Cost.** It runs on the thread that ends a span, and takes one to two microseconds. The SDK's
/// instruments take half of that, because they hash all attributes of each value. The metrics read
/// no contents, remember the attributes of up to 1,024 series, and wait for no other thread. If the
/// bridge does not pass records on, an Agent Spec span is read from its attributes, which takes
/// longer the more content is captured.
///
/// ```
/// use agentspan_otel::AgentMetrics;
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// let meter = opentelemetry::global::meter("agentspan");
/// let provider = SdkTracerProvider::builder()
///     .with_span_processor(AgentMetrics::new(&meter))
///     .build();
/// # drop(provider);
/// ```
#[derive(Clone, Debug)]
pub struct AgentMetrics(Arc<Instruments>);

#[derive(Debug)]
struct Instruments {
    operations: Operations,
    messages: mcp::Instruments,
}

/// The instruments for operations, in the words of a version of the conventions.
#[derive(Debug)]
enum Operations {
    V1_41(release_1_41::Instruments),
    V0_1(Box<release_0_1::Instruments>),
}

impl AgentMetrics {
    /// Records with `meter`.
    #[must_use]
    pub fn new(meter: &Meter) -> Self {
        let instruments = release_1_41::Instruments::new(meter);
        Self::with(Operations::V1_41(instruments), meter)
    }

    fn with(operations: Operations, meter: &Meter) -> Self {
        Self(Arc::new(Instruments {
            operations,
            messages: mcp::Instruments::new(meter),
        }))
    }

    /// Records with `meter` the metrics of release 0.1.0 of the GenAI conventions, if `rendering` is
    /// [`Rendering::GenAiV0_1`], and those of [`new`](Self::new) otherwise.
    ///
    /// `gen_ai.client.inference.duration` for calls of models, `gen_ai.invoke_agent.duration` with
    /// the name of the agent, `gen_ai.execute_tool.duration` with the name of the tool,
    /// `gen_ai.client.operation.duration` for all else, and a counter
    /// `gen_ai.client.inference.usage.*` for each kind of tokens.
    #[must_use]
    pub fn in_words_of(rendering: Rendering, meter: &Meter) -> Self {
        match rendering {
            Rendering::GenAiV0_1 => {
                let instruments = release_0_1::Instruments::new(meter);
                Self::with(Operations::V0_1(Box::new(instruments)), meter)
            }
            _ => Self::new(meter),
        }
    }

    /// Records what a finished span says. A panic of the meter's instruments is contained.
    pub fn record(&self, span: &FinishedSpan) {
        let _ = contain::call(|| self.measure(span));
    }

    fn measure(&self, span: &FinishedSpan) {
        let data = &span.data;
        let duration = data.end_time.duration_since(data.start_time);
        let duration = duration.unwrap_or_default().as_secs_f64();
        if let Some(message) = mcp::Message::of(data) {
            self.0.messages.record(&message, duration);
            if message.is_answered() {
                return;
            }
        }
        let Some(measured) = Measured::of_finished(span) else {
            return;
        };
        match &self.0.operations {
            Operations::V1_41(instruments) => instruments.record(&measured, duration),
            Operations::V0_1(instruments) => instruments.record(&measured, duration),
        }
    }
}

fn duration(meter: &Meter, name: &'static str) -> Histogram<f64> {
    meter
        .f64_histogram(name)
        .with_unit("s")
        .with_description("how long an operation of an agent took")
        .with_boundaries(SECONDS.to_vec())
        .build()
}

impl SpanProcessor for AgentMetrics {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.record(&FinishedSpan::received(span));
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
