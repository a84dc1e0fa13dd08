//! Spans that wait for the root of their trace.

use agentspan_record::estimated_bytes;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::SpanData;

/// How many spans may wait before the oldest trace is written early.
const MAX_WAITING: usize = 2_048;

/// How many bytes they may hold.
const MAX_BYTES: u64 = 16 << 20;

/// Traces whose root has not ended yet, oldest first.
#[derive(Default)]
pub(super) struct PendingTraces {
    traces: Vec<Pending>,
    waiting: usize,
    bytes: u64,
    evicted: u64,
}

struct Pending {
    id: TraceId,
    spans: Vec<SpanData>,
    bytes: u64,
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
        while self.waiting > MAX_WAITING || self.bytes > MAX_BYTES {
            let Some(oldest) = self.traces.first().map(|trace| trace.id) else {
                break;
            };
            self.evicted += 1;
            ready.extend(self.take(oldest));
        }
        ready
    }

    /// Gives back everything that waits.
    pub(super) fn take_all(&mut self) -> Vec<Vec<SpanData>> {
        (self.waiting, self.bytes) = (0, 0);
        self.traces.drain(..).map(|trace| trace.spans).collect()
    }

    /// How many traces were given back before their roots had ended, since too much waited.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    fn push(&mut self, id: TraceId, span: SpanData) {
        let bytes = estimated_bytes(&span);
        self.waiting += 1;
        self.bytes += bytes;
        match self.traces.iter_mut().find(|trace| trace.id == id) {
            Some(trace) => {
                trace.spans.push(span);
                trace.bytes += bytes;
            }
            None => self.traces.push(Pending {
                id,
                spans: vec![span],
                bytes,
            }),
        }
    }

    fn take(&mut self, id: TraceId) -> Option<Vec<SpanData>> {
        let at = self.traces.iter().position(|trace| trace.id == id)?;
        let trace = self.traces.remove(at);
        self.waiting -= trace.spans.len();
        self.bytes = self.bytes.saturating_sub(trace.bytes);
        Some(trace.spans)
    }
}
