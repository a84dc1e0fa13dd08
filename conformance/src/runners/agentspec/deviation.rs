//! What we do otherwise than the reference with spans, events and components.

use super::lax;
use super::refused::{
    COMPONENTS, INTEGERS, PAYLOADS, as_constructors_fail, no_json, snapshot_holds_component,
    snapshot_holds_no_number, taken,
};
use crate::{Case, Json, Predicate};

/// Secrets that the reference declares as such, and shows all the same.
pub(in crate::runners) const SHOWN_SECRETS: Predicate = Predicate {
    name: "secret_inside_of_an_optional",
    applies: |case| {
        let mut expected = case.expected.clone();
        hide_secrets(&mut expected)
    },
    instead: |_, expected| {
        hide_secrets(expected);
    },
};

/// Fields whose mark stands inside of `Optional[…]`, where the reference does not look.
const MARKED_INSIDE: [(&str, &str); 4] = [
    ("OAuthClientConfig", "client_id"),
    ("OAuthClientConfig", "client_secret"),
    ("OAuthClientConfig", "client_id_metadata_url"),
    ("TlsPostgresDatabaseConnectionConfig", "sslkey"),
];

/// Fields of components whose content others make up.
const FREE_FIELDS: [&str; 5] = [
    "configuration",
    "data",
    "default_generation_parameters",
    "headers",
    "query_params",
];

/// Whether others make up what is in a field. If components stand there, they stand as the reference dumps them, and
/// nobody looks for secrets again.
pub(in crate::runners) fn is_free_content(field: &str) -> bool {
    PAYLOADS.contains(&field) || FREE_FIELDS.contains(&field)
}

/// Replaces such secrets in a dump as the reference replaces others, and says whether there were any.
fn hide_secrets(dump: &mut Json) -> bool {
    let component_type = dump.member("component_type").and_then(Json::as_str);
    let component_type = component_type.unwrap_or_default().to_owned();
    let id = dump
        .member("id")
        .and_then(Json::as_str)
        .unwrap_or_default()
        .to_owned();
    match dump {
        Json::Object(members) => {
            let mut found = false;
            let members = members.iter_mut();
            for (name, value) in members.filter(|(name, _)| !is_free_content(name)) {
                let is_marked = MARKED_INSIDE.contains(&(&component_type, name.as_str()));
                let is_text = value.as_str().is_some_and(|text| !text.is_empty());
                if is_marked && is_text {
                    let reference = Json::String(format!("{id}.{name}"));
                    *value = Json::Object(vec![("$component_ref".into(), reference)]);
                    found = true;
                } else {
                    found |= hide_secrets(value);
                }
            }
            found
        }
        Json::Array(items) => items
            .iter_mut()
            .fold(false, |found, item| hide_secrets(item) | found),
        _ => false,
    }
}

/// Integers that Python has and `i64` has not.
pub(in crate::runners) const WIDE_INTEGERS: Predicate = Predicate {
    name: "integer_beyond_64_bits",
    applies: |case| case.expected.member("unmasked").is_some() && is_wide(&object_of(case)),
    instead: |case, expected| {
        let object = object_of(case);
        let errors = wide_integers(&object).into_iter();
        let errors = errors.map(|place| {
            Json::Object(vec![
                ("loc".into(), Json::Array(place)),
                ("type".into(), Json::String("int_type".into())),
            ])
        });
        let errors = Json::Array(errors.collect());
        let outcome = Json::Object(vec![("validation_errors".into(), errors)]);
        *expected = as_constructors_fail(outcome, &object);
    },
};

fn object_of(case: &Case) -> Json {
    let mut input = case.input_json().unwrap_or(Json::Null);
    input.take_member("object").unwrap_or(Json::Null)
}

/// Whether an object has an integer that `i64` has not.
pub(in crate::runners) fn is_wide(object: &Json) -> bool {
    !wide_integers(object).is_empty()
}

/// The places of such integers, as an error names them: in the order of our reading.
fn wide_integers(object: &Json) -> Vec<Vec<Json>> {
    let fields = object.member("fields").unwrap_or(object);
    let is_wide = |value: &Json| {
        let integer = lax::integer(value);
        integer.is_some_and(|integer| i64::try_from(integer).is_err())
    };
    let name = |name: &str| Json::String(name.into());
    let mut found: Vec<Vec<Json>> = INTEGERS
        .into_iter()
        .filter(|integer| fields.member(integer).is_some_and(is_wide))
        .map(|integer| vec![name(integer)])
        .collect();
    let mut add_inner = |place: Vec<Json>, inner: &Json| {
        for rest in wide_integers(inner) {
            found.push([place.clone(), rest].concat());
        }
    };
    if let Some(config) = fields.member("llm_generation_config") {
        add_inner(vec![name("llm_generation_config")], config);
    }
    let events = fields.member("events").and_then(Json::as_array);
    for (index, event) in events.unwrap_or_default().iter().enumerate() {
        let index = Json::from(serde_json::json!(index));
        add_inner(vec![name("events"), index], event);
    }
    found
}

