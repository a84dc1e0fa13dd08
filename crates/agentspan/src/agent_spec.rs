//! Agent Spec traces whose spans reach all destinations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agentspan_model::mapping::ContentCapture;
use agentspan_otel::OtelBridge;
use agentspan_processor::{BackgroundQueue, SpanProcessor, Trace, TraceBuilder};
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::counts;
use crate::report::DestinationReport;

/// The bridge to OpenTelemetry, and the processors that observe Agent Spec traces themselves.
#[derive(Debug)]
pub(crate) struct AgentSpec {
    bridge: Arc<OtelBridge>,
    processors: Vec<(String, BackgroundQueue)>,
    is_shut_down: AtomicBool,
}

impl AgentSpec {
    pub(crate) fn new(
        provider: &SdkTracerProvider,
        capture: ContentCapture,
        processors: Vec<(String, BackgroundQueue)>,
    ) -> Self {
        Self {
            bridge: Arc::new(OtelBridge::new(provider).with_capture(capture)),
            processors,
            is_shut_down: AtomicBool::new(false),
        }
    }

    pub(crate) fn trace(&self) -> TraceBuilder {
        let trace = Trace::builder()
            .with_processor(Arc::clone(&self.bridge))
            .without_shutdown();
        let queues = self.processors.iter().map(|(_, queue)| queue.clone());
        queues.fold(trace, TraceBuilder::with_processor)
    }

    /// Whether all hooks that were queued have run in time.
    pub(crate) fn flush(&self, timeout: impl Fn() -> Duration) -> bool {
        let flushed = |(_, queue): &(_, BackgroundQueue)| queue.flush(timeout()).is_ok();
        // All of them, also after the first that is late.
        self.processors
            .iter()
            .filter(|queue| !flushed(queue))
            .count()
            == 0
    }

    /// The processors that are to be shut down: all of them, once.
    pub(crate) fn take_for_shutdown(&self) -> Vec<BackgroundQueue> {
        if self.is_shut_down.swap(true, Ordering::SeqCst) {
            return Vec::new();
        }
        let processors = self.processors.iter();
        processors.map(|(_, queue)| queue.clone()).collect()
    }

    pub(crate) fn late_events(&self) -> u64 {
        self.bridge.late_events()
    }

    pub(crate) fn reports(&self) -> impl Iterator<Item = DestinationReport> {
        let processors = self.processors.iter();
        processors.map(|(name, queue)| DestinationReport::new(name, counts::of_agent_spec(queue)))
    }
}

/// Shuts processors down, one after the other; each says in the log what it fails with.
pub(crate) fn shut_down(processors: &[BackgroundQueue]) {
    for processor in processors {
        if let Err(error) = processor.shutdown() {
            tracing::error!(
                target: "agentspan::telemetry",
                processor = processor.name(),
                error = %error,
                "an agent spec processor is not shut down"
            );
        }
    }
}
