//! `agentspec_events.json`: events, made, dumped and read.

use agentspan_model::agentspec::{Disclosure, Event};
use serde::Deserialize;

use super::agentspec::{
    Components, OTHER_TYPES, SHOWN_SECRETS, agree, coarse_kinds, dumps, event_of, is_wide, refused,
    text,
};
use crate::{Allowance, Case, Failure, Json, Outcome, Predicate, Runner, Tolerances};

pub(super) struct AgentspecEvents;

impl Runner for AgentspecEvents {
    fn file_stem(&self) -> &'static str {
        "agentspec_events"
    }

    fn run(&self, case: &Case) -> Outcome {
        let Input { components, object } = case.input()?;
        let unmasked = case.expected.member("unmasked");
        let components = Components::read(components, unmasked)?;
        let make = || event_of(&object, unmasked, &components);
        let Some(unmasked) = unmasked.filter(|_| !is_wide(&object)) else {
            return refused(&object, &components, Event::from_json, make);
        };
        let made = make()?;
        let found = dumps_of(&made)?;

        let read = Event::from_json(&unmasked.to_string()).map_err(text)?;
        agree("made and read differ", &found, &dumps_of(&read)?)?;
        if let Some(masked) = found.member("masked") {
            let read = Event::from_json(&masked.to_string()).map_err(text)?;
            let again = Json::of(&read.dump(Disclosure::Clear))?;
            agree("the masked dump does not come back", masked, &again)?;
        }
        Ok(found)
    }

    fn normalize(&self, outcome: &mut Json) -> Result<(), Failure> {
        coarse_kinds(outcome);
        Ok(())
    }

    /// `dump_mode` is about Python's dumps only.
    fn tolerances(&self) -> Tolerances {
        Tolerances {
            ignored: &["dump_mode"],
            ..Tolerances::default()
        }
    }

    fn predicates(&self) -> &'static [Predicate] {
        &[SHOWN_SECRETS]
    }

    fn allowances(&self) -> Vec<Allowance> {
        OTHER_TYPES.to_vec()
    }
}

#[derive(Deserialize)]
struct Input {
    components: Json,
    object: Json,
}

fn dumps_of(event: &Event) -> Result<Json, Failure> {
    let masked = event.dump(Disclosure::Masked);
    let default_call_masks = Json::of(event)? == Json::of(&masked)?;
    dumps(&masked, &event.dump(Disclosure::Clear), default_call_masks)
}
