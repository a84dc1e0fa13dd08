//! Carriers: the adapters that write and read headers.

use std::fmt;
use std::marker::PhantomData;

use opentelemetry::propagation::{Extractor, Injector};
use serde_json::{Map, Value};

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

pub(super) struct JsonWriter<'a>(pub(super) &'a mut Map<String, Value>);

impl Injector for JsonWriter<'_> {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), Value::String(value));
    }
}

pub(super) struct JsonReader<'a>(pub(super) &'a Map<String, Value>);

impl Extractor for JsonReader<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}
