//! The attributes of each scope, in the reference's order.
//!
//! Each function passes the attributes of one scope to a visitor, each key once. If the reference
//! sets a key twice, which moves the key to the end, the key comes once, at the end.

mod baggage;
mod baggage_reader;
mod mcp;
mod parameters;
mod recorded;
mod style;
mod v0_1;
mod v2;

use super::{
    AgentDetails, CallerDetails, GuardrailDetails, GuardrailFinding, InferenceCallDetails,
    InvokeAgentDetails, Profile, Request, RequestParameters, Response, ResponseParameters,
    TenantDetails, ToolCallDetails, UserDetails,
};
use crate::attribute::AttributeVisitor;

pub use self::baggage::{BaggageEntry, CopiedBaggage};
pub use self::baggage_reader::BaggageReader;
pub use self::mcp::Mcp;
pub use self::recorded::Recorded;
use self::style::Style;
pub(super) use self::style::leaves_out_usual_port;

/// The operation name of an agent's invocation.
pub const INVOKE_AGENT: &str = "invoke_agent";
/// The operation name of a tool's execution.
pub const EXECUTE_TOOL: &str = "execute_tool";
/// The operation name of an agent's answer (Agent 365 2.0.0).
pub const OUTPUT_MESSAGES: &str = "output_messages";
/// The operation name of a guardian's evaluation (Agent 365 2.0.0).
pub const APPLY_GUARDRAIL: &str = "apply_guardrail";

/// The data of an agent's invocation.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct InvokeAgent<'a> {
    /// The agent, its endpoint and the session.
    pub details: &'a InvokeAgentDetails,
    /// The tenant. Its id takes precedence over the tenant id in the agent's details.
    pub tenant: Option<&'a TenantDetails>,
    /// The request that the agent works on.
    pub request: Option<&'a Request>,
    /// The calling agent, if an agent calls.
    pub caller_agent: Option<&'a AgentDetails>,
    /// The calling person or service. 2.0.0 writes its id and name, unless there is a user.
    pub caller: Option<&'a CallerDetails>,
    /// The calling person. 0.1.0 writes the id and the name, unless there is a caller.
    pub user: Option<&'a UserDetails>,
    /// The parameters of the request; not written by 0.1.0 and 2.0.0.
    pub request_parameters: Option<&'a RequestParameters>,
    /// The parameters of the answer, if they are known; not written by 0.1.0 and 2.0.0.
    pub response_parameters: Option<&'a ResponseParameters>,
}

impl<'a> InvokeAgent<'a> {
    /// An invocation with only the details.
    #[must_use]
    pub fn new(details: &'a InvokeAgentDetails) -> Self {
        Self {
            details,
            tenant: None,
            request: None,
            caller_agent: None,
            caller: None,
            user: None,
            request_parameters: None,
            response_parameters: None,
        }
    }

    /// The name of the span: `invoke_agent {agent name}`, or `invoke_agent` for an agent without one.
    #[must_use]
    pub fn span_name(&self) -> String {
        match self.details.details.agent_name.as_deref() {
            None | Some("") => INVOKE_AGENT.to_owned(),
            Some(name) => [INVOKE_AGENT, " ", name].concat(),
        }
    }

    /// Passes the attributes of the start to a visitor.
    pub fn visit_attributes(&self, profile: Profile, visitor: &mut impl AttributeVisitor) {
        match Style::of(profile) {
            Style::First => v0_1::invoke_agent(self, visitor),
            Style::Later(row) => v2::invoke_agent(self, row, visitor),
        }
    }
}

/// The data of a tool's execution.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ExecuteTool<'a> {
    /// The tool and its arguments.
    pub details: &'a ToolCallDetails,
    /// The agent that calls it.
    pub agent: Option<&'a AgentDetails>,
    /// The tenant. Its id takes precedence over the tenant id in the agent's details.
    pub tenant: Option<&'a TenantDetails>,
    /// The request that caused the call; not written by 0.1.0.
    pub request: Option<&'a Request>,
    /// The person for whom the tool is called; not written by 0.1.0.
    pub user: Option<&'a UserDetails>,
}

impl<'a> ExecuteTool<'a> {
    /// An execution with only the call.
    #[must_use]
    pub fn new(details: &'a ToolCallDetails) -> Self {
        Self {
            details,
            agent: None,
            tenant: None,
            request: None,
            user: None,
        }
    }

    /// The name of the span: `execute_tool {tool name}`.
    #[must_use]
    pub fn span_name(&self) -> String {
        [EXECUTE_TOOL, " ", &self.details.tool_name].concat()
    }

    /// Passes the attributes of the start to a visitor.
    pub fn visit_attributes(&self, profile: Profile, visitor: &mut impl AttributeVisitor) {
        match Style::of(profile) {
            Style::First => v0_1::execute_tool(self, visitor),
            Style::Later(row) => v2::execute_tool(self, row, visitor),
        }
    }
}

/// The data of a call of a language model.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Inference<'a> {
    /// The model, its provider and the outcome of the call.
    pub details: &'a InferenceCallDetails,
    /// The agent that calls it.
    pub agent: Option<&'a AgentDetails>,
    /// The tenant. Its id takes precedence over the tenant id in the agent's details.
    pub tenant: Option<&'a TenantDetails>,
    /// The request; its content becomes the input messages.
    pub request: Option<&'a Request>,
    /// The person for whom the model is called; not written by 0.1.0.
    pub user: Option<&'a UserDetails>,
}

