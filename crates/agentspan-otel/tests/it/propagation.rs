//! What leaves with a request, what is believed of one that comes, and how much of it.

use std::collections::HashMap;

use agentspan_otel::propagation::HeaderReader;
use agentspan_otel::{BaggageBuilder, Propagation};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use serde_json::{Map, Value, json};

use crate::recorder::{Recorder, values};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Headers with one of this name.
fn header(name: &str, value: &str) -> HashMap<String, String> {
    HashMap::from([(name.to_owned(), value.to_owned())])
}

/// The baggage of a context that came with this header, sorted.
fn received(baggage: &str) -> Vec<(String, String)> {
    let context = Propagation::new().extract(&Context::new(), &header("baggage", baggage));
    let pairs = context.baggage().iter();
    let mut pairs: Vec<_> = pairs
        .map(|(key, (value, _))| (key.to_string(), value.to_string()))
        .collect();
    pairs.sort();
    pairs
}

#[track_caller]
fn check_received(baggage: &str, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    assert_eq!(received(baggage), expected, "{baggage}");
}

fn full_baggage() -> Context {
    BaggageBuilder::new()
        .with_tenant_id("t")
        .with_agent_id("a")
        .with_agent_upn("bot@contoso.com")
        .with_caller_id("user-1")
        .with_caller_upn("me@contoso.com")
        .with_conversation_id("19:user-1_bot@unq")
        .with_operation_source("web")
        .with_correlation_id("c")
        .with_pairs([("feature", "x")])
        .build()
        .to_context(&Context::new())
}

#[test]
fn nothing_that_names_a_tenant_an_agent_or_a_person_leaves_by_default() {
    let mut headers = HashMap::new();
    Propagation::new().inject(&full_baggage(), &mut headers);
    assert_eq!(
        headers,
        header("baggage", "correlation.id=c,operation.source=web")
    );
}

#[test]
fn the_list_of_what_leaves_can_be_another_one_or_empty() {
    let mut headers = HashMap::new();
    let own = Propagation::new().with_allowed_baggage(["feature", "tenant.id", "absent"]);
    own.inject(&full_baggage(), &mut headers);
    assert_eq!(headers, header("baggage", "feature=x,tenant.id=t"));

    let mut headers = HashMap::new();
    let none = Propagation::new().with_allowed_baggage([""; 0]);
    none.inject(&full_baggage(), &mut headers);
    assert_eq!(headers, HashMap::new());
}

#[test]
fn values_arrive_as_they_left() {
    for value in ["100%25", "a=b=c", "x, y; z", "ä \\ \"q\"", "%", "a b"] {
        let context = BaggageBuilder::new().with_correlation_id(value).build();
        let mut headers = HashMap::new();
        Propagation::new().inject(&context.to_context(&Context::new()), &mut headers);
        assert!(headers["baggage"].is_ascii());
        check_received(&headers["baggage"], &[("correlation.id", value)]);
    }
}

#[test]
fn baggage_is_read_as_the_standard_says() {
    check_received(
        "a=1 ; property , b = 2%20x,c=%FF,, d",
        &[("a", "1"), ("b", "2 x"), ("c", "\u{fffd}")],
    );
    check_received("no token=1,=2", &[]);
    check_received("", &[]);
}

#[test]
fn t05_no_more_enters_than_64_entries_and_8192_bytes() {
    let many: Vec<_> = (0..100).map(|n| format!("k{n}=v")).collect();
    assert_eq!(received(&many.join(",")).len(), 64);
    let large = format!("first=1,large={},last=2", "x".repeat(8192));
    check_received(&large, &[("first", "1")]);
}

#[test]
fn no_more_leaves_than_8192_bytes() {
    let context = BaggageBuilder::new()
        .with_pairs([("large", "ä".repeat(2000).as_str()), ("small", "1")])
        .build()
        .to_context(&Context::new());
    let mut headers = HashMap::new();
    let propagation = Propagation::new().with_allowed_baggage(["large", "small"]);
    propagation.inject(&context, &mut headers);
    assert_eq!(headers, header("baggage", "small=1"));
}

#[test]
fn what_the_context_has_is_not_replaced_by_what_enters() {
    let own = BaggageBuilder::new().with_correlation_id("own").build();
    let context = own.to_context(&Context::new());
    let sent = header("baggage", "correlation.id=theirs,feature=x");
    let context = Propagation::new().extract(&context, &sent);
    let value = |key| context.baggage().get(key).map(ToString::to_string);
    assert_eq!(value("correlation.id").as_deref(), Some("own"));
    assert_eq!(value("feature").as_deref(), Some("x"));
}

#[test]
fn an_identity_that_enters_marks_no_span() {
    let recorder = Recorder::new();
    let sent = header(
        "baggage",
        "tenant.id=victim,gen_ai.agent.id=v,correlation.id=c",
    );
    let context = Propagation::new().extract(&Context::new(), &sent);
    let tracer = recorder.provider.tracer("t");
    tracer.start_with_context("plain", &context);
    let span = recorder.span();
    assert_eq!(values(&span, "tenant.id"), []);
    assert_eq!(values(&span, "gen_ai.agent.id"), []);
    assert_eq!(values(&span, "correlation.id"), ["c".into()]);
}

