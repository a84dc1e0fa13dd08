//! Objects that the reference refuses to make.

use agentspan_model::agentspec::{JsonObject, ReadError};

use super::{Components, NotFinite, is_component, lax, plain, validation_errors};
use crate::{Failure, Json};

/// What comes of an object that the reference refuses. Our constructors cannot even be asked for it, so it is
/// read as JSON.
pub(in crate::runners) fn refused<T>(
    object: &Json,
    components: &Components,
    read: impl FnOnce(&str) -> Result<T, ReadError>,
    make: impl FnOnce() -> Result<T, Failure>,
) -> Result<Json, Failure> {
    let dump = unchecked_dump(object, components)?;
    match read(&dump.to_string()) {
        Err(error) => Ok(as_constructors_fail(validation_errors(&error), object)),
        // What JSON cannot hold is refused where a snapshot is made of it.
        Ok(_)
            if snapshots(object)
                .any(|state| JsonObject::from_serialize(&NotFinite(state)).is_err()) =>
        {
            Ok(no_json())
        }
        Ok(_) if snapshot_holds_component(object) => make().map(|_| taken()),
        Ok(_) => Err("the reference refuses the object, and we do not".into()),
    }
}

/// What the reference says of a snapshot that is no JSON.
fn no_json() -> Json {
    serde_json::json!({"validation_errors": [{"loc": [], "type": "value_error"}]}).into()
}

/// What is said of an object that we make, although the reference does not, so that there is nothing to compare
/// it with.
fn taken() -> Json {
    serde_json::json!({ "taken": true }).into()
}

/// The snapshots of states in an event, or in the events of a span.
fn snapshots(object: &Json) -> impl Iterator<Item = &Json> {
    let fields = object.member("fields");
    let events = fields.and_then(|fields| fields.member("events"));
    let events = events.and_then(Json::as_array).unwrap_or_default();
    let of_events = events.iter().filter_map(|event| event.member("fields"));
    fields.into_iter().chain(of_events).flat_map(|fields| {
        ["state_snapshot", "extra_state"]
            .into_iter()
            .filter_map(|state| fields.member(state))
    })
}

/// Whether a component, which in Python is no JSON, is somewhere inside of a snapshot of a state.
pub(super) fn snapshot_holds_component(object: &Json) -> bool {
    snapshots(object).any(|state| holds(state, &|value| value.member("$ref").is_some()))
}

fn holds(value: &Json, wanted: &dyn Fn(&Json) -> bool) -> bool {
    match value {
        _ if wanted(value) => true,
        Json::Object(members) => members.iter().any(|(_, member)| holds(member, wanted)),
        Json::Array(items) => items.iter().any(|item| holds(item, wanted)),
        _ => false,
    }
}

/// An object that the reference refuses, as a dump that nobody has checked. What the reference would make up
/// is made up here.
fn unchecked_dump(object: &Json, components: &Components) -> Result<Json, Failure> {
    let mut dump = plain(object, components)?;
    let Json::Object(members) = &mut dump else {
        return Ok(dump);
    };
    let class = object.member("$class").cloned();
    let fields = class
        .as_ref()
        .map_or(Some(object), |_| object.member("fields"));
    // A dictionary in the place of an event becomes a plain one.
    let class = class.unwrap_or_else(|| Json::String("Event".into()));
    for (name, value) in &mut *members {
        let Some(field) = fields.and_then(|fields| fields.member(name)) else {
            continue;
        };
        if let (true, Json::Array(specs), Json::Array(items)) =
            (name == "events", field, &mut *value)
        {
            for (spec, item) in specs.iter().zip(items) {
                if spec.member("$ref").is_none() {
                    *item = unchecked_dump(spec, components)?;
                }
            }
        }
        if let (true, Some(integer)) = (INTEGERS.contains(&name.as_str()), lax::integer(field)) {
            *value = Json::parse(&integer.to_string())?;
        }
        hide_other_objects(name, field, value);
    }
    // No class of the reference takes a type as an argument.
    members.retain(|(name, _)| name != "type");
    let made_up = [
        ("id", Json::String("made up".into())),
        ("timestamp", Json::from(serde_json::json!(1))),
        ("type", class),
    ];
    for (name, value) in made_up {
        if !members.iter().any(|(member, _)| member == name) {
            members.push((name.into(), value));
        }
    }
    Ok(dump)
}

