//! How spans are put together to lines.

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use serde_json::Value;

use super::lines::Lines;

fn span(scope: &'static str, name: &str) -> SpanData {
    let provider = SdkTracerProvider::builder().build();
    let scope = InstrumentationScope::builder(scope).build();
    let span = provider.tracer_with_scope(scope).start(name.to_owned());
    span.exported_data().unwrap()
}

fn line(spans: &[(&'static str, &str)], longest: usize) -> String {
    let spans: Vec<_> = spans
        .iter()
        .map(|(scope, name)| span(scope, name))
        .collect();
    Lines::with_limit(&spans, "{}", "", longest).unwrap()
}

/// Checks the contents of each line: scopes with the names of their spans.
#[track_caller]
fn check(spans: &[(&'static str, &str)], longest: usize, expected: &[&str]) {
    let lines = line(spans, longest);
    assert!(lines.ends_with('\n') || spans.is_empty());
    let found: Vec<_> = lines.lines().map(shape).collect();
    assert_eq!(found, expected);
}

fn shape(line: &str) -> String {
    let line: Value = serde_json::from_str(line).unwrap();
    let [resource] = line["resourceSpans"].as_array().unwrap().as_slice() else {
        panic!("{line}")
    };
    let scopes = resource["scopeSpans"].as_array().unwrap();
    let shapes = scopes.iter().map(|scope| {
        let spans = scope["spans"].as_array().unwrap();
        let names = spans.iter().map(|span| span["name"].as_str().unwrap());
        let name = scope["scope"]["name"].as_str().unwrap();
        format!("{name}: {}", names.collect::<Vec<_>>().join(" "))
    });
    shapes.collect::<Vec<_>>().join("; ")
}

#[test]
fn the_spans_of_a_batch_stand_in_one_line_those_of_a_scope_together() {
    let spans = [("a", "1"), ("b", "2"), ("a", "3")];
    check(&spans, usize::MAX, &["a: 1 3; b: 2"]);
}

#[test]
fn what_does_not_fit_into_a_line_stands_in_the_next() {
    let spans = [("a", "1"), ("a", "2"), ("b", "3")];
    check(&spans, 1, &["a: 1", "a: 2", "b: 3"]);
    // As long as a line of the first two.
    let fitting = |spans: &[(&'static str, &str)]| line(&spans[..2], usize::MAX).len();
    check(&spans, fitting(&spans), &["a: 1 2", "b: 3"]);
    let spans = [("a", "1"), ("b", "2"), ("b", "3")];
    check(&spans, fitting(&spans), &["a: 1; b: 2", "b: 3"]);
}

#[test]
fn no_spans_are_no_line() {
    check(&[], usize::MAX, &[]);
}
