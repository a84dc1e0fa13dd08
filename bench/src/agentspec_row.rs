//! Rows: an agent's turn in Agent Spec, beside the same turn as OpenTelemetry spans by hand.
//!
//! A turn is one agent with two calls of a language model and one of a tool, two events in each: 4
//! spans and 6 events, all spans made current. The definitions of agent, model and tool are made
//! once, as a runtime has them; prompts, answers, arguments and ids are copied in every turn. One
//! trace lasts for all turns.

mod bridged;
pub(crate) mod contenders;
mod long_span;
mod peer;
pub(crate) mod turn;

pub(crate) use self::bridged::row as bridged;
pub(crate) use self::long_span::row as long_span;
use crate::agentspec_row::contenders::{Queued, Turns};
use crate::agentspec_row::peer::Peer;
use crate::agentspec_row::turn::{Events, Facts};
use crate::error::BenchError;
use crate::goal::Goal;
use crate::metric::Metric;
use crate::peers::fast::Fast;
use crate::peers::replay::Replay;
use crate::peers::sdk::Sdk;
use crate::row::Row;
use crate::site::{Load, Site};

const QUEUED: &str = "agentspan Trace, BackgroundQueue";
const QUEUED_WHOLE: &str = "agentspan Trace, BackgroundQueue, + facts of the request";
const SDK_BATCH: &str = "opentelemetry_sdk batch";
const SDK_BATCH_WHOLE: &str = "opentelemetry_sdk batch, + facts of the request";
const FASTRACE: &str = "fastrace LocalSpan";
const FASTRACE_WHOLE: &str = "fastrace LocalSpan, + facts of the request";
const UNOBSERVED: &str = "agentspan Trace, events made on demand";
const UNOBSERVED_KEPT: &str = "agentspan Trace, events kept unheard";
const SDK_ALONE: &str = "opentelemetry_sdk without processor";

/// How many turns a burst has: as many spans as the batch processor takes to send a batch.
const TURNS: usize = 128;

const SPANS: usize = TURNS * agentspan_testkit::turn::SPANS;

/// Enough for queues to fill and to be emptied often.
const SUSTAINED: Load = Load {
    turns: 50_000,
    ahead: 8192,
};

/// More room than the caller is ever ahead. A turn has 14 hooks.
const ROOM: usize = 1 << 16;

/// The caller at full speed, the worker beside it.
pub(crate) fn sustained() -> Row {
    let title = "Agent Spec turns to a queue whose processor discards, worker beside the caller";
    let ours =
        |facts| move |site: &Site<'_>| Ok(site.drive(&Queued::new(facts, Some(ROOM))?, SUSTAINED));
    let sdk = |turn: fn() -> Replay| {
        move |site: &Site<'_>| Ok(site.drive(&Sdk::discarding(turn(), ROOM), SUSTAINED))
    };
    let fast = |turn: fn() -> Replay| {
        move |site: &Site<'_>| Ok(site.drive(&Fast::new(&turn()), SUSTAINED))
    };
    let goal = |what, metric| Goal::new(what, metric, QUEUED).of_figure(3);
    Row::programs("agentspec", title)
        .program(QUEUED, ours(Facts::OfDefinitions))
        .program(SDK_BATCH, sdk(Replay::facts_of_agent_spec))
        .program(FASTRACE, fast(Replay::facts_of_agent_spec))
        .program(QUEUED_WHOLE, ours(Facts::OfRequest))
        .program(SDK_BATCH_WHOLE, sdk(Replay::whole_turn))
        .program(FASTRACE_WHOLE, fast(Replay::whole_turn))
        .goal(
            goal("caller, sustained, the same facts", Metric::Caller)
                .over(SDK_BATCH)
                .at_most(0.30),
        )
        .goal(
            goal(
                "caller, sustained, the peer says the request's facts besides",
                Metric::Caller,
            )
            .over(SDK_BATCH_WHOLE)
            .at_most(0.30),
        )
        .goal(
            goal("instructions of the caller", Metric::Instructions)
                .over(FASTRACE)
                .at_most(0.55),
        )
        .goal(goal("allocations", Metric::Allocations).at_most(2.0))
}

/// Bursts: the worker sleeps meanwhile, on the same processor.
pub(crate) fn burst() -> Result<Row, BenchError> {
    let title = "the same turns in bursts of 512 spans, worker asleep";
    Ok(Row::turns("agentspec-burst", title, SPANS)
        .contender(Turns::queued(QUEUED)?)
        .contender(Peer::with_batch_processor(
            SDK_BATCH,
            Replay::facts_of_agent_spec(),
        )))
}

/// Nobody is there to see spans and events.
pub(crate) fn unobserved() -> Result<Row, BenchError> {
    let title = "the same turns without any processor";
    Ok(Row::turns("agentspec-off", title, SPANS)
        .contender(Turns::unobserved(UNOBSERVED, Events::IfObserved)?)
        .contender(Turns::unobserved(UNOBSERVED_KEPT, Events::Always)?)
        .contender(Peer::alone(SDK_ALONE, Replay::facts_of_agent_spec())))
}

#[cfg(test)]
mod tests {
    use agentspan_processor::{InMemory, Trace};

    use crate::row::Contender;

    use super::*;

    #[test]
    fn a_turn_has_as_many_spans_and_events_as_its_peer() {
        let memory = InMemory::new();
        let open = Trace::builder().with_processor(memory.clone());
        let open = open.start_detached().unwrap();
        turn::Turn::new(Facts::OfDefinitions)
            .unwrap()
            .run(open.root(), Events::Always);
        let mut spans = memory.spans();
        // The root span of the trace is still open. The order is that of the starts: ends of different
        // spans come from different readings of the wall clock, and their times may cross.
        spans.retain(|span| span.span.end_time.is_some());
        let types: Vec<_> = spans
            .iter()
            .map(|one| (one.span.type_name(), one.span.events.len()))
            .collect();
        let expected = [
            ("AgentExecutionSpan", 0),
            ("LlmGenerationSpan", 2),
            ("ToolExecutionSpan", 2),
            ("LlmGenerationSpan", 2),
        ];
        assert_eq!(types, expected);
    }

    #[test]
    fn nothing_is_dropped_on_the_way() {
        let mut turns = Turns::queued(QUEUED).unwrap();
        for _ in 0..3 {
            turns.prepare();
            turns.run();
        }
        turns.prepare();
        let stats = turns.stats().unwrap();
        // A turn has 4 starts, 6 events and 4 ends; the trace has started with its root span.
        assert_eq!(stats.handled, 3 * 14 * TURNS as u64 + 2);
        assert_eq!((stats.dropped, stats.failed), (0, 0));
    }
}
