//! No request has anything of another one's tenant.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use agentspan_model::agent365::Identity;
use agentspan_tower::{Layer as _, ServerLayer, Service as _};
use http::Request;

use crate::recorder::{Handler, Opaque, Recorder, answer, pause, poll, request, text};

fn layer() -> ServerLayer {
    ServerLayer::new().with_identity(|request| request.extensions.get::<Identity>().cloned())
}

#[test]
fn requests_that_run_at_the_same_time_stay_apart() {
    let recorder = Recorder::new();
    let handler = recorder.clone();
    let service = layer().layer(Handler(move |_: Request<Opaque>| {
        let handler = handler.clone();
        async move {
            for _ in 0..3 {
                handler.work("work");
                pause().await;
            }
            answer()
        }
    }));
    let start = |tenant: &str| {
        let mut request = request(&[("baggage", b"tenant.id=somebody-else,gen_ai.agent.id=x")]);
        let identity = Identity::parse(tenant, &format!("agent-of-{tenant}")).unwrap();
        request.extensions_mut().insert(identity);
        service.clone().call(request)
    };
    let mut running: Vec<Pin<Box<dyn Future<Output = _>>>> = vec![
        Box::pin(start("one")),
        Box::pin(start("two")),
        Box::pin(start("three")),
    ];
    while !running.is_empty() {
        running.retain_mut(|request| matches!(poll(request.as_mut()), Poll::Pending));
    }
    let spans = recorder.spans();
    assert_eq!(spans.len(), 9);
    for tenant in ["one", "two", "three"] {
        let of_tenant = |it: &&_| text(it, "tenant.id").as_deref() == Some(tenant);
        let spans: Vec<_> = spans.iter().filter(of_tenant).collect();
        assert_eq!(spans.len(), 3, "{tenant}");
        let agent = format!("agent-of-{tenant}");
        assert!(
            spans
                .iter()
                .all(|span| text(span, "gen_ai.agent.id").as_ref() == Some(&agent))
        );
    }
}

#[test]
fn what_a_caller_says_of_itself_is_nobodys_identity() {
    let recorder = Recorder::new();
    let handler = recorder.clone();
    let mut service = layer().layer(Handler(move |_: Request<Opaque>| {
        handler.work("work");
        async { answer() }
    }));
    let headers: &[(&str, &[u8])] = &[("baggage", b"tenant.id=victim,gen_ai.agent.id=victims")];
    crate::recorder::send(&mut service, headers).unwrap();
    let span = recorder.named("work");
    assert_eq!(text(&span, "tenant.id"), None);
    assert_eq!(text(&span, "gen_ai.agent.id"), None);
}

#[test]
fn t04_the_invocation_of_an_authenticated_tenant_has_nobody_of_the_callers_header() {
    let recorder = Recorder::new();
    let handler = recorder.clone();
    let layer = ServerLayer::new()
        .with_identity(|_| Identity::parse("tenant-1", "agent-1").ok())
        .with_scope(move |_| Some(handler.scope("agent-1")));
    let mut service = layer.layer(Handler(|_: Request<Opaque>| async { answer() }));
    let header = "gen_ai.caller.id=forged,gen_ai.caller.upn=forged,gen_ai.agent.upn=forged,\
                  gen_ai.caller.agent.id=forged,hiring.manager.id=forged,gen_ai.conversation.id=c";
    let headers: &[(&str, &[u8])] = &[("baggage", header.as_bytes())];
    crate::recorder::send(&mut service, headers).unwrap();
    let span = recorder.named("invoke_agent");
    assert_eq!(text(&span, "tenant.id").as_deref(), Some("tenant-1"));
    let conversation = text(&span, "gen_ai.conversation.id");
    assert_eq!(conversation.as_deref(), Some("c"));
    let is_forged = |attribute: &opentelemetry::KeyValue| attribute.value.as_str() == "forged";
    let forged: Vec<_> = span.attributes.into_iter().filter(is_forged).collect();
    assert_eq!(forged, []);
}
