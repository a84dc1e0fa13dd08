//! Ids that occur in the spans as a part of other ids only.

use super::Scenario;
use super::asked::{facts, plain};
use super::python_text::texts_of;
use crate::{Case, Json, Predicate};

/// `not_in_spans` looks for texts: an answer `resp-1` seems to be in a span that has its message `msg_resp-1`.
pub(super) const PART_OF_A_WORD: Predicate = Predicate {
    name: "id_that_is_a_part_of_another",
    applies: |case| {
        case.input()
            .is_ok_and(|scenario: Scenario| !parts(&scenario).is_empty())
    },
    instead: |case: &Case, expected: &mut Json| {
        let Ok(scenario) = case.input::<Scenario>() else {
            return;
        };
        for (path, id) in parts(&scenario) {
            let missing = Json::of(&format!("missing: {id:?}"));
            if let (Some(outcome), Ok(missing)) = (expected.member_mut(&path), missing) {
                *outcome = missing;
            }
        }
    },
};

/// The paths and values of such ids.
fn parts(scenario: &Scenario) -> Vec<(String, String)> {
    let texts = texts_of(scenario);
    let facts = facts(&scenario.facts, &scenario.not_in_spans);
    let ids = facts.iter().filter(|fact| fact.name() == "response_id");
    let ids = ids.map(|fact| (fact.path(), plain(&fact.value)));
    let is_part = |id: &str| {
        let mut places = texts.iter().flat_map(|text| {
            let places = text.match_indices(id);
            places.map(|(at, _)| text[..at].chars().next_back())
        });
        places.all(|before| before.is_some_and(|c| c.is_alphanumeric() || c == '_'))
    };
    ids.filter(|(_, id)| is_part(id)).collect()
}