impl<'a> Inference<'a> {
    /// A call with only the details.
    #[must_use]
    pub fn new(details: &'a InferenceCallDetails) -> Self {
        Self {
            details,
            agent: None,
            tenant: None,
            request: None,
            user: None,
        }
    }

    /// The name of the span: `{operation} {model}`. Since 2.0.0, it is only the operation if
    /// neither the model nor the model of the response is known.
    #[must_use]
    pub fn span_name(&self, profile: Profile) -> String {
        let operation = profile.inference_operation(self.details.operation_name);
        let model = match Style::of(profile) {
            Style::First => Some(self.details.model.as_str()),
            Style::Later(row) => v2::model_of_name(self.details, row),
        };
        match model {
            Some(model) => [operation, " ", model].concat(),
            None => operation.to_owned(),
        }
    }

    /// Passes the attributes of the start to a visitor.
    pub fn visit_attributes(&self, profile: Profile, visitor: &mut impl AttributeVisitor) {
        match Style::of(profile) {
            Style::First => v0_1::inference(self, visitor),
            Style::Later(row) => v2::inference(self, row, visitor),
        }
    }
}

/// The data of an agent's answer (Agent 365 2.0.0).
///
/// 0.1.0 has no such scope. It then writes the attributes that all of its scopes have (system,
/// operation, agent and tenant), and the answer in the form of its other scopes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Output<'a> {
    /// The answer.
    pub response: &'a Response,
    /// The agent that answers.
    pub agent: Option<&'a AgentDetails>,
    /// The tenant. Its id takes precedence over the tenant id in the agent's details.
    pub tenant: Option<&'a TenantDetails>,
    /// The request that is answered. Only its conversation is written.
    pub request: Option<&'a Request>,
    /// The person who is answered; not written by 0.1.0.
    pub user: Option<&'a UserDetails>,
}

impl<'a> Output<'a> {
    /// An answer with only the messages.
    #[must_use]
    pub fn new(response: &'a Response) -> Self {
        Self {
            response,
            agent: None,
            tenant: None,
            request: None,
            user: None,
        }
    }

    /// The name of the span: `output_messages {agent id}`.
    #[must_use]
    pub fn span_name(&self) -> String {
        match self.agent {
            Some(agent) => [OUTPUT_MESSAGES, " ", agent.agent_id.as_str()].concat(),
            None => OUTPUT_MESSAGES.to_owned(),
        }
    }

    /// Passes the attributes of the start to a visitor.
    pub fn visit_attributes(&self, profile: Profile, visitor: &mut impl AttributeVisitor) {
        match Style::of(profile) {
            Style::First => v0_1::output(self, visitor),
            Style::Later(row) => v2::output(self, row, visitor),
        }
    }
}

/// The data of a guardian's evaluation of content or an action (Agent 365 2.0.0).
///
/// 0.1.0 has neither such a scope nor keys for decisions. It then writes the attributes that all of
/// its scopes have: system, operation, agent and tenant.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ApplyGuardrail<'a> {
    /// The guardian, its target and its decision.
    pub details: &'a GuardrailDetails,
    /// The guarded agent.
    pub agent: Option<&'a AgentDetails>,
    /// The tenant. Its id takes precedence over the tenant id in the agent's details.
    pub tenant: Option<&'a TenantDetails>,
    /// The request. With 2.0.0, its content is the guardian's input.
    pub request: Option<&'a Request>,
    /// The person whose request is guarded; not written by 0.1.0 and 2.0.0.
    pub user: Option<&'a UserDetails>,
}

impl<'a> ApplyGuardrail<'a> {
    /// An evaluation with only the details.
    #[must_use]
    pub fn new(details: &'a GuardrailDetails) -> Self {
        Self {
            details,
            agent: None,
            tenant: None,
            request: None,
            user: None,
        }
    }

    /// The name of the span: `apply_guardrail {guardian name} {target}`, or without the name.
    #[must_use]
    pub fn span_name(&self) -> String {
        let target = &self.details.target_type;
        match self.details.guardian_name.as_deref() {
            None | Some("") => format!("{APPLY_GUARDRAIL} {target}"),
            Some(name) => format!("{APPLY_GUARDRAIL} {name} {target}"),
        }
    }

    /// Passes the attributes of the start to a visitor.
    pub fn visit_attributes(&self, profile: Profile, visitor: &mut impl AttributeVisitor) {
        match Style::of(profile) {
            Style::First => v0_1::apply_guardrail(self, visitor),
            Style::Later(row) => v2::apply_guardrail(self, row, visitor),
        }
    }
}

impl GuardrailFinding {
    /// The name of the event of a finding; `None` for 0.1.0, which has no such event.
    #[must_use]
    pub fn event_name(profile: Profile) -> Option<&'static str> {
        match Style::of(profile) {
            Style::First => None,
            Style::Later(_) => Some(v2::FINDING_EVENT),
        }
    }

    /// Passes the attributes of this event to a visitor.
    pub fn visit_attributes(&self, profile: Profile, visitor: &mut impl AttributeVisitor) {
        match Style::of(profile) {
            Style::First => {}
            Style::Later(row) => v2::finding(self, row, visitor),
        }
    }
}
