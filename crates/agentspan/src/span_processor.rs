//! The span processor that a provider needs.

use std::time::{Duration, Instant};

use agentspan_agent365::{Agent365SpanProcessor, Delivery};
use agentspan_model::agent365::Profile;
use agentspan_model::agentspec::Disclosure;
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_otel::{AgentMetrics, BaggageSpanProcessor, ExportMetrics, ExportQueue, Rendered};
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::agent365_status::Agent365Status;
use crate::report::TelemetryReport;

/// How long a flush of the SDK waits for all destinations together; it gives no time itself.
const SDK_TIMEOUT: Duration = Duration::from_secs(5);

/// Our span processor, for an application that builds its own provider.
///
/// It copies the baggage to each span that starts and takes each that ends to all destinations. It
/// is one processor and not several, since the SDK copies every span for each processor of a provider.
/// Made by [`Configuration::into_processor`](crate::Configuration::into_processor).
#[derive(Debug)]
pub struct AgentSpanProcessor {
    agent365: Agent365Status,
    delivery: Option<Delivery>,
    chain: BaggageSpanProcessor<Outlets>,
    queues: Vec<ExportQueue>,
    /// What is captured of Agent Spec spans if nobody says.
    default_capture: ContentCapture,
    /// Kept for its drop, which ends the metrics of destinations.
    metrics: Option<ExportMetrics>,
}

impl AgentSpanProcessor {
    pub(crate) fn new(
        agent365: Agent365Status,
        delivery: Option<(Delivery, Profile)>,
        queues: Vec<ExportQueue>,
        metrics: Option<AgentMetrics>,
    ) -> Self {
        let outlets = Outlets {
            metrics,
            agent365: delivery.as_ref().map(|(delivery, profile)| {
                let mapping = Mapping::new(Rendering::Agent365(*profile))
                    .with_capture(ContentCapture::from(Disclosure::Clear));
                Rendered::new(delivery.span_processor(), mapping)
            }),
            queues: queues.clone(),
        };
        Self {
            agent365,
            delivery: delivery.map(|(delivery, _)| delivery),
            chain: BaggageSpanProcessor::in_front_of(outlets),
            queues,
            default_capture: ContentCapture::NoContent,
            metrics: None,
        }
    }

    /// Copies the baggage that `profile` names.
    pub(crate) fn with_profile(mut self, profile: Profile) -> Self {
        self.chain = self.chain.with_profile(profile);
        self
    }

    pub(crate) fn with_default_capture(mut self, capture: ContentCapture) -> Self {
        self.default_capture = capture;
        self
    }

    pub(crate) fn default_capture(&self) -> ContentCapture {
        self.default_capture
    }

    pub(crate) fn trust_remote_identity(mut self) -> Self {
        self.chain = self.chain.trust_remote_identity();
        self
    }

    /// Keeps the metrics of destinations for as long as it lives.
    pub(crate) fn with_metrics(mut self, metrics: Option<ExportMetrics>) -> Self {
        self.metrics = metrics;
        self
    }

    /// Whether spans go to Agent 365, and if not, why.
    #[must_use]
    pub fn agent365(&self) -> Agent365Status {
        self.agent365
    }

    /// The delivery to Agent 365, to flush it and to read its counts; `None` if there is none.
    #[must_use]
    pub fn delivery(&self) -> Option<&Delivery> {
        self.delivery.as_ref()
    }

    /// The queues of the other destinations, to flush them and to read their counts.
    #[must_use]
    pub fn queues(&self) -> &[ExportQueue] {
        &self.queues
    }

    /// What each destination got and lost so far.
    #[must_use]
    pub fn report(&self) -> TelemetryReport {
        TelemetryReport::of(self.delivery.as_ref(), &self.queues)
    }
}

impl SpanProcessor for AgentSpanProcessor {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        self.chain.on_start(span, cx);
    }

    fn on_end(&self, span: SpanData) {
        self.chain.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.chain.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.chain.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.chain.set_resource(resource);
    }
}

/// Takes finished spans to all destinations, and measures them before.
#[derive(Debug)]
struct Outlets {
    metrics: Option<AgentMetrics>,
    agent365: Option<Rendered<Agent365SpanProcessor>>,
    queues: Vec<ExportQueue>,
}

impl SpanProcessor for Outlets {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        if let Some(agent365) = &self.agent365 {
            agent365.on_start(span, cx);
        }
    }

    fn on_end(&self, span: SpanData) {
        if let Some(metrics) = &self.metrics {
            metrics.record(&span);
        }
        let mut takers = self.queues.iter().filter(|queue| queue.wants(&span));
        let Some(agent365) = &self.agent365 else {
            let Some(mut taker) = takers.next() else {
                return;
            };
            // The last one gets the span itself, the others copies.
            for next in takers {
                taker.put(span.clone());
                taker = next;
            }
            return taker.put(span);
        };
        takers.for_each(|queue| queue.put(span.clone()));
        agent365.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        let started = Instant::now();
        let queues: Vec<_> = self.queues.iter().map(ExportQueue::start_flush).collect();
        let agent365 = self.agent365.as_ref().map(SpanProcessor::force_flush);
        let queues = queues
            .into_iter()
            .map(|queue| queue.wait(SDK_TIMEOUT.saturating_sub(started.elapsed())));
        first_failure(agent365.into_iter().chain(queues))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let started = Instant::now();
        self.queues.iter().for_each(ExportQueue::start_shutdown);
        let agent365 = self.agent365.as_ref();
        let agent365 = agent365.map(|processor| processor.shutdown_with_timeout(timeout));
        let queues = self
            .queues
            .iter()
            .map(|queue| queue.shutdown(timeout.saturating_sub(started.elapsed())));
        first_failure(agent365.into_iter().chain(queues))
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

/// The first failure, after all were asked.
fn first_failure(results: impl Iterator<Item = OTelSdkResult>) -> OTelSdkResult {
    let mut first = Ok(());
    for result in results {
        first = first.and(result);
    }
    first
}
