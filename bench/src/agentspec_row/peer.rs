//! The peer: the turn by hand with the SDK's tracer.

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SdkTracer, SdkTracerProvider, SpanData, SpanExporter,
};

use crate::agentspec_row::TURNS;
use crate::error::BenchError;
use crate::row::Contender;
use crate::scope_row::by_hand::turn_by_hand;
use crate::scope_row::data::{EventNames, TurnData};

/// Makes turns with a tracer.
pub(super) struct Peer {
    name: &'static str,
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    data: TurnData,
}

impl Peer {
    /// Spans go to the SDK's batch processor, whose exporter throws them away.
    pub(super) fn with_batch_processor(name: &'static str) -> Result<Self, BenchError> {
        let processor = BatchSpanProcessor::builder(Discard).build();
        let provider = SdkTracerProvider::builder().with_span_processor(processor);
        Self::new(name, provider.build())
    }

    /// Spans go nowhere.
    pub(super) fn alone(name: &'static str) -> Result<Self, BenchError> {
        Self::new(name, SdkTracerProvider::builder().build())
    }

    fn new(name: &'static str, provider: SdkTracerProvider) -> Result<Self, BenchError> {
        Ok(Self {
            name,
            tracer: provider.tracer("bench"),
            provider,
            data: TurnData::new(EventNames::TURN)?,
        })
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
            turn_by_hand(&self.tracer, &self.data);
        }
    }
}

/// Throws spans away.
#[derive(Debug)]
pub(super) struct Discard;

impl SpanExporter for Discard {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        drop(std::hint::black_box(batch));
        Ok(())
    }
}
