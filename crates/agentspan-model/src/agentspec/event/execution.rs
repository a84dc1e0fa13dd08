//! Executions of agents, flows, nodes and groups of agents: they start with inputs and end with outputs.

use crate::agentspec::{
    Agent, Flow, JsonObject, ManagerWorkers, Node, Sensitive, Swarm, dump::member_set,
};

/// The execution of an agent starts. The first event of a
/// [`AgentExecutionSpan`](crate::agentspec::AgentExecutionSpan).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentExecutionStart {
    /// The executed component.
    pub agent: Agent,
    /// The inputs: one value for each input of the component.
    pub inputs: Sensitive<JsonObject>,
}

member_set!(AgentExecutionStart { agent, inputs });

impl AgentExecutionStart {
    /// Creates the event with these inputs.
    #[must_use]
    pub fn new(agent: Agent, inputs: JsonObject) -> Self {
        Self {
            agent,
            inputs: Sensitive::new(inputs),
        }
    }
}

/// The execution of an agent ends. The last event of a
/// [`AgentExecutionSpan`](crate::agentspec::AgentExecutionSpan).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentExecutionEnd {
    /// The executed component.
    pub agent: Agent,
    /// The outputs: one value for each output of the component.
    pub outputs: Sensitive<JsonObject>,
}

member_set!(AgentExecutionEnd { agent, outputs });

impl AgentExecutionEnd {
    /// Creates the event with these outputs.
    #[must_use]
    pub fn new(agent: Agent, outputs: JsonObject) -> Self {
        Self {
            agent,
            outputs: Sensitive::new(outputs),
        }
    }
}

/// The execution of a flow starts. The first event of a
/// [`FlowExecutionSpan`](crate::agentspec::FlowExecutionSpan).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowExecutionStart {
    /// The executed component.
    pub flow: Flow,
    /// The inputs: one value for each input of the component.
    pub inputs: Sensitive<JsonObject>,
}

member_set!(FlowExecutionStart { flow, inputs });

impl FlowExecutionStart {
    /// Creates the event with these inputs.
    #[must_use]
    pub fn new(flow: Flow, inputs: JsonObject) -> Self {
        Self {
            flow,
            inputs: Sensitive::new(inputs),
        }
    }
}

/// The execution of a flow ends. The last event of a
/// [`FlowExecutionSpan`](crate::agentspec::FlowExecutionSpan).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowExecutionEnd {
    /// The executed component.
    pub flow: Flow,
    /// The outputs: one value for each output of the component.
    pub outputs: Sensitive<JsonObject>,
    /// The branch that follows.
    pub branch_selected: String,
}

member_set!(FlowExecutionEnd {
    flow,
    outputs,
    branch_selected
});

impl FlowExecutionEnd {
    /// Creates the event with these outputs and the next branch.
    #[must_use]
    pub fn new(flow: Flow, outputs: JsonObject, branch_selected: impl Into<String>) -> Self {
        Self {
            flow,
            outputs: Sensitive::new(outputs),
            branch_selected: branch_selected.into(),
        }
    }
}

/// The execution of a node starts. The first event of a
/// [`NodeExecutionSpan`](crate::agentspec::NodeExecutionSpan).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeExecutionStart {
    /// The executed component.
    pub node: Node,
    /// The inputs: one value for each input of the component.
    pub inputs: Sensitive<JsonObject>,
}

member_set!(NodeExecutionStart { node, inputs });

impl NodeExecutionStart {
    /// Creates the event with these inputs.
    #[must_use]
    pub fn new(node: Node, inputs: JsonObject) -> Self {
        Self {
            node,
            inputs: Sensitive::new(inputs),
        }
    }
}

/// The execution of a node ends. The last event of a
/// [`NodeExecutionSpan`](crate::agentspec::NodeExecutionSpan).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeExecutionEnd {
    /// The executed component.
    pub node: Node,
    /// The outputs: one value for each output of the component.
    pub outputs: Sensitive<JsonObject>,
    /// The branch that follows.
    pub branch_selected: String,
}

member_set!(NodeExecutionEnd {
    node,
    outputs,
    branch_selected
});

impl NodeExecutionEnd {
    /// Creates the event with these outputs and the next branch.
    #[must_use]
    pub fn new(node: Node, outputs: JsonObject, branch_selected: impl Into<String>) -> Self {
        Self {
            node,
            outputs: Sensitive::new(outputs),
            branch_selected: branch_selected.into(),
        }
    }
}

/// The execution of a manager with workers starts. The first event of a
/// [`ManagerWorkersExecutionSpan`](crate::agentspec::ManagerWorkersExecutionSpan).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManagerWorkersExecutionStart {
    /// The executed component.
    pub managerworkers: ManagerWorkers,
    /// The inputs: one value for each input of the component.
    pub inputs: Sensitive<JsonObject>,
}

member_set!(ManagerWorkersExecutionStart {
    managerworkers,
    inputs
});

impl ManagerWorkersExecutionStart {
    /// Creates the event with these inputs.
    #[must_use]
    pub fn new(managerworkers: ManagerWorkers, inputs: JsonObject) -> Self {
        Self {
            managerworkers,
            inputs: Sensitive::new(inputs),
        }
    }
}

/// The execution of a manager with workers ends. The last event of a
/// [`ManagerWorkersExecutionSpan`](crate::agentspec::ManagerWorkersExecutionSpan).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManagerWorkersExecutionEnd {
    /// The executed component.
    pub managerworkers: ManagerWorkers,
    /// The outputs: one value for each output of the component.
    pub outputs: Sensitive<JsonObject>,
}

member_set!(ManagerWorkersExecutionEnd {
    managerworkers,
    outputs
});

impl ManagerWorkersExecutionEnd {
    /// Creates the event with these outputs.
    #[must_use]
    pub fn new(managerworkers: ManagerWorkers, outputs: JsonObject) -> Self {
        Self {
            managerworkers,
            outputs: Sensitive::new(outputs),
        }
    }
}

/// The execution of a swarm starts. The first event of a
/// [`SwarmExecutionSpan`](crate::agentspec::SwarmExecutionSpan).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SwarmExecutionStart {
    /// The executed component.
    pub swarm: Swarm,
    /// The inputs: one value for each input of the component.
    pub inputs: Sensitive<JsonObject>,
}

member_set!(SwarmExecutionStart { swarm, inputs });

impl SwarmExecutionStart {
    /// Creates the event with these inputs.
    #[must_use]
    pub fn new(swarm: Swarm, inputs: JsonObject) -> Self {
        Self {
            swarm,
            inputs: Sensitive::new(inputs),
        }
    }
}

/// The execution of a swarm ends. The last event of a
/// [`SwarmExecutionSpan`](crate::agentspec::SwarmExecutionSpan).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SwarmExecutionEnd {
    /// The executed component.
    pub swarm: Swarm,
    /// The outputs: one value for each output of the component.
    pub outputs: Sensitive<JsonObject>,
}

member_set!(SwarmExecutionEnd { swarm, outputs });

impl SwarmExecutionEnd {
    /// Creates the event with these outputs.
    #[must_use]
    pub fn new(swarm: Swarm, outputs: JsonObject) -> Self {
        Self {
            swarm,
            outputs: Sensitive::new(outputs),
        }
    }
}
