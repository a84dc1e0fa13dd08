//! The request that an agent works on.

use serde::{Deserialize, Serialize};

use super::{Channel, ExecutionType, InputMessages, SourceMetadata};
use crate::masked::debug_masked;

/// The request that an agent works on.
///
/// `Debug` masks the content, so that a prompt does not reach a log by accident.
///
/// All profiles share this type. 0.1.0 writes the content only for inferences, and neither the
/// session nor the conversation; 2.0.0 and later write no execution type and no payload.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Request {
    /// The content of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<InputMessages>,
    /// The origin of the work, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_type: Option<ExecutionType>,
    /// The id of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The channel of the request, in the form of 0.1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_metadata: Option<SourceMetadata>,
    /// The raw request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The channel of the request, in the form of 2.0.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The id of the conversation that the request belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
}

/// Name and link of a channel.
type ChannelNames<'a> = (Option<&'a str>, Option<&'a str>);

impl Request {
    /// Creates it with the usual values. The type may be `None`, as callers of the reference pass
    /// it.
    #[must_use]
    pub fn new(
        content: impl Into<InputMessages>,
        execution_type: impl Into<Option<ExecutionType>>,
    ) -> Self {
        Self {
            content: Some(content.into()),
            execution_type: execution_type.into(),
            ..Self::default()
        }
    }

    /// A request without content.
    #[must_use]
    pub fn without_content() -> Self {
        Self::default()
    }

    /// Sets the id of the session.
    #[must_use]
    pub fn with_session_id(mut self, session_id: impl Into<String>) -> Self {
        self.session_id = Some(session_id.into());
        self
    }

    /// Sets the channel of the request.
    #[must_use]
    pub fn with_source_metadata(mut self, source_metadata: SourceMetadata) -> Self {
        self.source_metadata = Some(source_metadata);
        self
    }

    /// Sets the channel of the request.
    #[must_use]
    pub fn with_channel(mut self, channel: Channel) -> Self {
        self.channel = Some(channel);
        self
    }

    /// Sets the id of the conversation that the request belongs to.
    #[must_use]
    pub fn with_conversation_id(mut self, conversation_id: impl Into<String>) -> Self {
        self.conversation_id = Some(conversation_id.into());
        self
    }

    /// Name and link of the channel: of either description, as `choose` says.
    pub(super) fn named_channel<'a>(
        &'a self,
        choose: impl Fn(Option<ChannelNames<'a>>, Option<ChannelNames<'a>>) -> Option<ChannelNames<'a>>,
    ) -> ChannelNames<'a> {
        let source = self.source_metadata.as_ref();
        let source = source.map(|s| (s.name.as_deref(), s.description.as_deref()));
        let channel = self.channel.as_ref();
        let channel = channel.map(|c| (c.name.as_deref(), c.link.as_deref()));
        choose(source, channel).unwrap_or_default()
    }

    /// Sets the raw request.
    #[must_use]
    pub fn with_payload(mut self, payload: impl Into<String>) -> Self {
        self.payload = Some(payload.into());
        self
    }
}

debug_masked!(Request shows { execution_type, session_id, source_metadata, channel, conversation_id } hides { content, payload });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_content_nor_payload() {
        let request = Request::new("canary", ExecutionType::HumanToAgent).with_payload("canary");
        assert!(!format!("{request:?} {request:#?}").contains("canary"));
    }
}
