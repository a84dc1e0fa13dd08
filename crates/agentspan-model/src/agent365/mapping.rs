//! Which attributes a scope writes, in the reference's order.
//!
//! Each function shows the attributes of one scope to a visitor; no key is shown twice. Where the
//! reference sets a key a second time, which moves it to the end there, it is shown once, at the end.

use super::{
    AgentDetails, CallerDetails, Endpoint, InferenceCallDetails, InvokeAgentDetails, Profile,
    Request, TenantDetails, ToolCallDetails,
};
use crate::attribute::AttributeValue::{DecimalText, I64, JsonArrayText, Static, Str};
use crate::attribute::AttributeVisitor;
use crate::keys;

/// The operation name of an agent's invocation.
pub const INVOKE_AGENT: &str = "invoke_agent";
/// The operation name of a tool's execution.
pub const EXECUTE_TOOL: &str = "execute_tool";

/// What is known when an agent is invoked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct InvokeAgent<'a> {
    /// The agent, its endpoint and the session.
    pub details: &'a InvokeAgentDetails,
    /// The tenant; its id wins over that of the agent's details.
    pub tenant: Option<&'a TenantDetails>,
    /// The request that the agent works on.
    pub request: Option<&'a Request>,
    /// The agent that called, if one did.
    pub caller_agent: Option<&'a AgentDetails>,
    /// The person or service that called.
    pub caller: Option<&'a CallerDetails>,
}

impl<'a> InvokeAgent<'a> {
    /// An invocation of which only the details are known.
    #[must_use]
    pub fn new(details: &'a InvokeAgentDetails) -> Self {
        Self {
            details,
            tenant: None,
            request: None,
            caller_agent: None,
            caller: None,
        }
    }

    /// The name of the span: `invoke_agent {agent name}`, or `invoke_agent` for an agent without one.
    #[must_use]
    pub fn span_name(&self) -> String {
        match self.details.details.agent_name.as_deref() {
            None | Some("") => INVOKE_AGENT.to_owned(),
            Some(name) => format!("{INVOKE_AGENT} {name}"),
        }
    }

    /// Shows the attributes that are known at the start.
    pub fn visit_attributes(&self, profile: Profile, visitor: &mut impl AttributeVisitor) {
        system(profile, visitor);
        visitor.visit(keys::GEN_AI_OPERATION_NAME, Static(INVOKE_AGENT));
        agent_and_tenant(Some(&self.details.details), self.tenant, visitor);
        text(
            keys::SESSION_ID,
            self.details.session_id.as_deref(),
            visitor,
        );
        endpoint(self.details.endpoint.as_ref(), visitor);
        if let Some(request) = self.request {
            source(request, visitor);
        }
        if let Some(caller) = self.caller {
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
        }
        if let Some(agent) = self.caller_agent {
            caller_agent(agent, visitor);
        }
    }
}

/// What is known when a tool is executed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ExecuteTool<'a> {
    /// The tool and its arguments.
    pub details: &'a ToolCallDetails,
    /// The agent that calls it.
    pub agent: Option<&'a AgentDetails>,
    /// The tenant; its id wins over that of the agent's details.
    pub tenant: Option<&'a TenantDetails>,
}

impl<'a> ExecuteTool<'a> {
    /// An execution of which only the call is known.
    #[must_use]
    pub fn new(details: &'a ToolCallDetails) -> Self {
        Self {
            details,
            agent: None,
            tenant: None,
        }
    }

    /// The name of the span: `execute_tool {tool name}`.
    #[must_use]
    pub fn span_name(&self) -> String {
        format!("{EXECUTE_TOOL} {}", self.details.tool_name)
    }

    /// Shows the attributes that are known at the start.
    pub fn visit_attributes(&self, profile: Profile, visitor: &mut impl AttributeVisitor) {
        let tool = self.details;
        system(profile, visitor);
        visitor.visit(keys::GEN_AI_OPERATION_NAME, Static(EXECUTE_TOOL));
        agent_and_tenant(self.agent, self.tenant, visitor);
        visitor.visit(keys::GEN_AI_TOOL_NAME, Str(&tool.tool_name));
        text(
            keys::GEN_AI_TOOL_ARGUMENTS,
            tool.arguments.as_deref(),
            visitor,
        );
        text(
            keys::GEN_AI_TOOL_TYPE,
            tool.tool_type.as_ref().map(|t| t.as_str()),
            visitor,
        );
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
}

/// What is known when a language model is called.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Inference<'a> {
    /// The model, its provider and what came of the call.
    pub details: &'a InferenceCallDetails,
    /// The agent that calls it.
    pub agent: Option<&'a AgentDetails>,
    /// The tenant; its id wins over that of the agent's details.
    pub tenant: Option<&'a TenantDetails>,
    /// The request; its content becomes the input message.
    pub request: Option<&'a Request>,
}

impl<'a> Inference<'a> {
    /// A call of which only the details are known.
    #[must_use]
    pub fn new(details: &'a InferenceCallDetails) -> Self {
        Self {
            details,
            agent: None,
            tenant: None,
            request: None,
        }
    }

    /// The name of the span: `{operation} {model}`.
    #[must_use]
    pub fn span_name(&self, profile: Profile) -> String {
        let operation = profile.inference_operation(self.details.operation_name);
        format!("{operation} {}", self.details.model)
    }

    /// Shows the attributes that are known at the start.
    pub fn visit_attributes(&self, profile: Profile, visitor: &mut impl AttributeVisitor) {
        let call = self.details;
        system(profile, visitor);
        agent_and_tenant(self.agent, self.tenant, visitor);
        if let Some(request) = self.request {
            visitor.visit(keys::GEN_AI_INPUT_MESSAGES, Str(&request.content));
        }
        let operation = profile.inference_operation(call.operation_name);
        visitor.visit(keys::GEN_AI_OPERATION_NAME, Static(operation));
        visitor.visit(keys::GEN_AI_REQUEST_MODEL, Str(&call.model));
        visitor.visit(keys::GEN_AI_PROVIDER_NAME, Str(&call.provider_name));
        if let Some(tokens) = call.input_tokens {
            visitor.visit(keys::GEN_AI_USAGE_INPUT_TOKENS, DecimalText(tokens));
        }
        if let Some(tokens) = call.output_tokens {
            visitor.visit(keys::GEN_AI_USAGE_OUTPUT_TOKENS, DecimalText(tokens));
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
}

fn system(profile: Profile, visitor: &mut impl AttributeVisitor) {
    if let Some(system) = profile.system() {
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
        if let Some(agent_type) = agent.agent_type {
            visitor.visit(keys::GEN_AI_AGENT_TYPE, Static(agent_type.as_str()));
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

fn source(request: &Request, visitor: &mut impl AttributeVisitor) {
    if let Some(source) = &request.source_metadata {
        text(
            keys::GEN_AI_EXECUTION_SOURCE_ID,
            source.id.as_deref(),
            visitor,
        );
        text(
            keys::GEN_AI_EXECUTION_SOURCE_NAME,
            source.name.as_deref(),
            visitor,
        );
        text(
            keys::GEN_AI_EXECUTION_SOURCE_DESCRIPTION,
            source.description.as_deref(),
            visitor,
        );
    }
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

fn text(key: &'static str, value: Option<&str>, visitor: &mut impl AttributeVisitor) {
    if let Some(value) = value {
        visitor.visit(key, Str(value));
    }
}