#[test]
fn a_trace_goes_on_on_the_other_side() {
    let recorder = Recorder::new();
    let tracer = recorder.provider.tracer("t");
    let span = tracer.start_with_context("client", &Context::new());
    let client = Context::new().with_span(span);
    let mut headers = HashMap::new();
    Propagation::new().inject(&client, &mut headers);
    // An empty `tracestate` is not worth a header.
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["traceparent"]);

    let server = Propagation::new().extract(&Context::new(), &headers);
    tracer.start_with_context("server", &server);
    let received = recorder.named("server");
    let sent = client.span().span_context().clone();
    assert_eq!(received.span_context.trace_id(), sent.trace_id());
    assert_eq!(received.parent_span_id, sent.span_id());
    assert!(received.parent_span_is_remote);
}

#[test]
fn the_meta_of_a_request_carries_the_same_as_headers() {
    let meta = json!({ "traceparent": PARENT, "tracestate": "v=1", "baggage": "feature=x", "progressToken": 7 });
    let meta = meta.as_object().unwrap();
    let context = Propagation::new().extract_meta(&Context::new(), meta);
    let mut out: Map<String, Value> = Map::new();
    let propagation = Propagation::new().with_allowed_baggage(["feature"]);
    propagation.inject_meta(&context, &mut out);
    assert_eq!(
        Value::Object(out),
        json!({ "traceparent": PARENT, "tracestate": "v=1", "baggage": "feature=x" })
    );

    let strange = json!({ "traceparent": 1, "baggage": ["a=b"] });
    let context = Propagation::new().extract_meta(&Context::new(), strange.as_object().unwrap());
    assert!(!context.span().span_context().is_valid());
    assert!(context.baggage().is_empty());
}

#[test]
fn several_headers_of_a_list_are_one_and_two_parents_are_none() {
    let check = |headers: &[(&str, &str)], valid: bool, state: &str| {
        let reader = HeaderReader::new(|name: &str| {
            let of_name = headers.iter().filter(|(key, _)| *key == name);
            of_name.map(|(_, value)| *value).collect()
        });
        let context = Propagation::new().extract(&Context::new(), &reader);
        let span = context.span().span_context().clone();
        assert_eq!(span.is_valid(), valid, "{headers:?}");
        assert_eq!(span.trace_state().header(), state, "{headers:?}");
    };
    let parent = ("traceparent", PARENT);
    check(
        &[parent, ("tracestate", "a=1"), ("tracestate", "b=2")],
        true,
        "a=1,b=2",
    );
    check(&[parent, parent], false, "");
    let many: Vec<_> = (0..33).map(|n| format!("k{n}=v")).collect();
    check(&[parent, ("tracestate", &many.join(","))], true, "");
}

#[test]
fn pairs_are_read_whatever_the_case_of_their_names_and_what_is_no_text_is_left_out() {
    let headers: [(&str, &[u8]); 5] = [
        ("TraceParent", PARENT.as_bytes()),
        ("Baggage", b"correlation.id=1"),
        ("baggage", b"broken=\xff"),
        ("baggage", b"operation.source=web"),
        ("accept", b"\xff"),
    ];
    let context = Propagation::new().extract_headers(&Context::new(), headers);
    let span = context.span().span_context().clone();
    assert_eq!(
        span.trace_id().to_string(),
        "4bf92f3577b34da6a3ce929d0e0e4736"
    );
    assert!(span.is_remote());
    assert_eq!(context.baggage().len(), 2);

    let mut headers = Propagation::new().to_headers(&context);
    headers.sort();
    let expected = [
        ("baggage", "correlation.id=1,operation.source=web"),
        ("traceparent", PARENT),
    ];
    assert_eq!(
        headers,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn a_format_that_is_not_used_is_neither_written_nor_read() {
    let both = [("traceparent", PARENT), ("baggage", "correlation.id=1")];
    let new = Propagation::new;
    let none = new().without_trace_context().without_baggage();
    for (propagation, trace, baggage) in [
        (new(), true, true),
        (new().without_baggage(), true, false),
        (new().without_trace_context(), false, true),
        (none, false, false),
    ] {
        let read = propagation.extract_headers(&Context::new(), both);
        assert_eq!(read.span().span_context().is_valid(), trace);
        assert_eq!(!read.baggage().is_empty(), baggage);
        // As the propagator of other instrumentation, which asks for its names.
        let all = new().extract_headers(&Context::new(), both);
        let mut headers = HashMap::new();
        propagation.inject_context(&all, &mut headers);
        let names = [
            ("traceparent", trace),
            ("tracestate", trace),
            ("baggage", baggage),
        ];
        let fields = names
            .into_iter()
            .filter(|(_, used)| *used)
            .map(|(name, _)| name);
        assert!(propagation.fields().eq(fields));
        let sent = both
            .into_iter()
            .filter(|(name, _)| propagation.fields().any(|field| field == *name));
        assert_eq!(
            headers,
            sent.map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        );
        let read = propagation.extract_with_context(&Context::new(), &headers);
        assert_eq!(read.span().span_context().is_valid(), trace);
        assert_eq!(read.baggage().len(), usize::from(baggage));
    }
}

#[test]
fn two_parents_in_pairs_are_none() {
    let headers = [("traceparent", PARENT), ("Traceparent", PARENT)];
    let context = Propagation::new().extract_headers(&Context::new(), headers);
    assert!(!context.span().span_context().is_valid());
}
