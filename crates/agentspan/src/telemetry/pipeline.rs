//! The provider and all destinations, flushed and shut down together.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use agentspan_agent365::{Delivery, DeliveryStats};
use agentspan_otel::ExportQueue;
use agentspan_otel::export_queue::ExportFlush;
use agentspan_processor::trace::TraceBuilder;
use opentelemetry::global::BoxedTracer;
use opentelemetry::trace::TracerProvider;
use opentelemetry::trace::noop::NoopTracer;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::deadline::Deadline;
use super::failed::Failed;
use super::own_thread::OwnThread;
use super::unsent::Unsent;
use crate::agent_spec::AgentSpec;
use crate::agent365_status::Agent365Status;
use crate::outcome::{DoneByGuard, Outcome};
use crate::report::TelemetryReport;

/// The provider and all destinations.
#[derive(Debug)]
pub(crate) struct Pipeline {
    provider: SdkTracerProvider,
    done_by_guard: DoneByGuard,
    agent365: Agent365Status,
    delivery: Option<Delivery>,
    queues: Vec<ExportQueue>,
    agent_spec: AgentSpec,
    /// Whether the provider has processors that are not ours, which may block.
    has_others: bool,
    /// The SDK is disabled: there is nothing to flush, to shut down or to record.
    is_disabled: bool,
    has_ended: AtomicBool,
}

impl Pipeline {
    pub(crate) fn new(
        (provider, done_by_guard): (SdkTracerProvider, DoneByGuard),
        agent365: Agent365Status,
        delivery: Option<Delivery>,
        queues: Vec<ExportQueue>,
        agent_spec: AgentSpec,
    ) -> Self {
        Self {
            provider,
            done_by_guard,
            agent365,
            delivery,
            queues,
            agent_spec,
            has_others: true,
            is_disabled: false,
            has_ended: AtomicBool::new(false),
        }
    }

    /// Notes that the provider has no processor besides ours, which leaves flush and shutdown to
    /// the guard.
    pub(crate) fn without_others(mut self) -> Self {
        self.has_others = false;
        self
    }

    /// A pipeline that records nothing, for a disabled SDK.
    pub(crate) fn disabled() -> Self {
        let provider = SdkTracerProvider::builder().build();
        // There is nothing in it that could fail. From here on its spans record nothing.
        let _ = provider.shutdown();
        Self {
            provider,
            done_by_guard: DoneByGuard::default(),
            agent365: Agent365Status::SdkDisabled,
            delivery: None,
            queues: Vec::new(),
            agent_spec: AgentSpec::disabled(),
            has_others: false,
            is_disabled: true,
            has_ended: AtomicBool::new(false),
        }
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.is_disabled
    }

    pub(super) fn tracer(&self, name: &'static str) -> BoxedTracer {
        BoxedTracer::new(if self.is_disabled {
            // The provider's own spans would not even have the context of their parent.
            Box::new(NoopTracer::new())
        } else {
            Box::new(self.provider.tracer(name))
        })
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
        report.evicted_spans = self.agent_spec.evicted_spans();
        report
    }

    /// Starts to send all queued spans.
    pub(super) fn start_flush(&self) {
        self.start_queues();
        // With no time to wait, this only wakes the delivery.
        let _ = self.delivery.as_ref().map(|it| it.flush(Duration::ZERO));
    }

    fn start_queues(&self) -> Vec<ExportFlush> {
        self.queues.iter().map(ExportQueue::start_flush).collect()
    }

    pub(super) fn flush(&self, timeout: Duration) -> Result<(), Failed> {
        if self.is_disabled {
            return Ok(());
        }
        let deadline = Deadline::after(timeout);
        // All start before the first wait. Processors of Agent Spec have threads that never rest.
        let flushes = self.start_queues();
        let (provider, ours) = (self.provider.clone(), self.done_by_guard.clone());
        // In any case, since the provider may have processors that nothing of ours concerns.
        let others = self.start_others("agentspan-flush", move || {
            ours.call(|| provider.force_flush())
        });

        let mut outcome = Outcome::default();
        if let Some(delivery) = &self.delivery {
            outcome.add_flush_of(delivery, delivery.flush(deadline.left()));
        }
        for (queue, flush) in self.queues.iter().zip(flushes) {
            outcome.add_flush(queue, flush.wait(deadline.left()));
        }
        let left = || deadline.left_to_hear();
        self.agent_spec.flush(&mut outcome, left);
        finish(&deadline, outcome, others, || Unsent::now(&self.report()))
    }

