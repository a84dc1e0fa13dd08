//! The requests of one identity that are still to be sent, which are divided when they are too large.

use std::borrow::Cow;
use std::collections::VecDeque;

use bytes::Bytes;
use opentelemetry::trace::{SpanId, TraceId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::parcel::Parcel;

/// Requests in the order in which they are sent.
#[derive(Debug)]
pub(super) struct Outbox {
    waiting: VecDeque<Parcel>,
    /// The length of the shortest body that the service found too large. What is as long is divided
    /// without asking.
    too_large: usize,
    /// How many requests there are, those that were sent included.
    pub(super) requests: usize,
    /// The length of their bodies.
    pub(super) body_bytes: usize,
}

impl Outbox {
    pub(super) fn new(parcels: Vec<Parcel>) -> Self {
        Self {
            requests: parcels.len(),
            body_bytes: parcels.iter().map(|parcel| parcel.body.len()).sum(),
            waiting: parcels.into(),
            too_large: usize::MAX,
        }
    }

    /// The next request to send.
    pub(super) fn next(&mut self) -> Option<Parcel> {
        loop {
            let parcel = self.waiting.pop_front()?;
            if parcel.body.len() < self.too_large || parcel.spans.len() < 2 {
                return Some(parcel);
            }
            if let Some(whole) = self.divide(parcel) {
                return Some(whole);
            }
        }
    }

    /// Puts a request back, to be sent once more.
    pub(super) fn again(&mut self, parcel: Parcel) {
        self.waiting.push_front(parcel);
    }

    /// Divides a request that the service finds too large, or gives it back if it cannot be divided.
    pub(super) fn refuse(&mut self, parcel: Parcel) -> Option<Parcel> {
        self.too_large = self.too_large.min(parcel.body.len());
        self.divide(parcel)
    }

    /// Puts the two halves of a request in its place, or gives it back if there are none.
    pub(super) fn divide(&mut self, parcel: Parcel) -> Option<Parcel> {
        let Some([first, second]) = halves(&parcel) else {
            return Some(parcel);
        };
        self.requests += 1;
        self.body_bytes -= parcel.body.len();
        self.body_bytes += first.body.len() + second.body.len();
        self.waiting.push_front(second);
        self.waiting.push_front(first);
        None
    }
}

/// The body of a request, of which what is not needed stays as it was written.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    resource_spans: [ResourceSpans<'a>; 1],
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResourceSpans<'a> {
    #[serde(borrow)]
    resource: &'a RawValue,
    #[serde(borrow)]
    scope_spans: Vec<ScopeSpans<'a>>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ScopeSpans<'a> {
    #[serde(borrow)]
    scope: &'a RawValue,
    #[serde(borrow)]
    spans: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Span<'a> {
    #[serde(borrow)]
    trace_id: Cow<'a, str>,
    #[serde(borrow)]
    span_id: Cow<'a, str>,
}

/// Two requests with a half of the spans each. The bodies are made from the one that there is: the spans
/// themselves are gone. `None` for a single span.
fn halves(parcel: &Parcel) -> Option<[Parcel; 2]> {
    let Body {
        resource_spans:
            [
                ResourceSpans {
                    resource,
                    scope_spans,
                },
            ],
    } = serde_json::from_slice(&parcel.body).ok()?;
    let spans: usize = scope_spans.iter().map(|scope| scope.spans.len()).sum();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let mut room = spans / 2;
    if room == 0 {
        return None;
    }
    for ScopeSpans { scope, mut spans } in scope_spans {
        let rest = spans.split_off(room.min(spans.len()));
        room -= spans.len();
        for (half, spans) in [(&mut first, spans), (&mut second, rest)] {
            if !spans.is_empty() {
                half.push(ScopeSpans { scope, spans });
            }
        }
    }
    Some([half(resource, first)?, half(resource, second)?])
}

fn half(resource: &RawValue, scope_spans: Vec<ScopeSpans<'_>>) -> Option<Parcel> {
    let spans = scope_spans.iter().flat_map(|scope| &scope.spans);
    let ids = spans.map(|span| {
        let Span { trace_id, span_id } = serde_json::from_str(span.get()).ok()?;
        let trace = TraceId::from_hex(&trace_id).ok()?;
        Some((trace, SpanId::from_hex(&span_id).ok()?))
    });
    let spans: Option<Vec<_>> = ids.collect();
    let body = Body {
        resource_spans: [ResourceSpans {
            resource,
            scope_spans,
        }],
    };
    Some(Parcel {
        spans: spans?,
        body: Bytes::from(serde_json::to_vec(&body).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use agentspan_model::agent365::Profile;
    use opentelemetry::InstrumentationScope;
    use opentelemetry::KeyValue;
    use opentelemetry::trace::{SpanContext, TraceFlags, TraceState};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SpanData;

    use super::super::lineage::key;
    use super::*;
    use crate::encode::{BodyEncoder, EncodedResource};
    use crate::span_of_test::span;

    /// Spans with ids from one on, of two scopes in turn.
    fn spans(count: u64) -> Vec<SpanData> {
        let spans = (1..=count).map(|id| SpanData {
            span_context: SpanContext::new(
                TraceId::from(1),
                SpanId::from(id),
                TraceFlags::SAMPLED,
                false,
                TraceState::default(),
            ),
            instrumentation_scope: InstrumentationScope::builder(["one", "two"][id as usize % 2])
                .build(),
            ..span(vec![KeyValue::new("text", "\"\\\u{1}\u{e9}{}[]")])
        });
        spans.collect()
    }

    fn parcel(spans: &[SpanData]) -> Parcel {
        let resource = Resource::builder_empty().with_service_name("s").build();
        let mut body = Vec::new();
        let mut encoder = BodyEncoder::new(Profile::V0_1);
        encoder.encode(&EncodedResource::from(&resource), spans, &mut body);
        Parcel {
            body: body.into(),
            spans: spans.iter().map(key).collect(),
        }
    }

    #[test]
    fn halves_are_what_the_encoder_would_write() {
        for count in 2..9 {
            let all = spans(count);
            let [first, second] = halves(&parcel(&all)).unwrap();
            let by_id = |half: &Parcel| {
                let ids = half.spans.iter();
                let spans = ids.map(|id| {
                    let mut all = all.iter();
                    all.find(|span| key(span) == *id).unwrap().clone()
                });
                spans.collect::<Vec<_>>()
            };
            for half in [&first, &second] {
                assert_eq!(half.body, parcel(&by_id(half)).body);
            }
            assert_eq!(first.spans.len() as u64, count / 2);
            let mut ids = [first.spans, second.spans].concat();
            ids.sort_by_key(|(_, id)| id.to_bytes());
            assert_eq!(ids, all.iter().map(key).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_single_span_and_what_is_no_body_have_no_halves() {
        assert!(halves(&parcel(&spans(1))).is_none());
        assert!(halves(&parcel(&spans(0))).is_none());
        for body in [
            "",
            "{}",
            r#"{"resourceSpans":[]}"#,
            r#"{"resourceSpans":[{}],"more":1}"#,
        ] {
            let body = Bytes::from(body);
            assert!(
                halves(&Parcel {
                    body,
                    spans: Vec::new()
                })
                .is_none()
            );
        }
    }

    #[test]
    fn what_is_as_large_as_what_was_refused_is_divided_without_asking() {
        let mut outbox = Outbox::new(vec![
            parcel(&spans(4)),
            parcel(&spans(4)),
            parcel(&spans(1)),
        ]);
        let first = outbox.next().unwrap();
        assert!(outbox.refuse(first).is_none());
        let sent: Vec<_> = std::iter::from_fn(|| outbox.next()).collect();
        let lengths: Vec<_> = sent.iter().map(|parcel| parcel.spans.len()).collect();
        assert_eq!(lengths, [2, 2, 2, 2, 1]);
        assert_eq!(outbox.requests, 5);
        let bytes: usize = sent.iter().map(|parcel| parcel.body.len()).sum();
        assert_eq!(outbox.body_bytes, bytes);
    }
}
