//! Events, made from specs through the public API.

use agentspan_model::agentspec::{
    AgentExecutionEnd, AgentExecutionStart, Event, EventDetails, ExceptionRaised, FlowExecutionEnd,
    FlowExecutionStart, HumanInTheLoopRequest, HumanInTheLoopResponse, Id,
    LlmGenerationChunkReceived, LlmGenerationRequest, LlmGenerationResponse,
    ManagerWorkersExecutionEnd, ManagerWorkersExecutionStart, NodeExecutionEnd, NodeExecutionStart,
    StateSnapshotEmitted, SwarmExecutionEnd, SwarmExecutionStart, ToolConfirmationRequest,
    ToolConfirmationResponse, ToolExecutionRequest, ToolExecutionResponse,
    ToolExecutionStreamingChunkReceived,
};

use super::{Components, Fields};
use crate::{Failure, Json};

/// The event of a spec, of which the reference made the dump.
pub(in crate::runners) fn event_of(
    spec: &Json,
    dump: Option<&Json>,
    components: &Components,
) -> Result<Event, Failure> {
    let mut fields = Fields::of_class("Event", spec, components)?.made_up_in(dump);
    let id = fields.id()?;
    let timestamp = fields.time_of_event()?;
    let name = fields.name()?;
    let description = fields.optional_string("description")?;
    let metadata = fields.object("metadata")?;
    let details = details_of(&mut fields)?;
    fields.finish()?;
    let event = Event::new(id, timestamp, details)
        .with_description(description.unwrap_or_default())
        .with_metadata(metadata);
    Ok(match name {
        Some(name) => event.with_name(name),
        None => event,
    })
}

fn details_of(f: &mut Fields<'_>) -> Result<EventDetails, Failure> {
    Ok(match f.class() {
        "Event" => EventDetails::Plain,
        "AgentExecutionStart" => {
            AgentExecutionStart::new(f.component("agent")?, f.object("inputs")?).into()
        }
        "AgentExecutionEnd" => {
            AgentExecutionEnd::new(f.component("agent")?, f.object("outputs")?).into()
        }
        "FlowExecutionStart" => {
            FlowExecutionStart::new(f.component("flow")?, f.object("inputs")?).into()
        }
        "FlowExecutionEnd" => {
            let (flow, outputs) = (f.component("flow")?, f.object("outputs")?);
            FlowExecutionEnd::new(flow, outputs, f.string("branch_selected")?).into()
        }
        "NodeExecutionStart" => {
            NodeExecutionStart::new(f.component("node")?, f.object("inputs")?).into()
        }
        "NodeExecutionEnd" => {
            let (node, outputs) = (f.component("node")?, f.object("outputs")?);
            NodeExecutionEnd::new(node, outputs, f.string("branch_selected")?).into()
        }
        "ManagerWorkersExecutionStart" => {
            ManagerWorkersExecutionStart::new(f.component("managerworkers")?, f.object("inputs")?)
                .into()
        }
        "ManagerWorkersExecutionEnd" => {
            ManagerWorkersExecutionEnd::new(f.component("managerworkers")?, f.object("outputs")?)
                .into()
        }
        "SwarmExecutionStart" => {
            SwarmExecutionStart::new(f.component("swarm")?, f.object("inputs")?).into()
        }
        "SwarmExecutionEnd" => {
            SwarmExecutionEnd::new(f.component("swarm")?, f.object("outputs")?).into()
        }
        "ExceptionRaised" => {
            let raised =
                ExceptionRaised::new(f.string("exception_type")?, f.string("exception_message")?);
            let stacktrace = f.optional_string("exception_stacktrace")?;
            raised
                .with_stacktrace(stacktrace.unwrap_or_default())
                .into()
        }
        "HumanInTheLoopRequest" => {
            HumanInTheLoopRequest::new(f.string("request_id")?, f.object("content")?).into()
        }
        "HumanInTheLoopResponse" => {
            HumanInTheLoopResponse::new(f.string("request_id")?, f.object("content")?).into()
        }
        "StateSnapshotEmitted" => snapshot_of(f)?.into(),
        class if class.starts_with("Llm") => llm_details_of(f)?,
        class if class.starts_with("Tool") => tool_details_of(f)?,
        class => return Err(format!("no event of the class {class}").into()),
    })
}

