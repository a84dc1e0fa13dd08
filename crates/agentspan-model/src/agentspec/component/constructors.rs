//! Constructors for the common components.

use super::{
    Agent, Component, ComponentValue, Flow, LlmConfig, ManagerWorkers, Node, Property, Swarm, Tool,
    reading::Head,
};
use crate::agentspec::Json;

/// A new component of a class that is known to fit.
macro_rules! component {
    ($class:literal, $name:expr $(, $member:literal = $value:expr)*) => {
        Component::builder($class, $name)
            $(.with_value($member, $value))*
            .build()
    };
}

/// The methods that all of them have.
macro_rules! with_description {
    ($($handle:ident)*) => {
        $(
            impl $handle {
                /// Sets the id. The default is a random UUID.
                ///
                /// Set a stable id to compare traces of several runs by component.
                #[must_use]
                pub fn with_id(self, id: impl Into<String>) -> Self {
                    Self(self.0.with_member("id", text(id)))
                }

                /// Sets the description.
                #[must_use]
                pub fn with_description(self, description: impl Into<String>) -> Self {
                    Self(self.0.with_member("description", text(description)))
                }
            }
        )*
    };
}

with_description! { Agent Flow Node Tool LlmConfig ManagerWorkers Swarm }

impl LlmConfig {
    /// A model of OpenAI, for instance `gpt-4o`: an `OpenAiConfig` with the name of the model as its name.
    ///
    /// ```
    /// use agentspan_model::agentspec::LlmConfig;
    ///
    /// let model = LlmConfig::openai("gpt-4o");
    /// assert_eq!(model.component_type(), "OpenAiConfig");
    /// assert_eq!(model.model_id().as_deref(), Some("gpt-4o"));
    /// ```
    #[must_use]
    pub fn openai(model_id: impl Into<String>) -> Self {
        let model_id = model_id.into();
        Self(component!(
            "OpenAiConfig",
            model_id.as_str(),
            "model_id" = text(model_id.as_str())
        ))
    }

    /// A model behind an API that is compatible with OpenAI's: an `OpenAiCompatibleConfig`.
    #[must_use]
    pub fn openai_compatible(model_id: impl Into<String>, url: impl Into<String>) -> Self {
        Self::at("OpenAiCompatibleConfig", model_id, url)
    }

    /// A model that Ollama serves: an `OllamaConfig`.
    #[must_use]
    pub fn ollama(model_id: impl Into<String>, url: impl Into<String>) -> Self {
        Self::at("OllamaConfig", model_id, url)
    }

    /// A model that vLLM serves: a `VllmConfig`.
    #[must_use]
    pub fn vllm(model_id: impl Into<String>, url: impl Into<String>) -> Self {
        Self::at("VllmConfig", model_id, url)
    }

    /// A model of any other provider: an `LlmConfig` with a provider, for instance `anthropic`.
    #[must_use]
    pub fn of_provider(provider: impl Into<String>, model_id: impl Into<String>) -> Self {
        let model_id = model_id.into();
        Self(component!(
            "LlmConfig",
            model_id.as_str(),
            "model_id" = text(model_id.as_str()),
            "provider" = text(provider)
        ))
    }

    fn at(class: &str, model_id: impl Into<String>, url: impl Into<String>) -> Self {
        let model_id = model_id.into();
        let builder = Component::builder(class, model_id.as_str());
        let builder = builder.with_text("model_id", model_id);
        Self(builder.with_text("url", url).build())
    }
}

impl Tool {
    /// A tool that runs in the process of the agent: a `ServerTool`.
    ///
    /// ```
    /// use agentspan_model::agentspec::{Property, Tool};
    ///
    /// let forecast = Tool::new("forecast")
    ///     .with_description("The weather of a city")
    ///     .with_input(Property::new("city", "string"))
    ///     .with_output(Property::new("weather", "string"));
    /// assert_eq!(forecast.inputs()[0].title(), "city");
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(component!("ServerTool", name))
    }

    /// A tool that the caller of the agent runs: a `ClientTool`.
    #[must_use]
    pub fn client(name: impl Into<String>) -> Self {
        Self(component!("ClientTool", name))
    }

    /// Adds an input.
    #[must_use]
    pub fn with_input(self, input: Property) -> Self {
        Self(self.0.with_property("inputs", input))
    }

    /// Adds an output.
    #[must_use]
    pub fn with_output(self, output: Property) -> Self {
        Self(self.0.with_property("outputs", output))
    }
}

impl Agent {
    /// An `Agent` without a model, instructions and tools.
    ///
    /// ```
    /// use agentspan_model::agentspec::{Agent, LlmConfig, Tool};
    ///
    /// let agent = Agent::new("weather agent")
    ///     .with_llm_config(LlmConfig::openai("gpt-4o"))
    ///     .with_system_prompt("You know the weather.")
    ///     .with_tool(Tool::new("forecast"));
    /// assert_eq!(agent.tools()[0].name(), "forecast");
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(component!("Agent", name))
    }

    /// Sets its model.
    #[must_use]
    pub fn with_llm_config(self, model: LlmConfig) -> Self {
        Self(self.0.with_member("llm_config", nested(model)))
    }

    /// Sets its instructions.
    #[must_use]
    pub fn with_system_prompt(self, prompt: impl Into<String>) -> Self {
        Self(self.0.with_member("system_prompt", text(prompt)))
    }

    /// Adds a tool.
    #[must_use]
    pub fn with_tool(self, tool: Tool) -> Self {
        Self(self.0.with_item("tools", nested(tool)))
    }
}

