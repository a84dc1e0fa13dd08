//! Metrics of agents, from their finished spans, and of exports.

use std::time::Duration;

use agentspan_model::keys;
use opentelemetry::metrics::{Histogram, Meter};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

/// The buckets that the [conventions](https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/)
/// advise for durations, in seconds.
const SECONDS: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// The buckets that they advise for numbers of tokens.
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

/// The attributes of a span that its metrics have, too. None of them is content, an id or a name of a user.
const DIMENSIONS: [&str; 5] = [
    keys::GEN_AI_OPERATION_NAME,
    keys::GEN_AI_PROVIDER_NAME,
    keys::GEN_AI_REQUEST_MODEL,
    keys::GEN_AI_RESPONSE_MODEL,
    keys::ERROR_TYPE,
];

/// Records how long the operations of agents take, and how many tokens they use.
///
/// A [`SpanProcessor`] that reads finished spans with a `gen_ai.operation.name`, and records
/// `gen_ai.client.operation.duration` in seconds and `gen_ai.client.token.usage`. Spans that the bridge made
/// of Agent Spec spans have these attributes once they are [`Rendered`](crate::Rendered): wrap it.
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
pub struct AgentMetrics {
    duration: Histogram<f64>,
    tokens: Histogram<u64>,
}

impl AgentMetrics {
    /// Records with `meter`.
    #[must_use]
    pub fn new(meter: &Meter) -> Self {
        let duration = meter
            .f64_histogram(keys::METRIC_OPERATION_DURATION)
            .with_unit("s")
            .with_description("how long an operation of an agent took")
            .with_boundaries(SECONDS.to_vec());
        let tokens = meter
            .u64_histogram(keys::METRIC_TOKEN_USAGE)
            .with_unit("{token}")
            .with_description("how many tokens an operation used")
            .with_boundaries(TOKENS.to_vec());
        Self {
            duration: duration.build(),
            tokens: tokens.build(),
        }
    }

    /// Records what a finished span says.
    pub fn record(&self, span: &SpanData) {
        let value = |key: &str| {
            let mut attributes = span.attributes.iter();
            attributes.find(|a| a.key.as_str() == key).map(|a| &a.value)
        };
        if value(keys::GEN_AI_OPERATION_NAME).is_none() {
            return;
        }
        let mut dimensions: Vec<KeyValue> = DIMENSIONS
            .iter()
            .filter_map(|key| Some(KeyValue::new(*key, value(key)?.clone())))
            .collect();
        let duration = span.end_time.duration_since(span.start_time);
        let duration = duration.unwrap_or_default().as_secs_f64();
        self.duration.record(duration, &dimensions);
        // Not a dimension of usage: a failed operation uses tokens as well.
        dimensions.retain(|dimension| dimension.key.as_str() != keys::ERROR_TYPE);
        for (key, kind) in [
            (keys::GEN_AI_USAGE_INPUT_TOKENS, "input"),
            (keys::GEN_AI_USAGE_OUTPUT_TOKENS, "output"),
        ] {
            if let Some(tokens) = value(key).and_then(count) {
                dimensions.push(KeyValue::new(keys::GEN_AI_TOKEN_TYPE, kind));
                self.tokens.record(tokens, &dimensions);
                dimensions.pop();
            }
        }
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
        self.record(&span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
