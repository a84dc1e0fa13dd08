//! Runs a scenario of scopes, spans and baggage with our crates.

use agentspan_model::agent365::{
    AgentDetails, CallerDetails, InferenceCallDetails, InvokeAgentDetails, Request, TenantDetails,
    ToolCallDetails,
};
use agentspan_otel::{
    BaggageBuilder, ExecuteTool, ExecuteToolScope, Inference, InferenceScope, InvokeAgent,
    InvokeAgentScope, RequestBaggage, Scope,
};
use conformance::typed_value::TypedPairs;
use conformance::vector_span::{NoSdkForm, key_values, span_kind};
use opentelemetry::trace::{SpanKind, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;
use serde::Deserialize;

/// A scenario of `agent365-scenarios.json`.
#[derive(Debug, Deserialize)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
}

/// One step; the driver of the reference package knows the same ones.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(crate) enum Step {
    Baggage {
        calls: Vec<(Setter, String)>,
        steps: Vec<Self>,
    },
    Scope {
        #[serde(flatten)]
        start: Box<Start>,
        steps: Vec<Self>,
    },
    Span {
        name: String,
        kind: Kind,
        attributes: Attributes,
        steps: Vec<Self>,
    },
    Call(Call),
    Attributes {
        pairs: Attributes,
    },
    RecordError {
        #[serde(rename = "type")]
        class: String,
        message: String,
    },
    Try {
        steps: Vec<Self>,
    },
    Raise {
        message: String,
    },
}

/// What starts a scope.
#[derive(Debug, Deserialize)]
#[serde(tag = "scope", content = "args", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "it is only ever in a box")]
pub(crate) enum Start {
    InvokeAgent {
        invoke_agent_details: InvokeAgentDetails,
        tenant_details: Option<TenantDetails>,
        request: Option<Request>,
        caller_agent_details: Option<AgentDetails>,
        caller_details: Option<CallerDetails>,
    },
    ExecuteTool {
        details: ToolCallDetails,
        agent_details: Option<AgentDetails>,
        tenant_details: Option<TenantDetails>,
    },
    Inference {
        details: InferenceCallDetails,
        agent_details: Option<AgentDetails>,
        tenant_details: Option<TenantDetails>,
        request: Option<Request>,
    },
}

/// A method of a scope, with its arguments.
#[derive(Debug, Deserialize)]
#[serde(tag = "method", content = "args", rename_all = "snake_case")]
#[expect(
    clippy::enum_variant_names,
    reason = "these are the names of the methods"
)]
pub(crate) enum Call {
    RecordInputMessages((Vec<String>,)),
    RecordOutputMessages((Vec<String>,)),
    RecordResponse((String,)),
    RecordInputTokens((i64,)),
    RecordOutputTokens((i64,)),
    RecordFinishReasons((Vec<String>,)),
    RecordThoughtProcess((String,)),
    RecordCancellation([(); 0]),
}

/// A setter of the baggage builder.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Setter {
    OperationSource,
    TenantId,
    AgentId,
    AgentUpn,
    AgentBlueprintId,
    CorrelationId,
    CallerId,
    HiringManagerId,
    AgentName,
    CallerName,
    CallerUpn,
    ConversationId,
    ConversationItemLink,
    SourceMetadataId,
}

/// Attributes of the SDK, written as typed pairs.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "TypedPairs")]
pub(crate) struct Attributes(Vec<KeyValue>);

impl TryFrom<TypedPairs> for Attributes {
    type Error = NoSdkForm;

    fn try_from(pairs: TypedPairs) -> Result<Self, NoSdkForm> {
        key_values(&pairs).map(Self)
    }
}

/// A kind of the SDK, written as its name.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Kind(SpanKind);

impl TryFrom<String> for Kind {
    type Error = NoSdkForm;

    fn try_from(name: String) -> Result<Self, NoSdkForm> {
        span_kind(&name).map(Self)
    }
}

