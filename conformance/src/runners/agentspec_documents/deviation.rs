//! Where we read documents otherwise than the reference does, on purpose.

use super::reason::{class_of, is_no_text, said_class};
use super::{object, string};
use agentspan_model::agentspec::is_secret_field;

use crate::runners::agentspec::SHOWN_SECRETS;
use crate::{Case, Json, Predicate};

pub(super) const PREDICATES: &[Predicate] = &[
    Predicate {
        name: "reason_is_one_of_a_validator",
        applies: |case| is_refused_for(case, &A_VALIDATORS),
        instead: |_, expected| *expected = either(),
    },
    Predicate {
        name: "reason_is_a_limit_of_python",
        applies: |case| is_refused_for(case, &LIMITS),
        instead: |_, expected| *expected = either(),
    },
    Predicate {
        name: "entries_refer_to_each_other",
        applies: refers_to_siblings,
        instead: |_, expected| *expected = either(),
    },
    Predicate {
        name: "reference_stands_for_a_secret",
        applies: |case| misses_secrets(case),
        instead: |case, expected| *expected = without_secrets(case),
    },
    Predicate {
        name: "ids_are_told_apart_by_type",
        applies: misses_an_id_of_another_type,
        instead: |_, expected| *expected = either(),
    },
    Predicate {
        name: "reference_makes_ids_up",
        applies: |case| has_made_ids(&case.expected),
        instead: |_, expected| *expected = refused("missing_member"),
    },
    Predicate {
        name: "value_in_place_of_a_component",
        applies: |case| has_value(&case.expected),
        instead: |_, expected| *expected = refused("not_a_component"),
    },
    Predicate {
        name: "numbers_are_not_finite",
        applies: |case| {
            let is_refused = has_made_ids(&case.expected) || has_value(&case.expected);
            !is_refused && say_non_finite(&mut case.expected.clone())
        },
        instead: |_, expected| {
            say_non_finite(expected);
        },
    },
    Predicate {
        name: "mappings_with_a_common_key_are_merged",
        applies: merges_a_list,
        instead: |_, expected| *expected = accepted(),
    },
    SHOWN_SECRETS,
    Predicate {
        name: "hash_of_a_dump_that_has_other_bytes",
        applies: has_other_bytes,
        instead: |_, expected| without_hash(expected),
    },
];

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

/// Reasons that we find where the reference has already stopped for another one.
const FURTHER_ON: [&str; 3] = ["cycle", "duplicate_id", "reference_not_yet_listed"];

/// Reasons that the reference looks for first, unless Python stops it.
const AT_FIRST: [&str; 2] = ["missing_reference", "unknown_version"];

fn is_refused_for(case: &Case, classes: &[&str]) -> bool {
    class_of(&case.expected).is_some_and(|class| classes.contains(&class))
}

fn is_accepted(outcome: &Json) -> bool {
    outcome.member("accepted") == Some(&Json::Bool(true))
}

fn accepted() -> Json {
    object(vec![("accepted", Json::Bool(true))])
}

/// Whether it is accepted does not matter.
fn either() -> Json {
    object(vec![("accepted", string("either"))])
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

/// Whether an entry of a list refers to a later one. What a list further inside has is not told apart in YAML.
fn refers_to_siblings(case: &Case) -> bool {
    is_refused_for(case, &["reference_not_yet_listed"])
        && input_text(case, "call").as_deref() == Some("read_referenced")
        && (is_yaml(case) || missing(case).iter().any(|(id, _)| lists(case, id)))
}

/// Whether a JSON document lists an id.
fn lists(case: &Case, id: &Json) -> bool {
    let text = input_text(case, "text").unwrap_or_default();
    let document = Json::parse(&text).ok();
    let listed = document
        .as_ref()
        .and_then(|document| document.member("$referenced_components"));
    listed
        .and_then(|listed| listed.member(id.as_str()?))
        .is_some()
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

/// Replaces numbers that are not finite by their names, and says whether there were any.
fn say_non_finite(expected: &mut Json) -> bool {
    if let Some(name) = expected.take_member("$nonfinite") {
        *expected = name;
        return true;
    }
    match expected {
        Json::Object(members) => {
            let members = members.iter_mut();
            members.fold(false, |found, (_, value)| say_non_finite(value) | found)
        }
        Json::Array(items) => {
            let items = items.iter_mut();
            items.fold(false, |found, item| say_non_finite(item) | found)
        }
        _ => false,
    }
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

/// The outcome without the references that stand for secrets. Without others, the reference does not say what
/// it would do.
fn without_secrets(case: &Case) -> Json {
    let missing = missing(case).into_iter();
    let others = missing.filter(|(_, is_secret)| !is_secret);
    let others: Vec<Json> = others.map(|(id, _)| id.clone()).collect();
    if case.has_flag("secret_reference") || others.is_empty() {
        return either();
    }
    let reason = vec![
        ("class", string("missing_reference")),
        ("ids", Json::Array(others)),
    ];
    object(vec![
        ("accepted", Json::Bool(false)),
        ("reason", object(reason)),
    ])
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

fn without_hash(outcome: &mut Json) {
    if let Some(component) = outcome.member_mut("component") {
        component.take_member("masked_sha256");
        component.take_member("masked_utf8_len");
    }
}

fn is_refused_with(outcome: &Json, class: &str) -> bool {
    class_of(outcome) == Some(class)
}

/// Our outcome, as far as it is compared with the reference's.
pub(super) fn as_compared(case: &Case, mut outcome: Json) -> Json {
    let is_ours = |outcome: &Json, classes: &[&str]| {
        is_accepted(outcome) || class_of(outcome).is_some_and(|class| classes.contains(&class))
    };
    if is_refused_for(case, &A_VALIDATORS)
        && (is_ours(&outcome, &OURS)
            || is_ours(&outcome, &FURTHER_ON)
            || case.has_flag("python_crash") && is_ours(&outcome, &AT_FIRST))
        || is_refused_for(case, &LIMITS)
            && (is_ours(&outcome, &LIMITS)
                || is_yaml(case) && is_refused_with(&outcome, "yaml_tag_or_alias"))
        || refers_to_siblings(case)
            && (is_ours(&outcome, &["cycle"])
                || is_ours(&outcome, &OURS)
                || is_yaml(case) && is_ours(&outcome, &["reference_not_yet_listed"]))
        || misses_an_id_of_another_type(case)
        || misses_secrets(case)
            && without_secrets(case) == either()
            && !(case.has_flag("secret_reference")
                && is_refused_with(&outcome, "missing_reference"))
    {
        return either();
    }
    // The class of what is referred to, before what is in it.
    if said_class(&case.expected) == Some("wrong_component_class")
        && class_of(&outcome).is_some_and(|class| OURS.contains(&class))
    {
        return refused("not_a_component");
    }
    if is_accepted(&outcome) && (!is_accepted(&case.expected) || merges_a_list(case)) {
        return accepted();
    }
    if has_other_bytes(case) {
        without_hash(&mut outcome);
    }
    let place = case
        .expected
        .member("reason")
        .and_then(|reason| reason.member("line"));
    if let (Some(reason), None) = (outcome.member_mut("reason"), place) {
        reason.take_member("line");
        reason.take_member("column");
    }
    outcome
}
