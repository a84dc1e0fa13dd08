//! Which members each type of span and event has, and under which key each travels.

use crate::agentspec::{Component, EventDetails};
use crate::keys;

/// A member that is special to some types.
#[derive(Debug)]
pub(super) struct Member {
    /// Its name in a dump.
    pub(super) name: &'static str,
    /// The attribute that it travels in.
    pub(super) key: &'static str,
    pub(super) shape: Shape,
}

/// How the value of a member is written into an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Text as it is. Null is an absent attribute.
    Text,
    /// Text as it is. Null is an absent attribute, and is written into the dump again.
    NullableText,
    /// Numbers and truth values as they are, objects and lists as JSON text.
    Json,
    /// The dump of a component as JSON text, or a reference to that of the span.
    Component,
}

/// Whether an attribute holds the dump of a component, or a list of them.
pub(super) fn holds_components(key: &str) -> bool {
    let components = [
        AGENT,
        FLOW,
        NODE,
        TOOL,
        LLM_CONFIG,
        MANAGERWORKERS,
        SWARM,
        TOOLS,
    ];
    components.iter().any(|member| member.key == key)
}

/// The member that is read for the parameters of a call.
pub(super) const LLM_GENERATION_CONFIG: &str = "llm_generation_config";

const fn text(name: &'static str, key: &'static str) -> Member {
    let shape = Shape::Text;
    Member { name, key, shape }
}

const fn nullable(name: &'static str, key: &'static str) -> Member {
    let shape = Shape::NullableText;
    Member { name, key, shape }
}

const fn json(name: &'static str, key: &'static str) -> Member {
    let shape = Shape::Json;
    Member { name, key, shape }
}

const fn component(name: &'static str, key: &'static str) -> Member {
    let shape = Shape::Component;
    Member { name, key, shape }
}

const AGENT: Member = component("agent", keys::AGENTSPEC_AGENT);
const FLOW: Member = component("flow", keys::AGENTSPEC_FLOW);
const NODE: Member = component("node", keys::AGENTSPEC_NODE);
const TOOL: Member = component("tool", keys::AGENTSPEC_TOOL);
const LLM_CONFIG: Member = component("llm_config", keys::AGENTSPEC_LLM_CONFIG);
const MANAGERWORKERS: Member = component("managerworkers", keys::AGENTSPEC_MANAGERWORKERS);
const SWARM: Member = component("swarm", keys::AGENTSPEC_SWARM);
const INPUTS: Member = json("inputs", keys::AGENTSPEC_INPUTS);
const OUTPUTS: Member = json("outputs", keys::AGENTSPEC_OUTPUTS);
const BRANCH: Member = text("branch_selected", keys::AGENTSPEC_BRANCH_SELECTED);
const REQUEST_ID: Member = text("request_id", keys::AGENTSPEC_REQUEST_ID);
const COMPLETION_ID: Member = text("completion_id", keys::AGENTSPEC_COMPLETION_ID);
const TOOL_REQUEST_ID: Member = text(
    "tool_execution_request_id",
    keys::AGENTSPEC_TOOL_EXECUTION_REQUEST_ID,
);
const TOOL_CALLS: Member = json("tool_calls", keys::AGENTSPEC_TOOL_CALLS);
const INPUT_TOKENS: Member = json("input_tokens", keys::AGENTSPEC_INPUT_TOKENS);
const OUTPUT_TOKENS: Member = json("output_tokens", keys::AGENTSPEC_OUTPUT_TOKENS);
const TOOLS: Member = json("tools", keys::AGENTSPEC_TOOLS);
const ANSWER: Member = nullable("content", keys::AGENTSPEC_CONTENT);

/// The members that are special to a type of span. `None` for a type that is not known.
pub(super) fn of_span(type_name: &str) -> Option<&'static [Member]> {
    Some(match type_name {
        "Span" | "RootSpan" => &[],
        "AgentExecutionSpan" => &[AGENT],
        "FlowExecutionSpan" => &[FLOW],
        "LlmGenerationSpan" => &[LLM_CONFIG],
        "ManagerWorkersExecutionSpan" => &[MANAGERWORKERS],
        "NodeExecutionSpan" => &[NODE],
        "SwarmExecutionSpan" => &[SWARM],
        "ToolExecutionSpan" => &[TOOL],
        _ => return None,
    })
}

