//! The request that an agent works on.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::masked::Masked;
use super::{ExecutionType, SourceMetadata};

/// The request that an agent works on.
///
/// `Debug` masks what was asked, so that a prompt does not reach a log by accident.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Request {
    /// What was asked.
    pub content: String,
    /// Who started the work, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_type: Option<ExecutionType>,
    /// The id of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The channel that the request came through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_metadata: Option<SourceMetadata>,
    /// The raw request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

impl Request {
    /// With what is usually known. The type may be `None`, as callers of the reference pass it.
    #[must_use]
    pub fn new(
        content: impl Into<String>,
        execution_type: impl Into<Option<ExecutionType>>,
    ) -> Self {
        Self {
            content: content.into(),
            execution_type: execution_type.into(),
            session_id: None,
            source_metadata: None,
            payload: None,
        }
    }

    /// Sets the id of the session.
    #[must_use]
    pub fn with_session_id(mut self, session_id: impl Into<String>) -> Self {
        self.session_id = Some(session_id.into());
        self
    }

    /// Sets the channel that the request came through.
    #[must_use]
    pub fn with_source_metadata(mut self, source_metadata: SourceMetadata) -> Self {
        self.source_metadata = Some(source_metadata);
        self
    }

    /// Sets the raw request.
    #[must_use]
    pub fn with_payload(mut self, payload: impl Into<String>) -> Self {
        self.payload = Some(payload.into());
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("content", &Masked)
            .field("execution_type", &self.execution_type)
            .field("session_id", &self.session_id)
            .field("source_metadata", &self.source_metadata)
            .field("payload", &self.payload.as_ref().map(|_| Masked))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_content_nor_payload() {
        let request = Request::new("canary", ExecutionType::HumanToAgent).with_payload("canary");
        assert!(!format!("{request:?} {request:#?}").contains("canary"));
    }
}
