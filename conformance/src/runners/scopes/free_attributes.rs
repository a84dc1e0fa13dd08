//! Free attributes, which overwrite nothing in our scopes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Input, ScopeInput, run, say_rust};
use crate::runners::generation::Generation;
use crate::{Case, Json};

/// Puts what a span says by other means in the place of the free attributes that overwrite it.
///
/// That is asked of a run without these attributes. A span that differs in anything else stays as the
/// reference made it, so that the difference is seen.
pub(super) fn protect<G: Generation>(case: &Case, expected: &mut Json) {
    let Ok(mut input) = case.input::<Input>() else {
        return;
    };
    let free: Vec<_> = input.scopes.iter().map(free_keys).collect();
    if free.iter().all(BTreeSet::is_empty) {
        return;
    }
    let Some(without) = spans::<G>(&input, |scope| retain(scope, |_| false)) else {
        return;
    };
    // Scopes end in the reverse order of their start.
    let contested: Vec<BTreeSet<String>> = free
        .iter()
        .zip(without.iter().rev())
        .map(|(free, span)| free.intersection(&keys(span)).cloned().collect())
        .collect();
    for (scope, contested) in input.scopes.iter_mut().zip(&contested) {
        retain(scope, |key| !contested.contains(key));
    }
    let Some(ours) = spans::<G>(&input, |_| {}) else {
        return;
    };
    let spans = expected.member_mut("spans").and_then(Json::as_array_mut);
    let spans = spans.into_iter().flatten();
    for ((span, ours), contested) in spans.zip(&ours).zip(contested.iter().rev()) {
        let mut in_rust = span.clone();
        say_rust(&mut in_rust);
        let is_other = attributes(&in_rust) != attributes(ours);
        if is_other && rest(&in_rust, contested) == rest(ours, contested) {
            let attributes = ours.member("attributes").cloned();
            if let (Some(slot), Some(attributes)) = (span.member_mut("attributes"), attributes) {
                *slot = attributes;
            }
        }
    }
}

/// The spans of the input after a change to each scope, if each scope makes one.
fn spans<G: Generation>(input: &Input, change: impl Fn(&mut ScopeInput)) -> Option<Vec<Json>> {
    let mut input = input.clone();
    input.scopes.iter_mut().for_each(change);
    let mut outcome = Json::from(run(&input, G::PROFILE).ok()?);
    let spans = outcome.member_mut("spans").and_then(Json::as_array_mut)?;
    (spans.len() == input.scopes.len()).then(|| std::mem::take(spans))
}

fn free_keys(scope: &ScopeInput) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    retain(&mut scope.clone(), |key| {
        keys.insert(key.to_owned());
        true
    });
    keys
}

/// Keeps those free attributes whose keys meet the condition.
fn retain(scope: &mut ScopeInput, mut keeps: impl FnMut(&str) -> bool) {
    let is_free = |op: Option<&str>| op == Some("record_attributes");
    let calls = scope.actions.iter_mut();
    for call in calls.filter(|action| is_free(action.op.as_deref())) {
        for pairs in call.args.iter_mut().filter_map(Value::as_array_mut) {
            pairs.retain(|pair| pair[0].as_str().is_none_or(&mut keeps));
        }
    }
}

fn keys(span: &Json) -> BTreeSet<String> {
    let pairs = attributes(span).iter().filter_map(key);
    pairs.map(str::to_owned).collect()
}

/// The attributes with other keys.
fn rest<'a>(span: &'a Json, without: &BTreeSet<String>) -> Vec<&'a Json> {
    let pairs = attributes(span).iter();
    pairs
        .filter(|pair| key(pair).is_none_or(|key| !without.contains(key)))
        .collect()
}

fn attributes(span: &Json) -> &[Json] {
    let attributes = span.member("attributes").and_then(Json::as_array);
    attributes.unwrap_or_default()
}

fn key(pair: &Json) -> Option<&str> {
    pair.as_array()?.first()?.as_str()
}
