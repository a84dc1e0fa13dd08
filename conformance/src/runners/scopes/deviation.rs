//! Where our scopes may do something else than the reference's, by properties of the input.

use std::collections::BTreeSet;

use agentspan_model::keys;
use serde_json::Value;

use super::{Action, Input, ScopeInput, ScopeKind, Scopes, run};
use crate::export_input::SDK_LIMIT;
use crate::live_scope::Stop;
use crate::own_name::OWN;
use crate::runners::generation::Generation;
use crate::{Allowance, Case, Json, Predicate};

const ATTRIBUTES: &[&str] = &["spans.*.attributes", "spans.*.events"];

const LISTS: &[&str] = &["spans.*.attributes", "spans.*.events", "spans.*.links"];

const TIMES: &[&str] = &["spans.*.start_time_unix_nano", "spans.*.end_time_unix_nano"];

macro_rules! allowances {
    ($($name:literal $holds:ident $places:expr;)*) => {
        &[$(Allowance {
            name: $name,
            applies: |case| case.input().is_ok_and(|input: Input| $holds::<G>(&input, case)),
            places: $places,
        },)*]
    };
}

impl<G: Generation> Scopes<G> {
    pub(super) const OF_ALL: &'static [Allowance] = allowances!(
        "input_has_no_rust_form" has_no_form &["**"];
        "span_exceeds_limits" has_long_lists LISTS;
        "switched_off_before_the_end" ends_while_off &["spans"];
    );

    pub(super) const BEFORE_V3: &'static [Allowance] = allowances!(
        "free_attributes_overwrite" overwrites ATTRIBUTES;
    );

    pub(super) const SINCE_V2: &'static [Allowance] = allowances!(
        "json_holds_a_wide_integer" holds_wide_integer ATTRIBUTES;
        "time_is_rounded_by_a_float" has_fine_time TIMES;
        "score_is_an_integer" has_whole_score ATTRIBUTES;
        "role_is_unknown" has_unknown_role &["raised", "spans"];
    );

    pub(super) const OF_V2: &'static [Allowance] = allowances!(
        "guardian_is_shown_structured_messages" shows_messages ATTRIBUTES;
    );

    pub(super) const OF_V3: &'static [Allowance] = allowances!(
        "parameter_is_an_integer" has_whole_parameter ATTRIBUTES;
        "model_is_not_named" names_no_model &["spans.*.name", "spans.*.attributes"];
    );
}

/// Whether a value of the input is of a type, or an id of a form, that our types do not have.
fn has_no_form<G: Generation>(input: &Input, _: &Case) -> bool {
    matches!(run(input, G::PROFILE), Err(Stop::Refused(_)))
}

fn actions<'a>(input: &'a Input, op: &'a str) -> impl Iterator<Item = &'a Action> {
    let actions = input.scopes.iter().flat_map(|scope| &scope.actions);
    actions.filter(move |action| action.op.as_deref() == Some(op))
}

/// Whether more may be recorded in a list than the SDK keeps.
fn has_long_lists<G: Generation>(input: &Input, _: &Case) -> bool {
    fn longest(value: &Value) -> usize {
        match value {
            Value::Array(items) => items.iter().map(longest).max().max(Some(items.len())),
            Value::Object(members) => members.values().map(longest).max(),
            _ => None,
        }
        .unwrap_or_default()
    }
    let of_scope = |scope: &ScopeInput| {
        let recorded = scope.actions.iter().flat_map(|action| &action.args);
        longest(&scope.args) + scope.actions.len() + recorded.map(longest).sum::<usize>()
    };
    // A scope sets some thirty attributes itself.
    input
        .scopes
        .iter()
        .any(|scope| of_scope(scope) + 40 > SDK_LIMIT)
}

/// Whether the environment changes while a scope is open, and no span ended. One that did is compared.
fn ends_while_off<G: Generation>(input: &Input, case: &Case) -> bool {
    let spans = case.expected.member("spans").and_then(Json::as_array);
    let mut actions = input.scopes.iter().flat_map(|scope| &scope.actions);
    spans.is_some_and(<[Json]>::is_empty) && actions.any(|action| action.set_env.is_some())
}

