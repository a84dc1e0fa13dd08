//! Converts inputs and outputs of any type to the objects in events.

use agentspan_model::agentspec::{Component, Json, JsonObject};
use agentspan_queue::contain;
use serde::Serialize;

/// Which of its values a component gets or gives.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Inputs,
    Outputs,
}

/// The value as an object: its own fields, or the value under the name that the component has for it.
///
/// Empty if it does not serialise, which is logged: the program's own code must not fail for it.
pub(super) fn object<T: Serialize + ?Sized>(
    value: &T,
    component: &Component,
    side: Side,
) -> JsonObject {
    // Serialising is the program's own code, and may panic.
    match contain::call(|| Json::from_serialize(value)) {
        Ok(Ok(json)) => named(json, component, side),
        Ok(Err(_)) | Err(_) => {
            log_left_out(component, side);
            JsonObject::new()
        }
    }
}

fn named(json: Json, component: &Component, side: Side) -> JsonObject {
    if json.as_str() == "null" {
        return JsonObject::new();
    }
    let json = match JsonObject::try_from(json.clone()) {
        Ok(object) => return object,
        Err(_) => json,
    };
    let (declared, otherwise) = match side {
        Side::Inputs => (component.inputs(), "input"),
        Side::Outputs => (component.outputs(), "output"),
    };
    let name = match declared {
        [only] => only.title(),
        _ => otherwise,
    };
    // A map with one name and JSON: it does not fail.
    JsonObject::from_serialize(&std::collections::BTreeMap::from([(name, json)]))
        .unwrap_or_default()
}

fn log_left_out(component: &Component, side: Side) {
    let side = match side {
        Side::Inputs => "inputs",
        Side::Outputs => "outputs",
    };
    // Not the error, whose text may show the value.
    contain::log(|| {
        tracing::warn!(
            target: "agentspan::processor::execution",
            component = component.component_type(),
            side,
            "a value that cannot be written as JSON was left out of an event; serialise it yourself, or give another value"
        );
    });
}
