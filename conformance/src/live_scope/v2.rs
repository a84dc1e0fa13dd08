//! The arguments of the `start` functions of version 2 and later, as our types.

use std::collections::HashMap;

use agentspan_model::agent365::{
    AgentDetails, AgentId, AgentType, Channel, ClientAddress, Endpoint, GuardrailDetails,
    GuardrailTarget, InferenceCallDetails, InvokeAgentDetails, Profile, Request, TenantId,
    ToolCallDetails, UserDetails,
};
use agentspan_otel::{
    ApplyGuardrailScope, ExecuteToolScope, InferenceScope, InvokeAgentScope, OutputScope,
    Propagation, ScopeTracer,
};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use serde::Deserialize;
use serde_json::Value;

use super::iso_time::IsoTime;
use super::messages::{InputMessagesInput, ResponseInput};
use super::tool_payload::ToolPayload;
use super::v0_1::{AgentTypeInput, OperationInput, attribute};
use super::v3::{request_parameters, response_parameters};
use super::{Stop, keep_last_values};
use crate::typed_value::{TypedPairs, after_calls};

macro_rules! read {
    ($($type:ty),*) => {
        $(impl $type {
            pub(crate) fn read(args: Value) -> Result<Self, Stop> {
                Ok(serde_json::from_value(args)?)
            }
        })*
    };
}

read!(
    InvokeAgentArgs,
    ExecuteToolArgs,
    InferenceArgs,
    OutputArgs,
    ApplyGuardrailArgs
);