/// What a `raise` step throws, named as the exception in Python is.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ValueError(pub(crate) String);

/// Runs steps inside of `scope`, with `tracer` for the spans that are no scopes.
///
/// # Errors
///
/// What a `raise` step threw and no `try` step caught.
pub(crate) fn run(
    steps: &[Step],
    scope: Option<&dyn Recorder>,
    tracer: &SdkTracer,
) -> Result<(), ValueError> {
    for step in steps {
        run_step(step, scope, tracer)?;
    }
    Ok(())
}

fn run_step(
    step: &Step,
    scope: Option<&dyn Recorder>,
    tracer: &SdkTracer,
) -> Result<(), ValueError> {
    match step {
        Step::Baggage { calls, steps } => {
            return baggage(calls).in_baggage(|| run(steps, scope, tracer));
        }
        Step::Scope { start, steps } => return run_scope(start, steps, tracer),
        Step::Span {
            name,
            kind,
            attributes,
            steps,
        } => {
            let context = span(name, kind, attributes, tracer);
            let result = {
                let _current = context.clone().attach();
                run(steps, scope, tracer)
            };
            context.span().end();
            return result;
        }
        Step::Try { steps } => {
            // What was thrown is of interest to the scopes on its way only, and they have seen it.
            let _ = run(steps, scope, tracer);
        }
        Step::Raise { message } => return Err(ValueError(message.clone())),
        Step::Call(_) | Step::Attributes { .. } | Step::RecordError { .. } => {
            scope.iter().for_each(|scope| record(step, *scope));
        }
    }
    Ok(())
}

/// The baggage that the setters collect.
pub(crate) fn baggage(calls: &[(Setter, String)]) -> RequestBaggage {
    let builder = BaggageBuilder::new();
    let set = |builder, (setter, value): &(Setter, String)| setter.set(builder, value);
    calls.iter().fold(builder, set).build()
}

/// The current context with an ordinary span in it.
pub(crate) fn span(
    name: &str,
    kind: &Kind,
    attributes: &Attributes,
    tracer: &SdkTracer,
) -> Context {
    let builder = tracer.span_builder(name.to_owned());
    let builder = builder.with_kind(kind.0.clone());
    let builder = builder.with_attributes(attributes.0.clone());
    Context::current_with_span(builder.start(tracer))
}

/// Does a step that records something in a scope.
pub(crate) fn record(step: &Step, scope: &dyn Recorder) {
    match step {
        Step::Call(call) => scope.call(call),
        Step::Attributes { pairs } => scope.attributes(pairs.0.clone()),
        Step::RecordError { class, message } => scope.error(class, message),
        _ => {}
    }
}

fn run_scope(start: &Start, steps: &[Step], tracer: &SdkTracer) -> Result<(), ValueError> {
    match start.scope() {
        AnyScope::InvokeAgent(scope) => scope.in_scope(|scope| run(steps, Some(scope), tracer)),
        AnyScope::ExecuteTool(scope) => scope.in_scope(|scope| run(steps, Some(scope), tracer)),
        AnyScope::Inference(scope) => scope.in_scope(|scope| run(steps, Some(scope), tracer)),
    }
}

/// A scope that was started.
pub(crate) enum AnyScope {
    InvokeAgent(InvokeAgentScope),
    ExecuteTool(ExecuteToolScope),
    Inference(InferenceScope),
}

