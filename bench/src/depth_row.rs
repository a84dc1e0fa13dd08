//! Row: spans inside each other, 1,024 deep, beside spans one after the other.

use agentspan_model::agent365::ToolCallDetails;
use agentspan_model::agentspec::{EventDetails, SpanDetails};
use agentspan_otel::{ExecuteToolScope, OtelBridge, ScopeTracer};
use agentspan_processor::trace::OpenTrace;
use agentspan_processor::{BackgroundQueue, Span, Trace};
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::agentspec_row::contenders::{Discard, FLUSH, open_trace};
use crate::error::BenchError;
use crate::goal::Goal;
use crate::metric::Metric;
use crate::row::{Contender, Row};
use crate::scope_row::data::{EventNames, TurnData};
use crate::scope_row::discard;

const DEEP: &str = "Agent Spec spans to a queue, 1,024 deep";
const FLAT: &str = "Agent Spec spans to a queue, one after the other";
const BRIDGE_DEEP: &str = "Agent Spec spans to the bridge, 1,024 deep";
const BRIDGE_FLAT: &str = "Agent Spec spans to the bridge, one after the other";
const SCOPES_DEEP: &str = "scopes, 1,024 deep";
const SCOPES_FLAT: &str = "scopes, one after the other";

/// How many spans one run makes.
const SPANS: usize = 1024;

pub(crate) fn row() -> Result<Row, BenchError> {
    let title = "spans with one event, thrown away, at depth 1,024 and at depth 1";
    let goal = |what, deep, flat| {
        Goal::new(what, Metric::Caller, deep)
            .over(flat)
            .at_most(1.15)
            .of_figure(6)
    };
    Ok(Row::turns("depth", title, SPANS)
        .rounds(41)
        .contender(Spans::queued(DEEP, SPANS)?)
        .contender(Spans::queued(FLAT, 1)?)
        .contender(Spans::bridged(BRIDGE_DEEP, SPANS)?)
        .contender(Spans::bridged(BRIDGE_FLAT, 1)?)
        .contender(Scopes::new(SCOPES_DEEP, SPANS)?)
        .contender(Scopes::new(SCOPES_FLAT, 1)?)
        .goal(goal("Agent Spec spans, depth 1,024 to 1", DEEP, FLAT))
        .goal(goal("bridge, depth 1,024 to 1", BRIDGE_DEEP, BRIDGE_FLAT))
        .goal(goal("scopes, depth 1,024 to 1", SCOPES_DEEP, SCOPES_FLAT)))
}

/// Spans in Agent Spec.
struct Spans {
    name: &'static str,
    depth: usize,
    queue: Option<BackgroundQueue>,
    trace: OpenTrace,
}

impl Spans {
    fn queued(name: &'static str, depth: usize) -> Result<Self, BenchError> {
        let queue = BackgroundQueue::new(Discard);
        Ok(Self {
            name,
            depth,
            trace: open_trace(name, Some(&queue))?,
            queue: Some(queue),
        })
    }

    fn bridged(name: &'static str, depth: usize) -> Result<Self, BenchError> {
        let provider = OtelBridge::prepare(SdkTracerProvider::builder());
        let provider = provider.with_span_processor(discard::Discard).build();
        let trace = Trace::builder().with_processor(OtelBridge::new(&provider));
        let trace = trace.start_detached();
        Ok(Self {
            name,
            depth,
            trace: trace.map_err(|error| BenchError::set_up(name)(error.into()))?,
            queue: None,
        })
    }
}

impl Contender for Spans {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&mut self) {
        if let Some(queue) = &self.queue {
            let _ = queue.flush(FLUSH);
        }
    }

    fn run(&mut self) {
        let _entered = self.trace.root().enter();
        for _ in 0..SPANS / self.depth {
            nest(self.depth);
        }
    }
}

fn nest(depth: usize) {
    if depth == 0 {
        return;
    }
    if let Ok(span) = Span::builder(SpanDetails::Plain).start() {
        drop(span.add_event(EventDetails::Plain));
        nest(depth - 1);
        drop(span);
    }
}

/// Scopes of a tool.
struct Scopes {
    name: &'static str,
    depth: usize,
    tracer: ScopeTracer,
    data: TurnData,
    call: ToolCallDetails,
}

impl Scopes {
    fn new(name: &'static str, depth: usize) -> Result<Self, BenchError> {
        let provider = SdkTracerProvider::builder().with_span_processor(discard::Discard);
        Ok(Self {
            name,
            depth,
            tracer: ScopeTracer::new(&provider.build()),
            data: TurnData::new(EventNames::NONE)?,
            call: ToolCallDetails::new("clock"),
        })
    }

    fn nest(&self, depth: usize) {
        if depth == 0 {
            return;
        }
        ExecuteToolScope::builder(&self.call)
            .with_agent(&self.data.agent)
            .with_tenant(&self.data.tenant)
            .with_tracer(&self.tracer)
            .start()
            .in_scope_infallible(|_| self.nest(depth - 1));
    }
}

impl Contender for Scopes {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&mut self) {
        agentspan_otel::scopes::set_enabled(true);
    }

    fn run(&mut self) {
        for _ in 0..SPANS / self.depth {
            self.nest(self.depth);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_dropped_on_the_way() {
        for depth in [SPANS, 1] {
            let mut spans = Spans::queued(DEEP, depth).unwrap();
            for _ in 0..3 {
                spans.prepare();
                spans.run();
            }
            spans.prepare();
            let stats = spans.queue.as_ref().unwrap().stats();
            // A span starts, has one event and ends; the trace has started with its root span.
            assert_eq!(stats.handled, 3 * 3 * SPANS as u64 + 2, "depth {depth}");
            assert_eq!((stats.dropped, stats.failed), (0, 0), "depth {depth}");
        }
    }
}
