//! What does not fit into OpenTelemetry's baggage.

use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use agentspan_otel::RequestBaggage;

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
            for key in left_out(case, G::PROFILE) {
                remove(expected.member_mut("baggage"), &key);
                if key != tenant && key != keys::GEN_AI_AGENT_ID {
                    remove_copies(case, expected, &key);
                }
            }
        },
    }
}

/// The keys that do not fit of all pairs of all layers, the innermost first.
fn left_out(case: &Case, profile: Profile) -> Vec<String> {
    let Ok(input) = case.input::<Input>() else {
        return Vec::new();
    };
    let layers = input.layers.iter().rev();
    keys_left_out(layers.filter_map(|layer| layer.build(profile).ok()))
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

/// The keys of entries that OpenTelemetry's baggage does not take: 64 entries, 8192 bytes, tokens.
fn keys_left_out(layers: impl Iterator<Item = RequestBaggage>) -> Vec<String> {
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
            left_out.push(key);
        }
    }
    left_out
}

/// Removes the attribute from the spans that do not have it themselves.
fn remove_copies(case: &Case, expected: &mut Json, key: &str) {
    let Ok(input) = case.input::<Input>() else {
        return;
    };
    let spans = expected.member_mut("spans").and_then(Json::as_array_mut);
    for (given, span) in input.spans.iter().zip(spans.into_iter().flatten()) {
        if given.attributes.iter().all(|(own, _)| own != key) {
            remove(Some(span), key);
        }
    }
}

/// Removes every pair with this key, however deep.
fn remove(json: Option<&mut Json>, key: &str) {
    match json {
        Some(Json::Array(items)) => {
            items.retain(|item| !is_pair_of(item, key));
            items.iter_mut().for_each(|item| remove(Some(item), key));
        }
        Some(Json::Object(members)) => {
            members
                .iter_mut()
                .for_each(|(_, value)| remove(Some(value), key));
        }
        _ => {}
    }
}

fn is_pair_of(json: &Json, key: &str) -> bool {
    json.as_array()
        .is_some_and(|pair| pair.len() == 2 && pair[0].as_str() == Some(key))
}