/// The members that are special to a type of event. `None` for a type that is not known.
pub(super) fn of_event(type_name: &str) -> Option<&'static [Member]> {
    Some(match type_name {
        "Event" => &[],
        "AgentExecutionStart" => &[AGENT, INPUTS],
        "AgentExecutionEnd" => &[AGENT, OUTPUTS],
        "FlowExecutionStart" => &[FLOW, INPUTS],
        "FlowExecutionEnd" => &[FLOW, OUTPUTS, BRANCH],
        "NodeExecutionStart" => &[NODE, INPUTS],
        "NodeExecutionEnd" => &[NODE, OUTPUTS, BRANCH],
        "ManagerWorkersExecutionStart" => &[MANAGERWORKERS, INPUTS],
        "ManagerWorkersExecutionEnd" => &[MANAGERWORKERS, OUTPUTS],
        "SwarmExecutionStart" => &[SWARM, INPUTS],
        "SwarmExecutionEnd" => &[SWARM, OUTPUTS],
        "ToolExecutionRequest" => &[TOOL, INPUTS, REQUEST_ID],
        "ToolExecutionResponse" => &[TOOL, OUTPUTS, REQUEST_ID],
        "ToolConfirmationRequest" => &[TOOL, REQUEST_ID, TOOL_REQUEST_ID],
        "ToolConfirmationResponse" => {
            const CONFIRMED: Member =
                json("execution_confirmed", keys::AGENTSPEC_EXECUTION_CONFIRMED);
            &[TOOL, CONFIRMED, REQUEST_ID, TOOL_REQUEST_ID]
        }
        "ToolExecutionStreamingChunkReceived" => {
            const CHUNK: Member = text("content", keys::AGENTSPEC_CONTENT);
            &[TOOL, REQUEST_ID, CHUNK]
        }
        "LlmGenerationRequest" => {
            const PROMPT: Member = json("prompt", keys::AGENTSPEC_PROMPT);
            const CONFIG: Member =
                json(LLM_GENERATION_CONFIG, keys::AGENTSPEC_LLM_GENERATION_CONFIG);
            &[LLM_CONFIG, PROMPT, TOOLS, REQUEST_ID, CONFIG]
        }
        "LlmGenerationChunkReceived" => &[
            LLM_CONFIG,
            ANSWER,
            REQUEST_ID,
            TOOL_CALLS,
            COMPLETION_ID,
            OUTPUT_TOKENS,
        ],
        "LlmGenerationResponse" => &[
            LLM_CONFIG,
            ANSWER,
            TOOL_CALLS,
            REQUEST_ID,
            COMPLETION_ID,
            INPUT_TOKENS,
            OUTPUT_TOKENS,
        ],
        "ExceptionRaised" => {
            const TYPE: Member = text("exception_type", keys::AGENTSPEC_EXCEPTION_TYPE);
            const MESSAGE: Member = text("exception_message", keys::AGENTSPEC_EXCEPTION_MESSAGE);
            const STACK: Member =
                text("exception_stacktrace", keys::AGENTSPEC_EXCEPTION_STACKTRACE);
            &[TYPE, MESSAGE, STACK]
        }
        "HumanInTheLoopRequest" | "HumanInTheLoopResponse" => {
            const CONTENT: Member = json("content", keys::AGENTSPEC_CONTENT);
            &[REQUEST_ID, CONTENT]
        }
        "StateSnapshotEmitted" => {
            const CONVERSATION: Member = text("conversation_id", keys::AGENTSPEC_CONVERSATION_ID);
            const STATE: Member = json("state_snapshot", keys::AGENTSPEC_STATE_SNAPSHOT);
            const EXTRA: Member = json("extra_state", keys::AGENTSPEC_EXTRA_STATE);
            &[CONVERSATION, STATE, EXTRA]
        }
        _ => return None,
    })
}

/// The component that an event is about.
pub(super) fn component_of(details: &EventDetails) -> Option<&Component> {
    Some(match details {
        EventDetails::AgentExecutionStart(event) => &event.agent,
        EventDetails::AgentExecutionEnd(event) => &event.agent,
        EventDetails::FlowExecutionStart(event) => &event.flow,
        EventDetails::FlowExecutionEnd(event) => &event.flow,
        EventDetails::NodeExecutionStart(event) => &event.node,
        EventDetails::NodeExecutionEnd(event) => &event.node,
        EventDetails::ManagerWorkersExecutionStart(event) => &event.managerworkers,
        EventDetails::ManagerWorkersExecutionEnd(event) => &event.managerworkers,
        EventDetails::SwarmExecutionStart(event) => &event.swarm,
        EventDetails::SwarmExecutionEnd(event) => &event.swarm,
        EventDetails::ToolExecutionRequest(event) => &event.tool,
        EventDetails::ToolExecutionResponse(event) => &event.tool,
        EventDetails::ToolConfirmationRequest(event) => &event.tool,
        EventDetails::ToolConfirmationResponse(event) => &event.tool,
        EventDetails::ToolExecutionStreamingChunkReceived(event) => &event.tool,
        EventDetails::LlmGenerationRequest(event) => &event.llm_config,
        EventDetails::LlmGenerationChunkReceived(event) => &event.llm_config,
        EventDetails::LlmGenerationResponse(event) => &event.llm_config,
        EventDetails::ExceptionRaised(_)
        | EventDetails::HumanInTheLoopRequest(_)
        | EventDetails::HumanInTheLoopResponse(_)
        | EventDetails::StateSnapshotEmitted(_)
        | EventDetails::Plain
        | EventDetails::Abridged
        | EventDetails::Other(_) => return None,
    })
}
