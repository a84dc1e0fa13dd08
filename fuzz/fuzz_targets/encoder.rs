//! The encoder against `serde_json`: a body says what a tree of values says that is built from the same
//! spans, value by value; a body that is cut or divided stays JSON and has each span exactly once.

#![no_main]

use agentspan_agent365::encode::{BodyEncoder, EncodedResource, Truncation};
use agentspan_model::agent365::Profile;
use fuzz::body::{check_cut, encode, scopes};
use fuzz::spans::{attribute, several, span};
use fuzz::tree::{object, tree};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Value as Json, json};

fuzz_target!(|bytes: &[u8]| {
    let mut input = Unstructured::new(bytes);
    let Ok(spans) = several(&mut input, 6, span) else {
        return;
    };
    let attributes = several(&mut input, 3, attribute).unwrap_or_default();
    let resource = Resource::builder_empty()
        .with_attributes(attributes)
        .build();
    let encoded = EncodedResource::from(&resource);
    let mut encoder = BodyEncoder::new(Profile::V0_1);
    let whole = encode(&mut encoder, &encoded, &spans);
    assert_eq!(
        whole["resourceSpans"][0]["resource"]["attributes"],
        object(&sorted(&resource))
    );
    check_scopes(&whole, &spans);

    // Divided at any place, each span is in exactly one body, and says there what it says in the whole.
    let at = input.int_in_range(0..=spans.len()).unwrap_or(0);
    let (first, second) = spans.split_at(at);
    for part in [first, second] {
        check_scopes(&encode(&mut encoder, &encoded, part), part);
    }
    for truncation in [Truncation::Marker, Truncation::Structured] {
        let mut encoder = BodyEncoder::new(Profile::V2).with_truncation(truncation);
        check_cut(&encode(&mut encoder, &encoded, &spans), &spans, truncation);
    }
});

/// Checks that the scopes come in the order in which they first appear, and have all of their spans in order.
fn check_scopes(body: &Json, spans: &[SpanData]) {
    let mut expected: Vec<(Json, Vec<Json>)> = Vec::new();
    for span in spans {
        let scope = &span.instrumentation_scope;
        let scope = json!({"name": scope.name(), "version": scope.version()});
        match expected.iter_mut().find(|(it, _)| *it == scope) {
            Some((_, spans)) => spans.push(tree(span)),
            None => expected.push((scope, vec![tree(span)])),
        }
    }
    let expected = expected.iter().map(|(scope, spans)| (scope, spans));
    assert_eq!(scopes(body), expected.collect::<Vec<_>>());
}

fn sorted(resource: &Resource) -> Vec<KeyValue> {
    let attributes = resource.iter();
    attributes
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
        .collect()
}