    /// Calls the provider in a way that cannot block this thread.
    fn start_others(
        &self,
        name: &str,
        work: impl FnOnce() -> OTelSdkResult + Send + 'static,
    ) -> io::Result<OwnThread> {
        if self.has_others {
            OwnThread::start(name, work)
        } else {
            Ok(OwnThread::run_here(work))
        }
    }

    /// Ends all open spans, then shuts the provider down if it has processors of others. Waits for the
    /// first only, and at most half of the time: the other half is for sending the spans.
    ///
    /// A provider that is shut down hands no span to its processors, so that nobody would count the
    /// spans that end later. Without others it goes on, and its destinations refuse and count them.
    fn end_spans_and_provider(&self, timeout: Duration) -> io::Result<OwnThread> {
        let (provider, ours) = (self.provider.clone(), self.done_by_guard.clone());
        let end_open_spans = self.agent_spec.end_of_open_spans();
        let has_others = self.has_others;
        let (ended, has_ended) = mpsc::sync_channel(1);
        let others = self.start_others("agentspan-shutdown", move || {
            end_open_spans();
            // Nobody listens any more after half of the time.
            let _ = ended.send(());
            if !has_others {
                return Ok(());
            }
            match ours.call(|| provider.shutdown_with_timeout(timeout)) {
                Err(OTelSdkError::AlreadyShutdown) => Ok(()),
                result => result,
            }
        });
        match &others {
            // What is late is heard of by waiting for the thread.
            Ok(_) => drop(has_ended.recv_timeout(timeout / 2)),
            Err(_) => self.agent_spec.end_of_open_spans()(),
        }
        others
    }

    /// A second call does nothing. A concurrent call waits as well.
    pub(super) fn shutdown(&self, timeout: Duration) -> Result<(), Failed> {
        if self.is_disabled || self.has_ended.load(Ordering::SeqCst) {
            return Ok(());
        }
        let deadline = Deadline::after(timeout);
        let others = self.end_spans_and_provider(timeout);
        let before = self.report();
        self.done_by_guard.set_shut_down();
        self.queues.iter().for_each(ExportQueue::start_shutdown);
        self.agent_spec.start_shutdown();

        let mut outcome = Outcome::default();
        if let Some(delivery) = &self.delivery {
            outcome.add_shutdown_of(delivery, delivery.shutdown(deadline.left()));
        }
        for queue in &self.queues {
            outcome.add_shutdown(queue, queue.shutdown(deadline.left()));
        }
        let left = || deadline.left_to_hear();
        self.agent_spec.wait_for_end(&mut outcome, left);
        let has_thread = others.is_ok();
        let unsent = || Unsent::at_deadline(&before, &self.report());
        // Other losses are reported in place of the deadline.
        outcome.is_late |= unsent().count() > 0;
        let result = finish(&deadline, outcome, others, unsent);
        self.has_ended.fetch_or(has_thread, Ordering::SeqCst);
        result
    }
}

/// Collects the results of other processors of the provider, and adds the unsent spans to a missed
/// deadline.
fn finish(
    deadline: &Deadline,
    mut outcome: Outcome,
    others: io::Result<OwnThread>,
    unsent: impl FnOnce() -> Unsent,
) -> Result<(), Failed> {
    let mut failed = Failed {
        late: None,
        gave_up_early: false,
        ours: Vec::new(),
        told: Vec::new(),
        others: None,
        no_thread: None,
    };
    let ours_are_late = outcome.is_late;
    match others.map(|others| others.wait(deadline.left_to_hear())) {
        Ok(Ok(())) => {}
        Ok(Err(OTelSdkError::Timeout(_))) => outcome.is_late = true,
        Ok(Err(OTelSdkError::InternalFailure(text))) => failed.others = Some(text.into()),
        Ok(Err(error)) => failed.others = Some(error.to_string().into()),
        Err(error) => failed.no_thread = Some(error),
    }
    // With time left, a destination gave up because its next try would come too late.
    failed.gave_up_early = ours_are_late && !deadline.left().is_zero();
    failed.ours = outcome.failures;
    failed.told = outcome.told;
    failed.late = outcome.is_late.then(|| (deadline.timeout(), unsent()));
    let Failed {
        late,
        ours,
        others,
        no_thread,
        told: _,
        gave_up_early: _,
    } = &failed;
    if late.is_none() && ours.is_empty() && others.is_none() && no_thread.is_none() {
        return Ok(());
    }
    Err(failed)
}
