//! Where we may read documents otherwise than the reference does, by properties of the input and of what
//! the reference says of it.

use agentspan_model::agentspec::is_secret_field;

use super::reason::{class_of, is_no_text, said_class};
use super::{object, string};
use crate::{Allowance, Case, Json, Outcome, Predicate};

const ANYWHERE: &[&str] = &["**"];

/// What a document became.
const READ: &[&str] = &["component", "components"];

const HASHES: &[&str] = &["component.masked_sha256", "component.masked_utf8_len"];

macro_rules! allowances {
    ($($name:literal $applies:expr, $places:ident;)*) => {
        &[$(Allowance {
            name: $name,
            applies: $applies,
            places: $places,
        },)*]
    };
}

pub(super) const ALLOWANCES: &[Allowance] = allowances!(
    "reason_is_one_of_a_validator" |case| is_refused_for(case, &A_VALIDATORS), ANYWHERE;
    "reason_is_a_limit_of_python" |case| is_refused_for(case, &LIMITS), ANYWHERE;
    "entries_refer_to_each_other" refers_to_siblings, ANYWHERE;
    "reference_stands_for_a_secret" misses_secrets, ANYWHERE;
    "ids_are_told_apart_by_type" misses_an_id_of_another_type, ANYWHERE;
    "reference_makes_ids_up" |case| has_made_ids(&case.expected), ANYWHERE;
    "value_in_place_of_a_component" |case| has_value(&case.expected), ANYWHERE;
    "mappings_with_a_common_key_are_merged" merges_a_list, READ;
    "hash_of_a_dump_that_has_other_bytes" has_other_bytes, HASHES;
);

/// Numbers that are not finite are read as texts.
pub(super) const NUMBERS_AS_TEXTS: Predicate = Predicate {
    name: "numbers_are_not_finite",
    applies: |case| is_accepted(&case.expected) && as_texts(&mut case.expected.clone()),
    instead: |_, expected| {
        as_texts(expected);
    },
};

/// Writes the names of numbers that are not finite in their places. Whether there were any.
fn as_texts(json: &mut Json) -> bool {
    if let Some(name @ Json::String(_)) = json.member("$nonfinite") {
        *json = name.clone();
        return true;
    }
    let mut found = false;
    match json {
        Json::Array(items) => items.iter_mut().for_each(|item| found |= as_texts(item)),
        Json::Object(members) => {
            members
                .iter_mut()
                .for_each(|(_, value)| found |= as_texts(value));
        }
        _ => {}
    }
    found
}

/// Reasons of one who checks that a document obeys the rules of its language. We read traces.
const A_VALIDATORS: [&str; 7] = [
    "missing_member",
    "wrong_type",
    "invalid_value",
    "version_too_low",
    "version_too_high",
    "unknown_class",
    "abstract_class",
];

/// Reasons that come from how Python is made.
const LIMITS: [&str; 2] = ["too_deep", "number_too_long"];

/// Reasons for which we may refuse what the reference refuses for another one of these.
const OURS: [&str; 4] = [
    "missing_member",
    "wrong_type",
    "not_a_component",
    "invalid_value",
];

/// Reasons for which we may refuse what only a validator finds wrong first.
const OF_STRUCTURE: [&str; 8] = [
    "missing_member",
    "wrong_type",
    "not_a_component",
    "invalid_value",
    "missing_reference",
    "reference_not_yet_listed",
    "duplicate_id",
    "cycle",
];

fn is_refused_for(case: &Case, classes: &[&str]) -> bool {
    class_of(&case.expected).is_some_and(|class| classes.contains(&class))
}

fn is_accepted(outcome: &Json) -> bool {
    outcome.member("accepted") == Some(&Json::Bool(true))
}

fn refused(class: &str) -> Json {
    object(vec![
        ("accepted", Json::Bool(false)),
        ("reason", object(vec![("class", string(class))])),
    ])
}

fn input_text(case: &Case, member: &str) -> Option<String> {
    let input = case.input_json().ok()?;
    Some(input.member(member)?.as_str()?.to_owned())
}

/// Whether an entry of a list refers to a later one.
fn refers_to_siblings(case: &Case) -> bool {
    is_refused_for(case, &["reference_not_yet_listed"])
        && input_text(case, "call").as_deref() == Some("read_referenced")
}

