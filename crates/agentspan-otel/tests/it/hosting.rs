//! What a turn of a conversation says, on baggage, on spans and for what is sent in it.

use std::io;

use agentspan_model::agent365::{AgentDetails, AgentId, InvokeAgentDetails, Profile};
use agentspan_otel::turn_context::{OutputLog, TurnActivity};
use agentspan_otel::{BaggageSpanProcessor, InvokeAgentScope, ScopeTracer, TurnContext};
use futures_executor::block_on;
use opentelemetry::trace::{SpanId, Status};
use serde_json::{Value, json};

use crate::recorder::Recorder;

fn invocation(agent: &str) -> InvokeAgentDetails {
    InvokeAgentDetails::new(AgentDetails::new(AgentId::parse(agent).unwrap()))
}

fn turn(activity: &Value) -> TurnContext {
    serde_json::from_value(json!({ "activity": activity })).unwrap()
}

fn for_agent() -> Value {
    json!({
        "type": "message",
        "text": "Will it rain?",
        "channelId": "agents:email",
        "conversation": {"id": "c-1"},
        "from": {"aadObjectId": "ada", "name": "Ada"},
        "recipient": {
            "role": "agenticUser", "agenticAppId": "agent-1", "tenantId": "tenant-1", "name": "Weather",
        },
    })
}

fn recorder() -> (Recorder, ScopeTracer) {
    let processor = BaggageSpanProcessor::new().with_profile(Profile::V3);
    let recorder = Recorder::with(|builder| builder.with_span_processor(processor));
    let tracer = ScopeTracer::with_profile(&recorder.provider, Profile::V3);
    (recorder, tracer)
}

#[test]
fn an_asynchronous_reply_has_no_baggage() {
    let mut activity = for_agent();
    let baggage = turn(&activity).to_baggage_for(Profile::V3);
    assert!(
        baggage
            .pairs()
            .any(|pair| pair == ("microsoft.tenant.id", "tenant-1"))
    );
    activity["name"] = json!("ContinueConversation");
    assert!(!turn(&activity).is_async_reply());
    activity["type"] = json!("event");
    assert!(turn(&activity).is_async_reply());
    assert_eq!(turn(&activity).to_baggage_for(Profile::V3).pairs().len(), 0);
}

#[test]
fn a_turn_says_nothing_over_the_scope() {
    let (recorder, tracer) = recorder();
    let mut activity = for_agent();
    activity["recipient"]["agenticAppId"] = json!("another");
    let details = invocation("agent-0");
    let scope = InvokeAgentScope::builder(&details)
        .with_tracer(&tracer)
        .start();
    scope.record_turn_context(&turn(&activity));
    scope.end();
    let span = recorder.span();
    let text = |key: &str| {
        let mut found = span.attributes.iter().filter(|it| it.key.as_str() == key);
        let value = found.next().map(|it| it.value.to_string());
        assert!(found.next().is_none(), "{key}");
        value
    };
    assert_eq!(text("gen_ai.agent.id").as_deref(), Some("agent-0"));
    assert_eq!(text("user.name").as_deref(), Some("Ada"));
    assert_eq!(text("microsoft.channel.link").as_deref(), Some("email"));
    let input = text("gen_ai.input.messages").unwrap();
    assert!(input.contains("Will it rain?"), "{input}");
    assert_eq!(text("user.email"), None);
}

#[test]
fn what_is_sent_is_a_span_below_the_current_one() {
    let (recorder, tracer) = recorder();
    let log = OutputLog::of(&turn(&for_agent()))
        .unwrap()
        .with_tracer(tracer.clone());
    let details = invocation("agent-1");
    let scope = InvokeAgentScope::builder(&details)
        .with_tracer(&tracer)
        .start();
    let parent = scope.span_context().span_id();
    let outgoing = [TurnActivity::message("Yes."), TurnActivity::default()];
    let sent = scope.run(|_| async move {
        log.run(&outgoing, async { Ok::<_, io::Error>("sent") })
            .await
    });
    assert_eq!(block_on(sent).unwrap(), "sent");
    let span = recorder.named("output_messages agent-1");
    assert_eq!(span.parent_span_id, parent);
    assert_eq!(span.status, Status::Unset);
}

#[test]
fn a_failure_to_send_is_that_of_the_span_and_of_the_caller() {
    let (recorder, tracer) = recorder();
    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let log = OutputLog::of(&turn(&for_agent())).unwrap();
    let log = log
        .with_tracer(tracer)
        .with_parent_header(header.to_owned());
    let outgoing = [TurnActivity::message("Yes.")];
    let failed = log.run(&outgoing, async { Err::<(), _>(io::Error::other("down")) });
    assert_eq!(block_on(failed).unwrap_err().to_string(), "down");
    let span = recorder.span();
    assert_eq!(span.status, Status::error("down"));
    assert_eq!(span.parent_span_id, SpanId::from(0x00f0_67aa_0ba9_02b7));
}

#[test]
fn sending_that_is_given_up_is_cancelled() {
    let (recorder, tracer) = recorder();
    let log = OutputLog::of(&turn(&for_agent()))
        .unwrap()
        .with_tracer(tracer);
    let outgoing = [TurnActivity::message("Yes.")];
    let mut sending = Box::pin(log.run(&outgoing, std::future::pending::<Result<(), io::Error>>()));
    let waker = std::task::Waker::noop();
    let polled = sending
        .as_mut()
        .poll(&mut std::task::Context::from_waker(waker));
    assert!(polled.is_pending());
    drop(sending);
    assert_eq!(recorder.span().status, Status::error("Task was cancelled"));
}

#[test]
fn a_turn_for_nobody_and_what_is_no_message_are_not_logged() {
    let mut activity = for_agent();
    activity["recipient"]["role"] = json!("bot");
    assert!(OutputLog::of(&turn(&activity)).is_none());
    let log = OutputLog::of(&turn(&for_agent())).unwrap();
    assert!(
        log.start(&[TurnActivity::default(), TurnActivity::message("")])
            .is_none()
    );
}

/// The delivery refuses such a span. Were the id left out, it would be somebody else's.
#[test]
fn ids_that_cannot_be_ids_are_written_and_nobody_elses() {
    let (recorder, tracer) = recorder();
    let mut activity = for_agent();
    activity["recipient"]["tenantId"] = json!("tenant/../2");
    activity["recipient"]["agenticAppId"] = json!("..");
    let log = OutputLog::of(&turn(&activity)).unwrap().with_tracer(tracer);
    let other = json!({"activity": for_agent()});
    let other: TurnContext = serde_json::from_value(other).unwrap();
    other
        .to_baggage_for(Profile::V3)
        .in_baggage(|| drop(log.start_texts(vec!["Yes.".into()])));
    let span = recorder.span();
    let text = |key: &str| {
        let found = span.attributes.iter().rfind(|it| it.key.as_str() == key);
        found.map(|it| it.value.to_string())
    };
    assert_eq!(text("microsoft.tenant.id").as_deref(), Some("tenant/../2"));
    assert_eq!(text("gen_ai.agent.id").as_deref(), Some(".."));
}