/// Replaces objects of Python that a field does not take. They are no mappings, although their dumps are objects, and
/// a dump may read as another object.
fn hide_other_objects(field: &str, spec: &Json, dump: &mut Json) {
    if let (Json::Array(specs), Json::Array(dumps)) = (spec, &mut *dump) {
        for (spec, dump) in specs.iter().zip(dumps) {
            hide_other_objects(field, spec, dump);
        }
        return;
    }
    let is_component = spec.member("$ref").is_some() || is_component(spec);
    let class = spec.member("$class").and_then(Json::as_str);
    let is_taken = match field {
        "prompt" => class == Some("Message"),
        "tool_calls" => class == Some("ToolCall"),
        "llm_generation_config" => class == Some("LlmGenerationConfig"),
        field if COMPONENTS.contains(&field) => is_component,
        field => !PAYLOADS.contains(&field),
    };
    if (is_component || class.is_some()) && !is_taken {
        // None of these fields takes true.
        *dump = Json::Bool(true);
    }
}

/// The fields of spans and events that hold components.
pub(super) const COMPONENTS: [&str; 8] = [
    "agent",
    "flow",
    "llm_config",
    "managerworkers",
    "node",
    "swarm",
    "tool",
    "tools",
];

/// Fields of spans, events and generation configs that hold integers.
pub(super) const INTEGERS: [&str; 6] = [
    "start_time",
    "end_time",
    "timestamp",
    "input_tokens",
    "output_tokens",
    "max_tokens",
];

/// Fields that hold objects which are no components.
pub(super) const PAYLOADS: [&str; 6] = [
    "metadata",
    "inputs",
    "outputs",
    "content",
    "state_snapshot",
    "extra_state",
];

/// Problems of a whole object as its construction tells them: objects inside of it are made before it, so that the
/// first of them that cannot be made is all that comes out, and knows nothing of its place.
fn as_constructors_fail(mut outcome: Json, object: &Json) -> Json {
    let mut inner = Vec::new();
    if let Some(fields) = object.member("fields") {
        inner_objects(fields, &mut Vec::new(), &mut inner);
    }
    let errors = outcome
        .member_mut("validation_errors")
        .and_then(Json::as_array_mut);
    let Some(errors) = errors else {
        return outcome;
    };
    // That an object is of the wrong type is said by the one that it is in.
    let is_in = |error: &Json, place: &Vec<Json>| {
        let is_of_whole = error.member("type").and_then(Json::as_str) == Some("value_error");
        let location = error.member("loc").and_then(Json::as_array);
        location.is_some_and(|location| {
            location.starts_with(place) && (location.len() > place.len() || is_of_whole)
        })
    };
    let first = inner
        .iter()
        .find(|place| errors.iter().any(|error| is_in(error, place)));
    if let Some(place) = first {
        errors.retain(|error| is_in(error, place));
        for error in errors {
            if let Some(location) = error.member_mut("loc").and_then(Json::as_array_mut) {
                location.drain(..place.len());
            }
        }
    }
    outcome
}

/// The places of objects with a class, in the order in which they are made: inner ones first.
fn inner_objects(value: &Json, place: &mut Vec<Json>, found: &mut Vec<Vec<Json>>) {
    let mut walk = |segment: Json, value: &Json| {
        place.push(segment);
        let fields = value.member("$class").and_then(|_| value.member("fields"));
        inner_objects(fields.unwrap_or(value), place, found);
        if fields.is_some() {
            found.push(place.clone());
        }
        place.pop();
    };
    match value {
        Json::Object(members) => {
            for (name, value) in members {
                walk(Json::String(name.clone()), value);
            }
        }
        Json::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                walk(Json::from(serde_json::json!(index)), value);
            }
        }
        _ => {}
    }
}
