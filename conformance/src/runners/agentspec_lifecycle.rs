//! `agentspec_lifecycle.json`: scripts that start and end traces and spans, with processors that fail.
//!
//! The expected outcome has every call of a hook in order, and what came out of each step. The
//! [run](run) drives our `Trace`. Where the reference has a defect, a [simulation](simulation) of it, with that defect
//! and without, says whether a script meets the defect and what should come out instead.

mod outcome;
mod run;
mod script;
mod scripted_processor;
mod simulation;

use simulation::{Defect, simulate};

use crate::{Case, Json, Outcome, Predicate, Runner};

pub(super) struct AgentspecLifecycle;

impl Runner for AgentspecLifecycle {
    fn file_stem(&self) -> &'static str {
        "agentspec_lifecycle"
    }

    fn run(&self, case: &Case) -> Outcome {
        Ok(Json::of(&run::run(&case.input()?)?)?)
    }

    fn predicates(&self) -> &'static [Predicate] {
        &[
            predicate!("failed_start_leaves_a_trace_active", FailedStartLeavesTrace),
            predicate!(
                "failed_end_of_root_leaves_a_trace_active",
                FailedRootEndLeavesTrace
            ),
            predicate!("failed_event_keeps_a_span_open", FailedEventKeepsSpanOpen),
            predicate!("span_ends_twice", EndsTwice),
            predicate!("span_ends_before_it_starts", EndsBeforeStart),
            predicate!("span_ends_out_of_order", EndPopsTheTop),
            predicate!("span_starts_twice", StartsTwice),
            predicate!("trace_is_used_again", RootIsUsedAgain),
            predicate!("trace_ends_elsewhere", EndedTraceStaysActiveElsewhere),
            predicate!("trace_ends_without_being_active", EndsTraceThatIsNotActive),
            predicate!("root_span_ends_where_it_is_not_current", RootEndsUnseen),
        ]
    }
}

/// Whether a script meets a defect of the reference, and what comes out without it.
///
/// The defects before it in the list count as mended already: each rule rewrites what those before it
/// made of the outcome.
macro_rules! predicate {
    ($name:literal, $defect:ident) => {
        Predicate {
            name: $name,
            applies: |case| {
                let outcomes = around(case, Defect::$defect);
                outcomes.is_some_and(|(with, without)| with != without)
            },
            instead: |case, expected| {
                if let Some((_, without)) = around(case, Defect::$defect) {
                    *expected = without;
                }
            },
        }
    };
}
use predicate;

/// What comes out with a defect and without it. `None` if the simulation does not tell what the
/// reference did: no rule applies to a script that it does not understand.
fn around(case: &Case, defect: Defect) -> Option<(Json, Json)> {
    let script = case.input().ok()?;
    let outcome = |is_mended: &dyn Fn(Defect) -> bool| Json::of(&simulate(&script, is_mended)).ok();
    (outcome(&|_| false)? == case.expected).then_some(())?;
    Some((
        outcome(&|other| other < defect)?,
        outcome(&|other| other <= defect)?,
    ))
}
