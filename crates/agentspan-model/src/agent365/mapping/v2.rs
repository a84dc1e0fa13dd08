//! The attributes that the scopes of 2.0.0 and later write.

use super::parameters::{request_parameters, response_parameters};
use super::style::{Finding, Guarded, Later, Models};
use super::v0_1::text;
use super::{
    APPLY_GUARDRAIL, ApplyGuardrail, EXECUTE_TOOL, ExecuteTool, INVOKE_AGENT, Inference,
    InvokeAgent, OUTPUT_MESSAGES, Output, Recorded,
};
use crate::agent365::open_text::OpenText;
use crate::agent365::{
    AgentDetails, Endpoint, GuardrailDetails, GuardrailFinding, InferenceCallDetails,
    InputMessages, Request, Response, TenantDetails, UserDetails,
};
use crate::attribute::AttributeValue::{
    self, Bool, F64, I64, JsonArrayText, JsonObjectText, Static, Str, StrList,
};
use crate::attribute::AttributeVisitor;
use crate::keys;

/// The event that records a finding.
pub(super) const FINDING_EVENT: &str = keys::MICROSOFT_SECURITY_FINDING_EVENT;

pub(super) fn invoke_agent(
    call: &InvokeAgent<'_>,
    row: &Later,
    visitor: &mut impl AttributeVisitor,
) {
    let details = call.details;
    let agent = &details.details;
    visitor.visit(keys::GEN_AI_OPERATION_NAME, Static(INVOKE_AGENT));
    sdk(row, visitor);
    agent_and_tenant(row, Some(agent), call.tenant, Provider::OfAgent, visitor);
    let session = call.request.and_then(|r| r.session_id.as_deref());
    text(
        keys::MICROSOFT_SESSION_ID,
        session.or(details.session_id.as_deref()),
        visitor,
    );
    conversation(call.request, Some(agent), visitor);
    endpoint(details.endpoint.as_ref(), row.has_usual_port, visitor);
    if row.has_parameters {
        request_parameters(call.request_parameters, visitor);
        response_parameters(call.response_parameters, visitor);
    }
    channel(call.request, visitor);
    input(call.request, visitor);
    if let Some(user) = call.user {
        self::user(Some(user), visitor);
    } else if let Some(caller) = call.caller {
        text(keys::USER_ID, caller.caller_id.as_deref(), visitor);
        text(keys::USER_NAME, caller.caller_name.as_deref(), visitor);
    }
    if let Some(agent) = call.caller_agent {
        caller_agent(agent, visitor);
    }
}

