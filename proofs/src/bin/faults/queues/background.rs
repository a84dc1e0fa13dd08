//! Processors of the program behind a `BackgroundQueue`. What is counted are calls of their hooks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use agentspan_model::agentspec::SpanDetails;
use agentspan_processor::{BackgroundQueue, HookError, Span, SpanProcessor, Trace};

use super::gate::Gate;
use crate::defence::Defence::{self, Bounds, Queue};
use crate::front::BACKGROUND_QUEUE;
use crate::measure::{Longest, Memory};
use crate::outcome::{Counts, Outcome};
use crate::row::Row;
use crate::{Failure, on_purpose};

/// What the processor does at the end of its first span, or before. It takes all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    IsSlow,
    Hang,
    HangAtStart,
    Fail,
    Panic,
}

#[derive(Clone, Debug)]
struct Scripted {
    act: Act,
    ends: Arc<AtomicU64>,
    /// Hooks that were called and did not fail, those of the trace included.
    handled: Arc<AtomicU64>,
    gate: Gate,
}

impl Scripted {
    fn handle(&self) {
        self.handled.fetch_add(1, SeqCst);
    }
}

impl SpanProcessor for Scripted {
    fn startup(&self) -> Result<(), HookError> {
        if self.act == Act::HangAtStart {
            self.gate.wait(Duration::from_secs(2));
        }
        self.handle();
        Ok(())
    }

    fn on_start(&self, _: &Span) -> Result<(), HookError> {
        self.handle();
        Ok(())
    }

    fn on_end(&self, _: &Span) -> Result<(), HookError> {
        let is_first = self.ends.fetch_add(1, SeqCst) == 0;
        match self.act {
            Act::IsSlow if is_first => self.gate.wait(Duration::from_millis(400)),
            Act::Hang if is_first => self.gate.wait(Duration::from_secs(2)),
            Act::Fail if is_first => return Err(HookError::message("on purpose")),
            Act::Panic if is_first => on_purpose(),
            _ => {}
        }
        self.handle();
        Ok(())
    }

    fn shutdown(&self) -> Result<(), HookError> {
        self.handle();
        Ok(())
    }
}

struct Case {
    act: Act,
    spans: u64,
    capacity: usize,
    expected: Counts,
}

impl Case {
    fn row(self, fault: &'static str, what: &str, defences: &'static [Defence]) -> Row {
        Row {
            fault,
            what: what.to_owned(),
            fronts: BACKGROUND_QUEUE,
            defences,
            because: None,
            run: Box::new(move |_, without| self.run(without)),
        }
    }

    fn run(&self, without: Option<Defence>) -> Result<Outcome, Failure> {
        let memory = Memory::start();
        let processor = Scripted {
            act: self.act,
            ends: Arc::default(),
            handled: Arc::default(),
            gate: Gate::default(),
        };
        let capacity = match without {
            Some(Bounds) => 1 << 30,
            _ => self.capacity,
        };
        let deadline = match self.act {
            Act::Hang | Act::HangAtStart => Duration::from_millis(100),
            _ => Duration::from_secs(20),
        };
        let queue = BackgroundQueue::builder(processor.clone())
            .with_max_hooks(capacity)
            .with_shutdown_timeout(deadline)
            .build();
        let trace = match without {
            Some(Queue) => Trace::builder().with_processor(processor.clone()),
            _ => Trace::builder().with_processor(queue.clone()),
        };
        let trace = trace.start()?;
        let mut longest = Longest::default();
        for _ in 0..self.spans {
            let span = Span::builder(SpanDetails::Plain).start()?;
            let _ = longest.time(|| span.end());
        }
        let _ = trace.end();
        let stats = queue.stats();
        let handled = processor.handled.load(SeqCst);
        processor.gate.open();
        let counts = match without {
            Some(Queue) => Counts::new(self.expected.accepted, handled, []),
            _ => Counts {
                queued: stats.queued,
                ..Counts::new(stats.accepted, stats.handled - stats.failed, losses(&stats))
            },
        };
        Ok(Outcome {
            seen: handled,
            memory_kib: memory.peak_kib(),
            longest: longest.0,
            ..Outcome::new(self.expected.clone(), counts)
        })
    }
}

fn losses(stats: &agentspan_processor::background_queue::QueueStats) -> [(&'static str, u64); 3] {
    let full = stats.dropped - stats.dropped_at_shutdown - stats.dropped_after_failure;
    [
        ("failed", stats.failed),
        ("queue_full", full),
        ("shutdown_deadline", stats.dropped_at_shutdown),
    ]
}

/// Start and end of so many spans, of the root, and of the trace.
const fn hooks(spans: u64) -> u64 {
    2 * (spans + 1 + 1)
}

pub(super) fn rows() -> Vec<Row> {
    let case = |act, lost: &[(&'static str, u64)]| Case {
        act,
        spans: 60,
        capacity: 1_000,
        expected: Counts::new(
            hooks(60),
            hooks(60) - lost.iter().map(|(_, count)| count).sum::<u64>(),
            lost.iter().copied(),
        ),
    };
    vec![
        case(Act::IsSlow, &[]).row("F1", "a processor that is slow", &[Queue]),
        case(Act::Fail, &[("failed", 1)]).row("F7", "a hook that fails once", &[Queue]),
        case(Act::Panic, &[("failed", 1)]).row("F19", "a hook that panics once", &[Queue]),
        // Three hooks were handled before the one that hangs.
        case(Act::Hang, &[("shutdown_deadline", hooks(60) - 3)]).row(
            "F21",
            "a shutdown while a hook hangs",
            &[Queue],
        ),
        Case {
            spans: 5_000,
            capacity: 100,
            expected: Counts::new(
                hooks(5_000),
                0,
                [
                    ("queue_full", hooks(5_000) - 100),
                    ("shutdown_deadline", 100),
                ],
            ),
            ..case(Act::HangAtStart, &[])
        }
        .row("F24", "50 times as many hooks as fit", &[Bounds]),
    ]
}
