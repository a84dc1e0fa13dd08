//! The metrics of messages of the Model Context Protocol, after the [conventions].
//!
//! [conventions]: https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md#metrics

use agentspan_model::keys;
use opentelemetry::metrics::{Histogram, Meter};
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::{LONGEST_NAME, OTHER};

/// The buckets that the conventions advise, in seconds.
const SECONDS: [f64; 14] = [
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
];

/// The attributes of a span that its metric has, too, beside the method and the error.
const DIMENSIONS: [&str; 9] = [
    keys::GEN_AI_OPERATION_NAME,
    keys::GEN_AI_TOOL_NAME,
    keys::GEN_AI_PROMPT_NAME,
    keys::RPC_RESPONSE_STATUS_CODE,
    keys::MCP_PROTOCOL_VERSION,
    keys::JSONRPC_PROTOCOL_VERSION,
    keys::NETWORK_TRANSPORT,
    keys::NETWORK_PROTOCOL_NAME,
    keys::NETWORK_PROTOCOL_VERSION,
];

/// The attributes that only the client has.
const OF_CLIENT: [&str; 2] = [keys::SERVER_ADDRESS, keys::SERVER_PORT];

/// What a caller names, and may make up. A server has such a thing if it answers without an error.
const NAMED_BY_CALLER: [&str; 2] = [keys::GEN_AI_TOOL_NAME, keys::GEN_AI_PROMPT_NAME];

/// The versions of the protocol: <https://modelcontextprotocol.io/docs/learn/versioning>.
const PROTOCOL_VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// The versions of JSON-RPC.
const JSONRPC_VERSIONS: [&str; 2] = ["1.0", "2.0"];

/// The methods that the conventions know.
const METHODS: [&str; 26] = [
    "completion/complete",
    "elicitation/create",
    "initialize",
    "logging/setLevel",
    "notifications/cancelled",
    "notifications/elicitation/complete",
    "notifications/initialized",
    "notifications/message",
    "notifications/progress",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    "notifications/roots/list_changed",
    "notifications/tools/list_changed",
    "ping",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/subscribe",
    "resources/templates/list",
    "resources/unsubscribe",
    "roots/list",
    "sampling/createMessage",
    "tools/call",
    "tools/list",
];

#[derive(Debug)]
pub(super) struct Instruments {
    client: Histogram<f64>,
    server: Histogram<f64>,
}

impl Instruments {
    pub(super) fn new(meter: &Meter) -> Self {
        Self {
            client: duration(
                meter,
                keys::METRIC_MCP_CLIENT_OPERATION_DURATION,
                "how long a request or a notification took, until its answer came",
            ),
            server: duration(
                meter,
                keys::METRIC_MCP_SERVER_OPERATION_DURATION,
                "how long it took to answer a request or a notification",
            ),
        }
    }

    pub(super) fn record(&self, message: &Message, seconds: f64) {
        let histogram = match message.side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        };
        histogram.record(seconds, &message.dimensions);
    }
}

/// A histogram of durations.
pub(crate) fn duration(
    meter: &Meter,
    name: &'static str,
    description: &'static str,
) -> Histogram<f64> {
    meter
        .f64_histogram(name)
        .with_unit("s")
        .with_description(description)
        .with_boundaries(SECONDS.to_vec())
        .build()
}

/// The measured parts of a message.
#[derive(Debug)]
pub(super) struct Message {
    side: Side,
    dimensions: Vec<KeyValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

impl Message {
    /// The message of a span, if it is the span of one.
    pub(super) fn of(span: &SpanData) -> Option<Self> {
        let method = last(span, keys::MCP_METHOD_NAME)?;
        let side = match span.span_kind {
            SpanKind::Server | SpanKind::Consumer => Side::Server,
            // A span that executes the tool and took the message is internal.
            SpanKind::Client | SpanKind::Producer | SpanKind::Internal => Side::Client,
        };
        let mut dimensions = vec![KeyValue::new(keys::MCP_METHOD_NAME, method_name(method))];
        let of_side: &[&str] = match side {
            Side::Client => &OF_CLIENT,
            Side::Server => &[],
        };
        let error = error_type(span);
        for key in DIMENSIONS.iter().chain(of_side) {
            if let Some(value) = last(span, key) {
                let value = match side {
                    Side::Server => value_of_caller(key, value, error.is_some()),
                    Side::Client => dimension(value),
                };
                dimensions.push(KeyValue::new(*key, value));
            }
        }
        if let Some(error) = error {
            dimensions.push(KeyValue::new(keys::ERROR_TYPE, error));
        }
        Some(Self { side, dimensions })
    }

    /// Whether the span is that of the side that answers, so that the caller's is the operation.
    pub(super) fn is_answered(&self) -> bool {
        self.side == Side::Server
    }
}

/// The value that was set last.
fn last<'a>(span: &'a SpanData, key: &str) -> Option<&'a Value> {
    let mut attributes = span.attributes.iter().rev();
    let found = attributes.find(|attribute| attribute.key.as_str() == key)?;
    Some(&found.value)
}

fn method_name(value: &Value) -> &'static str {
    let name = value.as_str();
    let mut known = METHODS.into_iter();
    known.find(|known| *known == name).unwrap_or(OTHER)
}

/// What a caller says, as far as it is not made up: that is not to become a series.
fn value_of_caller(key: &str, value: &Value, has_failed: bool) -> Value {
    let is_made_up = match key {
        keys::MCP_PROTOCOL_VERSION => !is_protocol_version(&value.as_str()),
        keys::JSONRPC_PROTOCOL_VERSION => !JSONRPC_VERSIONS.contains(&&*value.as_str()),
        key => has_failed && NAMED_BY_CALLER.contains(&key),
    };
    match is_made_up {
        true => OTHER.into(),
        false => dimension(value),
    }
}

/// Whether there is such a version of the protocol.
pub(crate) fn is_protocol_version(text: &str) -> bool {
    PROTOCOL_VERSIONS.contains(&text)
}

fn error_type(span: &SpanData) -> Option<Value> {
    let said = last(span, keys::ERROR_TYPE).map(dimension);
    let has_failed = matches!(span.status, Status::Error { .. });
    said.or_else(|| has_failed.then(|| OTHER.into()))
}

/// A short text or a number.
fn dimension(value: &Value) -> Value {
    match value {
        Value::String(text) if text.as_str().len() <= LONGEST_NAME => value.clone(),
        Value::I64(_) => value.clone(),
        _ => OTHER.into(),
    }
}
