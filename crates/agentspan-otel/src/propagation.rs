//! Propagates context between processes: `traceparent`, `tracestate` and allowed baggage.

mod baggage_header;
mod bounded;
mod carrier;
mod trace_context;
mod trace_state;

use std::collections::HashSet;
use std::sync::Arc;

use agentspan_model::keys;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::{Context, Key};
use serde_json::{Map, Value};

use self::bounded::BoundedHeaders;
use self::carrier::WithoutEmpty;
pub use self::carrier::{HeaderReader, HeaderWriter};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
const BAGGAGE: &str = "baggage";

/// Stands for a value that is not text. No grammar allows it.
const NO_TEXT: &str = "\u{fffd}";

/// Writes the context of a trace into a request, and reads it from a request, in the W3C formats.
///
/// The trace is in `traceparent` and `tracestate` ([W3C Trace Context]), the baggage in `baggage`
/// ([W3C Baggage]). Carriers are OpenTelemetry's [`Injector`] and [`Extractor`], for instance a
/// `HashMap<String, String>`; pairs of names and values with [`to_headers`](Self::to_headers) and
/// [`extract_headers`](Self::extract_headers); any other kind of headers with [`HeaderWriter`] and
/// [`HeaderReader`]; and
/// the `_meta` object of a request of the Model Context Protocol with
/// [`inject_meta`](Self::inject_meta) and [`extract_meta`](Self::extract_meta).
///
/// ```
/// use std::collections::HashMap;
///
/// use agentspan_otel::{BaggageBuilder, Propagation};
/// use opentelemetry::Context;
///
/// let baggage = BaggageBuilder::request_context("tenant-1", "agent-1", "request-1");
/// let mut headers = HashMap::new();
/// Propagation::new().inject(&baggage.to_context(&Context::new()), &mut headers);
/// assert_eq!(headers["baggage"], "correlation.id=request-1");
/// ```
///
/// # What leaves
///
/// Only baggage on an allow-list is written, so that no id of a tenant, an agent or a user reaches
/// another party by accident. The default list is [`DEFAULT_BAGGAGE`](Self::DEFAULT_BAGGAGE).
/// Baggage is limited to 8192 bytes, in the order of the list. The ids of the trace and the span
/// are always written.
///
/// The output is always valid by the W3C grammars, even if the input or other code put invalid
/// values into the context: invalid members of `tracestate` and properties of baggage are left out,
/// and values of baggage are percent-encoded. No line break gets into a header.
///
/// # What enters
///
/// Only values that the grammars allow are read. A `traceparent` that is invalid or occurs twice is
/// ignored, together with `tracestate`. A `tracestate` that is invalid, or has more than 32 members
/// or 8192 bytes, is ignored as a whole; if a key occurs twice, the first value counts. The keys
/// and the random flag of level 2 of the specification propagate to the next service, although
/// spans of the SDK cannot hold all of them.
///
/// Up to 64 entries and 8192 bytes of baggage are read; if a key occurs twice, the last value
/// counts. Invalid entries are left out and counted, see
/// [`dropped_baggage_entries`](crate::baggage::dropped_baggage_entries). Entries of the context
/// stay unchanged. A tenant, an agent or a person in incoming baggage is ordinary baggage: it
/// does not reach spans, unless
/// [`with_trusted_remote_identity`](crate::BaggageSpanProcessor::with_trusted_remote_identity)
/// allows it.
///
/// It is cheap to clone. It is a [`TextMapPropagator`]: as OpenTelemetry's global propagator, it
/// applies the same list to other instrumentation.
///
/// [W3C Trace Context]: https://www.w3.org/TR/trace-context/
/// [W3C Baggage]: https://www.w3.org/TR/baggage/
#[derive(Clone, Debug)]
pub struct Propagation {
    allowed: Arc<[Key]>,
    trace_context: Use,
    baggage: Use,
}

/// Whether a format is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Used,
    Unused,
}

