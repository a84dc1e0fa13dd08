//! The turn with the tracer alone, as somebody writes it who knows what he does.

use agentspan_model::agent365::json_array_text;
use agentspan_model::keys;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanKind, Tracer, get_active_span, mark_span_as_active};

use crate::scope_row::data::TurnData;
use crate::scope_row::scopes::{model_events, tool_events};

pub(crate) fn turn_by_hand<T>(tracer: &T, data: &TurnData)
where
    T: Tracer,
    T::Span: Send + Sync + 'static,
{
    let agent = &data.invocation.details;
    let attributes = vec![
        KeyValue::new(keys::GEN_AI_SYSTEM, SYSTEM),
        KeyValue::new(keys::GEN_AI_OPERATION_NAME, "invoke_agent"),
        KeyValue::new(keys::GEN_AI_AGENT_ID, agent.agent_id.as_str().to_owned()),
        KeyValue::new(keys::GEN_AI_AGENT_NAME, text(agent.agent_name.as_deref())),
        KeyValue::new(
            keys::GEN_AI_AGENT_DESCRIPTION,
            text(agent.agent_description.as_deref()),
        ),
        KeyValue::new(
            keys::GEN_AI_CONVERSATION_ID,
            text(agent.conversation_id.as_deref()),
        ),
        KeyValue::new(keys::TENANT_ID, data.tenant.tenant_id.as_str().to_owned()),
        KeyValue::new(
            keys::SESSION_ID,
            text(data.invocation.session_id.as_deref()),
        ),
        KeyValue::new(
            keys::SERVER_ADDRESS,
            text(
                data.invocation
                    .endpoint
                    .as_ref()
                    .map(|one| one.host.as_str()),
            ),
        ),
        KeyValue::new(keys::GEN_AI_EXECUTION_TYPE, "HumanToAgent"),
        KeyValue::new(
            keys::GEN_AI_CALLER_ID,
            text(data.caller.caller_id.as_deref()),
        ),
        KeyValue::new(
            keys::GEN_AI_CALLER_NAME,
            text(data.caller.caller_name.as_deref()),
        ),
    ];
    let name = format!("invoke_agent {}", text(agent.agent_name.as_deref()));
    within(tracer, name, SpanKind::Client, attributes, || {
        model_call(tracer, data);
        tool_call(tracer, data);
        model_call(tracer, data);
    });
}

const SYSTEM: &str = "az.ai.agent365";

fn model_call<T>(tracer: &T, data: &TurnData)
where
    T: Tracer,
    T::Span: Send + Sync + 'static,
{
    let call = &data.model_call;
    let attributes = vec![
        KeyValue::new(keys::GEN_AI_SYSTEM, SYSTEM),
        KeyValue::new(
            keys::GEN_AI_AGENT_ID,
            data.agent.agent_id.as_str().to_owned(),
        ),
        KeyValue::new(keys::TENANT_ID, data.tenant.tenant_id.as_str().to_owned()),
        KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, data.prompt.clone()),
        KeyValue::new(keys::GEN_AI_OPERATION_NAME, "Chat"),
        KeyValue::new(keys::GEN_AI_REQUEST_MODEL, call.model.clone()),
        KeyValue::new(keys::GEN_AI_PROVIDER_NAME, call.provider_name.clone()),
        KeyValue::new(keys::GEN_AI_USAGE_INPUT_TOKENS, number(call.input_tokens)),
        KeyValue::new(keys::GEN_AI_USAGE_OUTPUT_TOKENS, number(call.output_tokens)),
    ];
    let name = format!("Chat {}", call.model);
    within(tracer, name, SpanKind::Client, attributes, || {
        model_events(data);
        let answer = json_array_text(&[&data.model_answer]);
        get_active_span(|span| {
            span.set_attribute(KeyValue::new(keys::GEN_AI_OUTPUT_MESSAGES, answer));
        });
    });
}

fn tool_call<T>(tracer: &T, data: &TurnData)
where
    T: Tracer,
    T::Span: Send + Sync + 'static,
{
    let call = &data.tool_call;
    let attributes = vec![
        KeyValue::new(keys::GEN_AI_SYSTEM, SYSTEM),
        KeyValue::new(keys::GEN_AI_OPERATION_NAME, "execute_tool"),
        KeyValue::new(
            keys::GEN_AI_AGENT_ID,
            data.agent.agent_id.as_str().to_owned(),
        ),
        KeyValue::new(keys::TENANT_ID, data.tenant.tenant_id.as_str().to_owned()),
        KeyValue::new(keys::GEN_AI_TOOL_NAME, call.tool_name.clone()),
        KeyValue::new(keys::GEN_AI_TOOL_ARGUMENTS, text(call.arguments.as_deref())),
    ];
    let name = format!("execute_tool {}", call.tool_name);
    within(tracer, name, SpanKind::Internal, attributes, || {
        tool_events(data);
    });
}

fn within<T>(
    tracer: &T,
    name: String,
    kind: SpanKind,
    attributes: Vec<KeyValue>,
    work: impl FnOnce(),
) where
    T: Tracer,
    T::Span: Send + Sync + 'static,
{
    let span = tracer
        .span_builder(name)
        .with_kind(kind)
        .with_attributes(attributes)
        .start(tracer);
    let active = mark_span_as_active(span);
    work();
    // The last owner of the span ends it.
    drop(active);
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn number(number: Option<i64>) -> String {
    number.unwrap_or_default().to_string()
}