/// Dictionaries of fields in places of components.
pub(in crate::runners) const COMPONENTS_SAY_WHAT_THEY_ARE: Predicate = Predicate {
    name: "dictionary_in_place_of_a_component",
    applies: |case| {
        let mut expected = case.expected.clone();
        name_what_is_missing(&object_of(case), &mut expected)
    },
    instead: |case, expected| {
        name_what_is_missing(&object_of(case), expected);
    },
};

/// Replaces what Python's classes miss in a dictionary by what a component must have, and says whether there was
/// anything to replace.
fn name_what_is_missing(object: &Json, expected: &mut Json) -> bool {
    let Some((errors, fields)) = errors_and_fields(object, expected) else {
        return false;
    };
    let mut found = false;
    for name in COMPONENTS {
        let place = vec![Json::String(name.into())];
        match fields.member(name) {
            Some(Json::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let index = Json::from(serde_json::json!(index));
                    found |= replace_errors(errors, &[place.clone(), vec![index]].concat(), item);
                }
            }
            Some(value) if name != "tools" => found |= replace_errors(errors, &place, value),
            _ => {}
        }
    }
    found
}

/// What the reference says is wrong, and the fields that it says it of.
fn errors_and_fields<'a>(
    object: &'a Json,
    expected: &'a mut Json,
) -> Option<(&'a mut Vec<Json>, &'a Json)> {
    let errors = expected.member_mut("validation_errors")?;
    Some((errors.as_array_mut()?, object.member("fields")?))
}

fn replace_errors(errors: &mut Vec<Json>, place: &[Json], value: &Json) -> bool {
    let is_dictionary = matches!(value, Json::Object(_))
        && value.member("$ref").is_none()
        && value.member("$class").is_none();
    let is_there = |error: &Json| {
        let location = error.member("loc").and_then(Json::as_array);
        location.is_some_and(|location| location.starts_with(place))
    };
    let Some(at) = errors.iter().position(is_there).filter(|_| is_dictionary) else {
        return false;
    };
    errors.retain(|error| !is_there(error));
    let missing = ["component_type", "id", "name"].into_iter();
    let missing = missing.filter(|name| value.member(name).is_none());
    let missing = missing.map(|name| {
        let location = [place, &[Json::String(name.into())]].concat();
        Json::Object(vec![
            ("loc".into(), Json::Array(location)),
            ("type".into(), Json::String("missing".into())),
        ])
    });
    errors.splice(at..at, missing);
    true
}

/// Components in snapshots of states.
pub(in crate::runners) const SNAPSHOTS_HOLD_DUMPS: Predicate = Predicate {
    name: "component_inside_of_a_snapshot",
    applies: |case| {
        let object = object_of(case);
        case.expected == no_json()
            && snapshot_holds_component(&object)
            && !snapshot_holds_no_number(&object)
    },
    instead: |_, expected| *expected = taken(),
};

/// Components in places of lists.
pub(in crate::runners) const NO_OBJECT_IS_A_LIST: Predicate = Predicate {
    name: "object_in_place_of_a_list",
    applies: |case| {
        let mut expected = case.expected.clone();
        name_the_list(&object_of(case), &mut expected)
    },
    instead: |case, expected| {
        name_the_list(&object_of(case), expected);
    },
};

/// Replaces what is said of each field of an object by one error about the list, and says whether there was any.
fn name_the_list(object: &Json, expected: &mut Json) -> bool {
    let Some((errors, fields)) = errors_and_fields(object, expected) else {
        return false;
    };
    let mut found = false;
    for list in ["events", "prompt", "tools", "tool_calls"] {
        let is_object = fields.member(list).is_some_and(|value| {
            value.member("$ref").is_some() || value.member("$class").is_some()
        });
        let name = Json::String(list.into());
        let is_of_an_item = |error: &Json| {
            let location = error.member("loc").and_then(Json::as_array);
            location.is_some_and(|location| location.len() > 1 && location.first() == Some(&name))
        };
        let Some(at) = errors.iter().position(is_of_an_item).filter(|_| is_object) else {
            continue;
        };
        errors.retain(|error| !is_of_an_item(error));
        let error = serde_json::json!({"loc": [list], "type": "list_type"});
        errors.insert(at, error.into());
        found = true;
    }
    found
}
