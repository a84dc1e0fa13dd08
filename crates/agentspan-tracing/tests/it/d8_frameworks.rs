//! D8: an agent whose framework opens its root with `parent: None` was lost, since its spans had neither parent
//! nor identity. The shapes are those of rig 0.44.

use agentspan_otel::{BaggageBuilder, ScopeFutureExt as _};
use opentelemetry::trace::FutureExt as _;
use opentelemetry::{Context, Value};
use tracing::instrument::WithSubscriber as _;
use tracing::{Instrument as _, field, info_span};

use crate::recorder::{Recorder, value};

/// As `rig_agent::agent::telemetry::acquire_agent_span`: adopts the caller's span, or opens a root.
async fn prompt() {
    let ambient = tracing::Span::current();
    let agent = if ambient.is_disabled() {
        info_span!(
            parent: None,
            "invoke_agent",
            gen_ai.operation.name = "invoke_agent",
            gen_ai.agent.name = "adder",
            gen_ai.usage.input_tokens = field::Empty,
        )
    } else {
        ambient
    };
    async {
        let chat = info_span!("chat", gen_ai.operation.name = "chat");
        async { tokio::task::yield_now().await }
            .instrument(chat)
            .await;
        let tool = info_span!("execute_tool", gen_ai.operation.name = "execute_tool");
        async { tokio::task::yield_now().await }
            .instrument(tool)
            .await;
        tracing::Span::current().record("gen_ai.usage.input_tokens", 47_u64);
    }
    .instrument(agent)
    .await;
}

const NAMES: [&str; 3] = ["chat", "execute_tool", "invoke_agent"];

#[track_caller]
fn check_identity(recorder: &Recorder) {
    for name in NAMES {
        let span = recorder.named(name);
        let identity = ["tenant.id", "gen_ai.agent.id"].map(|key| value(&span, key));
        let expected = ["tenant-1", "agent-1"].map(|id| Some(Value::from(id)));
        assert_eq!(identity, expected, "{name}");
    }
    recorder.check_child("chat", "invoke_agent");
    recorder.check_child("execute_tool", "invoke_agent");
}

#[tokio::test]
async fn d8_an_agent_in_the_context_of_a_request_has_its_identity() {
    let recorder = Recorder::new();
    let request = BaggageBuilder::request_context("tenant-1", "agent-1", "request-1");
    async { prompt().await }
        .with_context(request.to_context(&Context::current()))
        .with_subscriber(recorder.dispatch.clone())
        .await;
    check_identity(&recorder);
    assert_eq!(recorder.names(), NAMES);

    let recorder = Recorder::new();
    async { prompt().await }
        .with_baggage(&request)
        .with_subscriber(recorder.dispatch.clone())
        .await;
    check_identity(&recorder);
}

#[tokio::test]
async fn d8_an_agent_in_a_scope_is_part_of_it() {
    let recorder = Recorder::new();
    recorder
        .tool("delegate")
        .run_infallible(|_| prompt())
        .with_subscriber(recorder.dispatch.clone())
        .await;
    check_identity(&recorder);
    recorder.check_child("invoke_agent", "execute_tool delegate");
}

#[tokio::test]
async fn an_agent_in_a_span_of_the_caller_is_part_of_it() {
    let recorder = Recorder::new();
    async { prompt().instrument(info_span!("POST /chat")).await }
        .with_subscriber(recorder.dispatch.clone())
        .await;
    assert_eq!(recorder.names(), ["chat", "execute_tool", "POST /chat"]);
    recorder.check_child("chat", "POST /chat");
}
