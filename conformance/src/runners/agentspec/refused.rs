//! Objects that the reference refuses to make.

use agentspan_model::agentspec::{JsonObject, ReadError};

use super::{Components, NotFinite, lax, plain, validation_errors};
use crate::{Failure, Json};

/// What comes of an object that the reference refuses. Our constructors cannot even be asked for it, so it is
/// read as JSON.
pub(in crate::runners) fn refused<T>(
    object: &Json,
    components: &Components,
    read: impl FnOnce(&str) -> Result<T, ReadError>,
) -> Result<Json, Failure> {
    let dump = unchecked_dump(object, components)?;
    match read(&dump.to_string()) {
        Err(error) => Ok(as_constructors_fail(validation_errors(&error), object)),
        // What JSON cannot hold is refused where a payload is made of it.
        Ok(_)
            if JsonObject::from_serialize(&NotFinite(&dump)).is_err()
                || snapshot_holds_component(object) =>
        {
            Ok(Json::parse(
                r#"{"validation_errors":[{"loc":[],"type":"value_error"}]}"#,
            )?)
        }
        Ok(_) => Err("the reference refuses the object, and we do not".into()),
    }
}

/// Whether an object of Python, which is no JSON, is somewhere inside of a snapshot of a state.
fn snapshot_holds_component(object: &Json) -> bool {
    let states = ["state_snapshot", "extra_state"];
    let fields = object.member("fields");
    let mut states = states
        .iter()
        .filter_map(|state| fields.and_then(|fields| fields.member(state)));
    states.any(holds_component)
}

fn holds_component(value: &Json) -> bool {
    match value {
        Json::Object(_) if value.member("$ref").is_some() => true,
        Json::Object(members) => members.iter().any(|(_, member)| holds_component(member)),
        Json::Array(items) => items.iter().any(holds_component),
        _ => false,
    }
}

/// An object that the reference refuses, as a dump that nobody has checked. What the reference would make up
/// is made up here.
fn unchecked_dump(object: &Json, components: &Components) -> Result<Json, Failure> {
    let mut dump = plain(object, components)?;
    let class = object
        .member("$class")
        .ok_or("an object has a class")?
        .clone();
    let Json::Object(members) = &mut dump else {
        return Ok(dump);
    };
    let fields = object.member("fields");
    for (name, value) in &mut *members {
        let Some(field) = fields.and_then(|fields| fields.member(name)) else {
            continue;
        };
        if let (true, Json::Array(specs), Json::Array(items)) =
            (name == "events", field, &mut *value)
        {
            for (spec, item) in specs.iter().zip(items) {
                if spec.member("$class").is_some() {
                    *item = unchecked_dump(spec, components)?;
                }
            }
        }
        if let (true, Some(integer)) = (INTEGERS.contains(&name.as_str()), lax::integer(field)) {
            *value = Json::parse(&integer.to_string())?;
        }
        // A component is no mapping in Python, although its dump is an object.
        if PAYLOADS.contains(&name.as_str()) && field.member("$ref").is_some() {
            *value = Json::String("a component".into());
        }
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
pub(super) fn as_constructors_fail(mut outcome: Json, object: &Json) -> Json {
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
    let is_in = |error: &Json, place: &Vec<Json>| {
        let location = error.member("loc").and_then(Json::as_array);
        location.is_some_and(|location| location.starts_with(place))
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
