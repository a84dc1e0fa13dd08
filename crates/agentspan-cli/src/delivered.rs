//! The attributes of a span in the words in which the delivery of this library sends them to Agent 365.

use std::collections::HashSet;

use agentspan_model::agent365::Profile;
use agentspan_model::attribute::{AttributeValue, Key};
use agentspan_model::keys;
use agentspan_model::mapping::Rendering;
use serde_json::{Map, Value};

use crate::group::Group;
use crate::ingest::plain;
use crate::reading::{Attributes, Reading};

/// The attributes of a span as the delivery of a generation writes them.
///
/// As `agentspan_record::Preparation` does, this renders spans of all known conventions, unless a
/// scope of Agent 365 made them in the words of the generation. The rest stays under its own keys,
/// but for what only Agent Spec has.
pub(crate) fn delivered(reading: &Reading, group: &Group, profile: Profile) -> Attributes {
    if is_in_words_of(profile, reading, group) {
        return reading.attributes.clone();
    }
    let mut words = Attributes::new();
    let normal = reading.normal();
    if let Some(normal) = &normal {
        let mut visitor = |key: Key, value: AttributeValue<'_>| words.push(plain(key, value));
        normal.visit(Rendering::Agent365(profile), &mut visitor);
    }
    let said: HashSet<String> = words.iter().map(|(key, _)| key.clone()).collect();
    let is_left = |key: &str| {
        let is_read = normal.as_ref().is_some_and(|normal| normal.has_read(key));
        !is_read && !said.contains(key) && namespace(key) != namespace(keys::AGENTSPEC_SPAN_TYPE)
    };
    let rest = reading.attributes.iter().filter(|(key, _)| is_left(key));
    words.extend(rest.cloned());
    words
}

/// Whether a scope of Agent 365 made the span in the words of a generation.
pub(crate) fn is_in_words_of(profile: Profile, reading: &Reading, group: &Group) -> bool {
    is_of_a_scope(group) && reading.text(keys::GEN_AI_SYSTEM) == profile.system()
}

/// Whether scopes of Agent 365, of any generation, made the spans of a group.
pub(crate) fn is_of_a_scope(group: &Group) -> bool {
    let name = group.scope.get("name").and_then(Value::as_str);
    name.is_some_and(Profile::is_instrumentation_scope)
}

/// Attributes as an object.
pub(crate) fn object(attributes: &Attributes) -> Map<String, Value> {
    attributes.iter().cloned().collect()
}

/// The part of a key before its first dot.
pub(crate) fn namespace(key: &str) -> &str {
    key.split('.').next().unwrap_or_default()
}
