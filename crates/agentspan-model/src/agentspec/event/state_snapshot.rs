//! Snapshots of a runtime's state.

use serde::ser::SerializeMap;

use crate::agentspec::{
    Detail, JsonObject, Sensitive,
    detail::View,
    dump::{MemberSet, Shown},
    held::Held,
    reader::{Members, Reader},
};

/// A snapshot of the state of a conversation, for programs that display or resume it.
///
/// At least one of the two states is present; constructors and readers ensure it. Both are JSON, so
/// they cannot hold the numbers that the reference rejects (`NaN`, infinities): the constructors of
/// [`JsonObject`] reject them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateSnapshotEmitted {
    /// The id of the conversation, the same in all of its snapshots.
    pub conversation_id: String,
    state_snapshot: Sensitive<Option<JsonObject>>,
    extra_state: Sensitive<Option<JsonObject>>,
}

impl StateSnapshotEmitted {
    /// Creates a snapshot of the runtime's own state.
    #[must_use]
    pub fn new(conversation_id: impl Into<String>, state_snapshot: JsonObject) -> Self {
        Self {
            conversation_id: conversation_id.into(),
            state_snapshot: Sensitive::new(Some(state_snapshot)),
            extra_state: Sensitive::new(None),
        }
    }

    /// Creates a snapshot of the application's state alone.
    #[must_use]
    pub fn of_extra_state(conversation_id: impl Into<String>, extra_state: JsonObject) -> Self {
        Self {
            conversation_id: conversation_id.into(),
            state_snapshot: Sensitive::new(None),
            extra_state: Sensitive::new(Some(extra_state)),
        }
    }

    /// Adds the application's state.
    #[must_use]
    pub fn with_extra_state(mut self, extra_state: JsonObject) -> Self {
        self.extra_state = Sensitive::new(Some(extra_state));
        self
    }

    /// The runtime's state, in the runtime's own format.
    #[must_use]
    pub fn state_snapshot(&self) -> &Sensitive<Option<JsonObject>> {
        &self.state_snapshot
    }

    /// The application's state, in the application's own format.
    #[must_use]
    pub fn extra_state(&self) -> &Sensitive<Option<JsonObject>> {
        &self.extra_state
    }

    /// Whether neither state is there, which no constructor allows, but a document may say.
    pub(super) fn is_empty(&self) -> bool {
        let is_missing = |state: &Sensitive<Option<JsonObject>>| state.reveal() == Some(&None);
        is_missing(&self.state_snapshot) && is_missing(&self.extra_state)
    }
}

/// By hand, because the members depend on each other.
impl Held for StateSnapshotEmitted {
    fn held_bytes(&self) -> usize {
        self.conversation_id.held_bytes()
            + self.state_snapshot.held_bytes()
            + self.extra_state.held_bytes()
    }
}

impl MemberSet for StateSnapshotEmitted {
    fn read_members<'a>(members: &mut Members<'a>, reader: &mut Reader<'a>) -> Option<Self> {
        let conversation_id = members.required("conversation_id", reader);
        let state_snapshot = members.optional("state_snapshot", Sensitive::new(None), reader);
        let extra_state = members.optional("extra_state", Sensitive::new(None), reader);
        Some(Self {
            conversation_id: conversation_id?,
            state_snapshot: state_snapshot?,
            extra_state: extra_state?,
        })
    }

    fn write_members<M: SerializeMap>(&self, map: &mut M, view: View) -> Result<(), M::Error> {
        map.serialize_entry("conversation_id", &self.conversation_id)?;
        map.serialize_entry("state_snapshot", &Shown(&self.state_snapshot, view))?;
        map.serialize_entry("extra_state", &Shown(&self.extra_state, view))
    }

    fn masked(&self, _: Detail) -> Self {
        Self {
            conversation_id: self.conversation_id.clone(),
            state_snapshot: Sensitive::withheld(),
            extra_state: Sensitive::withheld(),
        }
    }
}
