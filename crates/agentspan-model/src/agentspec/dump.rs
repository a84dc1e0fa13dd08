//! Writing of the model as JSON, masked or in clear.

use std::borrow::Cow;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::{
    Agent, Component, Detail, Disclosure, Flow, Id, JsonObject, LlmConfig, LlmGenerationConfig,
    MASK, ManagerWorkers, Message, Node, Sensitive, Swarm, Timestamp, Tool, ToolCall,
    detail::View,
    reader::{Members, ReadValue, Reader},
};

/// A value that a dump shows according to a view.
pub(crate) trait WriteValue {
    fn write<S: Serializer>(&self, serializer: S, view: View) -> Result<S::Ok, S::Error>;

    /// A copy that holds what a masked dump of this detail shows, and nothing else. Components are shared, or
    /// their outlines.
    fn masked(&self, detail: Detail) -> Self
    where
        Self: Sized;
}

/// Makes a [`WriteValue`] one that `serde` writes.
pub(crate) struct Shown<'a, T: ?Sized>(pub(crate) &'a T, pub(crate) View);

impl<T: WriteValue + ?Sized> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer, self.1)
    }
}

/// Something that consists of named members: the details of a span or of an event, a message.
pub(crate) trait MemberSet: Sized {
    /// Takes its members, and reports what is wrong with any of them.
    fn read_members<'a>(members: &mut Members<'a>, reader: &mut Reader<'a>) -> Option<Self>;

    /// Writes its members in the reference's order.
    fn write_members<M: SerializeMap>(&self, map: &mut M, view: View) -> Result<(), M::Error>;

    /// A copy that holds what a masked dump of this detail shows, and nothing else. Components are shared, or
    /// their outlines.
    fn masked(&self, detail: Detail) -> Self;
}

/// Declares the members of a struct in the order in which the reference writes them.
///
/// A member with `= value` may be absent, and has that value then; the others must be there. With
/// `+ field`, members that are not declared are kept in that field.
macro_rules! member_set {
    ($type:ident { $($member:ident $(= $absent:expr)?),* $(,)? } $(+ $unknown:ident)?) => {
        impl $crate::agentspec::dump::MemberSet for $type {
            fn read_members<'a>(
                members: &mut $crate::agentspec::reader::Members<'a>,
                reader: &mut $crate::agentspec::reader::Reader<'a>,
            ) -> Option<Self> {
                $(
                    let $member = $crate::agentspec::dump::member_set!(
                        @read members, reader, $member $(, $absent)?
                    );
                )*
                Some(Self {
                    $($member: $member?,)*
                    $($unknown: $crate::agentspec::unknown_members::UnknownMembers::rest_of(members, reader).into(),)?
                })
            }

            fn write_members<M: serde::ser::SerializeMap>(
                &self,
                map: &mut M,
                view: $crate::agentspec::detail::View,
            ) -> Result<(), M::Error> {
                $(
                    let value = $crate::agentspec::dump::Shown(&self.$member, view);
                    map.serialize_entry(stringify!($member), &value)?;
                )*
                $(self.$unknown.write_members(map, view)?;)?
                Ok(())
            }

            fn masked(&self, detail: $crate::agentspec::Detail) -> Self {
                Self {
                    $($member: $crate::agentspec::dump::WriteValue::masked(&self.$member, detail),)*
                    $($unknown: self.$unknown.masked(detail),)?
                }
            }
        }

        impl $crate::agentspec::held::Held for $type {
            fn held_bytes(&self) -> usize {
                0 $(+ $crate::agentspec::held::Held::held_bytes(&self.$member))*
                    $(+ self.$unknown.held_bytes())?
            }
        }
    };
    (@read $members:ident, $reader:ident, $member:ident) => {
        $members.required(stringify!($member), $reader)
    };
    (@read $members:ident, $reader:ident, $member:ident, $absent:expr) => {
        $members.optional(stringify!($member), $absent, $reader)
    };
}

pub(crate) use member_set;

/// Values that hold nothing sensitive of their own: all views show them alike.
macro_rules! shown_alike {
    ($($type:ty),* $(,)?) => {
        $(
            impl WriteValue for $type {
                fn write<S: Serializer>(&self, serializer: S, _: View) -> Result<S::Ok, S::Error> {
                    self.serialize(serializer)
                }

                fn masked(&self, _: Detail) -> Self {
                    self.clone()
                }
            }
        )*
    };
}

shown_alike!(
    bool,
    Cow<'static, str>,
    f64,
    i64,
    Id,
    JsonObject,
    String,
    Timestamp,
);

/// Components hold nothing that the reference calls sensitive, but how much of them shows is a matter of
/// detail.
macro_rules! components {
    ($($type:ty),* $(,)?) => {
        $(
            impl WriteValue for $type {
                fn write<S: Serializer>(&self, serializer: S, view: View) -> Result<S::Ok, S::Error> {
                    self.outline(view.detail).serialize(serializer)
                }

                fn masked(&self, detail: Detail) -> Self {
                    Self::try_from(self.outline(detail)).unwrap_or_else(|_| self.clone())
                }
            }
        )*
    };
}

components!(
    Agent,
    Component,
    Flow,
    LlmConfig,
    ManagerWorkers,
    Node,
    Swarm,
    Tool
);

/// Makes a [`MemberSet`] a value: an object.
macro_rules! member_set_as_value {
    ($($type:ident: $expected:literal),*) => {
        $(
            impl ReadValue for $type {
                fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
                    let mut members = reader.object_that_is(raw, $expected)?;
                    Self::read_members(&mut members, reader)
                }
            }

            impl WriteValue for $type {
                fn write<S: Serializer>(
                    &self,
                    serializer: S,
                    view: View,
                ) -> Result<S::Ok, S::Error> {
                    let mut map = serializer.serialize_map(None)?;
                    self.write_members(&mut map, view)?;
                    map.end()
                }

                fn masked(&self, detail: Detail) -> Self {
                    MemberSet::masked(self, detail)
                }
            }
        )*
    };
}

member_set_as_value!(
    LlmGenerationConfig: "a generation config",
    Message: "a message",
    ToolCall: "a tool call"
);

impl<T: WriteValue> WriteValue for Sensitive<T> {
    fn write<S: Serializer>(&self, serializer: S, view: View) -> Result<S::Ok, S::Error> {
        match (view.disclosure, self.reveal()) {
            (Disclosure::Clear, Some(value)) => value.write(serializer, view),
            _ => serializer.serialize_str(MASK),
        }
    }

    fn masked(&self, _: Detail) -> Self {
        Self::withheld()
    }
}

impl<T: WriteValue> WriteValue for Option<T> {
    fn write<S: Serializer>(&self, serializer: S, view: View) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => value.write(serializer, view),
            None => serializer.serialize_none(),
        }
    }

    fn masked(&self, detail: Detail) -> Self {
        self.as_ref().map(|value| value.masked(detail))
    }
}

impl<T: WriteValue> WriteValue for Vec<T> {
    fn write<S: Serializer>(&self, serializer: S, view: View) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(|value| Shown(value, view)))
    }

    fn masked(&self, detail: Detail) -> Self {
        self.iter().map(|value| value.masked(detail)).collect()
    }
}
