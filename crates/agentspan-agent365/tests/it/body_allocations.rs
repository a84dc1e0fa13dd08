//! An encoder that has been used before does not allocate.

use agentspan_agent365::encode::{BodyEncoder, EncodedResource};
use agentspan_model::agent365::Profile;
use agentspan_testkit::turn;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::SpanData;

/// The allocations of the first and of the second time that one encoder writes `spans`.
fn allocations(spans: &[SpanData]) -> (u64, u64) {
    let resource = EncodedResource::from(&turn::resource());
    let mut encoder = BodyEncoder::new(Profile::V0_1);
    let mut body = Vec::new();
    let mut count = || {
        body.clear();
        allocation_counter::measure(|| encoder.encode(&resource, spans, &mut body)).count_total
    };
    (count(), count())
}

#[track_caller]
fn check(spans: &[SpanData]) {
    let (first, second) = allocations(spans);
    assert_ne!(first, 0, "the counter is dead");
    assert_eq!(second, 0);
}

#[test]
fn spans_of_turns_are_encoded_without_allocation() {
    check(&turn::spans(128, 1));
}

#[test]
fn a_span_with_very_many_attributes_is_encoded_without_allocation() {
    let mut spans = turn::spans(1, 1);
    for span in &mut spans {
        span.attributes
            .extend((0..1000).map(|n| KeyValue::new(format!("key.{}", n % 700), n)));
    }
    check(&spans);
}

#[test]
fn spans_of_many_scopes_are_encoded_without_allocation() {
    let mut spans = turn::spans(64, 1);
    for (number, span) in spans.iter_mut().enumerate() {
        span.instrumentation_scope =
            InstrumentationScope::builder(format!("scope {}", number % 50)).build();
    }
    check(&spans);
}
