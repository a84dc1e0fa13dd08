//! The details of each type of span.

use std::{borrow::Cow, fmt};

use serde::ser::SerializeMap;

use crate::agentspec::{
    Agent, ComponentValue, Detail, Flow, LlmConfig, ManagerWorkers, Node, Sensitive, Swarm, Tool,
    detail::View,
    dump::{MemberSet, member_set},
    held::Held,
    reader::{Members, Reader},
    unknown_members::UnknownMembers,
};

/// Declares the types of spans that execute a component.
macro_rules! span_details {
    ($($(#[$doc:meta])* $name:ident { $(#[$member_doc:meta])* $member:ident: $component:ident })*) => {
        /// The details of a span, which also determine its type.
        ///
        /// The types are those of `pyagentspec.tracing.spans` 26.3.1.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum SpanDetails {
            /// A span of the type `Span`, which has no details.
            Plain,
            /// A span of the type `RootSpan`: it covers a whole trace.
            Root,
            $($(#[$doc])* $name($name),)*
            /// A span of a type that this crate does not know. Reads and writes without loss.
            Other(OtherSpan),
        }

        impl SpanDetails {
            /// The name of the type.
            #[must_use]
            pub fn type_name(&self) -> &str {
                match self {
                    Self::Other(other) => &other.type_name,
                    known => known.known_type_name().unwrap_or_default(),
                }
            }

            /// The name of the type, if it is one that this crate knows.
            #[must_use]
            pub fn known_type_name(&self) -> Option<&'static str> {
                match self {
                    Self::Plain => Some(PLAIN),
                    Self::Root => Some(ROOT),
                    $(Self::$name(_) => Some(stringify!($name)),)*
                    Self::Other(_) => None,
                }
            }

            /// The executed component. `None` for types that have none.
            #[must_use]
            pub fn component(&self) -> Option<&crate::agentspec::Component> {
                match self {
                    Self::Plain | Self::Root | Self::Other(_) => None,
                    $(Self::$name(details) => Some(&details.$member),)*
                }
            }

            /// The default name of the span.
            pub(super) fn default_name(&self) -> Cow<'static, str> {
                match self.known_type_name() {
                    Some(known) => known.into(),
                    None => self.type_name().to_owned().into(),
                }
            }

            pub(super) fn read<'a>(
                type_name: &str,
                members: &mut Members<'a>,
                reader: &mut Reader<'a>,
            ) -> Option<Self> {
                match type_name {
                    PLAIN => Some(Self::Plain),
                    ROOT => Some(Self::Root),
                    $(
                        stringify!($name) => $name::read_members(members, reader).map(Self::$name),
                    )*
                    other => Some(Self::Other(OtherSpan {
                        type_name: other.to_owned(),
                        members: UnknownMembers::rest_of(members, reader),
                    })),
                }
            }

            pub(super) fn write<M: SerializeMap>(
                &self,
                map: &mut M,
                view: View,
            ) -> Result<(), M::Error> {
                match self {
                    Self::Plain | Self::Root => Ok(()),
                    $(Self::$name(details) => details.write_members(map, view),)*
                    Self::Other(other) => other.members.write_members(map, view),
                }
            }

            /// The approximate memory in bytes.
            pub(in crate::agentspec) fn held_bytes(&self) -> usize {
                match self {
                    Self::Plain | Self::Root => 0,
                    $(Self::$name(details) => Held::held_bytes(details),)*
                    Self::Other(other) => other.type_name.capacity() + other.members.held_bytes(),
                }
            }

            pub(super) fn masked(&self, detail: Detail) -> Self {
                match self {
                    Self::Plain => Self::Plain,
                    Self::Root => Self::Root,
                    $(Self::$name(details) => Self::$name(MemberSet::masked(details, detail)),)*
                    Self::Other(other) => Self::Other(OtherSpan {
                        type_name: other.type_name.clone(),
                        members: other.members.masked(detail),
                    }),
                }
            }
        }

        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq)]
            #[non_exhaustive]
            pub struct $name {
                $(#[$member_doc])*
                pub $member: $component,
            }

            member_set!($name { $member });

            impl $name {
                /// The details of a span of this type.
                #[must_use]
                pub fn new($member: $component) -> Self {
                    Self { $member }
                }
            }

            impl From<$name> for SpanDetails {
                fn from(details: $name) -> Self {
                    Self::$name(details)
                }
            }
        )*
    };
}

/// The name of the base type.
const PLAIN: &str = "Span";

/// The name of the type of root spans.
const ROOT: &str = "RootSpan";

span_details! {
    /// An agent is executed. Spans of its agents, if it has any, are nested in this one.
    AgentExecutionSpan {
        /// The agent.
        agent: Agent
    }
    /// A flow is executed, from its start node to one of its end nodes.
    FlowExecutionSpan {
        /// The flow.
        flow: Flow
    }
    /// A generation of a model, from the request to the complete answer.
    LlmGenerationSpan {
        /// The model.
        llm_config: LlmConfig
    }
    /// A manager with workers is executed.
    ManagerWorkersExecutionSpan {
        /// The manager with its workers.
        managerworkers: ManagerWorkers
    }
    /// A node of a flow is executed.
    NodeExecutionSpan {
        /// The node.
        node: Node
    }
    /// A swarm is executed.
    SwarmExecutionSpan {
        /// The swarm.
        swarm: Swarm
    }
    /// A tool is executed. Client tools only have events, no span.
    ToolExecutionSpan {
        /// The tool.
        tool: Tool
    }
}

/// A span of a type that this crate does not know.
///
/// It is unknown which of its members are sensitive, so a masked dump masks all of them, except
/// components.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherSpan {
    /// The name of the type.
    pub type_name: String,
    members: UnknownMembers,
}

impl OtherSpan {
    /// The names of its members, without the common fields of spans.
    pub fn member_names(&self) -> impl Iterator<Item = &str> {
        self.members.names()
    }

    /// A member by its name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Sensitive<&ComponentValue>> {
        self.members.get(name).map(Sensitive::new)
    }
}

/// Shows the type and the names of members.
impl fmt::Debug for OtherSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(&self.type_name)
            .field("members", &self.members)
            .finish()
    }
}
