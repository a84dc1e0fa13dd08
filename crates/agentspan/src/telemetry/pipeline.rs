//! All that spans and hooks go through, flushed and shut down together.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agentspan_agent365::{Delivery, DeliveryStats};
use agentspan_otel::{ExportFlush, ExportQueue};
use agentspan_processor::TraceBuilder;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::TelemetryError;
use super::deadline::Deadline;
use super::own_thread::OwnThread;
use super::unsent::Unsent;
use crate::agent_spec::AgentSpec;
use crate::agent365_status::Agent365Status;
use crate::report::TelemetryReport;

/// The provider and all destinations.
#[derive(Debug)]
pub(crate) struct Pipeline {
    provider: SdkTracerProvider,
    agent365: Agent365Status,
    delivery: Option<Delivery>,
    queues: Vec<ExportQueue>,
    agent_spec: AgentSpec,
    has_ended: AtomicBool,
}

impl Pipeline {
    pub(crate) fn new(
        provider: SdkTracerProvider,
        agent365: Agent365Status,
        delivery: Option<Delivery>,
        queues: Vec<ExportQueue>,
        agent_spec: AgentSpec,
    ) -> Self {
        Self {
            provider,
            agent365,
            delivery,
            queues,
            agent_spec,
            has_ended: AtomicBool::new(false),
        }
    }

    pub(super) fn provider(&self) -> &SdkTracerProvider {
        &self.provider
    }

    #[cfg(test)]
    pub(super) fn queues(&self) -> &[ExportQueue] {
        &self.queues
    }

    pub(super) fn agent365(&self) -> Agent365Status {
        self.agent365
    }

    pub(super) fn agent365_stats(&self) -> Option<DeliveryStats> {
        self.delivery.as_ref().map(Delivery::stats)
    }

    pub(super) fn trace(&self) -> TraceBuilder {
        self.agent_spec.trace()
    }

    pub(super) fn report(&self) -> TelemetryReport {
        let mut report = TelemetryReport::of(self.delivery.as_ref(), &self.queues);
        report.destinations.extend(self.agent_spec.reports());
        report.late_events = self.agent_spec.late_events();
        report
    }

    /// Starts to send what waits.
    pub(super) fn start_flush(&self) {
        self.start_queues();
        // With no time to wait, this only wakes the delivery.
        let _ = self.delivery.as_ref().map(|it| it.flush(Duration::ZERO));
    }

    fn start_queues(&self) -> Vec<ExportFlush> {
        self.queues.iter().map(ExportQueue::start_flush).collect()
    }

    pub(super) fn flush(&self, timeout: Duration) -> Result<(), TelemetryError> {
        let deadline = Deadline::after(timeout);
        // All start before the first wait. Processors of Agent Spec have threads that never rest.
        let queues = self.start_queues();
        let provider = self.provider.clone();
        // In any case, since the provider may have processors that nothing of ours concerns.
        let others = OwnThread::start("agentspan-flush", move || provider.force_flush());

        let mut result = Ok(());
        if let Some(delivery) = &self.delivery {
            result = result.and(delivery.flush(deadline.left()));
        }
        for queue in queues {
            result = result.and(queue.wait(deadline.left()));
        }
        result = result.and(self.agent_spec.flush(|| deadline.left_to_hear()));
        self.finish(&deadline, result, others, Unsent::now)
    }

    /// A second call does nothing, and one that comes meanwhile waits as well.
    pub(super) fn shutdown(&self, timeout: Duration) -> Result<(), TelemetryError> {
        if self.has_ended.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.agent_spec.end_open_spans();
        let before = self.report();
        let deadline = Deadline::after(timeout);
        let provider = self.provider.clone();
        let others = OwnThread::start("agentspan-shutdown", move || {
            match provider.shutdown_with_timeout(timeout) {
                Err(OTelSdkError::AlreadyShutdown) => Ok(()),
                result => result,
            }
        });
        self.queues.iter().for_each(ExportQueue::start_shutdown);
        self.agent_spec.start_shutdown();

        let mut result = Ok(());
        if let Some(delivery) = &self.delivery {
            result = result.and(delivery.shutdown(deadline.left()));
        }
        for queue in &self.queues {
            result = result.and(queue.shutdown(deadline.left()));
        }
        result = result.and(self.agent_spec.wait_for_end(|| deadline.left_to_hear()));
        let has_thread = others.is_ok();
        let result = self.finish(&deadline, result, others, |report| {
            Unsent::at_deadline(&before, report)
        });
        self.has_ended.fetch_or(has_thread, Ordering::SeqCst);
        result
    }

    /// Hears what other processors of the provider say, and adds to a missed deadline how much was not sent.
    fn finish(
        &self,
        deadline: &Deadline,
        ours: OTelSdkResult,
        others: Result<OwnThread, TelemetryError>,
        unsent: impl FnOnce(&TelemetryReport) -> Unsent,
    ) -> Result<(), TelemetryError> {
        let (others, thread) = match others {
            Ok(others) => (others.wait(deadline.left_to_hear()), Ok(())),
            Err(error) => (Ok(()), Err(error)),
        };
        match ours.and(others) {
            Ok(()) => thread,
            Err(OTelSdkError::Timeout(_)) => Err(TelemetryError::Deadline {
                timeout: deadline.timeout(),
                unsent: unsent(&self.report()).count(),
            }),
            Err(error) => Err(TelemetryError::Processor(error)),
        }
    }
}
