//! Rows: a turn through the facade to Agent 365, beside the same turn by hand to the SDK's batch processor and as OTLP.
//!
//! What the caller does is compared with a batch processor whose exporter discards, and what all threads do
//! with one whose exporter sends protobuf. Ours has its defaults; the peer has room for as many spans, copies
//! its attributes and formats nothing.

pub(crate) mod agent365;

use crate::error::BenchError;
use crate::facade_row::agent365::Agent365;
use crate::goal::Goal;
use crate::metric::{Metric, Readings};
use crate::peers::replay::Replay;
use crate::peers::sdk::Sdk;
use crate::row::Row;
use crate::site::{Load, Site};

const AGENT_SPEC: &str = "agentspan Agent Spec turn to Agent 365";
const SCOPES: &str = "agentspan scopes to Agent 365";
const BATCH: &str = "opentelemetry_sdk batch, discarding";
const OTLP: &str = "opentelemetry_sdk batch + OTLP protobuf";

/// As far ahead as our queue allows by default. The SDK's queue, which has room for 2,048 spans by default, is given
/// as much, so that nothing is lost.
pub(crate) const LOAD: Load = Load {
    turns: 15_000,
    ahead: 16_384,
};

/// Room for what the caller is ahead and what it makes between two looks.
const SDK_QUEUE: usize = 20_000;

/// Agent Spec to Agent 365.
pub(crate) fn agent_spec() -> Row {
    let title = "Agent Spec turns through the facade to Agent 365, acknowledged";
    let goal = |what, metric| Goal::new(what, metric, AGENT_SPEC).of_figure(1);
    with_peers(
        Row::programs("agentspec-365", title).program(AGENT_SPEC, |site| {
            Ok(site.drive(&Agent365::agent_spec(site.sink)?, LOAD))
        }),
    )
    .goal(
        goal("Agent Spec to Agent 365, caller", Metric::Caller)
            .over(BATCH)
            .at_most(1.0),
    )
    .goal(
        goal("Agent Spec to Agent 365, CPU of all", Metric::Process)
            .over(OTLP)
            .at_most(0.9),
    )
}

/// Scopes to Agent 365.
pub(crate) fn scopes() -> Row {
    let title = "turns of scopes through the facade to Agent 365, acknowledged";
    let goal = |what, metric| Goal::new(what, metric, SCOPES).of_figure(2);
    with_peers(Row::programs("scope-365", title).program(SCOPES, |site| {
        Ok(site.drive(&Agent365::scopes(site.sink)?, LOAD))
    }))
    .goal(
        goal("scopes to Agent 365, caller", Metric::Caller)
            .over(BATCH)
            .at_most(0.6),
    )
    .goal(
        goal("scopes to Agent 365, CPU of all", Metric::Process)
            .over(OTLP)
            .at_most(0.40),
    )
    .goal(
        goal("scopes to Agent 365, peak memory", Metric::Peak)
            .over(OTLP)
            .at_most(0.3),
    )
}

fn with_peers(row: Row) -> Row {
    row.program(BATCH, |site| {
        let sdk = Sdk::discarding(Replay::whole_turn(), SDK_QUEUE);
        Ok(site.drive(&sdk, LOAD))
    })
    .program(OTLP, otlp)
}

fn otlp(site: &Site<'_>) -> Result<Readings, BenchError> {
    Ok(site.drive(
        &Sdk::otlp(Replay::whole_turn(), site.sink, Some(SDK_QUEUE))?,
        LOAD,
    ))
}
