//! The channel of a request.

use serde::{Deserialize, Serialize};

/// The channel of a request (Agent 365 2.0.0).
///
/// 0.1.0 has [`SourceMetadata`](super::SourceMetadata) instead. Each profile accepts both types:
/// the name and the link here are the name and the description there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Channel {
    /// The channel's name, such as `msteams`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The link to the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Channel {
    /// Creates it without any values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the channel's name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the link to the channel.
    #[must_use]
    pub fn with_link(mut self, link: impl Into<String>) -> Self {
        self.link = Some(link.into());
        self
    }
}