impl Flow {
    /// A flow without nodes.
    ///
    /// Traces only need the nodes. To add connections between them, which an Agent Spec runtime
    /// needs, use [`Component::builder`].
    ///
    /// ```
    /// use agentspan_model::agentspec::{Flow, LlmConfig, Node, Tool};
    ///
    /// let flow = Flow::new("weather flow")
    ///     .with_node(Node::tool_node("look up", Tool::new("forecast")))
    ///     .with_node(Node::llm_node("answer", LlmConfig::openai("gpt-4o")));
    /// assert_eq!(flow.nodes()[1].name(), "answer");
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(component!("Flow", name))
    }

    /// Adds a node.
    #[must_use]
    pub fn with_node(self, node: Node) -> Self {
        Self(self.0.with_item("nodes", nested(node)))
    }
}

impl Node {
    /// A node that executes a tool: a `ToolNode`.
    #[must_use]
    pub fn tool_node(name: impl Into<String>, tool: Tool) -> Self {
        Self(component!("ToolNode", name, "tool" = nested(tool)))
    }

    /// A node that calls a model: an `LlmNode`.
    #[must_use]
    pub fn llm_node(name: impl Into<String>, model: LlmConfig) -> Self {
        Self(component!("LlmNode", name, "llm_config" = nested(model)))
    }

    /// A node that executes an agent, or another agentic component: an `AgentNode`.
    #[must_use]
    pub fn agent_node(name: impl Into<String>, agent: impl Into<Component>) -> Self {
        Self(component!("AgentNode", name, "agent" = nested(agent)))
    }

    /// A node that executes a flow: a `FlowNode`.
    #[must_use]
    pub fn flow_node(name: impl Into<String>, flow: Flow) -> Self {
        Self(component!("FlowNode", name, "subflow" = nested(flow)))
    }
}

impl ManagerWorkers {
    /// A manager, which is an agent or another agentic component, without workers.
    #[must_use]
    pub fn new(name: impl Into<String>, manager: impl Into<Component>) -> Self {
        Self(component!(
            "ManagerWorkers",
            name,
            "group_manager" = nested(manager)
        ))
    }

    /// Adds a worker: an agent, or another agentic component.
    #[must_use]
    pub fn with_worker(self, worker: impl Into<Component>) -> Self {
        Self(self.0.with_item("workers", nested(worker)))
    }
}

impl Swarm {
    /// A swarm with its first agent, or another agentic component.
    #[must_use]
    pub fn new(name: impl Into<String>, first_agent: impl Into<Component>) -> Self {
        Self(component!(
            "Swarm",
            name,
            "first_agent" = nested(first_agent)
        ))
    }

    /// Allows `caller` to call `called`.
    #[must_use]
    pub fn with_relationship(
        self,
        caller: impl Into<Component>,
        called: impl Into<Component>,
    ) -> Self {
        let pair = ComponentValue::List(vec![nested(caller), nested(called)]);
        Self(self.0.with_item("relationships", pair))
    }
}

impl Component {
    /// The same component with a member added, or another value for it. Others that share it keep theirs.
    fn with_member(self, name: &str, value: ComponentValue) -> Self {
        let mut members = self.0.members.clone();
        match members.iter_mut().find(|(member, _)| **member == *name) {
            Some((_, old)) => *old = value,
            None => {
                // The class comes last, as in the dumps of `pyagentspec`.
                let class = members.len().saturating_sub(1);
                members.insert(class, (name.into(), value));
            }
        }
        let said = |name: &str| {
            let found = members.iter().find(|(member, _)| **member == *name);
            match &found?.1 {
                ComponentValue::Json(json) => json.to::<Option<String>>().ok().flatten(),
                _ => None,
            }
        };
        let head = Head {
            component_type: self.0.component_type.clone(),
            id: said("id").unwrap_or_default().into(),
            name: self.0.name.clone(),
            description: said("description").map(Into::into),
        };
        Self::assemble(head, members)
    }

    /// The same component with an item more in a list of components.
    fn with_item(self, name: &str, item: ComponentValue) -> Self {
        let mut items = match self.member(name) {
            Some(ComponentValue::List(items)) => items.clone(),
            _ => Vec::new(),
        };
        items.push(item);
        self.with_member(name, ComponentValue::List(items))
    }

    /// The same component with an input or output more than those it says.
    fn with_property(self, name: &str, property: Property) -> Self {
        let mut properties: Vec<Property> = match self.member(name) {
            Some(ComponentValue::Json(json)) => json.to().unwrap_or_default(),
            _ => Vec::new(),
        };
        properties.push(property);
        // Schemas are JSON already, so writing a list of them does not fail.
        match Json::from_serialize(&properties) {
            Ok(json) => self.with_member(name, ComponentValue::Json(json)),
            Err(_) => self,
        }
    }
}

fn text(text: impl Into<String>) -> ComponentValue {
    ComponentValue::Json(Json::from(serde_json::Value::String(text.into())))
}

fn nested(component: impl Into<Component>) -> ComponentValue {
    ComponentValue::Component(component.into())
}