pub(super) fn execute_tool(
    call: &ExecuteTool<'_>,
    row: &Later,
    visitor: &mut impl AttributeVisitor,
) {
    let tool = call.details;
    visitor.visit(keys::GEN_AI_OPERATION_NAME, Static(EXECUTE_TOOL));
    sdk(row, visitor);
    agent_and_tenant(row, call.agent, call.tenant, Provider::OfAgent, visitor);
    visitor.visit(keys::GEN_AI_TOOL_NAME, Str(&tool.tool_name));
    text(
        keys::GEN_AI_TOOL_CALL_ARGUMENTS,
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
    conversation(call.request, call.agent, visitor);
    endpoint(tool.endpoint.as_ref(), row.has_usual_port, visitor);
    channel(call.request, visitor);
    user(call.user, visitor);
}

pub(super) fn inference(
    inference: &Inference<'_>,
    row: &Later,
    visitor: &mut impl AttributeVisitor,
) {
    let call = inference.details;
    sdk(row, visitor);
    // The call names a provider, too, and the reference sets it after the agent's.
    agent_and_tenant(
        row,
        inference.agent,
        inference.tenant,
        Provider::OfCall,
        visitor,
    );
    input(inference.request, visitor);
    conversation(inference.request, inference.agent, visitor);
    let operation = row.profile.inference_operation(call.operation_name);
    visitor.visit(keys::GEN_AI_OPERATION_NAME, Static(operation));
    let (asked, answered) = models(call, row);
    text(keys::GEN_AI_REQUEST_MODEL, asked, visitor);
    text(keys::GEN_AI_RESPONSE_MODEL, answered, visitor);
    visitor.visit(keys::GEN_AI_PROVIDER_NAME, Str(&call.provider_name));
    let tokens = [
        call.input_tokens.map(Recorded::InputTokens),
        call.output_tokens.map(Recorded::OutputTokens),
        call.cache_read_input_tokens
            .map(Recorded::CacheReadInputTokens),
        call.cache_write_input_tokens
            .map(Recorded::CacheWriteInputTokens),
    ];
    for tokens in tokens.into_iter().flatten() {
        recorded(tokens, row, visitor);
    }
    if let Some(reasons) = call
        .finish_reasons
        .as_deref()
        .filter(|reasons| !reasons.is_empty())
    {
        visitor.visit(keys::GEN_AI_RESPONSE_FINISH_REASONS, JsonArrayText(reasons));
    }
    if let Some(thoughts) = call.thought_process.as_deref() {
        recorded(Recorded::ThoughtProcess(thoughts), row, visitor);
    }
    // In Microsoft's packages this scope alone records port 443.
    endpoint(call.endpoint.as_ref(), true, visitor);
    channel(inference.request, visitor);
    user(inference.user, visitor);
}

/// The model that was asked and the one that answered, as far as they are named.
fn models<'a>(call: &'a InferenceCallDetails, row: &Later) -> (Option<&'a str>, Option<&'a str>) {
    match row.models {
        Models::Trimmed => (call.named_request_model(), call.named_response_model()),
        Models::AsTheyAre => {
            let asked = Some(call.model.as_str()).filter(|model| !model.is_empty());
            (asked, call.response_model.as_deref())
        }
    }
}

/// The model that the name of a span names.
pub(super) fn model_of_name<'a>(call: &'a InferenceCallDetails, row: &Later) -> Option<&'a str> {
    let (asked, answered) = models(call, row);
    asked.or_else(|| answered.filter(|model| !model.is_empty()))
}

pub(super) fn output(output: &Output<'_>, row: &Later, visitor: &mut impl AttributeVisitor) {
    visitor.visit(keys::GEN_AI_OPERATION_NAME, Static(OUTPUT_MESSAGES));
    sdk(row, visitor);
    agent_and_tenant(row, output.agent, output.tenant, Provider::OfAgent, visitor);
    conversation(output.request, output.agent, visitor);
    recorded(Recorded::Response(output.response), row, visitor);
    user(output.user, visitor);
}

pub(super) fn apply_guardrail(
    call: &ApplyGuardrail<'_>,
    row: &Later,
    visitor: &mut impl AttributeVisitor,
) {
    let details = call.details;
    visitor.visit(keys::GEN_AI_OPERATION_NAME, Static(APPLY_GUARDRAIL));
    sdk(row, visitor);
    agent_and_tenant(row, call.agent, call.tenant, Provider::OfAgent, visitor);
    decision_and_target(details, row, visitor);
    for (key, value) in [
        (keys::MICROSOFT_GUARDIAN_ID, &details.guardian_id),
        (keys::MICROSOFT_GUARDIAN_NAME, &details.guardian_name),
        (
            keys::MICROSOFT_GUARDIAN_PROVIDER_NAME,
            &details.guardian_provider_name,
        ),
        (keys::MICROSOFT_GUARDIAN_VERSION, &details.guardian_version),
        (keys::MICROSOFT_SECURITY_TARGET_ID, &details.target_id),
        (
            keys::MICROSOFT_SECURITY_DECISION_REASON,
            &details.decision_reason,
        ),
        (
            keys::MICROSOFT_SECURITY_DECISION_CODE,
            &details.decision_code,
        ),
        (keys::MICROSOFT_SECURITY_POLICY_ID, &details.policy_id),
        (keys::MICROSOFT_SECURITY_POLICY_NAME, &details.policy_name),
        (
            keys::MICROSOFT_SECURITY_POLICY_VERSION,
            &details.policy_version,
        ),
        (
            keys::MICROSOFT_SECURITY_CONTENT_INPUT_HASH,
            &details.content_input_hash,
        ),
    ] {
        text(key, value.as_deref(), visitor);
    }
    if let Some(modified) = details.content_modified {
        visitor.visit(keys::MICROSOFT_SECURITY_CONTENT_MODIFIED, Bool(modified));
    }
    text(
        keys::MICROSOFT_SECURITY_EXTERNAL_EVENT_ID,
        details.external_event_id.as_deref(),
        visitor,
    );
    if row.guarded == Guarded::Content {
        if let Some(content) = call.request.and_then(|r| r.content.as_ref()) {
            guarded_content(content, row, visitor);
        }
    }
    conversation(call.request, call.agent, visitor);
    channel(call.request, visitor);
    if row.guarded == Guarded::Person {
        user(call.user, visitor);
    }
}

