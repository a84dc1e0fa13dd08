//! The details of each type of event.

use std::{borrow::Cow, fmt};

use serde::ser::SerializeMap;

use super::{
    AgentExecutionEnd, AgentExecutionStart, ExceptionRaised, FlowExecutionEnd, FlowExecutionStart,
    HumanInTheLoopRequest, HumanInTheLoopResponse, LlmGenerationChunkReceived,
    LlmGenerationRequest, LlmGenerationResponse, ManagerWorkersExecutionEnd,
    ManagerWorkersExecutionStart, NodeExecutionEnd, NodeExecutionStart, StateSnapshotEmitted,
    SwarmExecutionEnd, SwarmExecutionStart, ToolConfirmationRequest, ToolConfirmationResponse,
    ToolExecutionRequest, ToolExecutionResponse, ToolExecutionStreamingChunkReceived,
};
use crate::agentspec::{
    ComponentValue, Detail, ProblemKind, Sensitive,
    detail::View,
    dump::MemberSet,
    held::Held,
    reader::{Members, Reader},
    unknown_members::UnknownMembers,
};

/// Declares the enum of details and what depends on the list of its types.
macro_rules! event_details {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The details of an event, which also determine its type.
        ///
        /// The types are those of `pyagentspec.tracing.events` 26.3.1.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum EventDetails {
            /// An event of the type `Event`, which has no details.
            Plain,
            /// An event of an unknown type, from a dump of a span of the reference, which only
            /// keeps the common fields of events.
            Abridged,
            $($(#[$doc])* $name($name),)*
            /// An event of a type that this crate does not know. Reads and writes without loss.
            Other(OtherEvent),
        }

        impl EventDetails {
            /// The name of the type. `None` if it is [abridged](Self::Abridged).
            #[must_use]
            pub fn type_name(&self) -> Option<&str> {
                match self {
                    Self::Other(other) => Some(&other.type_name),
                    known => known.known_type_name(),
                }
            }

            /// The name of the type, if it is one that this crate knows.
            #[must_use]
            pub fn known_type_name(&self) -> Option<&'static str> {
                match self {
                    Self::Plain => Some(PLAIN),
                    $(Self::$name(_) => Some(stringify!($name)),)*
                    Self::Abridged | Self::Other(_) => None,
                }
            }

            /// The default name of the event.
            pub(super) fn default_name(&self) -> Cow<'static, str> {
                match self.known_type_name() {
                    Some(known) => known.into(),
                    None => self.type_name().unwrap_or_default().to_owned().into(),
                }
            }

            pub(super) fn read<'a>(
                type_name: Option<&str>,
                members: &mut Members<'a>,
                reader: &mut Reader<'a>,
            ) -> Option<Self> {
                match type_name {
                    None => Some(Self::Abridged),
                    Some(PLAIN) => Some(Self::Plain),
                    $(
                        Some(stringify!($name)) => {
                            $name::read_members(members, reader).map(Self::$name)
                        }
                    )*
                    Some(other) => Some(Self::Other(OtherEvent {
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
                    Self::Plain | Self::Abridged => Ok(()),
                    $(Self::$name(details) => details.write_members(map, view),)*
                    Self::Other(other) => other.members.write_members(map, view),
                }
            }

            /// The approximate memory in bytes.
            pub(in crate::agentspec) fn held_bytes(&self) -> usize {
                match self {
                    Self::Plain | Self::Abridged => 0,
                    $(Self::$name(details) => Held::held_bytes(details),)*
                    Self::Other(other) => other.type_name.capacity() + other.members.held_bytes(),
                }
            }

            pub(super) fn masked(&self, detail: Detail) -> Self {
                match self {
                    Self::Plain => Self::Plain,
                    Self::Abridged => Self::Abridged,
                    $(Self::$name(details) => Self::$name(MemberSet::masked(details, detail)),)*
                    Self::Other(other) => Self::Other(OtherEvent {
                        type_name: other.type_name.clone(),
                        members: other.members.masked(detail),
                    }),
                }
            }
        }

        $(
            impl From<$name> for EventDetails {
                fn from(details: $name) -> Self {
                    Self::$name(details)
                }
            }
        )*
    };
}

/// The name of the base type.
const PLAIN: &str = "Event";

event_details! {
    /// The execution of an agent starts.
    AgentExecutionStart,
    /// The execution of an agent ends.
    AgentExecutionEnd,
    /// The execution of a flow starts.
    FlowExecutionStart,
    /// The execution of a flow ends.
    FlowExecutionEnd,
    /// The execution of a node starts.
    NodeExecutionStart,
    /// The execution of a node ends.
    NodeExecutionEnd,
    /// The execution of a tool is requested.
    ToolExecutionRequest,
    /// A tool has returned its result.
    ToolExecutionResponse,
    /// A confirmation of the execution of a tool is requested.
    ToolConfirmationRequest,
    /// The execution of a tool is confirmed or refused.
    ToolConfirmationResponse,
    /// A tool has sent a part of its result.
    ToolExecutionStreamingChunkReceived,
    /// A model is requested to generate.
    LlmGenerationRequest,
    /// A model has sent a chunk of its answer.
    LlmGenerationChunkReceived,
    /// A model has answered.
    LlmGenerationResponse,
    /// The execution of a manager with workers starts.
    ManagerWorkersExecutionStart,
    /// The execution of a manager with workers ends.
    ManagerWorkersExecutionEnd,
    /// The execution of a swarm starts.
    SwarmExecutionStart,
    /// The execution of a swarm ends.
    SwarmExecutionEnd,
    /// An operation failed.
    ExceptionRaised,
    /// A person is requested to step in.
    HumanInTheLoopRequest,
    /// A person has stepped in.
    HumanInTheLoopResponse,
    /// A snapshot of a runtime's state.
    StateSnapshotEmitted,
}

impl EventDetails {
    /// Checks the members together. The reference does so, too, only when each member by itself is
    /// right.
    pub(super) fn check(&self) -> Result<(), ProblemKind> {
        match self {
            Self::StateSnapshotEmitted(snapshot) if snapshot.is_empty() => {
                Err(ProblemKind::EmptySnapshot)
            }
            _ => Ok(()),
        }
    }
}

/// An event of a type that this crate does not know.
///
/// It is unknown which of its members are sensitive, so a masked dump masks all of them, except
/// components.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherEvent {
    /// The name of the type.
    pub type_name: String,
    members: UnknownMembers,
}

impl OtherEvent {
    /// The names of its members, without the common fields of events.
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
impl fmt::Debug for OtherEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(&self.type_name)
            .field("members", &self.members)
            .finish()
    }
}
