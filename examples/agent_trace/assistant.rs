//! The components of the assistant: an agent with a flow of two nodes, a tool and a model.

use agentspan_model::agentspec::{
    Agent, Component, Flow, LlmConfig, Node, Tool, WrongComponentError,
};

/// What an Agent Spec document would describe.
pub(crate) struct Assistant {
    pub(crate) agent: Agent,
    pub(crate) flow: Flow,
    pub(crate) tool: Tool,
    pub(crate) model: LlmConfig,
    nodes: Vec<Component>,
}

impl Assistant {
    pub(crate) fn new() -> Result<Self, WrongComponentError> {
        let model = Component::builder("OpenAiConfig", "main model")
            .with_text("model_id", "gpt-4o")
            .build();
        let tool = Component::builder("ServerTool", "forecast")
            .with_description("The weather of a city")
            .build();
        let nodes = vec![
            Component::builder("ToolNode", "look up")
                .with_component("tool", tool.clone())
                .build(),
            Component::builder("LlmNode", "answer")
                .with_component("llm_config", model.clone())
                .build(),
        ];
        let flow = Component::builder("Flow", "weather flow")
            .with_components("nodes", nodes.clone())
            .build();
        let agent = Component::builder("Agent", "weather agent")
            .with_component("llm_config", model.clone())
            .with_components("tools", [tool.clone()])
            .build();
        Ok(Self {
            agent: agent.try_into()?,
            flow: flow.try_into()?,
            tool: tool.try_into()?,
            model: model.try_into()?,
            nodes,
        })
    }

    pub(crate) fn node(&self, name: &str) -> Result<Node, String> {
        let found = self.nodes.iter().find(|node| node.name() == name);
        let node = found.ok_or_else(|| format!("no node {name:?}"))?;
        Node::try_from(node.clone()).map_err(|error| error.to_string())
    }

    /// What the model says, piece by piece.
    pub(crate) fn streams(&self) -> impl Iterator<Item = &'static str> {
        ["It is ", "sunny ", "in Zürich."].into_iter()
    }
}