impl Propagation {
    /// The default allow-list of baggage: the id that links the logs of a request
    /// (`correlation.id`), the source of the operation and the name of the channel, the latter two
    /// under the names of both generations of Agent 365.
    ///
    /// Ids of conversations are not on the list, because some channels put the ids of participants
    /// into them.
    pub const DEFAULT_BAGGAGE: &'static [&'static str] = &[
        keys::CORRELATION_ID,
        keys::OPERATION_SOURCE,
        keys::GEN_AI_EXECUTION_SOURCE_NAME,
        keys::SERVICE_NAME,
        keys::MICROSOFT_CHANNEL_NAME,
    ];

    /// A propagation that allows the baggage of [`DEFAULT_BAGGAGE`](Self::DEFAULT_BAGGAGE).
    #[must_use]
    pub fn new() -> Self {
        let allowed = Self::DEFAULT_BAGGAGE
            .iter()
            .copied()
            .map(Key::from_static_str);
        Self {
            allowed: allowed.collect(),
            trace_context: Use::Used,
            baggage: Use::Used,
        }
    }

    /// Neither writes nor reads `traceparent` and `tracestate`.
    #[must_use]
    pub fn without_trace_context(mut self) -> Self {
        self.trace_context = Use::Unused;
        self
    }

    /// Neither writes nor reads `baggage`.
    #[must_use]
    pub fn without_baggage(mut self) -> Self {
        self.baggage = Use::Unused;
        self
    }

    /// Sets the allow-list of baggage keys, in place of the default. An empty list allows no
    /// baggage.
    #[must_use]
    pub fn with_allowed_baggage<K: Into<Key>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        let mut seen = HashSet::new();
        let keys = keys.into_iter().map(Into::into);
        self.allowed = keys.filter(|key: &Key| seen.insert(key.clone())).collect();
        self
    }

    /// Writes the trace and the allowed baggage of `context` into the headers of an outgoing
    /// request.
    pub fn inject(&self, context: &Context, headers: &mut dyn Injector) {
        let mut headers = WithoutEmpty(headers);
        if self.trace_context == Use::Used {
            if let Some((parent, state)) = trace_context::write(context) {
                headers.set(TRACEPARENT, parent);
                headers.set(TRACESTATE, state);
            }
        }
        if self.baggage == Use::Used {
            headers.set(BAGGAGE, baggage_header::write(context, &self.allowed));
        }
    }

    /// Returns `context` with the trace and the baggage from the headers of a request.
    ///
    /// Headers that cannot be read, or exceed the limits, are left out. The caller's span becomes
    /// the remote parent of spans that start in the context.
    #[must_use]
    pub fn extract(&self, context: &Context, headers: &dyn Extractor) -> Context {
        let headers = BoundedHeaders::read(headers);
        let context = match self.trace_context {
            Use::Used => trace_context::read(context, headers.traceparent, &headers.tracestate),
            Use::Unused => context.clone(),
        };
        match self.baggage {
            Use::Used => baggage_header::read(context, &headers.baggage),
            Use::Unused => context,
        }
    }

    /// Returns the headers of [`inject`](Self::inject), as lower-case names and values.
    ///
    /// ```
    /// use agentspan_otel::{BaggageBuilder, Propagation};
    /// use opentelemetry::Context;
    ///
    /// let baggage = BaggageBuilder::new().with_correlation_id("request-1").build();
    /// let headers = Propagation::new().to_headers(&baggage.to_context(&Context::new()));
    /// assert_eq!(headers, [("baggage".to_owned(), "correlation.id=request-1".to_owned())]);
    /// ```
    #[must_use]
    pub fn to_headers(&self, context: &Context) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        let mut writer = HeaderWriter::new(|name: &str, value| {
            headers.push((name.to_owned(), value));
        });
        self.inject(context, &mut writer);
        headers
    }

    /// Like [`extract`](Self::extract), from names and values, for instance from a `HeaderMap` of
    /// the crate `http`. The case of names does not matter. A value that is not text makes its
    /// header invalid.
    ///
    /// A server calls this for each request, and runs its handler in the context:
    ///
    /// ```
    /// use agentspan_otel::{BaggageBuilder, Propagation};
    /// use opentelemetry::Context;
    /// use opentelemetry::trace::{FutureExt, TraceContextExt};
    ///
    /// # async fn handle() -> bool { Context::current().span().span_context().is_remote() }
    /// # async fn example() {
    /// let headers = [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")];
    /// let caller = Propagation::new().extract_headers(&Context::new(), headers);
    /// let request = BaggageBuilder::request_context("tenant-1", "agent-1", "request-1");
    /// handle().with_context(request.to_context(&caller)).await;
    /// # }
    /// ```
    #[must_use]
    pub fn extract_headers<N, V>(
        &self,
        context: &Context,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Context
    where
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let is_read = |name: &str| {
            let mut names = bounded::names().iter();
            names.any(|known| name.eq_ignore_ascii_case(known))
        };
        let headers = headers.into_iter();
        let headers: Vec<(N, V)> = headers.filter(|(name, _)| is_read(name.as_ref())).collect();
        let reader = HeaderReader::new(|wanted: &str| {
            let named = headers
                .iter()
                .filter(|(name, _)| name.as_ref().eq_ignore_ascii_case(wanted));
            named
                .map(|(_, value)| std::str::from_utf8(value.as_ref()).unwrap_or(NO_TEXT))
                .collect()
        });
        self.extract(context, &reader)
    }

    /// Like [`inject`](Self::inject), into the `_meta` object of an MCP request.
    ///
    /// ```
    /// use agentspan_otel::{BaggageBuilder, Propagation};
    /// use serde_json::json;
    ///
    /// let baggage = BaggageBuilder::new().with_correlation_id("request-1").build();
    /// let mut meta = serde_json::Map::new();
    /// baggage.in_baggage(|| {
    ///     Propagation::new().inject_meta(&opentelemetry::Context::current(), &mut meta);
    /// });
    /// assert_eq!(json!(meta), json!({ "baggage": "correlation.id=request-1" }));
    /// ```
    pub fn inject_meta(&self, context: &Context, meta: &mut Map<String, Value>) {
        let mut writer = HeaderWriter::new(|name: &str, value| {
            meta.insert(name.to_owned(), Value::String(value));
        });
        self.inject(context, &mut writer);
    }

    /// Like [`extract`](Self::extract), from the `_meta` object of an MCP request. Members that are
    /// not text are left out.
    #[must_use]
    pub fn extract_meta(&self, context: &Context, meta: &Map<String, Value>) -> Context {
        let reader = HeaderReader::new(|name: &str| {
            let text = meta.get(name).and_then(Value::as_str);
            text.into_iter().collect()
        });
        self.extract(context, &reader)
    }
}

impl Default for Propagation {
    fn default() -> Self {
        Self::new()
    }
}

impl TextMapPropagator for Propagation {
    fn inject_context(&self, context: &Context, headers: &mut dyn Injector) {
        self.inject(context, headers);
    }

    fn extract_with_context(&self, context: &Context, headers: &dyn Extractor) -> Context {
        self.extract(context, headers)
    }

    fn fields(&self) -> FieldIter<'_> {
        // The last of them is that of baggage.
        let (trace_context, baggage) = bounded::names().split_at(2);
        FieldIter::new(match (self.trace_context, self.baggage) {
            (Use::Used, Use::Used) => bounded::names(),
            (Use::Used, Use::Unused) => trace_context,
            (Use::Unused, Use::Used) => baggage,
            (Use::Unused, Use::Unused) => &[],
        })
    }
}
