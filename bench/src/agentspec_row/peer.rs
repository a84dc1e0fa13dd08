//! The peer: the same facts by hand with the SDK's tracer, in bursts.

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracer, SdkTracerProvider};

use crate::agentspec_row::TURNS;
use crate::peers::replay::Replay;
use crate::peers::sdk::Discard;
use crate::row::Contender;

/// Makes turns with a tracer.
pub(super) struct Peer {
    name: &'static str,
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    turn: Replay,
}

impl Peer {
    /// Spans go to the SDK's batch processor, whose exporter throws them away.
    pub(super) fn with_batch_processor(name: &'static str, turn: Replay) -> Self {
        let processor = BatchSpanProcessor::builder(Discard).build();
        let provider = SdkTracerProvider::builder().with_span_processor(processor);
        Self::new(name, turn, provider.build())
    }

    /// Spans go nowhere.
    pub(super) fn alone(name: &'static str, turn: Replay) -> Self {
        Self::new(name, turn, SdkTracerProvider::builder().build())
    }

    fn new(name: &'static str, turn: Replay, provider: SdkTracerProvider) -> Self {
        Self {
            name,
            tracer: provider.tracer("bench"),
            provider,
            turn,
        }
    }
}

impl Contender for Peer {
    fn name(&self) -> &'static str {
        self.name
    }

    /// Waits until the last run is thrown away, as ours does.
    fn prepare(&mut self) {
        drop(self.provider.force_flush());
    }

    fn run(&mut self) {
        for _ in 0..TURNS {
            self.turn.run(&self.tracer);
        }
    }
}
