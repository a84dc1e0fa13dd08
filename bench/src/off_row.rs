//! Row: telemetry off, what a call says put together for each call, beside `tracing` without subscriber.
//!
//! A turn has 4 spans and 6 events, all spans current while they run. The peer borrows what it says, and
//! nobody reads it.

mod ours;
mod tracing_off;

use crate::error::BenchError;
use crate::goal::Goal;
use crate::metric::Metric;
use crate::off_row::ours::{AgentSpec, Scopes};
use crate::off_row::tracing_off::Tracing;
use crate::row::Row;

const SCOPES: &str = "agentspan scopes, details per call";
const AGENT_SPEC: &str = "agentspan Trace without processors, details per call";
const TRACING: &str = "tracing without subscriber";

/// How many turns one run makes.
const TURNS: usize = 256;

pub(crate) fn row() -> Result<Row, BenchError> {
    let title = "telemetry off, what spans say put together for each call";
    let goal = |what, metric, ours| Goal::new(what, metric, ours).of_figure(4);
    Ok(
        Row::turns("off", title, TURNS * agentspan_testkit::turn::SPANS)
            .contender(Scopes::new()?)
            .contender(AgentSpec::new()?)
            .contender(Tracing::new()?)
            .goal(
                goal("scopes off", Metric::Caller, SCOPES)
                    .over(TRACING)
                    .at_most(4.0),
            )
            .goal(
                goal("Agent Spec off", Metric::Caller, AGENT_SPEC)
                    .over(TRACING)
                    .at_most(15.0),
            )
            .goal(goal("scopes off, allocations", Metric::Allocations, SCOPES).at_most(0.0))
            .goal(
                goal(
                    "Agent Spec off, allocations",
                    Metric::Allocations,
                    AGENT_SPEC,
                )
                .at_most(0.0),
            ),
    )
}