/// Whether a free attribute has a key that the span has without it.
fn overwrites<G: Generation>(input: &Input, _: &Case) -> bool {
    let recorded = actions(input, "record_attributes").flat_map(|action| &action.args);
    let pairs = recorded.filter_map(Value::as_array).flatten();
    let free: BTreeSet<_> = pairs.filter_map(|pair| pair[0].as_str()).collect();
    if free.is_empty() {
        return false;
    }
    let mut without = input.clone();
    for scope in &mut without.scopes {
        let is_free = |action: &Action| action.op.as_deref() == Some("record_attributes");
        scope.actions.retain(|action| !is_free(action));
    }
    let outcome = run(&without, G::PROFILE).unwrap_or_default();
    let spans = outcome["spans"].as_array().into_iter().flatten();
    let pairs = spans
        .filter_map(|span| span["attributes"].as_array())
        .flatten();
    let mut keys = pairs.filter_map(|pair| pair[0].as_str());
    keys.any(|key| free.contains(key))
}

fn holds_wide_integer<G: Generation>(_: &Input, case: &Case) -> bool {
    fn is_wide(json: &Json) -> bool {
        match json {
            Json::Number(number) => {
                let digits = number.to_string();
                let is_integer = !digits.contains(['.', 'e', 'E']);
                is_integer && digits.parse::<i64>().is_err() && digits.parse::<u64>().is_err()
            }
            Json::Array(items) => items.iter().any(is_wide),
            Json::Object(members) => members.iter().any(|(_, value)| is_wide(value)),
            Json::Null | Json::Bool(_) | Json::String(_) => false,
        }
    }
    case.input_json().is_ok_and(|input| is_wide(&input))
}

fn shows_messages<G: Generation>(input: &Input, _: &Case) -> bool {
    let mut scopes = input.scopes.iter();
    scopes.any(|scope| {
        let content = scope.args.pointer("/request/content");
        scope.scope == ScopeKind::ApplyGuardrail && content.is_some_and(Value::is_object)
    })
}

/// Whether a time is given in parts of a second, which a float may not hold.
fn has_fine_time<G: Generation>(input: &Input, _: &Case) -> bool {
    let details = input.scopes.iter().flat_map(|scope| {
        let names = ["/span_details/start_time", "/span_details/end_time"];
        names
            .into_iter()
            .filter_map(|name| scope.args.pointer(name))
    });
    let set = actions(input, "set_end_time").filter_map(|action| action.args.first());
    let mut texts = details.chain(set).filter_map(Value::as_str);
    texts.any(|text| text.contains(['.', ',']))
}

fn has_whole_score<G: Generation>(input: &Input, _: &Case) -> bool {
    let findings = actions(input, "record_finding").filter_map(|action| action.args.first());
    let mut scores = findings.filter_map(|finding| finding.get("risk_score"));
    scores.any(Value::is_i64)
}

/// Whether the reference knows no such role of a message.
fn has_unknown_role<G: Generation>(_: &Input, case: &Case) -> bool {
    let raised = case.expected.member("raised");
    let message = raised.and_then(|raised| raised.member("message")?.as_str());
    message.is_some_and(|message| message.ends_with(" is not a valid MessageRole"))
}

fn has_whole_parameter<G: Generation>(input: &Input, _: &Case) -> bool {
    let names = [
        "frequency_penalty",
        "presence_penalty",
        "temperature",
        "top_p",
    ];
    let mut parameters = input
        .scopes
        .iter()
        .map(|scope| &scope.args["request_parameters"]);
    parameters.any(|parameters| names.iter().any(|name| parameters[name].is_i64()))
}

fn names_no_model<G: Generation>(input: &Input, _: &Case) -> bool {
    let mut scopes = input.scopes.iter();
    scopes.any(|scope| {
        let model = &scope.args["details"]["model"];
        scope.scope == ScopeKind::Inference && (model.is_null() || model == "")
    })
}

impl<G: Generation> Scopes<G> {
    pub(super) const REWRITES: &'static [Predicate] = &[
        SPAN_SAYS_ITS_LANGUAGE,
        Predicate {
            name: "scope_is_in_a_scope_of_a_tenant",
            applies: |case| !taken_from_outer::<G>(case).is_empty(),
            instead: |case, expected| take_from_outer(expected, taken_from_outer::<G>(case)),
        },
    ];
}

