//! Baggage of a request that is entered within the baggage of another one.

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::mapping::BaggageEntry;
use agentspan_otel::baggage::RequestBaggage;

use super::left_out::{remove, remove_copies};
use super::{Input, fits};
use crate::runners::generation::Generation;
use crate::{Case, Predicate};

pub(super) const fn baggage_of_another_request_is_around<G: Generation>() -> Predicate {
    Predicate {
        name: "baggage_of_another_request_is_around",
        applies: |case| fits::<G>(case) && !left_behind(case, G::PROFILE).is_empty(),
        instead: |case, expected| {
            for (key, value) in left_behind(case, G::PROFILE) {
                remove(expected.member_mut("baggage"), &key, &|_| true);
                remove_copies(case, expected, &key, &value);
            }
        },
    }
}

/// What another agent has its own of.
const OF_AGENT: [BaggageEntry; 12] = [
    BaggageEntry::AgentId,
    BaggageEntry::AgentName,
    BaggageEntry::AgentDescription,
    BaggageEntry::AgentType,
    BaggageEntry::AgentVersion,
    BaggageEntry::AgentUserId,
    BaggageEntry::AgentUpn,
    BaggageEntry::AgentUserEmail,
    BaggageEntry::AgentBlueprintId,
    BaggageEntry::HiringManagerId,
    BaggageEntry::ServerAddress,
    BaggageEntry::ServerPort,
];

/// What outer layers say and inner ones do not, which are of another tenant or for another agent.
fn left_behind(case: &Case, profile: Profile) -> Vec<(String, String)> {
    let Ok(input) = case.input::<Input>() else {
        return Vec::new();
    };
    let mut known: Vec<(String, String)> = Vec::new();
    let mut left: Vec<(String, String)> = Vec::new();
    for layer in input.layers {
        let Ok(layer) = layer.build(profile) else {
            return Vec::new();
        };
        let names = |entry: BaggageEntry| {
            let inner = value(&layer, entry, profile);
            let mut known = known.iter();
            let outer = known.find(|(key, _)| Some(&**key) == entry.key(profile));
            let differs = inner
                .zip(outer)
                .is_some_and(|(inner, (_, outer))| inner != outer);
            (inner.is_some(), differs)
        };
        let (names_tenant, is_other_tenant) = names(BaggageEntry::TenantId);
        let (_, is_other_agent) = names(BaggageEntry::AgentId);
        let is_left = |key: &str| {
            let is_of_agent = || OF_AGENT.iter().any(|entry| entry.key(profile) == Some(key));
            is_other_tenant || (is_other_agent && (names_tenant || is_of_agent()))
        };
        let (gone, stays) = known.into_iter().partition(|(key, _)| is_left(key));
        known = stays;
        left.extend::<Vec<_>>(gone);
        for (key, value) in layer.pairs() {
            for pairs in [&mut known, &mut left] {
                pairs.retain(|(known, _)| known != key);
            }
            known.push((key.to_owned(), value.to_owned()));
        }
    }
    left
}

fn value(baggage: &RequestBaggage, entry: BaggageEntry, profile: Profile) -> Option<&str> {
    let wanted = entry.key(profile)?;
    let mut pairs = baggage.pairs();
    pairs
        .find(|(key, _)| *key == wanted)
        .map(|(_, value)| value)
}
