//! Secrets of components: dropped when they are read or built.

use serde_json::value::RawValue;

use super::{
    ComponentValue, classes,
    place::Place,
    references::{COMPONENT_TYPE, REFERENCE, given_instead_of},
};
use crate::agentspec::{
    Json,
    reader::{Members, Reader},
};

/// Replaces the value of a secret field by the reference's way to say that there is one. What Python
/// takes for false says nothing and stays.
pub(super) fn without_secret(
    class: &str,
    id: &str,
    field: &str,
    value: ComponentValue,
) -> ComponentValue {
    if !classes::is_secret(class, field) || is_falsy(&value) {
        return value;
    }
    let reference = format!("{id}.{field}");
    ComponentValue::Json(Json::from(serde_json::json!({REFERENCE: reference})))
}

pub(super) fn is_falsy(value: &ComponentValue) -> bool {
    let ComponentValue::Json(json) = value else {
        return false;
    };
    match json.as_str() {
        "null" | "false" | r#""""# | "{}" | "[]" => true,
        text => text.starts_with(['-', '0']) && text.parse() == Ok(0.0),
    }
}

/// Reads a secret, or the given value to which it refers, so that an empty one is seen as empty.
/// Any other value is dropped later.
pub(super) fn read_secret<'a>(raw: &'a RawValue, reader: &Reader<'a>) -> Option<ComponentValue> {
    let given = given_instead_of(raw, reader);
    Some(ComponentValue::Json(Json::from_raw(given.unwrap_or(raw))))
}

/// The class and the id of an object that lacks something of a component, for its secrets. `None` if it
/// neither says a class nor stands where components stand.
pub(super) fn incomplete_head(members: &Members<'_>, place: Place) -> Option<(String, String)> {
    let text = |name: &str| -> Option<String> {
        let value = members.find(name)?;
        serde_json::from_str(value.get()).ok()
    };
    let class = match place {
        Place::Open | Place::Plain(_) => text(COMPONENT_TYPE)?,
        Place::OfComponents | Place::OfComponentsOrTexts(_) | Place::PlainComponents(_) => {
            text(COMPONENT_TYPE).unwrap_or_default()
        }
        Place::Free(_) => return None,
    };
    let id = text("id").unwrap_or_else(|| class.clone());
    Some((class, id))
}
