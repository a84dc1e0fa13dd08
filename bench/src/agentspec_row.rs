//! Rows: an agent's turn in Agent Spec, beside the same turn as OpenTelemetry spans by hand.
//!
//! A turn is one agent with two calls of a language model and one of a tool, two events in each: 4
//! spans and 6 events, all spans made current. The definitions of agent, model and tool are made
//! once, as a runtime has them; prompts, answers, arguments and ids are copied in every turn. One
//! trace lasts for all turns.

mod bridged;
mod contenders;
mod depth;
mod long_span;
mod peer;
mod turn;

use crate::agentspec_row::contenders::Turns;
use crate::agentspec_row::peer::Peer;
use crate::agentspec_row::turn::Events;
use crate::error::BenchError;
use crate::gauge::Clock;
use crate::row::{Contender, Goal, Per, Row, Unit};

pub(crate) use bridged::row as bridged;
pub(crate) use depth::row as depth;
pub(crate) use long_span::row as long_span;

const QUEUED: &str = "agentspan Trace with BackgroundQueue";
const SDK_BATCH: &str = "opentelemetry_sdk with its batch processor";
const UNOBSERVED: &str = "agentspan Trace, events made on demand";
const UNOBSERVED_KEPT: &str = "agentspan Trace, events kept unheard";
const SDK_ALONE: &str = "opentelemetry_sdk without processor";

/// How many turns one run makes: as many spans as the batch processor takes to send a batch.
const TURNS: usize = 128;

const SPANS: usize = TURNS * agentspan_testkit::turn::SPANS;

/// Spans and events go to another thread, which throws them away.
pub(crate) fn observed() -> Result<Row, BenchError> {
    Ok(row(
        "agentspec",
        "Agent Spec turns to a thread that throws them away, what they cost the caller",
        vec![
            Box::new(Turns::queued(QUEUED)?),
            Box::new(Peer::with_batch_processor(SDK_BATCH)?),
        ],
        vec![
            Goal {
                ours: QUEUED,
                per: Per::TimeOf(SDK_BATCH),
                at_most: 0.5,
            },
            Goal {
                ours: QUEUED,
                per: Per::AllocationsPerSpan,
                at_most: 6.0,
            },
        ],
    ))
}

/// Nobody is there to see spans and events.
pub(crate) fn unobserved() -> Result<Row, BenchError> {
    Ok(row(
        "agentspec-off",
        "the same turns without any processor",
        vec![
            Box::new(Turns::unobserved(UNOBSERVED, Events::IfObserved)?),
            Box::new(Turns::unobserved(UNOBSERVED_KEPT, Events::Always)?),
            Box::new(Peer::alone(SDK_ALONE)?),
        ],
        vec![
            Goal {
                ours: UNOBSERVED,
                per: Per::TimeOf(SDK_ALONE),
                at_most: 0.3,
            },
            Goal {
                ours: UNOBSERVED,
                per: Per::AllocationsPerSpan,
                at_most: 1.0,
            },
        ],
    ))
}

fn row(
    name: &'static str,
    title: &'static str,
    contenders: Vec<Box<dyn Contender>>,
    goals: Vec<Goal>,
) -> Row {
    Row {
        name,
        title,
        spans: SPANS,
        runs: 2,
        rounds: 101,
        unit: Unit::NanosPerSpan,
        contenders,
        goals,
        clock: Clock::Thread,
    }
}

#[cfg(test)]
mod tests {
    use agentspan_processor::{InMemory, Trace};

    use super::*;

    #[test]
    fn a_turn_has_as_many_spans_and_events_as_its_peer() {
        let memory = InMemory::new();
        let open = Trace::builder().with_processor(memory.clone());
        let open = open.start_detached().unwrap();
        turn::Turn::new().unwrap().run(open.root(), Events::Always);
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
