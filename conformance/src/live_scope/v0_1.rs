//! The arguments of the `start` functions of the first version, as our types.

use agentspan_model::agent365::{
    AgentDetails, AgentId, AgentType, CallerDetails, Endpoint, EndpointError, ExecutionType,
    InferenceCallDetails, InferenceOperationType, InvokeAgentDetails, Request, SourceMetadata,
    TenantDetails, TenantId, ToolCallDetails,
};
use agentspan_otel::{ExecuteToolScope, InferenceScope, InvokeAgentScope, ScopeTracer};
use opentelemetry::{Array, KeyValue, Value};
use serde::Deserialize;

use super::Stop;
use crate::TypedValue;
use crate::typed_value::Double;

macro_rules! read {
    ($($type:ty),*) => {
        $(impl $type {
            pub(crate) fn read(args: serde_json::Value) -> Result<Self, Stop> {
                Ok(serde_json::from_value(args)?)
            }
        })*
    };
}

read!(InvokeAgentArgs, ExecuteToolArgs, InferenceArgs);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvokeAgentArgs {
    invoke_agent_details: InvokeAgentInput,
    tenant_details: Option<TenantInput>,
    request: Option<RequestInput>,
    caller_agent_details: Option<AgentInput>,
    caller_details: Option<CallerDetails>,
}