fn decision_and_target(
    details: &GuardrailDetails,
    row: &Later,
    visitor: &mut impl AttributeVisitor,
) {
    let decision = (
        keys::MICROSOFT_SECURITY_DECISION_TYPE,
        details.decision_type.attribute(),
    );
    let target = (
        keys::MICROSOFT_SECURITY_TARGET_TYPE,
        details.target_type.attribute(),
    );
    let both = match row.guarded {
        Guarded::Content => [decision, target],
        Guarded::Person => [target, decision],
    };
    for (key, value) in both {
        visitor.visit(key, value);
    }
}

/// The content that a guardian is shown: a text as it is, all else as JSON.
fn guarded_content(content: &InputMessages, row: &Later, visitor: &mut impl AttributeVisitor) {
    let value = match (content, row.guarded) {
        (InputMessages::Text(text), _) => Str(text),
        (InputMessages::Texts(texts), Guarded::Content) => JsonArrayText(texts),
        // The reference 2.0.0 writes Python's textual form of its classes, which nobody can read back.
        _ => AttributeValue::InputMessages(content),
    };
    visitor.visit(keys::MICROSOFT_SECURITY_CONTENT_INPUT_VALUE, value);
}

pub(super) fn finding(
    finding: &GuardrailFinding,
    row: &Later,
    visitor: &mut impl AttributeVisitor,
) {
    visitor.visit(
        keys::MICROSOFT_SECURITY_RISK_CATEGORY,
        Str(&finding.risk_category),
    );
    visitor.visit(
        keys::MICROSOFT_SECURITY_RISK_SEVERITY,
        finding.risk_severity.attribute(),
    );
    match row.finding {
        Finding::PolicyFirst => {
            policy(finding, visitor);
            score(finding, visitor);
        }
        Finding::ScoreFirst => {
            score(finding, visitor);
            policy(finding, visitor);
        }
    }
}

fn policy(finding: &GuardrailFinding, visitor: &mut impl AttributeVisitor) {
    if let Some(decision) = &finding.policy_decision_type {
        visitor.visit(
            keys::MICROSOFT_SECURITY_POLICY_DECISION_TYPE,
            decision.attribute(),
        );
    }
    for (key, value) in [
        (keys::MICROSOFT_SECURITY_POLICY_ID, &finding.policy_id),
        (keys::MICROSOFT_SECURITY_POLICY_NAME, &finding.policy_name),
        (
            keys::MICROSOFT_SECURITY_POLICY_VERSION,
            &finding.policy_version,
        ),
    ] {
        text(key, value.as_deref(), visitor);
    }
}

fn score(finding: &GuardrailFinding, visitor: &mut impl AttributeVisitor) {
    if let Some(score) = finding.risk_score {
        visitor.visit(keys::MICROSOFT_SECURITY_RISK_SCORE, F64(score));
    }
    if let Some(metadata) = &finding.risk_metadata {
        let metadata: Vec<&str> = metadata.iter().map(String::as_str).collect();
        visitor.visit(keys::MICROSOFT_SECURITY_RISK_METADATA, StrList(&metadata));
    }
}

