//! Spans that wait for the root of their trace.

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::SpanData;

/// How many spans may wait before the oldest trace is written as it is.
const MAX_WAITING: usize = 2_048;

/// Traces whose root has not ended yet, oldest first.
#[derive(Default)]
pub(super) struct PendingTraces {
    traces: Vec<(TraceId, Vec<SpanData>)>,
    waiting: usize,
}

impl PendingTraces {
    /// Takes finished spans, and gives back the traces that can be written now.
    pub(super) fn add(&mut self, batch: Vec<SpanData>) -> Vec<Vec<SpanData>> {
        let mut ready = Vec::new();
        for span in batch {
            let trace_id = span.span_context.trace_id();
            let is_local_root =
                span.parent_span_id == SpanId::INVALID || span.parent_span_is_remote;
            self.push(trace_id, span);
            if is_local_root {
                ready.extend(self.take(trace_id));
            }
        }
        while self.waiting > MAX_WAITING {
            let Some((oldest, _)) = self.traces.first() else {
                break;
            };
            ready.extend(self.take(*oldest));
        }
        ready
    }

    /// Gives back everything that waits.
    pub(super) fn take_all(&mut self) -> Vec<Vec<SpanData>> {
        self.waiting = 0;
        self.traces.drain(..).map(|(_, spans)| spans).collect()
    }

    fn push(&mut self, trace_id: TraceId, span: SpanData) {
        self.waiting += 1;
        match self.traces.iter_mut().find(|(id, _)| *id == trace_id) {
            Some((_, spans)) => spans.push(span),
            None => self.traces.push((trace_id, vec![span])),
        }
    }

    fn take(&mut self, trace_id: TraceId) -> Option<Vec<SpanData>> {
        let at = self.traces.iter().position(|(id, _)| *id == trace_id)?;
        let (_, spans) = self.traces.remove(at);
        self.waiting -= spans.len();
        Some(spans)
    }
}
