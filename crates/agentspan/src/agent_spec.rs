//! Agent Spec traces whose spans reach all destinations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use agentspan_model::mapping::ContentCapture;
use agentspan_otel::OtelBridge;
use agentspan_processor::{BackgroundQueue, SpanProcessor, Trace, TraceBuilder};
use agentspan_queue::contain;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
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

    /// What shuts all processors down, for the first time that it is called: each has until `timeout` from
    /// then on to handle what waits. Where it is dropped instead, since there is no thread for it, the next one
    /// does.
    pub(crate) fn shutdown(
        &self,
        timeout: Duration,
    ) -> impl FnOnce() -> OTelSdkResult + Send + use<> {
        let is_shut_down = Arc::clone(&self.is_shut_down);
        let processors = self.processors.iter();
        let processors: Vec<_> = processors.map(|(_, queue)| queue.clone()).collect();
        move || {
            if is_shut_down.swap(true, Ordering::SeqCst) {
                return Ok(());
            }
            shut_down(&processors, timeout)
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
fn shut_down(processors: &[BackgroundQueue], timeout: Duration) -> OTelSdkResult {
    let started = Instant::now();
    let mut result = Ok(());
    for processor in processors {
        // A queue's own shutdown waits for a time of its own, which knows nothing of the deadline.
        let left = timeout.saturating_sub(started.elapsed());
        if processor.flush(left).is_err() {
            result = Err(OTelSdkError::Timeout(timeout));
        }
        if let Err(error) = processor.shutdown() {
            result = Err(OTelSdkError::Timeout(timeout));
            contain::log(|| {
                tracing::error!(
                    target: "agentspan::telemetry",
                    processor = processor.name(),
                    error = %error,
                    "an agent spec processor is not shut down"
                );
            });
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicU64;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use agentspan_processor::HookError;

    use super::*;

    const WHILE: Duration = Duration::from_secs(30);

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
        drop(agent_spec.shutdown(WHILE));
        assert_eq!(shutdowns.0.load(Ordering::SeqCst), 0);
        for _ in 0..2 {
            agent_spec.shutdown(WHILE)().unwrap();
            assert_eq!(shutdowns.0.load(Ordering::SeqCst), 1);
        }
    }

    /// Says that a trace starts, and waits until it may.
    #[derive(Debug)]
    struct Slow(Sender<()>, Mutex<Receiver<()>>);

    impl SpanProcessor for Slow {
        fn startup(&self) -> Result<(), HookError> {
            let _ = self.0.send(());
            let _ = self.1.lock().unwrap().recv();
            Ok(())
        }
    }

    #[test]
    fn a_slow_processor_has_the_time_of_the_shutdown_and_is_told_of_when_it_is_over() {
        let (begun, has_begun) = channel();
        let (release, until) = channel();
        let queue = BackgroundQueue::builder(Slow(begun, Mutex::new(until)))
            .with_shutdown_timeout(Duration::ZERO)
            .build();
        let provider = SdkTracerProvider::builder().build();
        let of = |queue: &BackgroundQueue| {
            let processors = vec![("p".to_owned(), queue.clone())];
            AgentSpec::new(&provider, ContentCapture::NoContent, processors)
        };
        queue.startup().unwrap();
        has_begun.recv_timeout(WHILE).unwrap();
        let late = of(&queue).shutdown(Duration::ZERO)();
        assert!(matches!(late, Err(OTelSdkError::Timeout(_))), "{late:?}");

        let shutdown = of(&queue).shutdown(WHILE);
        let (calls, is_called) = channel();
        let thread = std::thread::spawn(move || {
            calls.send(()).unwrap();
            let _ = shutdown();
            queue.stats()
        });
        is_called.recv_timeout(WHILE).unwrap();
        drop(release);
        // All but this shutdown itself, for which the queue has no time of its own.
        let stats = thread.join().unwrap();
        assert!(stats.handled >= 2, "{stats:?}");
    }
}
