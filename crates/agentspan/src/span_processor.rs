//! The span processor that a provider needs.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use agentspan_agent365::{Agent365SpanProcessor, Delivery};
use agentspan_model::agent365::{Identity, Profile};
use agentspan_model::mapping::ContentCapture;
use agentspan_otel::{AgentMetrics, BaggageSpanProcessor, ExportMetrics, ExportQueue};
use agentspan_queue::contain;
use agentspan_record::FinishedSpan;
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::agent365_status::Agent365Status;
use crate::outcome::{DoneByGuard, Outcome};
use crate::related_spans::{self, RelatedSpans};
use crate::report::TelemetryReport;
use crate::setup_log::Unheard;

/// The deadline of the SDK's flush for all destinations together, since the SDK sets none.
const SDK_TIMEOUT: Duration = Duration::from_secs(5);

/// Our span processor, for an application that builds its own provider.
///
/// It copies baggage to each span at its start, and passes each span to all destinations at its
/// end. It is a single processor, because the SDK copies every span for each processor of a
/// provider. [`Configuration::into_processor`](crate::Configuration::into_processor) builds it.
pub struct AgentSpanProcessor {
    agent365: Agent365Status,
    delivery: Option<Delivery>,
    /// None if the SDK is disabled.
    chain: Option<BaggageSpanProcessor<RelatedSpans<Outlets>>>,
    queues: Vec<ExportQueue>,
    done_by_guard: DoneByGuard,
    unheard: Unheard,
    /// The default capture of contents of Agent Spec spans.
    default_capture: ContentCapture,
    /// Its drop ends the metrics of destinations.
    metrics: Option<ExportMetrics>,
}

impl AgentSpanProcessor {
    pub(crate) fn new(
        agent365: Agent365Status,
        delivery: Option<Delivery>,
        queues: Vec<ExportQueue>,
        metrics: Option<AgentMetrics>,
    ) -> Self {
        let done_by_guard = DoneByGuard::default();
        let unheard = Unheard::default();
        let outlets = Outlets {
            metrics,
            done_by_guard: done_by_guard.clone(),
            unheard: unheard.clone(),
            agent365: delivery.as_ref().map(Delivery::span_processor),
            queues: queues.clone(),
        };
        Self {
            agent365,
            delivery,
            chain: Some(BaggageSpanProcessor::in_front_of(
                related_spans::in_front_of(outlets),
            )),
            queues,
            done_by_guard,
            unheard,
            default_capture: ContentCapture::NoContent,
            metrics: None,
        }
    }

    /// A processor that does nothing.
    pub(crate) fn disabled() -> Self {
        Self {
            agent365: Agent365Status::SdkDisabled,
            delivery: None,
            chain: None,
            queues: Vec::new(),
            done_by_guard: DoneByGuard::default(),
            unheard: Unheard::default(),
            default_capture: ContentCapture::NoContent,
            metrics: None,
        }
    }

    /// Copies the baggage of this profile.
    pub(crate) fn with_profile(mut self, profile: Profile) -> Self {
        self.chain = self.chain.map(|chain| chain.with_profile(profile));
        self
    }

    pub(crate) fn with_default_capture(mut self, capture: ContentCapture) -> Self {
        self.default_capture = capture;
        self
    }

    pub(crate) fn default_capture(&self) -> ContentCapture {
        self.default_capture
    }

    pub(crate) fn with_identity(mut self, identity: &Identity) -> Self {
        self.chain = self.chain.map(|chain| chain.with_identity(identity));
        self
    }

    /// See [`BaggageSpanProcessor::with_attributes_beside`].
    pub(crate) fn with_attributes_beside(mut self, max_attributes: u32) -> Self {
        self.chain = self
            .chain
            .map(|chain| chain.with_attributes_beside(max_attributes));
        self
    }

    pub(crate) fn with_trusted_remote_identity(mut self) -> Self {
        self.chain = self
            .chain
            .map(BaggageSpanProcessor::with_trusted_remote_identity);
        self
    }

    /// Keeps the metrics of destinations for as long as it lives.
    pub(crate) fn with_metrics(mut self, metrics: Option<ExportMetrics>) -> Self {
        self.metrics = metrics;
        self
    }

    /// Access for the guard, which flushes and shuts down the destinations itself.
    pub(crate) fn done_by_guard(&self) -> DoneByGuard {
        self.done_by_guard.clone()
    }

    /// The lines of the set-up that nobody heard. The first span that ends logs them.
    pub(crate) fn unheard(&self) -> &Unheard {
        &self.unheard
    }

    /// Whether spans go to Agent 365, and if not, why.
    #[must_use]
    pub fn agent365(&self) -> Agent365Status {
        self.agent365
    }

