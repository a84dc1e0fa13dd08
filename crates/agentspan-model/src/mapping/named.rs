//! Our own attributes without contents.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::agent_spec::COMPONENT_REF;
use super::members;
use crate::agentspec::{Component, Detail};
use crate::json_writer::to_json;
use crate::keys;

/// Replaces the value of an Agent Spec attribute that
/// [holds contents](crate::keys::Sensitivity::Content), so that the span can be rebuilt without
/// them.
///
/// For components, it returns their outlines with [`Detail::Named`]; for the parameters of a
/// generation, the numbers. `None` if no part of the text may be shown: use a mask instead.
///
/// ```
/// use agentspan_model::mapping::named_only;
///
/// let agent = r#"{"component_type":"Agent","id":"a","name":"Clerk","system_prompt":"Be curt."}"#;
/// assert_eq!(
///     named_only("agentspec.agent", agent).as_deref(),
///     Some(r#"{"component_type":"Agent","id":"a","name":"Clerk","system_prompt":"** MASKED **"}"#)
/// );
/// assert_eq!(named_only("agentspec.prompt", "Hello"), None);
/// ```
#[must_use]
pub fn named_only(key: &str, text: &str) -> Option<String> {
    if members::holds_components(key) {
        components(text)
    } else if key == keys::AGENTSPEC_LLM_GENERATION_CONFIG {
        let mut parameters: Map<String, Value> = serde_json::from_str(text).ok()?;
        parameters.retain(|_, value| value.is_number() || value.is_boolean() || value.is_null());
        Some(to_json(&parameters))
    } else {
        None
    }
}

fn components(text: &str) -> Option<String> {
    if text.starts_with('[') {
        let list: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        let outlines = list.into_iter().map(|one| component(one.get()));
        let outlines: Vec<String> = outlines.collect::<Option<_>>()?;
        return Some(["[", &outlines.join(","), "]"].concat());
    }
    component(text)
}

fn component(text: &str) -> Option<String> {
    if is_reference(text) {
        return Some(text.to_owned());
    }
    let component = Component::from_json(text).ok()?;
    Some(component.outline(Detail::Named).dump().to_owned())
}

/// Whether a text refers to the component of the span, and says nothing else.
fn is_reference(text: &str) -> bool {
    let start = ["{\"", COMPONENT_REF, "\":"].concat();
    let members = |text| serde_json::from_str::<BTreeMap<String, String>>(text);
    text.starts_with(&start) && members(text).is_ok_and(|members| members.len() == 1)
}