pub(super) fn recorded(recorded: Recorded<'_>, row: &Later, visitor: &mut impl AttributeVisitor) {
    match recorded {
        Recorded::InputTokens(tokens) => {
            visitor.visit(keys::GEN_AI_USAGE_INPUT_TOKENS, I64(tokens));
        }
        Recorded::OutputTokens(tokens) => {
            visitor.visit(keys::GEN_AI_USAGE_OUTPUT_TOKENS, I64(tokens));
        }
        Recorded::CacheReadInputTokens(tokens) => {
            visitor.visit(keys::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, I64(tokens));
        }
        Recorded::CacheWriteInputTokens(tokens) => {
            visitor.visit(keys::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, I64(tokens));
        }
        Recorded::ResponseModel(model) => {
            visitor.visit(keys::GEN_AI_RESPONSE_MODEL, Str(model));
        }
        Recorded::ResponseParameters(parameters) => {
            if row.has_parameters {
                response_parameters(Some(parameters), visitor);
            }
        }
        Recorded::ThoughtProcess(thoughts) => {
            visitor.visit(keys::MICROSOFT_AGENT_THOUGHT_PROCESS, Str(thoughts));
        }
        Recorded::InferenceResponse(response) => {
            visitor.visit(keys::GEN_AI_OUTPUT_MESSAGES, Str(response));
        }
        Recorded::ToolResult(result) => {
            visitor.visit(keys::GEN_AI_TOOL_CALL_RESULT, Str(result));
        }
        Recorded::ToolResultObject(result) => {
            visitor.visit(keys::GEN_AI_TOOL_CALL_RESULT, JsonObjectText(result));
        }
        Recorded::TypedToolResult(result) => {
            visitor.visit(keys::GEN_AI_TOOL_CALL_RESULT, Str(&result.to_json_text()));
        }
        Recorded::Response(Response::Messages(messages)) => {
            visitor.visit(
                keys::GEN_AI_OUTPUT_MESSAGES,
                AttributeValue::OutputMessages(messages),
            );
        }
        Recorded::Response(Response::ToolResult(result)) => {
            visitor.visit(keys::GEN_AI_OUTPUT_MESSAGES, JsonObjectText(result));
        }
        Recorded::Decision { decision, reason } => {
            visitor.visit(keys::MICROSOFT_SECURITY_DECISION_TYPE, decision.attribute());
            text(keys::MICROSOFT_SECURITY_DECISION_REASON, reason, visitor);
        }
        Recorded::GuardrailInput(content) => guarded_content(content, row, visitor),
        Recorded::GuardrailOutput(output) => {
            visitor.visit(keys::MICROSOFT_SECURITY_CONTENT_OUTPUT_VALUE, Str(output));
        }
    }
}

/// The details from which the model provider is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Provider {
    OfAgent,
    OfCall,
}

/// Says which SDK makes the span: the contract's name and version, and our language.
fn sdk(row: &Later, visitor: &mut impl AttributeVisitor) {
    visitor.visit(keys::TELEMETRY_SDK_NAME, Static(row.sdk_name));
    visitor.visit(keys::TELEMETRY_SDK_LANGUAGE, Static("rust"));
    visitor.visit(keys::TELEMETRY_SDK_VERSION, Static(row.sdk_version));
}

fn agent_and_tenant(
    row: &Later,
    agent: Option<&AgentDetails>,
    tenant: Option<&TenantDetails>,
    provider: Provider,
    visitor: &mut impl AttributeVisitor,
) {
    let tenant_id = tenant.map(|tenant| &tenant.tenant_id);
    let tenant_id = tenant_id.or_else(|| agent?.tenant_id.as_ref());
    let tenant_id = tenant_id.map(|id| id.as_str());
    let Some(agent) = agent else {
        return text(keys::MICROSOFT_TENANT_ID, tenant_id, visitor);
    };
    visitor.visit(keys::GEN_AI_AGENT_ID, Str(agent.agent_id.as_str()));
    for (key, value) in [
        (keys::GEN_AI_AGENT_NAME, &agent.agent_name),
        (keys::GEN_AI_AGENT_DESCRIPTION, &agent.agent_description),
        (keys::GEN_AI_AGENT_VERSION, &agent.agent_version),
        (keys::MICROSOFT_AGENT_USER_ID, &agent.agent_auid),
        (keys::MICROSOFT_AGENT_USER_EMAIL, &agent.agentic_user_email),
        (
            keys::MICROSOFT_AGENT_BLUEPRINT_ID,
            &agent.agent_blueprint_id,
        ),
        (keys::MICROSOFT_AGENT_PLATFORM_ID, &agent.agent_platform_id),
    ] {
        text(key, value.as_deref(), visitor);
    }
    if let Some(agent_type) = agent.agent_type.as_ref().filter(|_| row.has_agent_type) {
        visitor.visit(keys::GEN_AI_AGENT_TYPE, agent_type.attribute());
    }
    text(keys::MICROSOFT_TENANT_ID, tenant_id, visitor);
    text(keys::GEN_AI_ICON_URI, agent.icon_uri.as_deref(), visitor);
    if provider == Provider::OfAgent {
        text(
            keys::GEN_AI_PROVIDER_NAME,
            agent.provider_name.as_deref(),
            visitor,
        );
    }
}

