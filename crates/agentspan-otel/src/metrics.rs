//! Metrics of agents, recorded from finished spans.

pub(crate) mod mcp;
mod release_0_1;

use std::sync::Arc;
use std::time::Duration;

use agentspan_model::attribute::{AttributeValue, Key};
use agentspan_model::keys;
use agentspan_model::mapping::normal::NormalSpan;
use agentspan_model::mapping::{AgentSpecFields, Mapping, PlacedSpan, Rendering};
use agentspan_queue::contain;
use agentspan_record::{FinishedSpan, from_otel, source_span, to_value};
use opentelemetry::metrics::{Histogram, Meter};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

/// The buckets for durations that the
/// [conventions](https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/) recommend, in
/// seconds.
const SECONDS: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// The buckets for numbers of tokens that they recommend.
const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// The attributes of a span that are dimensions of its metrics. None of them is content, an id or
/// the name of a user.
const DIMENSIONS: [&str; 5] = [
    keys::GEN_AI_OPERATION_NAME,
    keys::GEN_AI_PROVIDER_NAME,
    keys::GEN_AI_REQUEST_MODEL,
    keys::GEN_AI_RESPONSE_MODEL,
    keys::ERROR_TYPE,
];

/// Those of tokens.
const OF_USAGE: [&str; 4] = [
    keys::GEN_AI_OPERATION_NAME,
    keys::GEN_AI_PROVIDER_NAME,
    keys::GEN_AI_REQUEST_MODEL,
    keys::GEN_AI_RESPONSE_MODEL,
];

/// The maximum length of a dimension. A longer text is not the name of a model or of an error type.
pub(crate) const LONGEST_NAME: usize = 128;

/// Replaces values that would create too many time series, or expose data that does not belong in a
/// metric. The conventions use this value for `error.type`.
pub(crate) const OTHER: &str = "_OTHER";

/// Records the duration and the token usage of the operations of agents.
///
/// A [`SpanProcessor`] that reads finished spans: spans of scopes, spans of other instrumentation
/// in any convention that [`NormalSpan`] reads, and Agent Spec spans from an
/// [`OtelBridge`](crate::OtelBridge). It records `gen_ai.client.operation.duration` in seconds and
/// `gen_ai.client.token.usage`, with the buckets that the GenAI conventions recommend.
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
/// **Cost.** It runs on the thread that ends a span. If the bridge does not pass records on, an
/// Agent Spec span is read from its attributes, which takes longer the more content is captured.
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

/// What operations are recorded with, in the words of a version of the conventions.
#[derive(Debug)]
enum Operations {
    V1_41 {
        duration: Histogram<f64>,
        tokens: Histogram<u64>,
    },
    V0_1(Box<release_0_1::Instruments>),
}

