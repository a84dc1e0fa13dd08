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
    is_shut_down: Arc<AtomicBool>,
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
            is_shut_down: Arc::default(),
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

    /// What shuts all processors down, for the first time that it is called. Where it is dropped instead,
    /// since there is no thread for it, the next one does.
    pub(crate) fn shutdown(&self) -> impl FnOnce() + Send + use<> {
        let is_shut_down = Arc::clone(&self.is_shut_down);
        let processors = self.processors.iter();
        let processors: Vec<_> = processors.map(|(_, queue)| queue.clone()).collect();
        move || {
            if !is_shut_down.swap(true, Ordering::SeqCst) {
                shut_down(&processors);
            }
        }
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
fn shut_down(processors: &[BackgroundQueue]) {
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use agentspan_processor::HookError;

    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Shutdowns(Arc<AtomicU64>);

    impl SpanProcessor for Shutdowns {
        fn shutdown(&self) -> Result<(), HookError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    #[test]
    fn a_shutdown_that_got_no_thread_is_made_up_for_and_one_that_did_is_not_repeated() {
        let shutdowns = Shutdowns::default();
        let processors = vec![("p".to_owned(), BackgroundQueue::new(shutdowns.clone()))];
        let provider = SdkTracerProvider::builder().build();
        let agent_spec = AgentSpec::new(&provider, ContentCapture::NoContent, processors);
        drop(agent_spec.shutdown());
        assert_eq!(shutdowns.0.load(Ordering::SeqCst), 0);
        for _ in 0..2 {
            agent_spec.shutdown()();
            assert_eq!(shutdowns.0.load(Ordering::SeqCst), 1);
        }
    }
}
