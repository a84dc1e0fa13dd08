//! Measures the duration of MCP sessions.

use std::sync::Arc;
use std::time::Instant;

use agentspan_model::mcp::{McpRequest, McpTransport};
use agentspan_model::{ErrorClass, keys};
use agentspan_queue::contain;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter};

use crate::metrics::mcp::{duration, is_protocol_version};
use crate::metrics::{LONGEST_NAME, OTHER};

/// Records `mcp.client.session.duration` and `mcp.server.session.duration`, in seconds, as the
/// [conventions] define them.
///
/// A session has no span, because it may last for days, and its messages belong to many traces. So
/// the program reports the start of a session, with its `initialize` request, and keeps the
/// [`McpSession`] until the session ends.
///
/// ```
/// use agentspan_model::mcp::{McpRequest, McpTransport};
/// use agentspan_otel::McpSessions;
///
/// let sessions = McpSessions::new(&opentelemetry::global::meter("my-agent"));
/// let initialize = McpRequest::new("initialize").with_transport(McpTransport::Stdio);
/// let mut session = sessions.client(&initialize);
/// session.record_protocol_version("2025-11-25"); // of the server's answer
/// // … messages …
/// session.end();
/// ```
///
/// [conventions]: https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md#metrics
#[derive(Clone, Debug)]
pub struct McpSessions(Arc<Instruments>);

#[derive(Debug)]
struct Instruments {
    client: Histogram<f64>,
    server: Histogram<f64>,
}

impl McpSessions {
    /// Records with `meter`.
    #[must_use]
    pub fn new(meter: &Meter) -> Self {
        Self(Arc::new(Instruments {
            client: duration(
                meter,
                keys::METRIC_MCP_CLIENT_SESSION_DURATION,
                "how long a session lasted, as its client saw it",
            ),
            server: duration(
                meter,
                keys::METRIC_MCP_SERVER_SESSION_DURATION,
                "how long a session lasted, as its server saw it",
            ),
        }))
    }

    /// Starts a session of a client, with this request. Its transport, its version of the protocol
    /// and its server are dimensions of the metric.
    #[must_use = "the session ends when it is dropped"]
    pub fn client(&self, initialize: &McpRequest) -> McpSession {
        let mut dimensions = dimensions(initialize);
        if let Some(server) = initialize.server() {
            dimensions.push(KeyValue::new(keys::SERVER_ADDRESS, server.host.clone()));
            if let Some(port) = server.port {
                dimensions.push(KeyValue::new(keys::SERVER_PORT, i64::from(port)));
            }
        }
        McpSession::begin(self.0.client.clone(), dimensions)
    }

    /// Starts a session of a server, with the request of the client.
    #[must_use = "the session ends when it is dropped"]
    pub fn server(&self, initialize: &McpRequest) -> McpSession {
        let mut session = McpSession::begin(self.0.server.clone(), dimensions(initialize));
        let version = initialize.protocol_version();
        if version.is_some_and(|version| !is_protocol_version(version)) {
            // Whatever a client asks for is not to become a series.
            session.record_protocol_version(OTHER);
        }
        session
    }
}

fn dimensions(initialize: &McpRequest) -> Vec<KeyValue> {
    let transport = initialize.transport().map(McpTransport::as_str);
    let known = [
        (keys::NETWORK_TRANSPORT, transport),
        (keys::MCP_PROTOCOL_VERSION, initialize.protocol_version()),
    ];
    let known = known
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    known
        .map(|(key, value)| KeyValue::new(key, bounded(value).to_owned()))
        .collect()
}

/// The other side may send any value.
fn bounded(value: &str) -> &str {
    match value.len() {
        ..=LONGEST_NAME => value,
        _ => OTHER,
    }
}

/// An open session. Its duration is recorded when it [ends](Self::end) or is dropped.
#[derive(Debug)]
pub struct McpSession {
    histogram: Histogram<f64>,
    began: Instant,
    dimensions: Vec<KeyValue>,
}

impl McpSession {
    fn begin(histogram: Histogram<f64>, dimensions: Vec<KeyValue>) -> Self {
        Self {
            histogram,
            began: Instant::now(),
            dimensions,
        }
    }

    /// Sets the version of the protocol that both sides agreed on, in place of the requested
    /// version.
    pub fn record_protocol_version(&mut self, version: &str) {
        self.set(keys::MCP_PROTOCOL_VERSION, bounded(version).to_owned());
    }

    /// Records an error that ends the session. The metric has the class of the error.
    pub fn record_error<E: std::fmt::Display + 'static>(&mut self, error: &E) {
        // It asks the error for its sources.
        let class = contain::call(|| ErrorClass::of(error));
        let class = class.unwrap_or_else(|_| ErrorClass::of_type::<E>());
        self.set(keys::ERROR_TYPE, bounded(&class.name()).to_owned());
    }

    /// Records the class of an error that ends the session, such as `timeout`.
    pub fn record_error_as(&mut self, class: &str) {
        let class = bounded(ErrorClass::last_segment(class));
        self.set(keys::ERROR_TYPE, class.to_owned());
    }

    /// Ends the session now.
    pub fn end(self) {
        drop(self);
    }

    fn set(&mut self, key: &'static str, value: String) {
        self.dimensions
            .retain(|dimension| dimension.key.as_str() != key);
        self.dimensions.push(KeyValue::new(key, value));
    }
}

impl Drop for McpSession {
    fn drop(&mut self) {
        let seconds = self.began.elapsed().as_secs_f64();
        // Meters are foreign code.
        let _ = contain::call(|| self.histogram.record(seconds, &self.dimensions));
    }
}
