//! What a client's requests carry.

use std::convert::Infallible;

use agentspan_otel::{BaggageBuilder, Propagation};
use agentspan_tower::{ClientLayer, Layer as _};
use http::{HeaderMap, Request};

use crate::recorder::{Handler, Opaque, PARENT, Recorder, send};

/// The headers of what the layer sends.
fn sent(layer: &ClientLayer, headers: &[(&str, &[u8])]) -> HeaderMap {
    let mut client = layer.layer(Handler(|request: Request<Opaque>| async move {
        Ok::<_, Infallible>(request.headers().clone())
    }));
    send(&mut client, headers).unwrap()
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let value = values
        .next()
        .map(|value| value.to_str().unwrap().to_owned());
    assert!(values.next().is_none(), "{name}");
    value
}

#[test]
fn a_request_carries_the_current_span_and_no_identity() {
    let recorder = Recorder::new();
    let scope = recorder.scope("agent-1");
    let ids = scope.span_context();
    let baggage = BaggageBuilder::request_context("tenant-1", "agent-1", "r 1");
    let headers = scope.in_scope_infallible(|_| {
        baggage.in_baggage(|| sent(&ClientLayer::new(), &[("accept", b"*/*")]))
    });
    let expected = format!("00-{}-{}-01", ids.trace_id(), ids.span_id());
    assert_eq!(header(&headers, "traceparent"), Some(expected));
    assert_eq!(
        header(&headers, "baggage").as_deref(),
        Some("correlation.id=r%201")
    );
    assert_eq!(header(&headers, "accept").as_deref(), Some("*/*"));
}

#[test]
fn a_request_that_is_passed_on_carries_this_trace_and_not_the_callers() {
    let recorder = Recorder::new();
    let callers: &[(&str, &[u8])] = &[("traceparent", PARENT.as_bytes()), ("tracestate", b"a=1")];
    let headers = recorder
        .scope("agent-1")
        .in_scope_infallible(|_| sent(&ClientLayer::new(), callers));
    assert_ne!(header(&headers, "traceparent").as_deref(), Some(PARENT));
    assert_eq!(header(&headers, "tracestate"), None);
}

#[test]
fn a_request_that_is_passed_on_carries_no_baggage_of_the_caller() {
    let callers: &[(&str, &[u8])] = &[
        ("baggage", b"microsoft.tenant.id=victim,user.id=u"),
        ("baggage", b"more=1"),
    ];
    let headers = sent(&ClientLayer::new(), callers);
    assert_eq!(header(&headers, "baggage"), None);
    let baggage = BaggageBuilder::request_context("tenant-1", "agent-1", "r-1");
    let headers = baggage.in_baggage(|| sent(&ClientLayer::new(), callers));
    let written = Some("correlation.id=r-1");
    assert_eq!(header(&headers, "baggage").as_deref(), written);
    // One that writes no baggage leaves it to whoever does.
    let layer = ClientLayer::new().with_propagation(Propagation::new().without_baggage());
    let headers = sent(&layer, &callers[1..]);
    assert_eq!(header(&headers, "baggage").as_deref(), Some("more=1"));
}

#[test]
fn without_a_context_headers_stay_as_they_are() {
    let callers: &[(&str, &[u8])] = &[("traceparent", PARENT.as_bytes()), ("tracestate", b"a=1")];
    let headers = sent(&ClientLayer::new(), callers);
    assert_eq!(header(&headers, "traceparent").as_deref(), Some(PARENT));
    assert_eq!(header(&headers, "tracestate").as_deref(), Some("a=1"));
}

#[test]
fn a_propagation_says_what_leaves() {
    let propagation = Propagation::new().with_allowed_baggage(["tenant.id"]);
    let layer = ClientLayer::new().with_propagation(propagation);
    let baggage = BaggageBuilder::request_context("tenant-1", "agent-1", "r-1");
    let mut headers = HeaderMap::new();
    baggage.in_baggage(|| layer.write(&mut headers));
    assert_eq!(
        header(&headers, "baggage").as_deref(),
        Some("tenant.id=tenant-1")
    );
}