fn conversation(
    request: Option<&Request>,
    agent: Option<&AgentDetails>,
    visitor: &mut impl AttributeVisitor,
) {
    let of_request = request.and_then(|request| request.conversation_id.as_deref());
    let of_agent = agent.and_then(|agent| agent.conversation_id.as_deref());
    text(
        keys::GEN_AI_CONVERSATION_ID,
        of_request.or(of_agent),
        visitor,
    );
}

fn channel(request: Option<&Request>, visitor: &mut impl AttributeVisitor) {
    if let Some(request) = request {
        let (name, link) = request.named_channel(|source, channel| channel.or(source));
        text(keys::MICROSOFT_CHANNEL_NAME, name, visitor);
        text(keys::MICROSOFT_CHANNEL_LINK, link, visitor);
    }
}

fn input(request: Option<&Request>, visitor: &mut impl AttributeVisitor) {
    if let Some(content) = request.and_then(|request| request.content.as_ref()) {
        visitor.visit(
            keys::GEN_AI_INPUT_MESSAGES,
            AttributeValue::InputMessages(content),
        );
    }
}

fn user(user: Option<&UserDetails>, visitor: &mut impl AttributeVisitor) {
    if let Some(user) = user {
        text(keys::USER_ID, user.user_id.as_deref(), visitor);
        text(keys::USER_EMAIL, user.user_email.as_deref(), visitor);
        text(keys::USER_NAME, user.user_name.as_deref(), visitor);
        let address = user.user_client_ip.as_ref();
        text(
            keys::CLIENT_ADDRESS,
            address.map(|address| address.as_str()),
            visitor,
        );
    }
}

fn caller_agent(agent: &AgentDetails, visitor: &mut impl AttributeVisitor) {
    text(
        keys::MICROSOFT_CALLER_AGENT_NAME,
        agent.agent_name.as_deref(),
        visitor,
    );
    visitor.visit(
        keys::MICROSOFT_CALLER_AGENT_ID,
        Str(agent.agent_id.as_str()),
    );
    for (key, value) in [
        (
            keys::MICROSOFT_CALLER_AGENT_BLUEPRINT_ID,
            &agent.agent_blueprint_id,
        ),
        (keys::MICROSOFT_CALLER_AGENT_USER_ID, &agent.agent_auid),
        (
            keys::MICROSOFT_CALLER_AGENT_USER_EMAIL,
            &agent.agentic_user_email,
        ),
        (
            keys::MICROSOFT_CALLER_AGENT_PLATFORM_ID,
            &agent.agent_platform_id,
        ),
        (keys::MICROSOFT_CALLER_AGENT_VERSION, &agent.agent_version),
    ] {
        text(key, value.as_deref(), visitor);
    }
}

fn endpoint(
    endpoint: Option<&Endpoint>,
    has_usual_port: bool,
    visitor: &mut impl AttributeVisitor,
) {
    if let Some(endpoint) = endpoint {
        visitor.visit(keys::SERVER_ADDRESS, Str(&endpoint.host));
        let port = match has_usual_port {
            true => endpoint.port.filter(|port| *port != 0),
            false => endpoint.recorded_port(),
        };
        if let Some(port) = port {
            visitor.visit(keys::SERVER_PORT, I64(port.into()));
        }
    }
}
