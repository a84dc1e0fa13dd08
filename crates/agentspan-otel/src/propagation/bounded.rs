//! The headers of a request, as much of them as anybody needs.

use std::sync::OnceLock;

use opentelemetry::propagation::Extractor;

use super::{BAGGAGE, TRACEPARENT, TRACESTATE};

/// Longer than any version of `traceparent` that is known.
const TRACEPARENT_BYTES: usize = 512;
const TRACESTATE_BYTES: usize = 8192;
/// [W3C Trace Context, 3.3.1.1](https://www.w3.org/TR/trace-context/#list).
const TRACESTATE_ENTRIES: usize = 32;

/// The three headers, each whole: lists that came as several headers are put together.
pub(super) struct BoundedHeaders<'a> {
    traceparent: Option<&'a str>,
    tracestate: Option<String>,
    baggage: Vec<&'a str>,
}

impl<'a> BoundedHeaders<'a> {
    pub(super) fn read(headers: &'a dyn Extractor) -> Self {
        let all = |name| headers.get_all(name).unwrap_or_default();
        // With two parents nobody knows which one is meant, so that there is none.
        let traceparent = match all(TRACEPARENT).as_slice() {
            [one] if one.len() <= TRACEPARENT_BYTES => Some(*one),
            _ => None,
        };
        let tracestate = all(TRACESTATE);
        let entries = |text: &&str| text.split(',').count();
        let fits = tracestate.iter().map(|text| text.len()).sum::<usize>() <= TRACESTATE_BYTES
            && tracestate.iter().map(entries).sum::<usize>() <= TRACESTATE_ENTRIES;
        Self {
            traceparent,
            tracestate: (fits && !tracestate.is_empty()).then(|| tracestate.join(",")),
            baggage: all(BAGGAGE),
        }
    }

    pub(super) fn baggage(&self) -> &[&'a str] {
        &self.baggage
    }
}

impl Extractor for BoundedHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => self.traceparent,
            TRACESTATE => self.tracestate.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}

/// The names of all headers that are written and read.
pub(super) fn names() -> &'static [String] {
    static NAMES: OnceLock<[String; 3]> = OnceLock::new();
    NAMES.get_or_init(|| [TRACEPARENT, TRACESTATE, BAGGAGE].map(str::to_owned))
}
