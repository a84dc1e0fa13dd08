//! Events of people who step in.

use crate::agentspec::{Id, JsonObject, Sensitive, dump::member_set};

/// A person is requested to step in, and the execution waits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HumanInTheLoopRequest {
    /// The id of the request.
    pub request_id: Id,
    /// The content for the person.
    pub content: Sensitive<JsonObject>,
}

member_set!(HumanInTheLoopRequest {
    request_id,
    content
});

impl HumanInTheLoopRequest {
    /// Creates a request with `content`.
    #[must_use]
    pub fn new(request_id: impl Into<Id>, content: JsonObject) -> Self {
        Self {
            request_id: request_id.into(),
            content: Sensitive::new(content),
        }
    }
}

/// A person has stepped in, and the execution continues.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HumanInTheLoopResponse {
    /// The id of the request that this answers.
    pub request_id: Id,
    /// The answer of the person.
    pub content: Sensitive<JsonObject>,
}

member_set!(HumanInTheLoopResponse {
    request_id,
    content
});

impl HumanInTheLoopResponse {
    /// Creates the answer to a request.
    #[must_use]
    pub fn new(request_id: impl Into<Id>, content: JsonObject) -> Self {
        Self {
            request_id: request_id.into(),
            content: Sensitive::new(content),
        }
    }
}
