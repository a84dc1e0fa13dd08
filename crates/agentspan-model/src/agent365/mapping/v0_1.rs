//! The attributes that the scopes of 0.1.0 write.

use super::{
    APPLY_GUARDRAIL, ApplyGuardrail, EXECUTE_TOOL, ExecuteTool, INVOKE_AGENT, Inference,
    InvokeAgent, OUTPUT_MESSAGES, Output, Recorded,
};
use crate::agent365::open_text::OpenText;
use crate::agent365::{
    AgentDetails, Endpoint, InputMessages, Profile, Request, Response, TenantDetails,
};
use crate::attribute::AttributeValue::{
    self, DecimalText, I64, JsonArrayText, JsonObjectText, Static, Str,
};
use crate::attribute::AttributeVisitor;
use crate::keys;

pub(super) fn invoke_agent(call: &InvokeAgent<'_>, visitor: &mut impl AttributeVisitor) {
    let details = call.details;
    system(visitor);
    visitor.visit(keys::GEN_AI_OPERATION_NAME, Static(INVOKE_AGENT));
    agent_and_tenant(Some(&details.details), call.tenant, visitor);
    text(keys::SESSION_ID, details.session_id.as_deref(), visitor);
    endpoint(details.endpoint.as_ref(), visitor);
    if let Some(request) = call.request {
        channel(request, visitor);
    }
    if let Some(caller) = call.caller {
        text(keys::GEN_AI_CALLER_ID, caller.caller_id.as_deref(), visitor);
        text(
            keys::GEN_AI_CALLER_UPN,
            caller.caller_upn.as_deref(),
            visitor,
        );
        text(
            keys::GEN_AI_CALLER_NAME,
            caller.caller_name.as_deref(),
            visitor,
        );
        text(
            keys::GEN_AI_CALLER_USER_ID,
            caller.caller_user_id.as_deref(),
            visitor,
        );
        text(
            keys::GEN_AI_CALLER_TENANT_ID,
            caller.tenant_id.as_deref(),
            visitor,
        );
    } else if let Some(user) = call.user {
        text(keys::GEN_AI_CALLER_ID, user.user_id.as_deref(), visitor);
        text(keys::GEN_AI_CALLER_NAME, user.user_name.as_deref(), visitor);
    }
    if let Some(agent) = call.caller_agent {
        caller_agent(agent, visitor);
    }
}

pub(super) fn execute_tool(call: &ExecuteTool<'_>, visitor: &mut impl AttributeVisitor) {
    let tool = call.details;
    system(visitor);
    visitor.visit(keys::GEN_AI_OPERATION_NAME, Static(EXECUTE_TOOL));
    agent_and_tenant(call.agent, call.tenant, visitor);
    visitor.visit(keys::GEN_AI_TOOL_NAME, Str(&tool.tool_name));
    text(
        keys::GEN_AI_TOOL_ARGUMENTS,
        tool.arguments.as_deref(),
        visitor,
    );
    if let Some(tool_type) = &tool.tool_type {
        visitor.visit(keys::GEN_AI_TOOL_TYPE, tool_type.attribute());
    }
    text(
        keys::GEN_AI_TOOL_CALL_ID,
        tool.tool_call_id.as_deref(),
        visitor,
    );
    text(
        keys::GEN_AI_TOOL_DESCRIPTION,
        tool.description.as_deref(),
        visitor,
    );
    endpoint(tool.endpoint.as_ref(), visitor);
}

