//! Rows: what a span or an event costs as there are more of them, of identities, and of events in a span.

mod identities;

use crate::agentspec_row::contenders::{Events, Queued};
use crate::agentspec_row::turn::Facts;
use crate::error::BenchError;
use crate::facade_row::agent365::Agent365;
use crate::goal::Goal;
use crate::growth_row::identities::Spread;
use crate::metric::{Metric, Readings};
use crate::row::Row;
use crate::site::{Load, Site};

const SPANS_PER_TURN: u64 = agentspan_testkit::turn::SPANS as u64;

/// More room than the caller is ever ahead.
const ROOM: usize = 1 << 16;

/// A step beside the first one that is long enough to be measured well.
const FLAT: f64 = 1.15;

/// Spans to a queue, and scopes to Agent 365, up to a million.
pub(crate) fn spans() -> Row {
    const QUEUED: [&str; 4] = [
        "Agent Spec to a queue, 10^3 spans",
        "Agent Spec to a queue, 10^4 spans",
        "Agent Spec to a queue, 10^5 spans",
        "Agent Spec to a queue, 10^6 spans",
    ];
    const SENT: [&str; 3] = [
        "scopes to Agent 365, 10^4 spans",
        "scopes to Agent 365, 10^5 spans",
        "scopes to Agent 365, 10^6 spans",
    ];
    let title = "what a span costs as there are more of them";
    let row = Row::programs("growth-spans", title).rounds(3);
    let row = (3..).zip(QUEUED).fold(row, |row, (power, name)| {
        row.program(name, move |site| queued(site, 10_u64.pow(power)))
    });
    let row = (4..).zip(SENT).fold(row, |row, (power, name)| {
        row.program(name, move |site| sent(site, 10_u64.pow(power)))
    });
    let flat = |what, metric, ours: &'static str, beside| {
        Goal::new(what, metric, ours)
            .over(beside)
            .at_most(FLAT)
            .of_figure(12)
    };
    row.goal(flat(
        "10^6 spans to a queue beside 10^4, caller",
        Metric::Caller,
        QUEUED[3],
        QUEUED[1],
    ))
    .goal(flat(
        "10^6 spans to Agent 365 beside 10^4, CPU of all",
        Metric::Process,
        SENT[2],
        SENT[0],
    ))
}

/// As [`spans`], ten million.
pub(crate) fn spans_long() -> Row {
    const FEW: &str = "Agent Spec to a queue, 10^5 spans";
    const MANY: &str = "Agent Spec to a queue, 10^7 spans";
    let title = "what a span costs if there are ten million";
    Row::programs("growth-spans-long", title)
        .rounds(3)
        .program(MANY, |site| queued(site, 10_000_000))
        .program(FEW, |site| queued(site, 100_000))
        .goal(
            Goal::new(
                "10^7 spans to a queue beside 10^5, caller",
                Metric::Caller,
                MANY,
            )
            .over(FEW)
            .at_most(FLAT)
            .of_figure(12),
        )
}

fn queued(site: &Site<'_>, spans: u64) -> Result<Readings, BenchError> {
    let load = Load {
        turns: spans / SPANS_PER_TURN,
        ahead: 8192,
    };
    Ok(site.drive(&Queued::new(Facts::OfDefinitions, Some(ROOM))?, load))
}

fn sent(site: &Site<'_>, spans: u64) -> Result<Readings, BenchError> {
    let load = Load {
        turns: spans / SPANS_PER_TURN,
        ahead: 2048,
    };
    Ok(site.drive(&Agent365::scopes(site.sink)?, load))
}

/// Finished spans of 1 to 1,000 identities to Agent 365.
pub(crate) fn identities() -> Row {
    const STEPS: [(&str, usize); 4] = [
        ("finished spans to Agent 365, 1 identity", 1),
        ("finished spans to Agent 365, 10 identities", 10),
        ("finished spans to Agent 365, 100 identities", 100),
        ("finished spans to Agent 365, 1,000 identities", 1000),
    ];
    let title = "what a span costs as more identities share the delivery";
    let row = Row::programs("growth-identities", title).rounds(3);
    let row = STEPS.into_iter().fold(row, |row, (name, identities)| {
        row.program(name, move |site| {
            let load = Load {
                turns: 25_000,
                // Not more than fits the queue, with a quarter of it to spare for other lanes.
                ahead: 8192,
            };
            Ok(site.drive(&Spread::new(site.sink, identities)?, load))
        })
    });
    row.goal(
        Goal::new(
            "1,000 identities beside 1, CPU of all",
            Metric::Process,
            STEPS[3].0,
        )
        .over(STEPS[0].0)
        .at_most(FLAT)
        .of_figure(12),
    )
}

/// Events of one span, up to 10,000, to a queue.
pub(crate) fn events() -> Row {
    const STEPS: [(&str, u64); 5] = [
        ("1 event in a span", 1),
        ("10 events in a span", 10),
        ("100 events in a span", 100),
        ("1,000 events in a span", 1000),
        ("10,000 events in a span", 10_000),
    ];
    /// How many events each program adds.
    const ALL: u64 = 300_000;
    let title = "what an event costs as a span has more of them, to a queue";
    let row = Row::programs("growth-events", title)
        .counting("event")
        .rounds(3);
    let row = STEPS.into_iter().fold(row, |row, (name, events)| {
        row.program(name, move |site| {
            let load = Load {
                turns: ALL / events,
                ahead: 8192,
            };
            Ok(site.drive(&Events::new(events)?, load))
        })
    });
    row.goal(
        Goal::new(
            "10,000 events in a span beside 100, caller",
            Metric::Caller,
            STEPS[4].0,
        )
        .over(STEPS[2].0)
        .at_most(FLAT)
        .of_figure(12),
    )
}
