//! `agentspec_lifecycle.json`: scripts that start and end traces and spans, with processors that fail.
//!
//! The expected outcome has every call of a hook in order, and what came out of each step. The
//! [run](run) drives our `Trace`.

mod deviation;
mod outcome;
mod run;
mod script;
mod scripted_processor;

use crate::{Allowance, Case, Json, Outcome, Runner};

pub(super) struct AgentspecLifecycle;

impl Runner for AgentspecLifecycle {
    fn file_stem(&self) -> &'static str {
        "agentspec_lifecycle"
    }

    fn run(&self, case: &Case) -> Outcome {
        Ok(Json::of(&run::run(&case.input()?)?)?)
    }

    fn allowances(&self) -> Vec<Allowance> {
        deviation::ALLOWANCES.to_vec()
    }
}
