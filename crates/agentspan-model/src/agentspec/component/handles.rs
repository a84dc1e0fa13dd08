//! Components of a known kind, with accessors for each kind.

use std::ops::Deref;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Component, ComponentValue};
use crate::agentspec::{
    ProblemKind,
    reader::{ReadValue, Reader},
};

/// A component has a known class, but not the expected one.
///
/// A component of an unknown class, such as a plugin's, fits any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrongComponentError {
    /// The expected class or base class.
    pub expected: &'static str,
    /// The component's class.
    pub found: String,
}

impl std::fmt::Display for WrongComponentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            found, expected, ..
        } = self;
        write!(
            f,
            "a component of the type {found} is not of the type {expected}"
        )
    }
}

impl std::error::Error for WrongComponentError {}

/// Declares a kind of component: a newtype that only holds components of one class and its subclasses.
macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Has all methods of [`Component`]. A component of a class that is not known may be one too.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub(super) Component);

        impl TryFrom<Component> for $name {
            type Error = WrongComponentError;

            fn try_from(component: Component) -> Result<Self, WrongComponentError> {
                if component.is_a(stringify!($name)) == Some(false) {
                    return Err(WrongComponentError {
                        expected: stringify!($name),
                        found: component.component_type().to_owned(),
                    });
                }
                Ok(Self(component))
            }
        }

        impl From<$name> for Component {
            fn from(handle: $name) -> Self {
                handle.0
            }
        }

        impl Deref for $name {
            type Target = Component;

            fn deref(&self) -> &Component {
                &self.0
            }
        }

        impl ReadValue for $name {
            fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
                let component = reader.component(raw)?;
                match Self::try_from(component) {
                    Ok(handle) => Some(handle),
                    Err(WrongComponentError { expected, found }) => {
                        reader.refuse(ProblemKind::WrongComponent { expected, found })
                    }
                }
            }
        }
    };
}

handle! {
    /// An agent.
    Agent
}

handle! {
    /// A flow: nodes and the edges between them.
    Flow
}

handle! {
    /// A node of a flow.
    Node
}

handle! {
    /// A tool.
    Tool
}

handle! {
    /// The configuration of a language model.
    LlmConfig
}

handle! {
    /// A manager with workers.
    ManagerWorkers
}

handle! {
    /// A swarm of agents that hand tasks over to each other.
    Swarm
}

impl Agent {
    /// The configuration of its model.
    #[must_use]
    pub fn llm_config(&self) -> Option<LlmConfig> {
        kind(self.component("llm_config")?)
    }

    /// Its tools, without the tools of toolboxes.
    #[must_use]
    pub fn tools(&self) -> Vec<Tool> {
        self.components("tools")
            .into_iter()
            .filter_map(kind)
            .collect()
    }

    /// Its toolboxes.
    #[must_use]
    pub fn toolboxes(&self) -> Vec<&Component> {
        self.components("toolboxes")
    }
}

impl Flow {
    /// The start node.
    #[must_use]
    pub fn start_node(&self) -> Option<Node> {
        kind(self.component("start_node")?)
    }

    /// Its nodes.
    #[must_use]
    pub fn nodes(&self) -> Vec<Node> {
        self.components("nodes")
            .into_iter()
            .filter_map(kind)
            .collect()
    }
}

impl Node {
    /// The model, if it is an `LlmNode`.
    #[must_use]
    pub fn llm_config(&self) -> Option<LlmConfig> {
        kind(self.component("llm_config")?)
    }

    /// The tool, if it is a `ToolNode`.
    #[must_use]
    pub fn tool(&self) -> Option<Tool> {
        kind(self.component("tool")?)
    }

    /// The agent, swarm or other agentic component, if it is an `AgentNode`.
    #[must_use]
    pub fn agent(&self) -> Option<&Component> {
        self.component("agent")
    }

    /// The flow, if it is a `FlowNode`, a `MapNode` or another node with one flow.
    #[must_use]
    pub fn subflow(&self) -> Option<Flow> {
        kind(self.component("subflow")?)
    }
}

impl LlmConfig {
    /// The provider's name of the model.
    #[must_use]
    pub fn model_id(&self) -> Option<String> {
        self.text("model_id")
    }

    /// The provider of the model, if the configuration names one.
    #[must_use]
    pub fn provider(&self) -> Option<String> {
        self.text("provider")
    }
}

impl ManagerWorkers {
    /// The manager: an agent, or another agentic component.
    #[must_use]
    pub fn group_manager(&self) -> Option<&Component> {
        self.component("group_manager")
    }

    /// The workers: agents, or other agentic components.
    #[must_use]
    pub fn workers(&self) -> Vec<&Component> {
        self.components("workers")
    }
}

impl Swarm {
    /// The first agent, or another agentic component.
    #[must_use]
    pub fn first_agent(&self) -> Option<&Component> {
        self.component("first_agent")
    }

    /// The pairs of caller and called agents.
    #[must_use]
    pub fn relationships(&self) -> Vec<(&Component, &Component)> {
        let Some(ComponentValue::List(relationships)) = self.member("relationships") else {
            return Vec::new();
        };
        relationships.iter().filter_map(pair).collect()
    }
}

/// A nested component as the kind that its place asks for.
fn kind<T: TryFrom<Component>>(component: &Component) -> Option<T> {
    T::try_from(component.clone()).ok()
}

/// Two components in a list.
fn pair(value: &ComponentValue) -> Option<(&Component, &Component)> {
    let ComponentValue::List(values) = value else {
        return None;
    };
    match values.as_slice() {
        [
            ComponentValue::Component(one),
            ComponentValue::Component(two),
        ] => Some((one, two)),
        _ => None,
    }
}
