//! The body of a request: the spans of one identity under one resource.

use std::borrow::{Borrow, Cow};

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::Wire;
use agentspan_model::escape::push_escaped;
use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::trace::SpanData;

use super::fit::Fit;
use super::resource::EncodedResource;
use super::scope_order::ScopeOrder;
use super::span::push_span;
use super::standard;
use super::truncation::Truncation;
use super::unique_keys::UniqueKeys;
use crate::wire_profile::WireProfile;

/// Writes the JSON bodies of the requests to the Agent 365 service.
///
/// The exporter has its own. Use this one to see what would be sent, for instance to write it to a
/// file. An encoder keeps the memory that it needed, so one that is used again does not allocate.
///
/// The body is that of the `Agent365Exporter` in `microsoft-agents-a365-observability-core` 0.1.0,
/// with these rules of ours where Rust's SDK or JSON differ:
///
/// - Of attributes with the same key the last one is written, in its own place. Empty keys are left
///   out.
/// - Floats that are not finite are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`.
/// - A span's time that equals the Unix epoch was never set and is `null`. A time before the epoch is
///   written as zero, one that does not fit into 64 bits of nanoseconds as the greatest that does.
/// - A kind of value that this version does not know is written as text.
///
/// Since [`Profile::V2`] it is that of version 2.0.0: of a span that is longer than 250 KiB, the largest
/// attributes are replaced by the text `TRUNCATED`, one after the other until it fits.
///
/// Either [`Wire`] goes with each profile. On the standard wire a time that was never set is zero.
///
/// ```
/// use agentspan_agent365::encode::{BodyEncoder, EncodedResource};
/// use agentspan_model::agent365::Profile;
/// use opentelemetry_sdk::Resource;
/// use opentelemetry_sdk::trace::SpanData;
///
/// fn dump(resource: &Resource, spans: &[SpanData]) -> Vec<u8> {
///     let mut body = Vec::new();
///     BodyEncoder::new(Profile::V0_1).encode(&EncodedResource::from(resource), spans, &mut body);
///     body
/// }
///
/// assert_eq!(
///     dump(&Resource::builder_empty().build(), &[]),
///     br#"{"resourceSpans":[{"resource":{"attributes":null},"scopeSpans":[]}]}"#,
/// );
/// ```
#[derive(Debug)]
pub struct BodyEncoder {
    profile: Profile,
    wire: Wire,
    fit: Option<Fit>,
    scope_order: ScopeOrder,
    unique_keys: UniqueKeys,
}

impl BodyEncoder {
    /// Makes an encoder for one generation of the contract.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        let wire_profile = WireProfile::of(profile);
        let max_span_bytes = wire_profile.and_then(|wire| wire.max_span_bytes);
        Self {
            profile,
            wire: wire_profile.map_or(Wire::Flat, |wire| wire.form),
            fit: max_span_bytes.map(Fit::new),
            scope_order: ScopeOrder::default(),
            unique_keys: UniqueKeys::default(),
        }
    }

    /// How spans are cut that are longer than the profile allows. Default: [`Truncation::Marker`].
    #[must_use]
    pub fn with_truncation(mut self, truncation: Truncation) -> Self {
        if let Some(fit) = &mut self.fit {
            fit.truncation = truncation;
        }
        self
    }

    /// The form of the bodies. Default: that of the profile, [`Wire::Standard`] for [`Profile::Direct`] and
    /// [`Wire::Flat`] for the others.
    #[must_use]
    pub fn with_wire(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    /// The generation of the contract that the bodies follow.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Appends the body with all of `spans` to `out`.
    ///
    /// The spans are grouped by the name and version of their instrumentation scopes, in the order
    /// in which the scopes first appear. They are not grouped by identity: give the spans of one.
    pub fn encode<S>(&mut self, resource: &EncodedResource, spans: &[S], out: &mut Vec<u8>)
    where
        S: Borrow<SpanData>,
    {
        match self.fit_all(spans) {
            Some(fitted) => self.encode_fitted(resource, &fitted, usize::MAX, out),
            None => self.encode_fitted(resource, spans, usize::MAX, out),
        };
    }

    /// The spans as they are sent: those that the profile finds too long are cut copies. `None` for a
    /// profile that sends spans of any length.
    fn fit_all<'a, S>(&mut self, spans: &'a [S]) -> Option<Vec<Cow<'a, SpanData>>>
    where
        S: Borrow<SpanData>,
    {
        let fit = self.fit.as_mut()?;
        let (unique_keys, wire) = (&mut self.unique_keys, self.wire);
        let fitted = spans
            .iter()
            .map(|span| fit.apply(span.borrow(), wire, unique_keys));
        Some(fitted.collect())
    }

    /// Whether the profile cuts spans that are too long.
    pub(crate) fn has_limit(&self) -> bool {
        self.fit.is_some()
    }

    /// The span as it is sent: a cut copy if the profile finds it too long.
    pub(crate) fn fit<'a>(&mut self, span: &'a SpanData) -> Cow<'a, SpanData> {
        match &mut self.fit {
            Some(fit) => fit.apply(span, self.wire, &mut self.unique_keys),
            None => Cow::Borrowed(span),
        }
    }

    /// As [`encode`](Self::encode), for spans that came through [`fit`](Self::fit). Stops as soon as the
    /// body of several spans is longer than `most`, and returns whether it is complete: a body that is
    /// not sent is to take no more memory than others.
    pub(crate) fn encode_fitted<S>(
        &mut self,
        resource: &EncodedResource,
        spans: &[S],
        most: usize,
        out: &mut Vec<u8>,
    ) -> bool
    where
        S: Borrow<SpanData>,
    {
        out.extend_from_slice(b"{\"resourceSpans\":[{\"resource\":{\"attributes\":");
        out.extend_from_slice(resource.as_bytes(self.wire));
        out.extend_from_slice(b"},\"scopeSpans\":[");
        self.scope_order.arrange(spans);
        let spans_in_all = spans.len();
        let mut first_scope = true;
        for spans in self.scope_order.scopes(spans) {
            let mut first_span = true;
            for span in spans {
                let span = span.borrow();
                if first_span {
                    if !first_scope {
                        out.extend_from_slice(b"]},");
                    }
                    push_scope(out, self.wire, &span.instrumentation_scope);
                } else {
                    out.push(b',');
                }
                first_span = false;
                match self.wire {
                    Wire::Flat => push_span(out, span, &mut self.unique_keys),
                    Wire::Standard => standard::push_span(out, span, &mut self.unique_keys),
                }
                if out.len() > most && spans_in_all > 1 {
                    return false;
                }
            }
            first_scope = false;
        }
        if !first_scope {
            out.extend_from_slice(b"]}");
        }
        out.extend_from_slice(b"]}]}");
        true
    }
}

/// Opens the object of one scope, up to its first span.
fn push_scope(out: &mut Vec<u8>, wire: Wire, scope: &InstrumentationScope) {
    if wire == Wire::Standard {
        return standard::push_scope(out, scope);
    }
    out.extend_from_slice(b"{\"scope\":{\"name\":\"");
    push_escaped(out, scope.name());
    match scope.version() {
        Some(version) => {
            out.extend_from_slice(b"\",\"version\":\"");
            push_escaped(out, version);
            out.extend_from_slice(b"\"},\"spans\":[");
        }
        None => out.extend_from_slice(b"\",\"version\":null},\"spans\":["),
    }
}
