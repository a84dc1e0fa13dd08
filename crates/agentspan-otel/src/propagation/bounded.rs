//! Reads the headers of a request, within limits.

use std::sync::OnceLock;

use opentelemetry::propagation::Extractor;

use super::{BAGGAGE, TRACEPARENT, TRACESTATE};

/// Longer than any version of `traceparent` that is known.
const TRACEPARENT_BYTES: usize = 512;

/// The three headers. Those that are lists may come as several.
pub(super) struct BoundedHeaders<'a> {
    pub(super) traceparent: Option<&'a str>,
    pub(super) tracestate: Vec<&'a str>,
    pub(super) baggage: Vec<&'a str>,
}

impl<'a> BoundedHeaders<'a> {
    pub(super) fn read(headers: &'a dyn Extractor) -> Self {
        let all = |name| headers.get_all(name).unwrap_or_default();
        // With two parents nobody knows which one is meant, so that there is none.
        let traceparent = match all(TRACEPARENT).as_slice() {
            [one] if one.len() <= TRACEPARENT_BYTES => Some(*one),
            _ => None,
        };
        Self {
            traceparent,
            tracestate: all(TRACESTATE),
            baggage: all(BAGGAGE),
        }
    }
}

/// The names of all headers that are written and read.
pub(super) fn names() -> &'static [String] {
    static NAMES: OnceLock<[String; 3]> = OnceLock::new();
    NAMES.get_or_init(|| [TRACEPARENT, TRACESTATE, BAGGAGE].map(str::to_owned))
}