pub(super) fn inference(inference: &Inference<'_>, visitor: &mut impl AttributeVisitor) {
    let call = inference.details;
    system(visitor);
    agent_and_tenant(inference.agent, inference.tenant, visitor);
    if let Some(content) = inference.request.and_then(|r| r.content.as_ref()) {
        visitor.visit(keys::GEN_AI_INPUT_MESSAGES, as_it_is(content));
    }
    let operation = Profile::V0_1.inference_operation(call.operation_name);
    visitor.visit(keys::GEN_AI_OPERATION_NAME, Static(operation));
    visitor.visit(keys::GEN_AI_REQUEST_MODEL, Str(&call.model));
    visitor.visit(keys::GEN_AI_PROVIDER_NAME, Str(&call.provider_name));
    if let Some(tokens) = call.input_tokens {
        recorded(Recorded::InputTokens(tokens), visitor);
    }
    if let Some(tokens) = call.output_tokens {
        recorded(Recorded::OutputTokens(tokens), visitor);
    }
    if let Some(reasons) = call
        .finish_reasons
        .as_deref()
        .filter(|reasons| !reasons.is_empty())
    {
        visitor.visit(keys::GEN_AI_RESPONSE_FINISH_REASONS, JsonArrayText(reasons));
    }
    text(
        keys::GEN_AI_RESPONSE_ID,
        call.response_id.as_deref(),
        visitor,
    );
}

/// The base of all scopes, and the answer in the form of the other scopes.
pub(super) fn output(output: &Output<'_>, visitor: &mut impl AttributeVisitor) {
    system(visitor);
    visitor.visit(keys::GEN_AI_OPERATION_NAME, Static(OUTPUT_MESSAGES));
    agent_and_tenant(output.agent, output.tenant, visitor);
    recorded(Recorded::Response(output.response), visitor);
}

/// The base of all scopes: there are no words for more.
pub(super) fn apply_guardrail(call: &ApplyGuardrail<'_>, visitor: &mut impl AttributeVisitor) {
    system(visitor);
    visitor.visit(keys::GEN_AI_OPERATION_NAME, Static(APPLY_GUARDRAIL));
    agent_and_tenant(call.agent, call.tenant, visitor);
}

pub(super) fn recorded(recorded: Recorded<'_>, visitor: &mut impl AttributeVisitor) {
    match recorded {
        Recorded::InputTokens(tokens) => {
            visitor.visit(keys::GEN_AI_USAGE_INPUT_TOKENS, DecimalText(tokens));
        }
        Recorded::OutputTokens(tokens) => {
            visitor.visit(keys::GEN_AI_USAGE_OUTPUT_TOKENS, DecimalText(tokens));
        }
        Recorded::ThoughtProcess(thoughts) => {
            visitor.visit(keys::GEN_AI_AGENT_THOUGHT_PROCESS, Str(thoughts));
        }
        Recorded::InferenceResponse(response) | Recorded::ToolResult(response) => {
            visitor.visit(keys::GEN_AI_EVENT_CONTENT, Str(response));
        }
        Recorded::ToolResultObject(result) => {
            visitor.visit(keys::GEN_AI_EVENT_CONTENT, JsonObjectText(result));
        }
        Recorded::TypedToolResult(result) => {
            visitor.visit(keys::GEN_AI_EVENT_CONTENT, Str(&result.to_json_text()));
        }
        Recorded::Response(Response::Messages(messages)) => {
            let text = Profile::V0_1.output_messages_text(messages);
            visitor.visit(keys::GEN_AI_OUTPUT_MESSAGES, Str(&text));
        }
        Recorded::Response(Response::ToolResult(result)) => {
            visitor.visit(keys::GEN_AI_OUTPUT_MESSAGES, JsonObjectText(result));
        }
        Recorded::CacheReadInputTokens(_)
        | Recorded::CacheWriteInputTokens(_)
        | Recorded::ResponseModel(_)
        | Recorded::ResponseParameters(_)
        | Recorded::Decision { .. }
        | Recorded::GuardrailInput(_)
        | Recorded::GuardrailOutput(_) => {}
    }
}

/// The question, without another form around it.
fn as_it_is(content: &InputMessages) -> AttributeValue<'_> {
    match content {
        InputMessages::Text(text) => Str(text),
        InputMessages::Texts(texts) => JsonArrayText(texts),
        structured @ InputMessages::Structured { .. } => AttributeValue::InputMessages(structured),
    }
}

fn system(visitor: &mut impl AttributeVisitor) {
    if let Some(system) = Profile::V0_1.system() {
        visitor.visit(keys::GEN_AI_SYSTEM, Static(system));
    }
}

