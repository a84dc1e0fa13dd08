//! Finished spans of many identities, handed to the delivery as the SDK does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agentspan_agent365::{Agent365SpanProcessor, Delivery};
use agentspan_testkit::turn;
use opentelemetry_sdk::trace::{SpanData, SpanProcessor};

use crate::error::BenchError;
use crate::facade_row::agent365::delivery;
use crate::site::Pipeline;

/// Turns that belong to one identity after the other.
pub(super) struct Spread {
    delivery: Delivery,
    processor: Agent365SpanProcessor,
    /// The spans of a turn of each identity.
    turns: Vec<Vec<SpanData>>,
    next: AtomicUsize,
}

impl Spread {
    pub(super) fn new(sink: &str, identities: usize) -> Result<Self, BenchError> {
        let delivery = delivery(sink);
        let delivery = delivery
            .build()
            .map_err(|error| BenchError::set_up("the delivery")(error.into()))?;
        let mut processor = delivery.span_processor();
        processor.set_resource(&turn::resource());
        let spans = turn::spans(identities, identities);
        Ok(Self {
            processor,
            delivery,
            turns: spans.chunks(turn::SPANS).map(<[_]>::to_vec).collect(),
            next: AtomicUsize::new(0),
        })
    }
}

impl Pipeline for Spread {
    fn turn(&self) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let turn = self.turns.get(number % self.turns.len().max(1));
        for span in turn.into_iter().flatten() {
            self.processor.on_end(span.clone());
        }
    }

    fn delivered(&self) -> u64 {
        self.delivery.stats().exported
    }

    fn flush(&self) {
        // What was not delivered is seen in the counts.
        let _ = self.delivery.flush(Duration::from_secs(60));
    }
}
