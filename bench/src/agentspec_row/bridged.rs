//! Row: the turn in Agent Spec as OpenTelemetry spans, beside the very same spans by hand.
//!
//! By hand, the attributes are there beforehand and only copied: the row shows what it costs to make them,
//! too, and the JSON of contents in them.

use std::sync::{Arc, Mutex, PoisonError};

use agentspan_model::mapping::ContentCapture;
use agentspan_otel::OtelBridge;
use agentspan_processor::Trace;
use agentspan_processor::trace::OpenTrace;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider, SpanData, SpanProcessor};

use crate::agentspec_row::peer::Peer;
use crate::agentspec_row::turn::{Events, Facts, Turn};
use crate::agentspec_row::{SPANS, TURNS};
use crate::error::BenchError;
use crate::peers::replay::Replay;
use crate::peers::sdk::Discard;
use crate::row::{Contender, Row};
use crate::scope_row::discard::Keep;

const BRIDGED: &str = "agentspan Trace with OtelBridge";
const BY_HAND: &str = "opentelemetry_sdk, the same spans, attributes made before";

/// The same spans, attributes and events go to the SDK's batch processor, whose exporter throws them away.
pub(crate) fn row() -> Result<Row, BenchError> {
    let turn = Replay::new(recorded()?);
    let title = "Agent Spec turns as OpenTelemetry spans with contents, beside the same spans from attributes made beforehand";
    Ok(Row::turns("bridge", title, SPANS)
        .contender(Bridged::new(batch_processor())?)
        .contender(Peer::with_batch_processor(BY_HAND, turn)))
}

fn batch_processor() -> BatchSpanProcessor {
    BatchSpanProcessor::builder(Discard).build()
}

/// The spans of one turn as the bridge makes them, in the order of their ends.
fn recorded() -> Result<Vec<SpanData>, BenchError> {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let bridged = Bridged::new(Keep(Arc::clone(&kept)))?;
    bridged.turn.run(bridged.trace.root(), Events::Always);
    let spans = kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(spans)
}

/// Makes turns in one trace, which the bridge observes.
struct Bridged {
    provider: SdkTracerProvider,
    trace: OpenTrace,
    turn: Turn,
}

impl Bridged {
    fn new(processor: impl SpanProcessor + 'static) -> Result<Self, BenchError> {
        let provider = OtelBridge::prepare(SdkTracerProvider::builder());
        let provider = provider.with_span_processor(processor).build();
        let bridge = OtelBridge::new(&provider).with_capture(ContentCapture::SpanAndEvent);
        let trace = Trace::builder().with_processor(bridge);
        let trace = trace.start_detached();
        Ok(Self {
            trace: trace.map_err(|error| BenchError::set_up(BRIDGED)(error.into()))?,
            provider,
            turn: Turn::new(Facts::OfDefinitions)?,
        })
    }
}

impl Contender for Bridged {
    fn name(&self) -> &'static str {
        BRIDGED
    }

    fn prepare(&mut self) {
        drop(self.provider.force_flush());
    }

    fn run(&mut self) {
        for _ in 0..TURNS {
            self.turn.run(self.trace.root(), Events::Always);
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider as _;

    use super::*;

    #[test]
    fn both_make_the_same_spans() {
        let spans = recorded().unwrap();
        let kept = Arc::new(Mutex::new(Vec::new()));
        let provider = SdkTracerProvider::builder().with_span_processor(Keep(Arc::clone(&kept)));
        let provider = provider.build();
        let by_hand = Replay::new(spans.clone());
        for _ in 0..TURNS {
            by_hand.run(&provider.tracer("t"));
        }
        let shape = |span: &SpanData| {
            let events = span.events.iter();
            let events: Vec<_> = events
                .map(|event| (event.name.clone(), event.attributes.clone()))
                .collect();
            let what = (
                span.name.clone(),
                span.span_kind.clone(),
                span.status.clone(),
            );
            (what, span.attributes.clone(), events)
        };
        let made = kept.lock().unwrap();
        assert_eq!(made.len(), 4 * TURNS);
        for (made, span) in made.iter().zip(spans.iter().cycle()) {
            assert_eq!(shape(made), shape(span));
        }
        let events: Vec<_> = spans.iter().map(|span| span.events.len()).collect();
        assert_eq!(events, [2, 2, 2, 0]);
    }
}
