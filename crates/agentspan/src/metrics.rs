//! Metrics of agents and of destinations, if they are configured.

use agentspan_agent365::Delivery;
use agentspan_otel::export_metrics::Counted;
use agentspan_otel::{ExportMetrics, ExportQueue};
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::{InstrumentationScope, global};

use crate::agent_spec::AgentSpec;
use crate::counts;

/// The meter provider that records metrics.
#[derive(Clone, Debug, Default)]
pub(crate) enum MetricsChoice {
    #[default]
    Off,
    /// OpenTelemetry's global provider, as it is when telemetry is installed.
    Global,
    Meter(Meter),
}

impl MetricsChoice {
    pub(crate) fn of(provider: &impl MeterProvider) -> Self {
        Self::Meter(provider.meter_with_scope(scope()))
    }

    pub(crate) fn meter(self) -> Option<Meter> {
        match self {
            Self::Off => None,
            Self::Global => Some(global::meter_with_scope(scope())),
            Self::Meter(meter) => Some(meter),
        }
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("agentspan")
        .with_version(env!("CARGO_PKG_VERSION"))
        .build()
}

/// Reports the counts of all destinations as metrics until it is dropped, if there is a meter.
pub(crate) fn of_destinations(
    meter: Option<&Meter>,
    delivery: Option<&Delivery>,
    queues: &[ExportQueue],
    agent_spec: &AgentSpec,
) -> Option<ExportMetrics> {
    let meter = meter?;
    let mut metrics = ExportMetrics::builder();
    if let Some(delivery) = delivery.cloned() {
        let counts = move || counts::of_delivery(&delivery.stats());
        metrics = metrics.with_source(counts::AGENT365, Counted::Spans, counts);
    }
    for queue in queues {
        metrics = metrics.with_queue(queue);
    }
    Some(agent_spec.measured_by(metrics).start(meter))
}
