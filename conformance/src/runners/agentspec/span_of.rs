//! Spans, made from specs through the public API.

use agentspan_model::agentspec::{
    AgentExecutionSpan, FlowExecutionSpan, LlmGenerationSpan, ManagerWorkersExecutionSpan,
    NodeExecutionSpan, Span, SpanDetails, SwarmExecutionSpan, ToolExecutionSpan,
};

use super::{Components, Fields, event_of};
use crate::{Failure, Json};

/// The span of a spec, with events that are added to it later, of which the reference made the dump.
pub(in crate::runners) fn span_of(
    spec: &Json,
    added_events: &[Json],
    dump: Option<&Json>,
    components: &Components,
) -> Result<Span, Failure> {
    let mut fields = Fields::of(spec, components)?.made_up_in(dump);
    let id = fields.id()?;
    let name = fields.name()?;
    let description = fields.optional_string("description")?;
    let metadata = fields.object("metadata")?;
    let start_time = fields.timestamp("start_time")?;
    let end_time = fields.timestamp("end_time")?;
    let events = fields.list("events")?;
    let details = details_of(&mut fields)?;
    fields.finish()?;
    let mut span = Span::new(id, details)
        .with_description(description.unwrap_or_default())
        .with_metadata(metadata);
    if let Some(name) = name {
        span = span.with_name(name);
    }
    span.start_time = start_time;
    span.end_time = end_time;
    let dumps = dump.and_then(|dump| dump.member("events")?.as_array());
    let mut dumps = dumps.unwrap_or_default().iter();
    for event in events.iter().chain(added_events) {
        span = span.with_event(event_of(event, dumps.next(), components)?);
    }
    Ok(span)
}

fn details_of(f: &mut Fields<'_>) -> Result<SpanDetails, Failure> {
    Ok(match f.class() {
        "Span" => SpanDetails::Plain,
        "RootSpan" => SpanDetails::Root,
        "AgentExecutionSpan" => AgentExecutionSpan::new(f.component("agent")?).into(),
        "FlowExecutionSpan" => FlowExecutionSpan::new(f.component("flow")?).into(),
        "LlmGenerationSpan" => LlmGenerationSpan::new(f.component("llm_config")?).into(),
        "ManagerWorkersExecutionSpan" => {
            ManagerWorkersExecutionSpan::new(f.component("managerworkers")?).into()
        }
        "NodeExecutionSpan" => NodeExecutionSpan::new(f.component("node")?).into(),
        "SwarmExecutionSpan" => SwarmExecutionSpan::new(f.component("swarm")?).into(),
        "ToolExecutionSpan" => ToolExecutionSpan::new(f.component("tool")?).into(),
        class => return Err(format!("no span of the class {class}").into()),
    })
}