/// A tenant that a span takes from the enclosing scope: the place of the span, that of the attribute, and the tenant.
type Taken = (usize, usize, String);

/// The tenants of enclosing scopes that our spans have and the reference's have not.
fn taken_from_outer<G: Generation>(case: &Case) -> Vec<Taken> {
    let Ok(input) = case.input::<Input>() else {
        return Vec::new();
    };
    let tenants = tenants_around(&input);
    if tenants.is_empty() {
        return Vec::new();
    }
    let key = G::PROFILE.tenant_id_key();
    let outcome = run(&input, G::PROFILE).unwrap_or_default();
    let ours = outcome["spans"].as_array().into_iter().flatten();
    let theirs = case.expected.member("spans").and_then(Json::as_array);
    let taken = ours.zip(theirs.unwrap_or_default()).enumerate();
    let taken = taken.filter_map(|(at, (ours, theirs))| {
        let theirs = theirs.member("attributes")?.as_array()?;
        let is_tenant = |pair: &Json| pair.as_array()?.first()?.as_str().map(|name| name == key);
        if theirs.iter().any(|pair| is_tenant(pair) == Some(true)) {
            return None;
        }
        let ours = ours["attributes"].as_array()?;
        let place = ours.iter().position(|pair| pair[0] == key)?;
        let tenant = ours.get(place)?[1]["string"].as_str()?;
        tenants
            .contains(tenant)
            .then(|| (at, place, tenant.to_owned()))
    });
    taken.collect()
}

/// The tenant that a scope names.
fn tenant(scope: &ScopeInput) -> Option<&str> {
    scope.args.pointer("/agent_details/tenant_id")?.as_str()
}

/// The tenants of scopes around scopes that name none.
fn tenants_around(input: &Input) -> BTreeSet<&str> {
    let scopes = input.scopes.as_slice();
    let last = scopes.iter().rposition(|scope| tenant(scope).is_none());
    let around = scopes.iter().take(last.unwrap_or_default());
    around.filter_map(tenant).collect()
}

fn take_from_outer(expected: &mut Json, taken: Vec<Taken>) {
    let mut spans = expected.member_mut("spans").and_then(Json::as_array_mut);
    for (at, place, tenant) in taken {
        let span = spans.as_mut().and_then(|spans| spans.get_mut(at));
        let attributes = span.and_then(|span| span.member_mut("attributes")?.as_array_mut());
        if let Some(attributes) = attributes {
            let pair = serde_json::json!([keys::MICROSOFT_TENANT_ID, {"string": tenant}]);
            attributes.insert(place.min(attributes.len()), pair.into());
        }
    }
}

pub(in crate::runners) const SPAN_SAYS_ITS_LANGUAGE: Predicate = Predicate {
    name: "span_says_its_language",
    applies: |case| says_python(&case.expected),
    instead: |_, expected| say_rust(expected),
};

/// Calls `change` with the value of each attribute with this key, however deep.
fn each_value(json: &mut Json, key: &str, change: &mut dyn FnMut(&mut Json)) {
    match json {
        Json::Array(items) => {
            if let [name, value] = items.as_mut_slice() {
                if name.as_str() == Some(key) {
                    return change(value);
                }
            }
            for item in items {
                each_value(item, key, change);
            }
        }
        Json::Object(members) => {
            for (_, value) in members {
                each_value(value, key, change);
            }
        }
        _ => {}
    }
}

fn says_python(expected: &Json) -> bool {
    let mut found = false;
    let key = keys::TELEMETRY_SDK_LANGUAGE;
    each_value(&mut expected.clone(), key, &mut |value| {
        found |= value.member("string").and_then(Json::as_str) == Some("python");
    });
    found
}

fn say_rust(expected: &mut Json) {
    for (key, theirs, ours) in OWN {
        each_value(expected, key, &mut |value| {
            let text = value.member_mut("string");
            if let Some(text) = text.filter(|text| text.as_str() == Some(theirs)) {
                *text = Value::from(ours).into();
            }
        });
    }
}
