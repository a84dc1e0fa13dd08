//! The part of a body that is the same for all spans of one resource.

use std::fmt;

use agentspan_model::escape::push_escaped;
use opentelemetry_sdk::Resource;

use super::sdk_span;
use super::value::{ValueWriter, Written};

/// The attributes of a resource as they stand in a body, written once and used for every request.
///
/// The SDK's resource has no order, so its attributes are sorted by key. A resource without
/// attributes is written as `null`, as `microsoft-agents-a365-observability-core` 0.1.0 does.
///
/// `Debug` shows the size only, because resources may hold what their owner would not log.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedResource {
    json: Box<[u8]>,
}

impl EncodedResource {
    /// The JSON value of `resource.attributes`: an object or `null`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.json
    }
}

impl From<&Resource> for EncodedResource {
    fn from(resource: &Resource) -> Self {
        let mut attributes: Vec<_> = resource
            .iter()
            .filter(|(key, _)| !key.as_str().is_empty())
            .collect();
        attributes.sort_unstable_by_key(|(key, _)| *key);
        let mut json = Vec::new();
        for (key, value) in attributes {
            json.push(if json.is_empty() { b'{' } else { b',' });
            json.push(b'"');
            push_escaped(&mut json, key.as_str());
            json.extend_from_slice(b"\":");
            let _: Written = sdk_span::write(value, ValueWriter::new(&mut json));
        }
        json.extend_from_slice(if json.is_empty() { b"null" } else { b"}" });
        Self {
            json: json.into_boxed_slice(),
        }
    }
}

impl fmt::Debug for EncodedResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedResource")
            .field("bytes", &self.json.len())
            .finish()
    }
}