/// What all builders take, said to one of them.
macro_rules! with_span_details {
    ($builder:expr, $details:expr, $tracer:expr, |$this:ident| $($more:tt)*) => {{
        let details = $details.unwrap_or_default();
        let parent = details.parent();
        let links = details.links();
        let $this = $builder
            .with_tracer($tracer)
            .with_parent(&parent)
            .with_start_time(details.start_time.map(|time| time.0))
            .with_end_time(details.end_time.map(|time| time.0))
            .with_links(&links);
        let kind = details.kind();
        with_span_details!(@kind $this, kind, $($more)*).start()
    }};
    (@kind $this:ident, $kind:ident, any_kind) => { $this.with_span_kind($kind) };
    // The reference ignores the kind here, and our builders do not take one.
    (@kind $this:ident, $kind:ident, one_kind) => {{ let _ = $kind; $this }};
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvokeAgentArgs {
    request: Option<RequestInput>,
    endpoint: Option<EndpointInput>,
    agent_details: AgentInput,
    caller_details: Option<CallerInput>,
    span_details: Option<SpanDetailsInput>,
    request_parameters: Option<Value>,
    response_parameters: Option<Value>,
}

impl InvokeAgentArgs {
    pub(crate) fn start(self, tracer: &ScopeTracer) -> Result<InvokeAgentScope, Stop> {
        let mut details = InvokeAgentDetails::new(self.agent_details.0);
        details.endpoint = self.endpoint.map(EndpointInput::details);
        let request = self.request.map(RequestInput::details);
        let request_parameters = self.request_parameters.map(request_parameters);
        let request_parameters = request_parameters.transpose()?;
        let response_parameters = self.response_parameters.map(response_parameters);
        let response_parameters = response_parameters.transpose()?;
        let caller = self.caller_details.unwrap_or_default();
        let user = caller.user_details.map(UserInput::details);
        let caller_agent = caller.caller_agent_details.map(|input| input.0);
        let builder = InvokeAgentScope::builder(&details)
            .with_request(request.as_ref())
            .with_user(user.as_ref())
            .with_caller_agent(caller_agent.as_ref())
            .with_request_parameters(request_parameters.as_ref())
            .with_response_parameters(response_parameters.as_ref());
        Ok(with_span_details!(
            builder,
            self.span_details,
            tracer,
            |builder| any_kind
        ))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExecuteToolArgs {
    request: Option<RequestInput>,
    details: ToolInput,
    agent_details: Option<AgentInput>,
    user_details: Option<UserInput>,
    span_details: Option<SpanDetailsInput>,
}

impl ExecuteToolArgs {
    pub(crate) fn start(self, tracer: &ScopeTracer) -> Result<ExecuteToolScope, Stop> {
        let call = self.details.details()?;
        let request = self.request.map(RequestInput::details);
        let user = self.user_details.map(UserInput::details);
        let builder = ExecuteToolScope::builder(&call)
            .with_agent(self.agent_details.as_ref().map(|input| &input.0))
            .with_request(request.as_ref())
            .with_user(user.as_ref());
        Ok(with_span_details!(
            builder,
            self.span_details,
            tracer,
            |builder| any_kind
        ))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InferenceArgs {
    request: Option<RequestInput>,
    details: InferenceInput,
    agent_details: Option<AgentInput>,
    user_details: Option<UserInput>,
    span_details: Option<SpanDetailsInput>,
}

impl InferenceArgs {
    pub(crate) fn start(self, tracer: &ScopeTracer) -> Result<InferenceScope, Stop> {
        let call = self.details.details(tracer.profile())?;
        let request = self.request.map(RequestInput::details);
        let user = self.user_details.map(UserInput::details);
        let builder = InferenceScope::builder(&call)
            .with_agent(self.agent_details.as_ref().map(|input| &input.0))
            .with_request(request.as_ref())
            .with_user(user.as_ref());
        Ok(with_span_details!(
            builder,
            self.span_details,
            tracer,
            |builder| one_kind
        ))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutputArgs {
    request: Option<RequestInput>,
    response: ResponseInput,
    agent_details: AgentInput,
    user_details: Option<UserInput>,
    span_details: Option<SpanDetailsInput>,
}

impl OutputArgs {
    pub(crate) fn start(self, tracer: &ScopeTracer) -> OutputScope {
        let request = self.request.map(RequestInput::details);
        let user = self.user_details.map(UserInput::details);
        let builder = OutputScope::builder(&self.response.0)
            .with_agent(Some(&self.agent_details.0))
            .with_request(request.as_ref())
            .with_user(user.as_ref());
        with_span_details!(builder, self.span_details, tracer, |builder| one_kind)
    }
}

/// The reference 2.0.0 takes a user here, too, and does nothing with it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplyGuardrailArgs {
    details: GuardrailInput,
    agent_details: Option<AgentInput>,
    request: Option<RequestInput>,
    user_details: Option<UserInput>,
    span_details: Option<SpanDetailsInput>,
}

impl ApplyGuardrailArgs {
    pub(crate) fn start(self, tracer: &ScopeTracer) -> ApplyGuardrailScope {
        let details = self.details.details(tracer.profile());
        let request = self.request.map(RequestInput::details);
        let user = self.user_details.map(UserInput::details);
        let builder = ApplyGuardrailScope::builder(&details)
            .with_agent(self.agent_details.as_ref().map(|input| &input.0))
            .with_request(request.as_ref())
            .with_user(user.as_ref());
        with_span_details!(builder, self.span_details, tracer, |builder| any_kind)
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallerInput {
    user_details: Option<UserInput>,
    caller_agent_details: Option<AgentInput>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserInput {
    user_id: Option<String>,
    user_email: Option<String>,
    user_name: Option<String>,
    user_client_ip: Option<String>,
}

impl UserInput {
    fn details(self) -> UserDetails {
        let address = self.user_client_ip.as_deref();
        let mut user = UserDetails::new()
            .with_client_address(address.and_then(|text| ClientAddress::parse(text).ok()));
        user.user_id = self.user_id;
        user.user_email = self.user_email;
        user.user_name = self.user_name;
        user
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestInput {
    content: Option<InputMessagesInput>,
    session_id: Option<String>,
    channel: Option<ChannelInput>,
    conversation_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelInput {
    name: Option<String>,
    link: Option<String>,
}

impl RequestInput {
    fn details(self) -> Request {
        let mut request = Request::without_content();
        request.content = self.content.map(|input| input.0);
        request.session_id = self.session_id;
        request.conversation_id = self.conversation_id;
        request.channel = self.channel.map(|input| {
            let mut channel = Channel::new();
            channel.name = input.name;
            channel.link = input.link;
            channel
        });
        request
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointInput {
    hostname: String,
    port: Option<u16>,
}

impl EndpointInput {
    fn details(self) -> Endpoint {
        let mut endpoint = Endpoint::new(self.hostname);
        endpoint.port = self.port;
        endpoint
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolInput {
    tool_name: String,
    arguments: Option<Value>,
    tool_call_id: Option<String>,
    description: Option<String>,
    tool_type: Option<ToolTypeInput>,
    endpoint: Option<EndpointInput>,
}

/// A text, which is what the reference's class takes.
#[derive(Deserialize)]
struct ToolTypeInput(String);

impl ToolInput {
    fn details(self) -> Result<ToolCallDetails, Stop> {
        let mut call = ToolCallDetails::new(self.tool_name);
        call = match ToolPayload::read(self.arguments.unwrap_or_default())? {
            ToolPayload::Object(arguments) => call.with_argument_object(&arguments),
            ToolPayload::Text(arguments) => call.with_arguments(arguments),
            ToolPayload::Arguments(arguments) => call.with_typed_arguments(&arguments),
            ToolPayload::None => call,
            ToolPayload::Result(_) => return Err(Stop::Refused("a result is no call".to_owned())),
        };
        call.tool_call_id = self.tool_call_id;
        call.description = self.description;
        call.tool_type = self.tool_type.map(|input| input.0.into());
        call.endpoint = self.endpoint.map(EndpointInput::details);
        Ok(call)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct InferenceInput {
    operation_name: OperationInput,
    model: Option<String>,
    provider_name: String,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    finish_reasons: Option<Vec<String>>,
    thought_process: Option<String>,
    endpoint: Option<EndpointInput>,
    response_model: Option<String>,
    cache_read_input_tokens: Option<i64>,
    cache_write_input_tokens: Option<i64>,
}

impl InferenceInput {
    fn details(self, profile: Profile) -> Result<InferenceCallDetails, Stop> {
        if profile == Profile::V3 {
            return Ok(self.exact_details());
        }
        let mut call = InferenceCallDetails::with_either_model(
            self.operation_name.into(),
            self.model.as_deref(),
            self.response_model.as_deref(),
            self.provider_name.clone(),
        )
        .map_err(|error| Stop::Refused(error.to_string()))?;
        self.add_to(&mut call);
        Ok(call)
    }

    /// Names of models as they are, which 1.5.0 neither trims nor asks for.
    fn exact_details(self) -> InferenceCallDetails {
        let model = self.model.clone().unwrap_or_default();
        let provider = self.provider_name.clone();
        let mut call = InferenceCallDetails::new(self.operation_name.into(), model, provider);
        call.response_model = self.response_model.clone();
        self.add_to(&mut call);
        call
    }

    fn add_to(self, call: &mut InferenceCallDetails) {
        call.input_tokens = self.input_tokens;
        call.output_tokens = self.output_tokens;
        call.finish_reasons = self.finish_reasons;
        call.thought_process = self.thought_process;
        call.endpoint = self.endpoint.map(EndpointInput::details);
        call.cache_read_input_tokens = self.cache_read_input_tokens;
        call.cache_write_input_tokens = self.cache_write_input_tokens;
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GuardrailInput {
    target_type: String,
    decision_type: DecisionInput,
    guardian_name: Option<String>,
    guardian_id: Option<String>,
    guardian_provider_name: Option<String>,
    guardian_version: Option<String>,
    target_id: Option<String>,
    decision_reason: Option<String>,
    decision_code: Option<String>,
    policy_id: Option<String>,
    policy_name: Option<String>,
    policy_version: Option<String>,
    content_input_hash: Option<String>,
    content_modified: Option<bool>,
    external_event_id: Option<String>,
}

#[derive(Deserialize)]
struct DecisionInput(String);

impl GuardrailInput {
    fn details(self, profile: Profile) -> GuardrailDetails {
        let DecisionInput(decision) = self.decision_type;
        let decision = match profile {
            Profile::V3 => decision,
            // The name of a member of the enum.
            _ => decision.to_lowercase(),
        };
        let mut details = GuardrailDetails::new(GuardrailTarget::from(self.target_type), decision);
        details.guardian_name = self.guardian_name;
        details.guardian_id = self.guardian_id;
        details.guardian_provider_name = self.guardian_provider_name;
        details.guardian_version = self.guardian_version;
        details.target_id = self.target_id;
        details.decision_reason = self.decision_reason;
        details.decision_code = self.decision_code;
        details.policy_id = self.policy_id;
        details.policy_name = self.policy_name;
        details.policy_version = self.policy_version;
        details.content_input_hash = self.content_input_hash;
        details.content_modified = self.content_modified;
        details.external_event_id = self.external_event_id;
        details
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
    agentic_user_id: Option<String>,
    agentic_user_email: Option<String>,
    agent_blueprint_id: Option<String>,
    agent_platform_id: Option<String>,
    tenant_id: Option<TenantId>,
    icon_uri: Option<String>,
    provider_name: Option<String>,
    agent_version: Option<String>,
    agent_type: Option<Value>,
}

impl TryFrom<AgentForm> for AgentInput {
    type Error = String;

    fn try_from(form: AgentForm) -> Result<Self, String> {
        let agent_id = AgentId::parse(&form.agent_id).map_err(|error| error.to_string())?;
        let mut agent = AgentDetails::new(agent_id);
        agent.agent_name = form.agent_name;
        agent.agent_description = form.agent_description;
        agent.agent_auid = form.agentic_user_id;
        agent.agentic_user_email = form.agentic_user_email;
        agent.agent_blueprint_id = form.agent_blueprint_id;
        agent.agent_platform_id = form.agent_platform_id;
        agent.tenant_id = form.tenant_id;
        agent.icon_uri = form.icon_uri;
        agent.provider_name = form.provider_name;
        agent.agent_version = form.agent_version;
        let agent_type = form.agent_type.map(agent_type).transpose();
        agent.agent_type = agent_type.map_err(|error| error.to_string())?;
        Ok(Self(agent))
    }
}

/// A text, or the member of an enum as `{"enum": NAME}`.
pub(crate) fn agent_type(input: Value) -> Result<AgentType, serde_json::Error> {
    match input.get("enum") {
        Some(name) => {
            let input: AgentTypeInput = serde_json::from_value(name.clone())?;
            Ok(input.into())
        }
        None => Ok(serde_json::from_value::<String>(input)?.into()),
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpanDetailsInput {
    span_kind: Option<SpanKindInput>,
    start_time: Option<IsoTime>,
    end_time: Option<IsoTime>,
    parent_headers: Option<HashMap<String, String>>,
    span_links: Option<Vec<LinkInput>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum SpanKindInput {
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkInput {
    trace_id: HexId<16>,
    span_id: HexId<8>,
    #[serde(default)]
    attributes: Option<LinkAttributes>,
}

impl SpanDetailsInput {
    fn kind(&self) -> Option<SpanKind> {
        self.span_kind.map(|kind| match kind {
            SpanKindInput::Internal => SpanKind::Internal,
            SpanKindInput::Server => SpanKind::Server,
            SpanKindInput::Client => SpanKind::Client,
            SpanKindInput::Producer => SpanKind::Producer,
            SpanKindInput::Consumer => SpanKind::Consumer,
        })
    }

    fn parent(&self) -> Context {
        let nothing = Context::new();
        let headers = self.parent_headers.as_ref();
        let extracted = headers.map(|headers| Propagation::new().extract(&nothing, headers));
        // As with the reference, headers that say nothing leave the current context in its place.
        let extracted = extracted.filter(|context| {
            context.has_active_span() || context.baggage().iter().next().is_some()
        });
        extracted.unwrap_or_else(Context::current)
    }

    fn links(&self) -> Vec<Link> {
        let links = self.span_links.iter().flatten();
        links
            .map(|link| {
                let span_context = SpanContext::new(
                    TraceId::from_bytes(link.trace_id.0),
                    SpanId::from_bytes(link.span_id.0),
                    TraceFlags::SAMPLED,
                    true,
                    TraceState::default(),
                );
                let attributes = link.attributes.as_ref();
                Link::new(
                    span_context,
                    attributes.map(|a| a.0.clone()).unwrap_or_default(),
                    0,
                )
            })
            .collect()
    }
}

/// Attributes that OpenTelemetry for Rust has values for.
#[derive(Deserialize)]
#[serde(try_from = "TypedPairs")]
struct LinkAttributes(Vec<opentelemetry::KeyValue>);

impl TryFrom<TypedPairs> for LinkAttributes {
    type Error = String;

    fn try_from(mut pairs: TypedPairs) -> Result<Self, String> {
        // A link is given a dictionary.
        keep_last_values(&mut pairs);
        let pairs = after_calls(&pairs).into_iter();
        let attributes: Result<_, _> = pairs.map(attribute).collect();
        Ok(Self(attributes?))
    }
}

/// An id in hexadecimal digits.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct HexId<const N: usize>([u8; N]);

impl<const N: usize> TryFrom<String> for HexId<N> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut id = [0; N];
        let digits = text.len() == 2 * N && text.is_ascii();
        for (at, byte) in id.iter_mut().enumerate() {
            let pair = text.get(2 * at..2 * at + 2).filter(|_| digits);
            let value = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
            *byte = value.ok_or_else(|| format!("no id: {text:?}"))?;
        }
        Ok(Self(id))
    }
}
