//! What we do otherwise than the reference with spans, events and components.

use super::lax;
use super::refused::{COMPONENTS, INTEGERS, PAYLOADS, snapshot_holds_component};
use crate::{Allowance, Case, Json, Predicate};

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

/// What may differ of spans and events whose values have other types in Rust.
pub(in crate::runners) const OTHER_TYPES: &[Allowance] = &[
    Allowance {
        name: "integer_beyond_64_bits",
        applies: |case| is_wide(&object_of(case)),
        places: &["**"],
    },
    Allowance {
        name: "dictionary_in_place_of_a_component",
        applies: |case| {
            let is_dictionary = |value: &Json| matches!(value, Json::Object(_)) && !is_made(value);
            has_field(case, &COMPONENTS, &|value| {
                let items = value.as_array().unwrap_or_default();
                is_dictionary(value) || items.iter().any(is_dictionary)
            })
        },
        places: &["validation_errors"],
    },
    Allowance {
        name: "component_inside_of_a_snapshot",
        applies: |case| snapshot_holds_component(&object_of(case)),
        places: &["**"],
    },
    Allowance {
        name: "object_in_place_of_a_list",
        applies: |case| has_field(case, &["events", "prompt", "tools", "tool_calls"], &is_made),
        places: &["validation_errors"],
    },
];

fn object_of(case: &Case) -> Json {
    let mut input = case.input_json().unwrap_or(Json::Null);
    input.take_member("object").unwrap_or(Json::Null)
}

/// Whether a value is an object of a class of Python.
fn is_made(value: &Json) -> bool {
    value.member("$ref").is_some() || value.member("$class").is_some()
}

fn has_field(case: &Case, names: &[&str], holds: &dyn Fn(&Json) -> bool) -> bool {
    let object = object_of(case);
    let value = |name: &&str| object.member("fields")?.member(name);
    names.iter().filter_map(value).any(holds)
}

/// Whether an object has an integer that `i64` has not.
pub(in crate::runners) fn is_wide(object: &Json) -> bool {
    let is_beyond = |value: &Json| {
        let integer = lax::integer(value);
        integer.is_some_and(|integer| i64::try_from(integer).is_err())
    };
    let fields = object.member("fields").unwrap_or(object);
    let mut integers = INTEGERS.iter().filter_map(|name| fields.member(name));
    let events = fields.member("events").and_then(Json::as_array);
    let mut inner = fields.member("llm_generation_config").into_iter();
    integers.any(is_beyond) || inner.any(is_wide) || events.unwrap_or_default().iter().any(is_wide)
}