impl Start {
    /// Starts the scope.
    pub(crate) fn scope(&self) -> AnyScope {
        match self {
            Self::InvokeAgent {
                invoke_agent_details,
                tenant_details,
                request,
                caller_agent_details,
                caller_details,
            } => AnyScope::InvokeAgent(
                InvokeAgentScope::builder(invoke_agent_details)
                    .tenant(tenant_details.as_ref())
                    .request(request.as_ref())
                    .caller_agent(caller_agent_details.as_ref())
                    .caller(caller_details.as_ref())
                    .start(),
            ),
            Self::ExecuteTool {
                details,
                agent_details,
                tenant_details,
            } => AnyScope::ExecuteTool(
                ExecuteToolScope::builder(details)
                    .agent(agent_details.as_ref())
                    .tenant(tenant_details.as_ref())
                    .start(),
            ),
            Self::Inference {
                details,
                agent_details,
                tenant_details,
                request,
            } => AnyScope::Inference(
                InferenceScope::builder(details)
                    .agent(agent_details.as_ref())
                    .tenant(tenant_details.as_ref())
                    .request(request.as_ref())
                    .start(),
            ),
        }
    }
}

/// What a step can record in any scope. A call that a scope does not have makes the reference
/// package fail, so it is left out here.
pub(crate) trait Recorder {
    fn call(&self, call: &Call);
    fn attributes(&self, attributes: Vec<KeyValue>);
    fn error(&self, class: &str, message: &str);
}

/// The part of [`Recorder`] that differs between the kinds of scopes.
trait OwnCalls {
    fn own_call(&self, call: &Call);
}

impl<K> Recorder for Scope<K>
where
    Self: OwnCalls,
{
    fn call(&self, call: &Call) {
        match call {
            Call::RecordCancellation([]) => self.record_cancellation(),
            other => self.own_call(other),
        }
    }

    fn attributes(&self, attributes: Vec<KeyValue>) {
        self.record_attributes(attributes);
    }

    fn error(&self, class: &str, message: &str) {
        self.record_error_as(class, message);
    }
}

impl OwnCalls for Scope<InvokeAgent> {
    fn own_call(&self, call: &Call) {
        match call {
            Call::RecordInputMessages((messages,)) => self.record_input_messages(messages),
            Call::RecordOutputMessages((messages,)) => self.record_output_messages(messages),
            Call::RecordResponse((response,)) => self.record_response(response),
            _ => {}
        }
    }
}

impl OwnCalls for Scope<ExecuteTool> {
    fn own_call(&self, call: &Call) {
        if let Call::RecordResponse((response,)) = call {
            self.record_response(response);
        }
    }
}

impl OwnCalls for Scope<Inference> {
    fn own_call(&self, call: &Call) {
        match call {
            Call::RecordInputMessages((messages,)) => self.record_input_messages(messages),
            Call::RecordOutputMessages((messages,)) => self.record_output_messages(messages),
            Call::RecordResponse((response,)) => self.record_response(response),
            Call::RecordInputTokens((tokens,)) => self.record_input_tokens(*tokens),
            Call::RecordOutputTokens((tokens,)) => self.record_output_tokens(*tokens),
            Call::RecordFinishReasons((reasons,)) => self.record_finish_reasons(reasons),
            Call::RecordThoughtProcess((thoughts,)) => self.record_thought_process(thoughts),
            Call::RecordCancellation([]) => {}
        }
    }
}

impl Setter {
    fn set(self, builder: BaggageBuilder, value: &str) -> BaggageBuilder {
        match self {
            Self::OperationSource => builder.operation_source(value),
            Self::TenantId => builder.tenant_id(value),
            Self::AgentId => builder.agent_id(value),
            Self::AgentUpn => builder.agent_upn(value),
            Self::AgentBlueprintId => builder.agent_blueprint_id(value),
            Self::CorrelationId => builder.correlation_id(value),
            Self::CallerId => builder.caller_id(value),
            Self::HiringManagerId => builder.hiring_manager_id(value),
            Self::AgentName => builder.agent_name(value),
            Self::CallerName => builder.caller_name(value),
            Self::CallerUpn => builder.caller_upn(value),
            Self::ConversationId => builder.conversation_id(value),
            Self::ConversationItemLink => builder.conversation_item_link(value),
            Self::SourceMetadataId => builder.source_metadata_id(value),
        }
    }
}
