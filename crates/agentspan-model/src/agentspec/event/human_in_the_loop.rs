//! People who step in.

use crate::agentspec::{Id, JsonObject, Sensitive, dump::member_set};

/// A person is asked to step in; the execution waits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HumanInTheLoopRequest {
    /// Identifies the request.
    pub request_id: Id,
    /// What the person is shown.
    pub content: Sensitive<JsonObject>,
}

member_set!(HumanInTheLoopRequest {
    request_id,
    content
});

impl HumanInTheLoopRequest {
    /// A request that shows `content`.
    #[must_use]
    pub fn new(request_id: impl Into<Id>, content: JsonObject) -> Self {
        Self {
            request_id: request_id.into(),
            content: Sensitive::new(content),
        }
    }
}

/// A person has stepped in; the execution goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HumanInTheLoopResponse {
    /// Identifies the request that this answers.
    pub request_id: Id,
    /// What the person said.
    pub content: Sensitive<JsonObject>,
}

member_set!(HumanInTheLoopResponse {
    request_id,
    content
});

impl HumanInTheLoopResponse {
    /// The answer to a request.
    #[must_use]
    pub fn new(request_id: impl Into<Id>, content: JsonObject) -> Self {
        Self {
            request_id: request_id.into(),
            content: Sensitive::new(content),
        }
    }
}
