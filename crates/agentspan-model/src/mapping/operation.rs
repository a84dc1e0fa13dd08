//! The operations of spans, and their names.

use std::borrow::Cow;

use super::{Rendering, SpanInTrace, SpanKind};
use crate::agent365::{InferenceOperationType, mapping};
use crate::agentspec::{Component, LlmConfig, Span, SpanDetails, Tool};

/// The operation name of a flow's execution in the GenAI conventions.
const INVOKE_WORKFLOW: &str = "invoke_workflow";
/// The operation name of a model's generation in the GenAI conventions.
const CHAT: &str = "chat";

/// The operation of a span, as far as the vocabularies have a word for it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation<'a> {
    /// An agent, or a group of agents, is invoked.
    Agent(&'a Component),
    /// A flow is executed.
    Flow(&'a Component),
    /// A node of a flow is executed.
    Node,
    /// A model generates.
    Llm(&'a LlmConfig),
    /// A tool is executed.
    Tool(&'a Tool),
    /// Nobody has a word for it.
    Other,
}

impl<'a> Operation<'a> {
    pub(super) fn of(span: &'a Span) -> Self {
        match &span.details {
            SpanDetails::AgentExecutionSpan(details) => Self::Agent(&details.agent),
            SpanDetails::ManagerWorkersExecutionSpan(details) => {
                Self::Agent(&details.managerworkers)
            }
            SpanDetails::SwarmExecutionSpan(details) => Self::Agent(&details.swarm),
            SpanDetails::FlowExecutionSpan(details) => Self::Flow(&details.flow),
            SpanDetails::NodeExecutionSpan(_) => Self::Node,
            SpanDetails::LlmGenerationSpan(details) => Self::Llm(&details.llm_config),
            SpanDetails::ToolExecutionSpan(details) => Self::Tool(&details.tool),
            SpanDetails::Plain | SpanDetails::Root | SpanDetails::Other(_) => Self::Other,
        }
    }
}

/// Whether Agent 365 has an operation for spans of this type, such as `AgentExecutionSpan`.
#[must_use]
pub fn is_agent365_operation(span_type: &str) -> bool {
    matches!(
        span_type,
        "AgentExecutionSpan"
            | "ManagerWorkersExecutionSpan"
            | "SwarmExecutionSpan"
            | "FlowExecutionSpan"
            | "LlmGenerationSpan"
            | "ToolExecutionSpan"
    )
}

/// In Agent 365, whatever Agent Spec calls an agentic component is invoked as an agent: flows too.
pub(super) fn operation_name(
    rendering: Rendering,
    operation: Operation<'_>,
) -> Option<&'static str> {
    match (operation, rendering) {
        (Operation::Node | Operation::Other, _) => None,
        (Operation::Agent(_), _)
        | (Operation::Flow(_), Rendering::Agent365(_) | Rendering::GenAiV0_1) => {
            Some(mapping::INVOKE_AGENT)
        }
        (Operation::Flow(_), _) => Some(INVOKE_WORKFLOW),
        (Operation::Tool(_), _) => Some(mapping::EXECUTE_TOOL),
        (Operation::Llm(_), Rendering::Agent365(profile)) => {
            Some(profile.inference_operation(InferenceOperationType::Chat))
        }
        (Operation::Llm(_), _) => Some(CHAT),
    }
}

pub(super) fn span_name(rendering: Rendering, span: &Span) -> Cow<'_, str> {
    match name_parts(rendering, span) {
        (name, None) => name.into(),
        (name, Some(of)) => [name, " ", &of].concat().into(),
    }
}

/// Whether the span is called so.
pub(super) fn is_span_name(rendering: Rendering, span: &Span, text: &str) -> bool {
    match name_parts(rendering, span) {
        (name, None) => text == name,
        (name, Some(of)) => {
            let rest = text.strip_prefix(name);
            rest.and_then(|rest| rest.strip_prefix(' ')) == Some(&of)
        }
    }
}

/// Whether the name of the span begins as that of an invocation. What follows it is another word.
pub(super) fn is_invocation(rendering: Rendering, span: &Span) -> bool {
    let name = operation_name(rendering, Operation::of(span));
    let name = name.unwrap_or_else(|| own_name(span));
    name.starts_with(mapping::INVOKE_AGENT)
}

/// The parts of a span's name: its operation, and its target, if the vocabulary has a word for it.
fn name_parts(rendering: Rendering, span: &Span) -> (&str, Option<Cow<'_, str>>) {
    let operation = Operation::of(span);
    let Some(name) = operation_name(rendering, operation) else {
        return (own_name(span), None);
    };
    let of: Cow<'_, str> = match operation {
        Operation::Agent(component) | Operation::Flow(component) => component.name().into(),
        Operation::Tool(tool) => tool.name().into(),
        Operation::Llm(model) => model.model_id().unwrap_or_default().into(),
        Operation::Node | Operation::Other => return (name, None),
    };
    (name, Some(of).filter(|of| !of.is_empty()))
}

pub(super) fn span_name_in_trace<'a>(rendering: Rendering, span: &SpanInTrace<'a>) -> Cow<'a, str> {
    let is_unnamed_root =
        matches!(span.span.details, SpanDetails::Root) && span.span.name == span.span.type_name();
    let is_rendered = rendering != Rendering::AgentSpec;
    match span.trace_name {
        Some(trace) if is_unnamed_root && is_rendered && !trace.is_empty() => trace.into(),
        _ => span_name(rendering, span.span),
    }
}

/// The name that somebody gave the span, else that of its component, else that of its type.
fn own_name(span: &Span) -> &str {
    let component = span.details.component().map(Component::name);
    match component {
        Some(component) if span.name == span.type_name() && !component.is_empty() => component,
        _ => &span.name,
    }
}

/// Agents that run in the program are internal in the GenAI conventions; Agent 365 makes no
/// difference.
pub(super) fn span_kind(rendering: Rendering, span: &Span) -> SpanKind {
    match (Operation::of(span), rendering) {
        (Operation::Llm(_), _)
        | (Operation::Agent(_) | Operation::Flow(_), Rendering::Agent365(_)) => SpanKind::Client,
        (Operation::Agent(agent), _) if agent.is_a("RemoteAgent") == Some(true) => SpanKind::Client,
        (
            Operation::Agent(_)
            | Operation::Flow(_)
            | Operation::Node
            | Operation::Tool(_)
            | Operation::Other,
            _,
        ) => SpanKind::Internal,
    }
}