impl AgentMetrics {
    /// Records with `meter`.
    #[must_use]
    pub fn new(meter: &Meter) -> Self {
        let tokens = meter
            .u64_histogram(keys::METRIC_TOKEN_USAGE)
            .with_unit("{token}")
            .with_description("how many tokens an operation used")
            .with_boundaries(TOKENS.to_vec());
        let operations = Operations::V1_41 {
            duration: duration(meter, keys::METRIC_OPERATION_DURATION),
            tokens: tokens.build(),
        };
        Self::with(operations, meter)
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
            Operations::V1_41 {
                duration: seconds,
                tokens,
            } => {
                seconds.record(duration, &measured.dimensions(&DIMENSIONS));
                // The class of an error is none: a failed operation uses tokens as well.
                let mut dimensions = measured.dimensions(&OF_USAGE);
                for (used, kind) in [
                    (measured.usage.input, "input"),
                    (measured.usage.output, "output"),
                ] {
                    if let Some(used) = used {
                        dimensions.push(KeyValue::new(keys::GEN_AI_TOKEN_TYPE, kind));
                        tokens.record(used, &dimensions);
                        dimensions.pop();
                    }
                }
            }
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

/// What of a span is measured: its operation, under keys of [`DIMENSIONS`] and of tools, and its tokens.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    texts: Vec<(&'static str, Value)>,
    usage: Tokens,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tokens {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    reasoning: Option<u64>,
}

impl Measured {
    /// What a span says, if it is an operation of an agent.
    pub(crate) fn of_finished(span: &FinishedSpan) -> Option<Self> {
        match &span.agent_spec {
            Some(placed) => Self::of_placed(placed),
            None => Self::of_agent_spec(&span.data).or_else(|| Self::of(&span.data)),
        }
    }

    /// Whether the operation failed, if a status says so or not.
    pub(crate) fn has_failed(&self) -> bool {
        self.texts.iter().any(|(key, _)| *key == keys::ERROR_TYPE)
    }

    /// The tokens of a call of a model, input and output together.
    pub(crate) fn tokens(&self) -> u64 {
        let used = [self.usage.input, self.usage.output];
        used.into_iter().flatten().fold(0, u64::saturating_add)
    }

    /// What a span says in whatever convention, if it names an operation.
    fn of(span: &SpanData) -> Option<Self> {
        let normal = NormalSpan::read_without_contents(&source_span(span))?;
        let error = normal.error.as_ref();
        let mut measured = Self::default();
        for (key, text) in [
            (keys::GEN_AI_OPERATION_NAME, Some(normal.operation.as_str())),
            (keys::GEN_AI_PROVIDER_NAME, normal.call.provider.as_deref()),
            (
                keys::GEN_AI_REQUEST_MODEL,
                normal.call.request_model.as_deref(),
            ),
            (
                keys::GEN_AI_RESPONSE_MODEL,
                normal.call.response_model.as_deref(),
            ),
            (
                keys::ERROR_TYPE,
                error.map(|error| error.error_type.as_deref().unwrap_or(OTHER)),
            ),
            (keys::GEN_AI_AGENT_NAME, normal.agent.name.as_deref()),
            (keys::GEN_AI_TOOL_NAME, normal.tool.name.as_deref()),
        ] {
            if let Some(text) = text {
                measured.add(key, &Value::from(text.to_owned()));
            }
        }
        if !normal.is_sum() {
            let count = |tokens: Option<i64>| tokens.and_then(|it| u64::try_from(it).ok());
            measured.usage = Tokens {
                input: count(normal.usage.input),
                output: count(normal.usage.output),
                cache_read: count(normal.usage.cache_read),
                cache_write: count(normal.usage.cache_write),
                reasoning: count(normal.usage.reasoning),
            };
        }
        Some(measured)
    }

    /// What the GenAI conventions say of an Agent Spec span, if it is one and an operation.
    fn of_agent_spec(span: &SpanData) -> Option<Self> {
        let mut attributes = span.attributes.iter();
        attributes.find(|attribute| attribute.key.as_str() == keys::AGENTSPEC_SPAN_ID)?;
        // One that was cut is measured by what is left of it.
        Self::of_placed(&from_otel(span).ok()??)
    }

    fn of_placed(placed: &PlacedSpan) -> Option<Self> {
        let mapping = Mapping::new(Rendering::GenAi).with_fields(AgentSpecFields::Identifying);
        let mut measured = Self::default();
        mapping.visit_span(
            &placed.in_trace(),
            &mut |key: Key, value: AttributeValue<'_>| {
                if let (Key::Static(name), Some(value)) = (key, to_value(key, value)) {
                    measured.add(name, &value);
                }
            },
        );
        measured.operation().is_some().then_some(measured)
    }

    fn add(&mut self, key: &str, value: &Value) {
        match key {
            keys::GEN_AI_USAGE_INPUT_TOKENS => self.usage.input = count(value),
            keys::GEN_AI_USAGE_OUTPUT_TOKENS => self.usage.output = count(value),
            // As release 0.1.0 has it, which alone asks for it.
            keys::GEN_AI_WORKFLOW_NAME => self.add(keys::GEN_AI_AGENT_NAME, value),
            _ => {
                let names = [keys::GEN_AI_AGENT_NAME, keys::GEN_AI_TOOL_NAME];
                let mut kept = DIMENSIONS.into_iter().chain(names);
                if let Some(key) = kept.find(|kept| *kept == key) {
                    self.texts.push((key, dimension(key, value)));
                }
            }
        }
    }

    fn operation(&self) -> Option<&Value> {
        let mut texts = self.texts.iter();
        let (_, operation) = texts.find(|(key, _)| *key == keys::GEN_AI_OPERATION_NAME)?;
        Some(operation)
    }

    /// What is said under these keys.
    fn dimensions(&self, keys: &[&str]) -> Vec<KeyValue> {
        let kept = self.texts.iter().filter(|(key, _)| keys.contains(key));
        let mut dimensions = Vec::with_capacity(keys.len() + 1);
        dimensions.extend(kept.map(|(key, value)| KeyValue::new(*key, value.clone())));
        dimensions
    }
}

fn dimension(key: &str, value: &Value) -> Value {
    match value {
        Value::String(name) if key == keys::GEN_AI_OPERATION_NAME => {
            operation(name.as_str()).into()
        }
        Value::String(name) if name.as_str().len() <= LONGEST_NAME => value.clone(),
        _ => OTHER.into(),
    }
}

/// The name of an operation in the conventions, and those of Agent 365 that they have no name for.
fn operation(name: &str) -> &'static str {
    const KNOWN: [&str; 11] = [
        "apply_guardrail",
        "chat",
        "create_agent",
        "embeddings",
        "execute_tool",
        "generate_content",
        "invoke_agent",
        "invoke_workflow",
        "output_messages",
        "retrieval",
        "text_completion",
    ];
    match name {
        "Chat" => "chat",
        "GenerateContent" => "generate_content",
        "TextCompletion" => "text_completion",
        _ => KNOWN
            .into_iter()
            .find(|known| *known == name)
            .unwrap_or(OTHER),
    }
}

/// A number of tokens; the reference 0.1.0 writes it as text.
fn count(value: &Value) -> Option<u64> {
    match value {
        Value::I64(number) => u64::try_from(*number).ok(),
        Value::String(text) => text.as_str().parse().ok(),
        _ => None,
    }
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
