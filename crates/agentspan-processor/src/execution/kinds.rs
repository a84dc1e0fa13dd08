//! The span and the events of each kind of component.

use std::sync::OnceLock;

use agentspan_model::agentspec::{
    Agent, AgentExecutionEnd, AgentExecutionSpan, AgentExecutionStart, Component, EventDetails,
    Flow, FlowExecutionEnd, FlowExecutionSpan, FlowExecutionStart, Id, JsonObject, ManagerWorkers,
    ManagerWorkersExecutionEnd, ManagerWorkersExecutionSpan, ManagerWorkersExecutionStart, Node,
    NodeExecutionEnd, NodeExecutionSpan, NodeExecutionStart, SpanDetails, Swarm, SwarmExecutionEnd,
    SwarmExecutionSpan, SwarmExecutionStart, Tool, ToolExecutionRequest, ToolExecutionResponse,
    ToolExecutionSpan,
};

/// The facts that some of the events state besides inputs and outputs.
#[derive(Debug, Default)]
#[expect(unnameable_types, reason = "seals `Executable`")]
pub struct Facts {
    request_id: OnceLock<Id>,
    branch: Option<String>,
}

impl Facts {
    pub(super) fn set_request_id(&mut self, request_id: Id) {
        self.request_id = request_id.into();
    }

    pub(super) fn set_branch(&mut self, branch: String) {
        self.branch = Some(branch);
    }

    /// The same each time it is asked for: it joins two events.
    fn request_id(&self) -> Id {
        self.request_id.get_or_init(Id::random).clone()
    }

    /// `next` unless another one was set, as in Agent Spec.
    fn branch(&self) -> &str {
        self.branch.as_deref().unwrap_or("next")
    }
}

/// A kind of component: the span of its executions, and their first and last event.
#[expect(unnameable_types, reason = "seals `Executable`")]
pub trait Kind: Clone {
    fn as_component(&self) -> &Component;
    fn details(&self) -> SpanDetails;
    fn started(&self, inputs: JsonObject, facts: &Facts) -> EventDetails;
    fn ended(&self, outputs: JsonObject, facts: &Facts) -> EventDetails;
}

macro_rules! kind {
    ($component:ident: $span:ident, $start:ident($($of_start:ident)?), $end:ident($($of_end:ident)?)) => {
        impl Kind for $component {
            fn as_component(&self) -> &Component {
                self
            }

            fn details(&self) -> SpanDetails {
                $span::new(self.clone()).into()
            }

            fn started(&self, inputs: JsonObject, _facts: &Facts) -> EventDetails {
                $start::new(self.clone(), inputs $(, _facts.$of_start())?).into()
            }

            fn ended(&self, outputs: JsonObject, _facts: &Facts) -> EventDetails {
                $end::new(self.clone(), outputs $(, _facts.$of_end())?).into()
            }
        }
    };
}

kind!(Agent: AgentExecutionSpan, AgentExecutionStart(), AgentExecutionEnd());
kind!(Flow: FlowExecutionSpan, FlowExecutionStart(), FlowExecutionEnd(branch));
kind!(Node: NodeExecutionSpan, NodeExecutionStart(), NodeExecutionEnd(branch));
kind!(Tool: ToolExecutionSpan, ToolExecutionRequest(request_id), ToolExecutionResponse(request_id));
kind!(Swarm: SwarmExecutionSpan, SwarmExecutionStart(), SwarmExecutionEnd());
kind!(
    ManagerWorkers: ManagerWorkersExecutionSpan,
    ManagerWorkersExecutionStart(),
    ManagerWorkersExecutionEnd()
);
