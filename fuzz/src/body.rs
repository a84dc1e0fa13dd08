//! Bodies of requests, and what must be in them.

use agentspan_agent365::encode::{BodyEncoder, EncodedResource, Truncation};
use opentelemetry_sdk::trace::SpanData;
use serde_json::Value as Json;

use crate::tree::tree;

/// The bytes of a span that `Profile::V2` allows.
const LIMIT: usize = 250 * 1024;

/// What `serde_json` may write a span's floats longer or shorter than the encoder.
const SLACK: usize = 8 * 1024;

/// The body of spans, read back.
///
/// # Panics
///
/// The body is not JSON, or the encoder keeps something of what it encoded before.
pub fn encode(encoder: &mut BodyEncoder, resource: &EncodedResource, spans: &[SpanData]) -> Json {
    let (mut body, mut again) = (Vec::new(), Vec::new());
    encoder.encode(resource, spans, &mut body);
    encoder.encode(resource, spans, &mut again);
    assert!(body == again, "an encoder keeps nothing");
    serde_json::from_slice(&body).expect("a body is JSON")
}

/// The spans of a body by scopes, each with its scope.
///
/// # Panics
///
/// The body has another form.
pub fn scopes(body: &Json) -> Vec<(&Json, &Vec<Json>)> {
    let scopes = body["resourceSpans"][0]["scopeSpans"].as_array();
    let scopes = scopes.expect("scopes are a list").iter();
    scopes
        .map(|it| {
            (
                &it["scope"],
                it["spans"].as_array().expect("spans are a list"),
            )
        })
        .collect()
}

/// Checks that each span is there once, that one which is short enough is as it was, and that one which is
/// not is, as far as its truncation promises.
///
/// # Panics
///
/// That is how a target says that a rule does not hold.
pub fn check_cut(body: &Json, spans: &[SpanData], truncation: Truncation) {
    let written: Vec<&Json> = scopes(body).into_iter().flat_map(|(_, it)| it).collect();
    assert_eq!(written.len(), spans.len());
    for span in spans {
        let whole = tree(span);
        let same = written.iter().filter(|it| it["spanId"] == whole["spanId"]);
        let twins = spans
            .iter()
            .filter(|it| it.span_context.span_id() == span.span_context.span_id());
        assert_eq!(same.clone().count(), twins.count());
        if ascii_length(&whole) + SLACK <= LIMIT {
            assert!(
                same.clone().any(|it| **it == whole),
                "a short span is not cut"
            );
        } else if truncation == Truncation::Structured {
            assert!(same.clone().any(|it| ascii_length(it) <= LIMIT + SLACK));
        }
    }
}

/// As the limit counts it: all characters beyond ASCII escaped.
fn ascii_length(json: &Json) -> usize {
    let text = json.to_string();
    let cost = |c: char| match c {
        ' '..='~' => 1,
        c => 6 * c.len_utf16(),
    };
    text.chars().map(cost).sum()
}
