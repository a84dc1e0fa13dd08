//! The components of the assistant: an agent, a flow of two nodes, a tool and a model.

use agentspan_model::agentspec::{Agent, Flow, LlmConfig, Node, Property, Tool};

/// What an Agent Spec document would describe.
pub(crate) struct Assistant {
    pub(crate) agent: Agent,
    pub(crate) flow: Flow,
    pub(crate) look_up: Node,
    pub(crate) answer: Node,
    pub(crate) tool: Tool,
    pub(crate) model: LlmConfig,
}

impl Assistant {
    pub(crate) fn new() -> Self {
        let model = LlmConfig::openai("gpt-4o");
        let tool = Tool::new("forecast")
            .with_description("The weather of a city")
            .with_input(Property::new("city", "string"))
            .with_output(Property::new("weather", "string"));
        let look_up = Node::tool_node("look up", tool.clone());
        let answer = Node::llm_node("answer", model.clone());
        Self {
            agent: Agent::new("weather agent")
                .with_llm_config(model.clone())
                .with_tool(tool.clone()),
            flow: Flow::new("weather flow")
                .with_node(look_up.clone())
                .with_node(answer.clone()),
            look_up,
            answer,
            tool,
            model,
        }
    }
}
