//! The headers of a request in the layers of a server and of a client: no request breaks, no
//! identity is made up, and what leaves is a header.

#![no_main]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use agentspan_model::agent365::{AgentId, TenantId};
use agentspan_tower::{ClientLayer, Layer as _, ServerLayer, Service};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use libfuzzer_sys::fuzz_target;
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;

fuzz_target!(|bytes: &[u8]| {
    let mut request = Request::new(());
    // A header a line: its first letter is its name.
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some((letter, value)) = line.split_first() else {
            continue;
        };
        if let (Some(name), Ok(value)) = (name_of(*letter), HeaderValue::from_bytes(value)) {
            request.headers_mut().append(name, value);
        }
    }
    let sent = request.headers().clone();
    let layer = ServerLayer::new()
        .with_identity_headers("x-tenant", "x-agent")
        .with_correlation_header("x-request-id");
    let mut answer = pin!(layer.layer(Handler).call(request));
    let answer = answer.as_mut().poll(&mut TaskContext::from_waker(Waker::noop()));
    let Poll::Ready(Ok(answer)) = answer else {
        panic!("a request is answered");
    };
    let (tenant, agent, headers) = answer.into_body();
    check(&sent, "x-tenant", tenant, |id| TenantId::parse(id).is_ok());
    check(&sent, "x-agent", agent, |id| AgentId::parse(id).is_ok());
    for (name, value) in &headers {
        assert!(value.to_str().is_ok(), "{name}: {value:?}");
    }
    assert_eq!(headers.keys_len(), headers.len(), "each header leaves once");
});

fn name_of(letter: u8) -> Option<HeaderName> {
    Some(HeaderName::from_static(match letter {
        b'p' => "traceparent",
        b's' => "tracestate",
        b'b' => "baggage",
        b't' => "x-tenant",
        b'a' => "x-agent",
        b'r' => "x-request-id",
        _ => return None,
    }))
}

/// An id is the only value of its header, or none that can be one.
fn check(sent: &HeaderMap, name: &str, found: Option<String>, is_id: impl Fn(&str) -> bool) {
    let Some(found) = found.filter(|found| is_id(found)) else {
        return;
    };
    // Baggage of the caller may claim anything, where no header says it.
    let all: Vec<_> = sent.get_all(name).iter().collect();
    assert!(
        all.is_empty() || matches!(all[..], [one] if one.as_bytes() == found.as_bytes()),
        "{name}: {found:?} of {all:?}"
    );
}

/// Answers with what the baggage says, and the headers that a client in the request would send.
#[derive(Clone)]
struct Handler;

type Answer = (Option<String>, Option<String>, HeaderMap);

impl Service<Request<()>> for Handler {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Answer>, Infallible>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let context = Context::current();
        let baggage = context.baggage();
        let text = |key: &str| baggage.get(key).map(ToString::to_string);
        let mut headers = HeaderMap::new();
        ClientLayer::new().write(&mut headers);
        ready(Ok(Response::new((text("tenant.id"), text("gen_ai.agent.id"), headers))))
    }
}