    /// The delivery to Agent 365, for flushes and counts; `None` if there is none.
    #[must_use]
    pub fn delivery(&self) -> Option<&Delivery> {
        self.delivery.as_ref()
    }

    /// The queues of the other destinations, for flushes and counts.
    #[must_use]
    pub fn queues(&self) -> &[ExportQueue] {
        &self.queues
    }

    /// The counts of each destination so far.
    #[must_use]
    pub fn report(&self) -> TelemetryReport {
        TelemetryReport::of(self.delivery.as_ref(), &self.queues)
    }
}

/// Shows the destinations once, without the steps before them.
impl fmt::Debug for AgentSpanProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentSpanProcessor")
            .field("agent365", &self.agent365)
            .field("delivery", &self.delivery)
            .field("queues", &self.queues)
            .finish_non_exhaustive()
    }
}

impl SpanProcessor for AgentSpanProcessor {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        if let Some(chain) = &self.chain {
            chain.on_start(span, cx);
        }
    }

    fn on_end(&self, span: SpanData) {
        if let Some(chain) = &self.chain {
            chain.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.chain
            .as_ref()
            .map_or(Ok(()), SpanProcessor::force_flush)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let chain = self.chain.as_ref();
        chain.map_or(Ok(()), |chain| chain.shutdown_with_timeout(timeout))
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Some(chain) = &mut self.chain {
            chain.set_resource(resource);
        }
    }
}

/// Measures finished spans, then passes them to all destinations.
#[derive(Debug)]
struct Outlets {
    metrics: Option<AgentMetrics>,
    agent365: Option<Agent365SpanProcessor>,
    queues: Vec<ExportQueue>,
    done_by_guard: DoneByGuard,
    unheard: Unheard,
}

impl Outlets {
    /// Says once that a span ends whose destinations, which count it, are shut down.
    fn warn_if_late(&self) {
        // Nobody waits for it, as a child of a fork would for a subscriber that runs in its parent.
        static IS_SAID: AtomicBool = AtomicBool::new(false);
        if self.done_by_guard.is_shut_down() && !IS_SAID.swap(true, Ordering::Relaxed) {
            contain::log(|| {
                tracing::warn!(
                    target: "agentspan::telemetry",
                    "a span ended after the shutdown, or after the drop of the guard, so its \
                     destinations do not get it: keep the guard in a variable of `main`, and shut \
                     down last; further ones are counted as after_shutdown"
                );
            });
        }
    }
}

impl SpanProcessor for Outlets {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        if let Some(agent365) = &self.agent365 {
            agent365.on_start(span, cx);
        }
    }

    fn on_end(&self, span: SpanData) {
        self.unheard.log();
        let span = FinishedSpan::received(span);
        if let Some(metrics) = &self.metrics {
            metrics.record(&span);
        }
        let mut takers = self.queues.iter().filter(|queue| queue.wants(&span.data));
        let Some(agent365) = &self.agent365 else {
            let Some(mut taker) = takers.next() else {
                return;
            };
            self.warn_if_late();
            // The last one gets the span itself, the others copies.
            for next in takers {
                taker.put(span.clone());
                taker = next;
            }
            return taker.put(span);
        };
        if span.data.span_context.is_sampled() {
            self.warn_if_late();
        }
        takers.for_each(|queue| queue.put(span.clone()));
        agent365.take(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        if self.done_by_guard.is_calling() {
            return Ok(());
        }
        let (started, mut outcome) = (Instant::now(), Outcome::default());
        let flushes: Vec<_> = self.queues.iter().map(ExportQueue::start_flush).collect();
        if let Some(agent365) = &self.agent365 {
            outcome.add_flush_of(agent365.delivery(), agent365.force_flush());
        }
        for (queue, flush) in self.queues.iter().zip(flushes) {
            let left = SDK_TIMEOUT.saturating_sub(started.elapsed());
            outcome.add_flush(queue, flush.wait(left));
        }
        outcome.into_sdk(SDK_TIMEOUT)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        if self.done_by_guard.is_calling() {
            return Ok(());
        }
        let (started, mut outcome) = (Instant::now(), Outcome::default());
        self.queues.iter().for_each(ExportQueue::start_shutdown);
        if let Some(agent365) = &self.agent365 {
            let result = agent365.shutdown_with_timeout(timeout);
            outcome.add_shutdown_of(agent365.delivery(), result);
        }
        for queue in &self.queues {
            let left = timeout.saturating_sub(started.elapsed());
            outcome.add_shutdown(queue, queue.shutdown(left));
        }
        outcome.into_sdk(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Some(processor) = &mut self.agent365 {
            processor.set_resource(resource);
        }
        for queue in &self.queues {
            queue.put_resource(resource);
        }
    }
}