impl InvokeAgentArgs {
    pub(crate) fn start(self, tracer: &ScopeTracer) -> InvokeAgentScope {
        let mut details = InvokeAgentDetails::new(self.invoke_agent_details.details.0);
        details.endpoint = self.invoke_agent_details.endpoint.and_then(|input| input.0);
        details.session_id = self.invoke_agent_details.session_id;
        let tenant = self.tenant_details.map(TenantInput::details);
        let request = self.request.map(RequestInput::details);
        InvokeAgentScope::builder(&details)
            .with_tenant(tenant.as_ref())
            .with_request(request.as_ref())
            .with_caller_agent(self.caller_agent_details.as_ref().map(|input| &input.0))
            .with_caller(self.caller_details.as_ref())
            .with_tracer(tracer)
            .start()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExecuteToolArgs {
    details: ToolInput,
    agent_details: Option<AgentInput>,
    tenant_details: Option<TenantInput>,
}

impl ExecuteToolArgs {
    pub(crate) fn start(self, tracer: &ScopeTracer) -> ExecuteToolScope {
        let mut call = ToolCallDetails::new(self.details.tool_name);
        call.arguments = self.details.arguments;
        call.tool_call_id = self.details.tool_call_id;
        call.description = self.details.description;
        call.tool_type = self.details.tool_type.map(Into::into);
        call.endpoint = self.details.endpoint.and_then(|input| input.0);
        let tenant = self.tenant_details.map(TenantInput::details);
        ExecuteToolScope::builder(&call)
            .with_agent(self.agent_details.as_ref().map(|input| &input.0))
            .with_tenant(tenant.as_ref())
            .with_tracer(tracer)
            .start()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InferenceArgs {
    details: InferenceInput,
    agent_details: Option<AgentInput>,
    tenant_details: Option<TenantInput>,
    request: Option<RequestInput>,
}

impl InferenceArgs {
    pub(crate) fn start(self, tracer: &ScopeTracer) -> InferenceScope {
        let input = self.details;
        let operation = input.operation_name.into();
        let mut call = InferenceCallDetails::new(operation, input.model, input.provider_name);
        call.input_tokens = input.input_tokens;
        call.output_tokens = input.output_tokens;
        call.finish_reasons = input.finish_reasons;
        call.response_id = input.response_id;
        let tenant = self.tenant_details.map(TenantInput::details);
        let request = self.request.map(RequestInput::details);
        InferenceScope::builder(&call)
            .with_agent(self.agent_details.as_ref().map(|input| &input.0))
            .with_tenant(tenant.as_ref())
            .with_request(request.as_ref())
            .with_tracer(tracer)
            .start()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InvokeAgentInput {
    details: AgentInput,
    endpoint: Option<EndpointInput>,
    session_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolInput {
    tool_name: String,
    arguments: Option<String>,
    tool_call_id: Option<String>,
    description: Option<String>,
    tool_type: Option<String>,
    endpoint: Option<EndpointInput>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct InferenceInput {
    operation_name: OperationInput,
    model: String,
    provider_name: String,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    finish_reasons: Option<Vec<String>>,
    response_id: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum OperationInput {
    Chat,
    TextCompletion,
    GenerateContent,
}

impl From<OperationInput> for InferenceOperationType {
    fn from(input: OperationInput) -> Self {
        match input {
            OperationInput::Chat => Self::Chat,
            OperationInput::TextCompletion => Self::TextCompletion,
            OperationInput::GenerateContent => Self::GenerateContent,
        }
    }
}

impl From<AgentTypeInput> for AgentType {
    fn from(input: AgentTypeInput) -> Self {
        match input {
            AgentTypeInput::EntraEmbodied => Self::EntraEmbodied,
            AgentTypeInput::EntraNonEmbodied => Self::EntraNonEmbodied,
            AgentTypeInput::MicrosoftCopilot => Self::MicrosoftCopilot,
            AgentTypeInput::DeclarativeAgent => Self::DeclarativeAgent,
            AgentTypeInput::Foundry => Self::Foundry,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantInput {
    tenant_id: TenantId,
}

impl TenantInput {
    fn details(self) -> TenantDetails {
        TenantDetails::new(self.tenant_id)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "AgentForm")]
struct AgentInput(AgentDetails);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentForm {
    agent_id: String,
    agent_name: Option<String>,
    agent_description: Option<String>,
    agent_auid: Option<String>,
    agent_upn: Option<String>,
    agent_blueprint_id: Option<String>,
    agent_type: Option<AgentTypeInput>,
    tenant_id: Option<TenantId>,
    conversation_id: Option<String>,
    icon_uri: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum AgentTypeInput {
    EntraEmbodied,
    EntraNonEmbodied,
    MicrosoftCopilot,
    DeclarativeAgent,
    Foundry,
}

impl TryFrom<AgentForm> for AgentInput {
    type Error = agentspan_model::agent365::IdentityError;

    fn try_from(form: AgentForm) -> Result<Self, Self::Error> {
        let mut agent = AgentDetails::new(AgentId::parse(&form.agent_id)?);
        agent.agent_name = form.agent_name;
        agent.agent_description = form.agent_description;
        agent.agent_auid = form.agent_auid;
        agent.agent_upn = form.agent_upn;
        agent.agent_blueprint_id = form.agent_blueprint_id;
        agent.agent_type = form.agent_type.map(Into::into);
        agent.tenant_id = form.tenant_id;
        agent.conversation_id = form.conversation_id;
        agent.icon_uri = form.icon_uri;
        Ok(Self(agent))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestInput {
    content: String,
    execution_type: Option<ExecutionTypeInput>,
    session_id: Option<String>,
    source_metadata: Option<SourceMetadata>,
    payload: Option<String>,
}

#[derive(Deserialize)]
enum ExecutionTypeInput {
    #[serde(rename = "AGENT_TO_AGENT")]
    Agent,
    #[serde(rename = "EVENT_TO_AGENT")]
    Event,
    #[serde(rename = "HUMAN_TO_AGENT")]
    Human,
}

impl RequestInput {
    fn details(self) -> Request {
        let execution_type = self
            .execution_type
            .map(|execution_type| match execution_type {
                ExecutionTypeInput::Agent => ExecutionType::AgentToAgent,
                ExecutionTypeInput::Event => ExecutionType::EventToAgent,
                ExecutionTypeInput::Human => ExecutionType::HumanToAgent,
            });
        let mut request = Request::new(self.content, execution_type);
        request.session_id = self.session_id;
        request.source_metadata = self.source_metadata;
        request.payload = self.payload;
        request
    }
}

/// A URL. One without a host names no endpoint, as in the reference.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct EndpointInput(Option<Endpoint>);

impl TryFrom<String> for EndpointInput {
    type Error = EndpointError;

    fn try_from(url: String) -> Result<Self, EndpointError> {
        match Endpoint::from_url(&url) {
            Ok(endpoint) => Ok(Self(Some(endpoint))),
            // A port without a host would be recorded by the reference.
            Err(EndpointError::NoHost) if !has_port(&url) => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }
}

/// Whether a URL without a host has a port.
fn has_port(url: &str) -> bool {
    let place = url.split_once("//").map_or("", |(_, place)| place);
    let authority = place.split(['/', '?', '#']).next().unwrap_or_default();
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    port.is_some_and(|port| !port.is_empty())
}

/// An attribute; what OpenTelemetry for Rust has no value for is refused.
pub(crate) fn attribute((key, value): (String, TypedValue)) -> Result<KeyValue, String> {
    let doubles = |items: Vec<Double>| items.into_iter().map(|item| item.0).collect();
    let value: Value = match value {
        TypedValue::String(text) => text.into(),
        TypedValue::Bool(value) => value.into(),
        TypedValue::Int(value) => value.into(),
        TypedValue::Double(value) => value.0.into(),
        TypedValue::StringArray(items) => {
            Value::Array(Array::String(items.into_iter().map(Into::into).collect()))
        }
        TypedValue::BoolArray(items) => Value::Array(Array::Bool(items)),
        TypedValue::IntArray(items) => Value::Array(Array::I64(items)),
        TypedValue::DoubleArray(items) => Value::Array(Array::F64(doubles(items))),
        TypedValue::Array(items) if items.is_empty() => Value::Array(Array::String(Vec::new())),
        other => return Err(format!("no attribute value: {other:?}")),
    };
    Ok(KeyValue::new(key, value))
}
