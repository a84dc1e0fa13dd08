//! What does not fit into OpenTelemetry's baggage.

use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use agentspan_otel::baggage::RequestBaggage;

use super::{Input, fits};
use crate::runners::generation::Generation;
use crate::{Case, Json, Predicate};

pub(super) const fn baggage_entry_does_not_fit<G: Generation>() -> Predicate {
    Predicate {
        name: "baggage_entry_does_not_fit",
        applies: |case| fits::<G>(case) && !left_out(case, G::PROFILE).is_empty(),
        instead: |case, expected| {
            let tenant = match G::PROFILE {
                Profile::V0_1 => keys::TENANT_ID,
                _ => keys::MICROSOFT_TENANT_ID,
            };
            for (key, value) in left_out(case, G::PROFILE) {
                remove(expected.member_mut("baggage"), &key, &|_| true);
                if key != tenant && key != keys::GEN_AI_AGENT_ID {
                    remove_copies(case, expected, &key, &value);
                }
            }
        },
    }
}

/// What does not fit of all pairs of all layers, the innermost first.
fn left_out(case: &Case, profile: Profile) -> Vec<(String, String)> {
    let Ok(input) = case.input::<Input>() else {
        return Vec::new();
    };
    let layers = input.layers.iter().rev();
    pairs_left_out(layers.filter_map(|layer| layer.build(profile).ok()))
}

/// All pairs, of which the first of each key counts.
fn all_pairs(layers: impl Iterator<Item = RequestBaggage>) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for baggage in layers {
        for (key, value) in baggage.pairs() {
            if pairs.iter().all(|(known, _)| known != key) {
                pairs.push((key.to_owned(), value.to_owned()));
            }
        }
    }
    pairs
}

/// The entries that OpenTelemetry's baggage does not take: 64 entries, 8192 bytes, tokens.
fn pairs_left_out(layers: impl Iterator<Item = RequestBaggage>) -> Vec<(String, String)> {
    let (mut entries, mut bytes) = (0, 0);
    let mut left_out = Vec::new();
    for (key, value) in all_pairs(layers) {
        let is_token = !key.is_empty()
            && key
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"(),/:;<=>?@[\\]{}\"".contains(&b));
        let size = key.len() + value.len();
        if is_token && entries < 64 && bytes + size <= 8192 {
            entries += 1;
            bytes += size;
        } else {
            left_out.push((key, value));
        }
    }
    left_out
}

/// Removes the attribute from the spans that do not have it themselves; a scope may set it to a value of its own.
pub(super) fn remove_copies(case: &Case, expected: &mut Json, key: &str, value: &str) {
    let Ok(input) = case.input::<Input>() else {
        return;
    };
    let spans = expected.member_mut("spans").and_then(Json::as_array_mut);
    for (given, span) in input.spans.iter().zip(spans.into_iter().flatten()) {
        if given.attributes.iter().all(|(own, _)| own != key) {
            let is_copy =
                |typed: &Json| typed.member("string").and_then(Json::as_str) == Some(value);
            remove(Some(span), key, &is_copy);
        }
    }
}

/// Removes every pair with this key and such a value, however deep.
pub(super) fn remove(json: Option<&mut Json>, key: &str, is_meant: &dyn Fn(&Json) -> bool) {
    match json {
        Some(Json::Array(items)) => {
            items.retain(|item| !is_pair_of(item, key, is_meant));
            let items = items.iter_mut();
            items.for_each(|item| remove(Some(item), key, is_meant));
        }
        Some(Json::Object(members)) => {
            members
                .iter_mut()
                .for_each(|(_, value)| remove(Some(value), key, is_meant));
        }
        _ => {}
    }
}

fn is_pair_of(json: &Json, key: &str, is_meant: &dyn Fn(&Json) -> bool) -> bool {
    json.as_array().is_some_and(
        |pair| matches!(pair, [name, value] if name.as_str() == Some(key) && is_meant(value)),
    )
}
