//! The part of a body that is the same for all spans of one resource.

use std::fmt;

use agentspan_model::agent365::contract::Wire;
use agentspan_model::escape::push_quoted;
use opentelemetry::{Key, Value};
use opentelemetry_sdk::Resource;

use super::sdk_span::push_value;
use super::standard;

/// The attributes of a resource as they stand in a body of either [`Wire`], written once and used for every
/// request.
///
/// The SDK's resource has no order, so its attributes are sorted by key. A resource without
/// attributes is `null` on the flat wire, as `microsoft-agents-a365-observability-core` 0.1.0 has it.
///
/// `Debug` shows the size only, because resources may hold what their owner would not log.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedResource {
    flat: Box<[u8]>,
    standard: Box<[u8]>,
}

impl EncodedResource {
    /// The JSON value of `resource.attributes` in a body of this form: an object or `null`, or a list.
    #[must_use]
    pub fn as_bytes(&self, wire: Wire) -> &[u8] {
        match wire {
            Wire::Flat => &self.flat,
            Wire::Standard => &self.standard,
        }
    }
}

impl From<&Resource> for EncodedResource {
    fn from(resource: &Resource) -> Self {
        let mut attributes: Vec<_> = resource
            .iter()
            .filter(|(key, _)| !key.as_str().is_empty())
            .collect();
        attributes.sort_unstable_by_key(|(key, _)| *key);
        Self {
            flat: flat(&attributes).into(),
            standard: standard::resource(&attributes).into(),
        }
    }
}

/// The object of the attributes, or `null`.
fn flat(attributes: &[(&Key, &Value)]) -> Vec<u8> {
    let mut json = Vec::new();
    for (key, value) in attributes {
        json.push(if json.is_empty() { b'{' } else { b',' });
        push_quoted(&mut json, key.as_str());
        json.push(b':');
        push_value(&mut json, value);
    }
    json.extend_from_slice(if json.is_empty() { b"null" } else { b"}" });
    json
}

impl fmt::Debug for EncodedResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedResource")
            .field("bytes", &self.flat.len())
            .finish()
    }
}