fn snapshot_of(f: &mut Fields<'_>) -> Result<StateSnapshotEmitted, Failure> {
    let conversation_id = f.string("conversation_id")?;
    let extra_state = f.optional_object("extra_state")?;
    match (f.optional_object("state_snapshot")?, extra_state) {
        (Some(state), None) => Ok(StateSnapshotEmitted::new(conversation_id, state)),
        (Some(state), Some(extra)) => {
            Ok(StateSnapshotEmitted::new(conversation_id, state).with_extra_state(extra))
        }
        (None, Some(extra)) => Ok(StateSnapshotEmitted::of_extra_state(conversation_id, extra)),
        (None, None) => Err("no constructor makes a snapshot of nothing".into()),
    }
}

fn tool_details_of(f: &mut Fields<'_>) -> Result<EventDetails, Failure> {
    let tool = f.component("tool")?;
    let request_id = f.string("request_id")?;
    Ok(match f.class() {
        "ToolExecutionRequest" => {
            ToolExecutionRequest::new(tool, f.object("inputs")?, request_id).into()
        }
        "ToolExecutionResponse" => {
            ToolExecutionResponse::new(tool, f.object("outputs")?, request_id).into()
        }
        "ToolExecutionStreamingChunkReceived" => {
            ToolExecutionStreamingChunkReceived::new(tool, request_id, f.string("content")?).into()
        }
        "ToolConfirmationRequest" => {
            let mut request = ToolConfirmationRequest::new(tool, request_id);
            if let Some(id) = f.optional_string("tool_execution_request_id")? {
                request = request.with_tool_execution_request_id(id);
            }
            request.into()
        }
        "ToolConfirmationResponse" => {
            let mut response = if f.boolean("execution_confirmed")? {
                ToolConfirmationResponse::confirmed(tool, request_id)
            } else {
                ToolConfirmationResponse::rejected(tool, request_id)
            };
            if let Some(id) = f.optional_string("tool_execution_request_id")? {
                response = response.with_tool_execution_request_id(id);
            }
            response.into()
        }
        class => return Err(format!("no event of the class {class}").into()),
    })
}

fn llm_details_of(f: &mut Fields<'_>) -> Result<EventDetails, Failure> {
    let llm_config = f.component("llm_config")?;
    let request_id = f.string("request_id")?;
    Ok(match f.class() {
        "LlmGenerationRequest" => {
            let mut request =
                LlmGenerationRequest::new(llm_config, f.messages("prompt")?, request_id)
                    .with_tools(f.component_list("tools")?);
            if let Some(config) = f.generation_config("llm_generation_config")? {
                request = request.with_llm_generation_config(config);
            }
            request.into()
        }
        "LlmGenerationChunkReceived" => {
            let mut chunk = LlmGenerationChunkReceived::new(llm_config, request_id)
                .with_tool_calls(f.tool_calls("tool_calls")?);
            if let Some(content) = f.optional_string("content")? {
                chunk = chunk.with_content(content);
            }
            chunk.completion_id = f.optional_string("completion_id")?.map(Id::from);
            chunk.output_tokens = f.integer("output_tokens")?;
            chunk.into()
        }
        "LlmGenerationResponse" => {
            let mut response = LlmGenerationResponse::new(llm_config, request_id)
                .with_tool_calls(f.tool_calls("tool_calls")?);
            if let Some(content) = f.optional_string("content")? {
                response = response.with_content(content);
            }
            response.completion_id = f.optional_string("completion_id")?.map(Id::from);
            response.input_tokens = f.integer("input_tokens")?;
            response.output_tokens = f.integer("output_tokens")?;
            response.into()
        }
        class => return Err(format!("no event of the class {class}").into()),
    })
}
