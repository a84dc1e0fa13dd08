//! `agentspec_real_run.jsonl`: recorded calls of hooks, read and written line by line.

use agentspan_model::agentspec::{Disclosure, RecordedHook};

use super::agentspec::{SHOWN_SECRETS, agree, text};
use crate::{Case, Json, Outcome, Predicate, Runner};

pub(super) struct AgentspecRealRun;

impl Runner for AgentspecRealRun {
    fn file_stem(&self) -> &'static str {
        "agentspec_real_run"
    }

    fn run(&self, case: &Case) -> Outcome {
        let line = case.input_json()?.to_string();
        let hook = RecordedHook::from_json(&line).map_err(text)?;

        let masked = Json::of(&hook.line())?;
        let read = RecordedHook::from_json(&masked.to_string()).map_err(text)?;
        let clear_of =
            |hook: &RecordedHook| Json::of(&hook.line().with_disclosure(Disclosure::Clear));
        agree(
            "the masked line does not come back",
            &masked,
            &clear_of(&read)?,
        )?;
        Ok(clear_of(&hook)?)
    }

    fn predicates(&self) -> &'static [Predicate] {
        &[SHOWN_SECRETS]
    }
}
