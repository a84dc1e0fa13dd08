//! Turns of conversations, and what is sent in them.

use std::io;
use std::sync::Mutex;

use agentspan_model::agent365::Identity;
use agentspan_otel::TurnContext;
use agentspan_tower::{Layer as _, OutputLayer, ServerLayer, Service as _, TurnLayer};
use http::Request;
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;
use serde_json::json;

use crate::recorder::{Handler, Opaque, answer, block_on, request};

fn turn(name: Option<&str>) -> TurnContext {
    let activity = json!({
        "type": "event", "name": name, "channel_id": "msteams",
        "recipient": {
            "role": "agenticUser", "agentic_app_id": "agent-1", "tenant_id": "tenant-1",
        },
    });
    serde_json::from_value(json!({ "activity": activity })).unwrap()
}

fn tenant() -> Option<String> {
    let context = Context::current();
    context.baggage().get("tenant.id").map(ToString::to_string)
}

#[test]
fn a_turn_that_a_request_is_found_to_be_says_whose_it_is() {
    let layer = ServerLayer::new().with_turn(|request| request.extensions.get::<TurnContext>());
    let mut service = layer.layer(Handler(|_: Request<Opaque>| async {
        assert_eq!(tenant().as_deref(), Some("tenant-1"));
        answer()
    }));
    let mut request = request(&[]);
    request.extensions_mut().insert(turn(None));
    block_on(service.call(request)).unwrap();
}

#[test]
fn authentication_goes_before_the_turn() {
    let layer = ServerLayer::new()
        .with_turn(|request| request.extensions.get::<TurnContext>())
        .with_identity(|_| Identity::parse("tenant-2", "agent-2").ok());
    let mut service = layer.layer(Handler(|_: Request<Opaque>| async {
        assert_eq!(tenant().as_deref(), Some("tenant-2"));
        let context = Context::current();
        let channel = context.baggage().get("gen_ai.channel.link").cloned();
        assert_eq!(channel, None, "nothing stays of the other tenant's turn");
        answer()
    }));
    let mut request = request(&[]);
    request.extensions_mut().insert(turn(None));
    block_on(service.call(request)).unwrap();
}

#[test]
fn turns_of_any_service_say_whose_they_are_unless_they_are_replies() {
    for (name, expected) in [
        (None, Some("tenant-1")),
        (Some("ContinueConversation"), None),
    ] {
        let layer = TurnLayer::new(|turn: &TurnContext| Some(turn));
        let mut service = layer.layer(Handler(|_: TurnContext| async {
            Ok::<_, io::Error>(tenant())
        }));
        let found = block_on(service.call(turn(name))).unwrap();
        assert_eq!(found.as_deref(), expected);
    }
}

#[test]
fn what_is_sent_in_no_turn_is_sent_as_it_is() {
    let layer = OutputLayer::new(|text: &String| vec![text.clone()]);
    let mut connector = layer.layer(Handler(|text: String| async { Ok::<_, io::Error>(text) }));
    assert_eq!(block_on(connector.call("Yes.".to_owned())).unwrap(), "Yes.");
}

#[test]
fn what_is_sent_in_a_turn_for_no_agent_is_not_sent_in_the_turn_around_it() {
    let of_nobody = || {
        let activity = json!({ "type": "message", "channel_id": "msteams" });
        serde_json::from_value::<TurnContext>(json!({ "activity": activity })).unwrap()
    };
    // Texts are only asked for where they are logged.
    let asked = &Mutex::new(Vec::new());
    let connector = || {
        let layer = OutputLayer::new(|text: &String| {
            asked.lock().unwrap().push(text.clone());
            Vec::new()
        });
        layer.layer(Handler(|text: String| async { Ok::<_, io::Error>(text) }))
    };
    let layer = || TurnLayer::new(|turn: &TurnContext| Some(turn));
    let mut outer = layer().layer(Handler(|_: TurnContext| {
        let mut inner = layer().layer(Handler(|_: TurnContext| async {
            connector().call("of nobody".to_owned()).await
        }));
        async move {
            inner.call(of_nobody()).await?;
            connector().call("of tenant-1".to_owned()).await
        }
    }));
    block_on(outer.call(turn(None))).unwrap();
    assert_eq!(*asked.lock().unwrap(), ["of tenant-1"]);
}

/// How often an [`OutputLayer`] asks what is sent in a request with this baggage in its header,
/// which is served for this tenant in a turn of `tenant-1`.
fn asked_in(tenant: &'static str, name: Option<&str>, header: &str) -> usize {
    let asked = &Mutex::new(0);
    let layer = ServerLayer::new()
        .with_turn(|request| request.extensions.get::<TurnContext>())
        .with_identity(move |_| Identity::parse(tenant, "agent-1").ok());
    let mut service = layer.layer(Handler(|_: Request<Opaque>| async {
        let layer = OutputLayer::new(|_: &String| {
            *asked.lock().unwrap() += 1;
            Vec::new()
        });
        let mut connector = layer.layer(Handler(|text: String| async { Ok::<_, io::Error>(text) }));
        connector.call("Yes.".to_owned()).await.unwrap();
        answer()
    }));
    let mut request = request(&[("baggage", header.as_bytes())]);
    request.extensions_mut().insert(turn(name));
    block_on(service.call(request)).unwrap();
    *asked.lock().unwrap()
}

#[test]
fn what_is_sent_for_an_authenticated_tenant_is_not_sent_in_the_turn_of_another() {
    for (tenant, expected) in [("tenant-1", 1), ("tenant-2", 0)] {
        for name in [None, Some("ContinueConversation")] {
            assert_eq!(asked_in(tenant, name, "a=b"), expected, "{tenant}");
        }
    }
}

#[test]
fn t04_a_header_with_two_tenants_keeps_no_answer_out_of_the_turn() {
    for header in [
        "tenant.id=tenant-1,microsoft.tenant.id=other",
        "tenant.id=other,microsoft.tenant.id=tenant-1",
        "microsoft.tenant.id=other",
    ] {
        assert_eq!(asked_in("tenant-1", None, header), 1, "{header}");
    }
}
