//! Agent Spec traces whose spans reach all destinations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agentspan_otel::OtelBridge;
use agentspan_otel::export_metrics::{Counted, ExportMetricsBuilder};
use agentspan_processor::trace::TraceBuilder;
use agentspan_processor::{BackgroundQueue, HookError, Trace};
use agentspan_queue::contain;

use crate::counts;
use crate::outcome::Outcome;
use crate::report::DestinationReport;

/// The bridge to OpenTelemetry, and the Agent Spec processors that observe the traces directly.
#[derive(Debug)]
pub(crate) struct AgentSpec {
    /// None if the SDK is disabled.
    bridge: Option<Arc<OtelBridge>>,
    processors: Vec<(String, BackgroundQueue)>,
    is_shut_down: AtomicBool,
}

impl AgentSpec {
    pub(crate) fn new(bridge: OtelBridge, processors: Vec<(String, BackgroundQueue)>) -> Self {
        let agent_spec = Self {
            bridge: Some(Arc::new(bridge)),
            processors,
            is_shut_down: AtomicBool::default(),
        };
        // A builder with processors says that spans outside of a trace are lost, which is logged
        // from now on, also in a program that never starts a trace.
        drop(agent_spec.trace());
        agent_spec
    }

    /// Traces that nobody observes.
    pub(crate) fn disabled() -> Self {
        Self {
            bridge: None,
            processors: Vec::new(),
            is_shut_down: AtomicBool::default(),
        }
    }

    pub(crate) fn trace(&self) -> TraceBuilder {
        let trace = Trace::builder().without_shutdown();
        let trace = self
            .bridge
            .iter()
            .map(Arc::clone)
            .fold(trace, TraceBuilder::with_processor);
        let queues = self.processors.iter().map(|(_, queue)| queue.clone());
        queues.fold(trace, TraceBuilder::with_processor)
    }

    /// Waits until the queued hooks have run. `left` gives the remaining time to each processor.
    pub(crate) fn flush(&self, outcome: &mut Outcome, left: impl Fn() -> Duration) {
        for (name, queue) in &self.processors {
            outcome.add_agent_spec(name, queue.flush(left()));
        }
    }

    /// Starts the shutdown of all processors at the first call. Does not wait.
    pub(crate) fn start_shutdown(&self) {
        if self.is_shut_down.swap(true, Ordering::SeqCst) {
            return;
        }
        for (name, queue) in &self.processors {
            if let Err(error) = queue.start_shutdown() {
                log_shutdown(name, &error);
            }
            // Traces may still start, and there is no second shutdown for their hooks.
            queue.close();
        }
    }

    /// Waits until all processors are shut down. `left` gives the remaining time to each of them.
    pub(crate) fn wait_for_end(&self, outcome: &mut Outcome, left: impl Fn() -> Duration) {
        for (name, queue) in &self.processors {
            outcome.add_agent_spec(name, queue.wait_for_end(left()));
        }
    }

    /// What ends all open spans, so that they are exported as unfinished. Processors of the provider hear of
    /// it on the thread that calls this, and may block.
    pub(crate) fn end_of_open_spans(&self) -> impl FnOnce() + Send + use<> {
        let bridge = self.bridge.clone();
        move || {
            if let Some(bridge) = bridge {
                let _ = contain::call(|| bridge.end_open_spans());
            }
        }
    }

    pub(crate) fn late_events(&self) -> u64 {
        self.bridge
            .as_ref()
            .map_or(0, |bridge| bridge.late_events())
    }

    pub(crate) fn evicted_spans(&self) -> u64 {
        self.bridge
            .as_ref()
            .map_or(0, |bridge| bridge.evicted_spans())
    }

    /// Adds the counts of the bridge and the processors.
    pub(crate) fn measured_by(&self, mut metrics: ExportMetricsBuilder) -> ExportMetricsBuilder {
        for (name, queue) in &self.processors {
            let queue = queue.clone();
            let counts = move || counts::of_agent_spec(&queue);
            metrics = metrics.with_source(name, Counted::Hooks, counts);
        }
        match self.bridge.clone() {
            Some(bridge) => metrics.with_evicted_spans(move || bridge.evicted_spans()),
            None => metrics,
        }
    }

