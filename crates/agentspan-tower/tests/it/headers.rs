//! Headers that cannot be read.

use agentspan_model::agent365::{AgentId, TenantId};
use agentspan_otel::baggage::dropped_baggage_entries;
use agentspan_testkit::CapturedLogs;
use agentspan_tower::{Layer as _, ServerLayer};
use http::{HeaderValue, Request};
use proptest::prelude::*;

use crate::recorder::{Handler, Opaque, PARENT, Recorder, answer, send, text};

/// What the spans of a request say: tenant and agent.
fn identity_of(layer: &ServerLayer, headers: &[(&str, &[u8])]) -> (Option<String>, Option<String>) {
    let recorder = Recorder::new();
    let handler = recorder.clone();
    let mut service = layer.layer(Handler(move |_: Request<Opaque>| {
        handler.work("work");
        async { answer() }
    }));
    send(&mut service, headers).unwrap();
    let span = recorder.named("work");
    (text(&span, "tenant.id"), text(&span, "gen_ai.agent.id"))
}

fn gateway() -> ServerLayer {
    ServerLayer::new().with_identity_headers("x-tenant", "x-agent")
}

#[test]
fn a_trace_header_that_cannot_be_read_is_said_once_and_counted() {
    let (logs, _captured) = CapturedLogs::on_this_thread();
    let layer = ServerLayer::new();
    for value in [
        "garbage",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    ] {
        identity_of(&layer, &[("traceparent", value.as_bytes())]);
    }
    identity_of(&layer, &[("traceparent", b"\xff")]);
    let twice: &[(&str, &[u8])] = &[("traceparent", PARENT.as_bytes()); 2];
    identity_of(&layer, twice);
    assert_eq!(layer.malformed_headers(), 4);
    identity_of(&layer, &[("traceparent", PARENT.as_bytes())]);
    assert_eq!(layer.malformed_headers(), 4);
    assert_eq!(logs.count("trace header cannot be read"), 1);
    assert!(!logs.contains("garbage"));
}

#[test]
fn baggage_that_cannot_be_read_is_counted_and_said_at_most_once() {
    let (logs, _captured) = CapturedLogs::on_this_thread();
    let before = dropped_baggage_entries();
    for _ in 0..3 {
        identity_of(&ServerLayer::new(), &[("baggage", b"no pair, ;;")]);
    }
    // Others drop entries at the same time.
    assert!(dropped_baggage_entries() - before >= 6);
    assert!(logs.count("baggage header") <= 1);
}

#[test]
fn a_gateway_says_whose_a_request_is() {
    let layer = gateway();
    let headers: &[(&str, &[u8])] = &[("x-tenant", b"t-1"), ("x-agent", b"a-1")];
    let found = identity_of(&layer, headers);
    assert_eq!(found, (Some("t-1".to_owned()), Some("a-1".to_owned())));
    assert_eq!(identity_of(&layer, &[]), (None, None));
    assert_eq!(layer.malformed_headers(), 0);
}

#[test]
fn an_identity_header_that_cannot_be_read_makes_the_spans_nobodys() {
    let (logs, _captured) = CapturedLogs::on_this_thread();
    let layer = gateway();
    let refused: &[&[(&str, &[u8])]] = &[
        &[("x-tenant", b"../2"), ("x-agent", b"a-1")],
        &[("x-tenant", b""), ("x-agent", b"a-1")],
        &[("x-tenant", b"\xff\xfe"), ("x-agent", b"a-1")],
        &[
            ("x-tenant", b"t-1"),
            ("x-tenant", b"t-2"),
            ("x-agent", b"a-1"),
        ],
    ];
    for headers in refused {
        let (tenant, _) = identity_of(&layer, headers);
        // The delivery refuses a span whose tenant cannot be one.
        assert!(TenantId::parse(&tenant.unwrap()).is_err(), "{headers:?}");
    }
    assert_eq!(layer.malformed_headers(), 4);
    assert_eq!(logs.count("identity header cannot be read"), 1);
    assert!(!logs.contains("../2"));
}

proptest! {
    /// Whatever stands in headers, a request is answered, and its spans are those of the two
    /// headers or nobody's.
    #[test]
    fn headers_never_break_a_request(
        values in proptest::collection::vec((0..5_usize, proptest::collection::vec(any::<u8>(), 0..40)), 0..8),
    ) {
        let names = ["traceparent", "tracestate", "baggage", "x-tenant", "x-agent"];
        let values = values.iter().filter(|(_, value)| HeaderValue::from_bytes(value).is_ok());
        let headers: Vec<_> = values.map(|(name, value)| (names[*name], value.as_slice())).collect();
        let (tenant, agent) = identity_of(&gateway(), &headers);
        let sent = |name: &str, value: &str| {
            let all: Vec<_> = headers.iter().filter(|(it, _)| *it == name).collect();
            matches!(all[..], [(_, bytes)] if *bytes == value.as_bytes())
        };
        if let Some(tenant) = tenant {
            prop_assert!(TenantId::parse(&tenant).is_err() || sent("x-tenant", &tenant));
        }
        if let Some(agent) = agent {
            prop_assert!(AgentId::parse(&agent).is_err() || sent("x-agent", &agent));
        }
    }
}
