//! `agentspec_spans.json`: spans, made, dumped and read.

use agentspan_model::agentspec::{Disclosure, EventForm, Span};
use serde::Deserialize;

use super::agentspec::{
    Components, OTHER_TYPES, SHOWN_SECRETS, agree, coarse_kinds, dumps, is_wide, refused, span_of,
    text,
};
use crate::{Allowance, Case, Failure, Json, Outcome, Predicate, Runner, Tolerances};

pub(super) struct AgentspecSpans;

impl Runner for AgentspecSpans {
    fn file_stem(&self) -> &'static str {
        "agentspec_spans"
    }

    fn run(&self, case: &Case) -> Outcome {
        let Input {
            components,
            object,
            added_events,
        } = case.input()?;
        let unmasked = case.expected.member("unmasked");
        let components = Components::read(components, unmasked)?;
        let make = || span_of(&object, &added_events, unmasked, &components);
        let Some(unmasked) = unmasked.filter(|_| !is_wide(&object)) else {
            return refused(&object, &components, Span::from_json, make);
        };
        let made = make()?;
        let found = dumps_of(&made, EventForm::Abridged)?;

        // The reference cuts events; what it has cut comes back as it was.
        let read = Span::from_json(&unmasked.to_string()).map_err(text)?;
        agree(
            "made and read differ",
            &found,
            &dumps_of(&read, EventForm::Complete)?,
        )?;
        // Ours are complete, and so are those that are read from our dump.
        let complete = dumps_of(&made, EventForm::Complete)?;
        for dump in [complete.member("unmasked"), complete.member("masked")]
            .into_iter()
            .flatten()
        {
            let read = Span::from_json(&dump.to_string()).map_err(text)?;
            let again = Json::of(&read.dump(Disclosure::Clear))?;
            agree("our dump does not come back", dump, &again)?;
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
    #[serde(default)]
    added_events: Vec<Json>,
}

fn dumps_of(span: &Span, form: EventForm) -> Result<Json, Failure> {
    let masked = span.dump(Disclosure::Masked);
    // `Serialize` writes events completely, as a dump does that is not told otherwise.
    let default_call_masks = Json::of(span)? == Json::of(&masked)?;
    let clear = span.dump(Disclosure::Clear).with_events(form);
    dumps(&masked.with_events(form), &clear, default_call_masks)
}