/// Whether a component has an id of the reference's, but for those that stand in a place by default.
fn has_made_ids(expected: &Json) -> bool {
    match expected {
        Json::Object(members) => {
            let is_default = expected.member("name").and_then(Json::as_str)
                == Some("default-inmemory-datastore");
            let id = expected.member("id").and_then(Json::as_str);
            let is_made = id.is_some_and(|id| id.starts_with("<made "));
            is_made && !is_default || members.iter().any(|(_, value)| has_made_ids(value))
        }
        Json::Array(items) => items.iter().any(has_made_ids),
        _ => false,
    }
}

fn has_value(expected: &Json) -> bool {
    let is_value = |described: &Json| described.member("component_type").is_none();
    let Some(Json::Object(components)) = expected.member("components") else {
        return expected.member("component").is_some_and(is_value);
    };
    components.iter().any(|(_, described)| is_value(described))
}

fn is_yaml(case: &Case) -> bool {
    input_text(case, "format").as_deref() == Some("yaml")
}

/// Whether a YAML text merges a list of mappings.
fn merges_a_list(case: &Case) -> bool {
    let text = input_text(case, "text").unwrap_or_default();
    let merged = text.split("<<:").skip(1);
    is_yaml(case)
        && is_accepted(&case.expected)
        && merged
            .into_iter()
            .any(|after| after.trim_start().starts_with('['))
}

/// The ids that are missing, and whether each stands for a secret: the reference calls those
/// `<id>.<member>`.
fn missing(case: &Case) -> Vec<(&Json, bool)> {
    let reason = case.expected.member("reason");
    let ids = reason.and_then(|reason| reason.member("ids")?.as_array());
    let is_secret = |id: &Json| {
        let member = id.as_str().and_then(|id| id.rsplit_once('.'));
        member.is_some_and(|(_, member)| is_secret_field("", member))
    };
    let ids = ids.unwrap_or_default().iter();
    ids.map(|id| (id, is_secret(id))).collect()
}

fn misses_secrets(case: &Case) -> bool {
    let has_secrets = missing(case).iter().any(|(_, is_secret)| *is_secret);
    is_refused_for(case, &["missing_reference"])
        && (case.has_flag("secret_reference") || has_secrets)
}

/// Whether a YAML document only misses ids that look like values of other types, such as `'7'`, and lists them.
fn misses_an_id_of_another_type(case: &Case) -> bool {
    let missing = missing(case);
    let text = input_text(case, "text").unwrap_or_default();
    let is_listed = |id: &str| text.contains(&format!(" {id}:"));
    let is_no_text = |id: &Json| {
        id.as_str()
            .is_some_and(|id| is_no_text(id) && is_listed(id))
    };
    is_refused_for(case, &["missing_reference"])
        && is_yaml(case)
        && !missing.is_empty()
        && missing.iter().all(|(id, _)| is_no_text(id))
}

/// Whether a dump of which only the hash is known shows secrets, or says things in an order of Python's.
fn has_other_bytes(case: &Case) -> bool {
    let component = case.expected.member("component");
    let has_hash = component.is_some_and(|component| component.member("masked_sha256").is_some());
    let text = input_text(case, "text").unwrap_or_default();
    let shows_secrets = ["OAuthClientConfig", "sslkey"]
        .iter()
        .any(|secret| text.contains(secret));
    has_hash && (shows_secrets || case.has_flag("order_free"))
}

/// Our outcome, as far as the reference says enough to compare it.
pub(super) fn as_compared(case: &Case, mut outcome: Json) -> Outcome {
    let class = class_of(&outcome);
    if let Some(class) = class.filter(|class| !OF_STRUCTURE.contains(class)) {
        if is_refused_for(case, &A_VALIDATORS) {
            let why = format!("refused for {class}, where the reference has read all of it");
            return Err(why.into());
        }
    }
    // The class of what is referred to, before what is in it.
    if said_class(&case.expected) == Some("wrong_component_class")
        && class_of(&outcome).is_some_and(|class| OURS.contains(&class))
    {
        return Ok(refused("not_a_component"));
    }
    if is_accepted(&outcome) && !is_accepted(&case.expected) {
        return Ok(object(vec![("accepted", Json::Bool(true))]));
    }
    let place = case
        .expected
        .member("reason")
        .and_then(|reason| reason.member("line"));
    if let (Some(reason), None) = (outcome.member_mut("reason"), place) {
        reason.take_member("line");
        reason.take_member("column");
    }
    Ok(outcome)
}