fn agent_and_tenant(
    agent: Option<&AgentDetails>,
    tenant: Option<&TenantDetails>,
    visitor: &mut impl AttributeVisitor,
) {
    if let Some(agent) = agent {
        visitor.visit(keys::GEN_AI_AGENT_ID, Str(agent.agent_id.as_str()));
        text(
            keys::GEN_AI_AGENT_NAME,
            agent.agent_name.as_deref(),
            visitor,
        );
        text(
            keys::GEN_AI_AGENT_DESCRIPTION,
            agent.agent_description.as_deref(),
            visitor,
        );
        text(
            keys::GEN_AI_AGENT_AUID,
            agent.agent_auid.as_deref(),
            visitor,
        );
        text(keys::GEN_AI_AGENT_UPN, agent.agent_upn.as_deref(), visitor);
        text(
            keys::GEN_AI_AGENT_BLUEPRINT_ID,
            agent.agent_blueprint_id.as_deref(),
            visitor,
        );
        if let Some(agent_type) = &agent.agent_type {
            visitor.visit(keys::GEN_AI_AGENT_TYPE, agent_type.attribute());
        }
        if tenant.is_none() {
            let tenant_id = agent.tenant_id.as_ref().map(|id| id.as_str());
            text(keys::TENANT_ID, tenant_id, visitor);
        }
        text(
            keys::GEN_AI_CONVERSATION_ID,
            agent.conversation_id.as_deref(),
            visitor,
        );
        text(keys::GEN_AI_ICON_URI, agent.icon_uri.as_deref(), visitor);
    }
    if let Some(tenant) = tenant {
        visitor.visit(keys::TENANT_ID, Str(tenant.tenant_id.as_str()));
    }
}

fn channel(request: &Request, visitor: &mut impl AttributeVisitor) {
    if let Some(source) = &request.source_metadata {
        text(
            keys::GEN_AI_EXECUTION_SOURCE_ID,
            source.id.as_deref(),
            visitor,
        );
    }
    let (name, link) = request.named_channel(|source, channel| source.or(channel));
    text(keys::GEN_AI_EXECUTION_SOURCE_NAME, name, visitor);
    text(keys::GEN_AI_EXECUTION_SOURCE_DESCRIPTION, link, visitor);
    if let Some(execution_type) = request.execution_type {
        visitor.visit(keys::GEN_AI_EXECUTION_TYPE, Static(execution_type.as_str()));
    }
}

fn caller_agent(agent: &AgentDetails, visitor: &mut impl AttributeVisitor) {
    text(
        keys::GEN_AI_CALLER_AGENT_NAME,
        agent.agent_name.as_deref(),
        visitor,
    );
    visitor.visit(keys::GEN_AI_CALLER_AGENT_ID, Str(agent.agent_id.as_str()));
    text(
        keys::GEN_AI_CALLER_AGENT_APPLICATION_ID,
        agent.agent_blueprint_id.as_deref(),
        visitor,
    );
    text(
        keys::GEN_AI_CALLER_AGENT_USER_ID,
        agent.agent_auid.as_deref(),
        visitor,
    );
    text(
        keys::GEN_AI_CALLER_AGENT_UPN,
        agent.agent_upn.as_deref(),
        visitor,
    );
    let tenant_id = agent.tenant_id.as_ref().map(|id| id.as_str());
    text(keys::GEN_AI_CALLER_AGENT_TENANT_ID, tenant_id, visitor);
}

fn endpoint(endpoint: Option<&Endpoint>, visitor: &mut impl AttributeVisitor) {
    if let Some(endpoint) = endpoint {
        visitor.visit(keys::SERVER_ADDRESS, Str(&endpoint.host));
        if let Some(port) = endpoint.recorded_port() {
            visitor.visit(keys::SERVER_PORT, I64(port.into()));
        }
    }
}

pub(super) fn text(key: &'static str, value: Option<&str>, visitor: &mut impl AttributeVisitor) {
    if let Some(value) = value {
        visitor.visit(key, Str(value));
    }
}
