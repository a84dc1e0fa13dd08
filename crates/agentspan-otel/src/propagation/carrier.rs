//! Carriers: the adapters that write and read headers.

use std::fmt;
use std::marker::PhantomData;

use opentelemetry::propagation::{Extractor, Injector};

/// An [`Injector`] for any kind of headers, with a closure that sets a header.
///
/// Names are in lower case. Values are valid in HTTP headers.
///
/// ```
/// use agentspan_otel::Propagation;
/// use agentspan_otel::propagation::HeaderWriter;
/// use opentelemetry::Context;
///
/// let mut headers: Vec<(String, String)> = Vec::new();
/// let mut writer = HeaderWriter::new(|name: &str, value| headers.push((name.to_owned(), value)));
/// Propagation::new().inject(&Context::current(), &mut writer);
/// ```
pub struct HeaderWriter<F>(F);

impl<F: FnMut(&str, String)> HeaderWriter<F> {
    /// Writes headers with `set`, which gets the name and the value.
    pub fn new(set: F) -> Self {
        Self(set)
    }
}

impl<F: FnMut(&str, String)> Injector for HeaderWriter<F> {
    fn set(&mut self, key: &str, value: String) {
        (self.0)(key, value);
    }
}

impl<F> fmt::Debug for HeaderWriter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderWriter").finish_non_exhaustive()
    }
}

/// An [`Extractor`] for any kind of headers, with a closure that returns all values of a name.
///
/// ```
/// use agentspan_otel::Propagation;
/// use agentspan_otel::propagation::HeaderReader;
/// use opentelemetry::Context;
///
/// let headers = [("baggage", "correlation.id=1"), ("baggage", "operation.source=web")];
/// let reader = HeaderReader::new(|name: &str| {
///     headers.iter().filter(|(key, _)| *key == name).map(|(_, value)| *value).collect()
/// });
/// let context = Propagation::new().extract(&Context::new(), &reader);
/// # use opentelemetry::baggage::BaggageExt;
/// assert_eq!(context.baggage().len(), 2);
/// ```
pub struct HeaderReader<'a, F> {
    values: F,
    headers: PhantomData<&'a str>,
}

impl<'a, F: Fn(&str) -> Vec<&'a str>> HeaderReader<'a, F> {
    /// Reads headers with `values`, which gets a lower-case name and returns all of its values.
    pub fn new(values: F) -> Self {
        Self {
            values,
            headers: PhantomData,
        }
    }
}

impl<'a, F: Fn(&str) -> Vec<&'a str>> Extractor for HeaderReader<'a, F> {
    fn get(&self, key: &str) -> Option<&str> {
        (self.values)(key).into_iter().next()
    }

    fn keys(&self) -> Vec<&str> {
        super::bounded::names().iter().map(String::as_str).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let values = (self.values)(key);
        (!values.is_empty()).then_some(values)
    }
}

impl<F> fmt::Debug for HeaderReader<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderReader").finish_non_exhaustive()
    }
}

/// Leaves out headers without a value, such as the `tracestate` of most traces.
pub(super) struct WithoutEmpty<'a>(pub(super) &'a mut dyn Injector);

impl Injector for WithoutEmpty<'_> {
    fn set(&mut self, key: &str, value: String) {
        if !value.is_empty() {
            self.0.set(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::propagation::TextMapPropagator;
    use opentelemetry::trace::TraceContextExt;
    use opentelemetry_sdk::propagation::TraceContextPropagator;

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn other_propagators_read_from_a_reader_and_write_to_a_writer() {
        let reader = HeaderReader::new(|name: &str| match name {
            "traceparent" => vec![PARENT, "another"],
            _ => Vec::new(),
        });
        assert_eq!(reader.keys(), ["traceparent", "tracestate", "baggage"]);
        assert_eq!(reader.get("traceparent"), Some(PARENT));
        assert_eq!(reader.get("baggage"), None);
        let propagator = TraceContextPropagator::new();
        let context = propagator.extract(&reader);
        assert!(context.span().span_context().is_remote());

        let mut written = Vec::new();
        let mut writer =
            HeaderWriter::new(|name: &str, value| written.push((name.to_owned(), value)));
        propagator.inject_context(&context, &mut writer);
        assert!(written.contains(&("traceparent".to_owned(), PARENT.to_owned())));
    }

    #[test]
    fn debug_shows_no_header() {
        let values = [PARENT];
        let reader = HeaderReader::new(|_: &str| values.to_vec());
        let writer = HeaderWriter::new(|_: &str, _| {});
        assert_eq!(
            format!("{reader:?} {writer:?}"),
            "HeaderReader { .. } HeaderWriter { .. }"
        );
    }
}