    pub(crate) fn reports(&self) -> impl Iterator<Item = DestinationReport> {
        let processors = self.processors.iter();
        processors.map(|(name, queue)| DestinationReport::new(name, counts::of_agent_spec(queue)))
    }
}

fn log_shutdown(processor: &str, error: &HookError) {
    contain::log(|| {
        tracing::error!(
            target: "agentspan::telemetry",
            processor,
            %error,
            "an agent spec processor is not shut down"
        );
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicU64;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use agentspan_otel::DropReason;
    use agentspan_processor::SpanProcessor;
    use opentelemetry_sdk::trace::SdkTracerProvider;

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
    fn processors_are_shut_down_once() {
        let shutdowns = Shutdowns::default();
        let agent_spec = of(&[&BackgroundQueue::new(shutdowns.clone())]);
        for _ in 0..2 {
            agent_spec.start_shutdown();
            assert_eq!(end(&agent_spec, WHILE), "");
            assert_eq!(shutdowns.0.load(Ordering::SeqCst), 1);
        }
    }

    #[derive(Debug)]
    struct Panics;

    impl SpanProcessor for Panics {
        fn startup(&self) -> Result<(), HookError> {
            panic!("a hook of the test")
        }
    }

    #[test]
    fn a_hook_that_panics_is_counted_as_that() {
        let queue = BackgroundQueue::new(Panics);
        let agent_spec = of(&[&queue]);
        let trace = agent_spec.trace().start().unwrap();
        queue.flush(WHILE).unwrap_err();
        let report = agent_spec.reports().next().unwrap();
        assert_eq!(report.losses, [(DropReason::Panic, 1)]);
        trace.end().unwrap();
    }

    fn of(queues: &[&BackgroundQueue]) -> AgentSpec {
        let provider = SdkTracerProvider::builder().build();
        let queues = queues.iter().enumerate();
        let processors = queues.map(|(n, queue)| (n.to_string(), (*queue).clone()));
        AgentSpec::new(OtelBridge::new(&provider), processors.collect())
    }

    fn end(agent_spec: &AgentSpec, timeout: Duration) -> String {
        let mut outcome = Outcome::default();
        agent_spec.wait_for_end(&mut outcome, || timeout);
        outcome.failures.join("; ")
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

    fn slow() -> (BackgroundQueue, Sender<()>) {
        let (begun, has_begun) = channel();
        let (release, until) = channel();
        let queue = BackgroundQueue::new(Slow(begun, Mutex::new(until)));
        queue.startup().unwrap();
        has_begun.recv_timeout(WHILE).unwrap();
        (queue, release)
    }

    #[test]
    fn a_slow_processor_has_the_time_of_the_shutdown_and_is_told_of_when_it_is_over() {
        let (queue, release) = slow();
        let agent_spec = of(&[&queue]);
        agent_spec.start_shutdown();
        // The start of the trace, and the shutdown.
        let late = "0: lost 2 hooks (shutdown_deadline: 2)";
        assert_eq!(end(&agent_spec, Duration::ZERO), late);
        drop(release);
        assert_eq!(end(&agent_spec, WHILE), "");
        assert_eq!(queue.stats().dropped_at_shutdown, 2);
    }

    #[test]
    fn a10_a_processor_that_hangs_does_not_hold_up_the_shutdown_of_the_next() {
        let (hanging, release) = slow();
        let shutdowns = Shutdowns::default();
        let next = BackgroundQueue::new(shutdowns.clone());
        of(&[&hanging, &next]).start_shutdown();
        next.wait_for_end(WHILE).unwrap();
        assert_eq!(shutdowns.0.load(Ordering::SeqCst), 1);
        assert_eq!(hanging.stats().queued, 2);
        drop(release);
    }
}
