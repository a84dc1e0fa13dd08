//! The exporter for pipelines of the OpenTelemetry SDK.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::builder::DeliveryBuilder;
use crate::delivery::Delivery;
use crate::export_error::SubmitError;
use crate::front::Front;
use crate::report::ExportReport;
use crate::stats::DeliveryStats;
use crate::token_resolver::TokenResolver;

/// How long `force_flush` and `shutdown` wait when the SDK gives no time, as its batch processor does.
pub(crate) const DEFAULT_WAIT: Duration = Duration::from_secs(5);

/// Exports spans to Agent 365. Drops into any pipeline, such as the SDK's batch processor.
///
/// [`export`](SpanExporter::export) only hands the batch to the delivery's thread and waits for its
/// report. So it works without a runtime, in any runtime, and in `Drop`. It succeeds if every span
/// with an identity was delivered. After a shutdown every export fails.
#[derive(Debug)]
pub struct Agent365Exporter {
    front: Front,
}

impl Agent365Exporter {
    /// Builds an exporter with a delivery of its own. The defaults fit production.
    pub fn builder(resolver: impl TokenResolver) -> DeliveryBuilder<Self> {
        DeliveryBuilder::new(resolver)
    }

    /// Exports a batch, and returns the outcome for each identity.
    ///
    /// # Errors
    ///
    /// [`SubmitError`] when the batch was not taken, or the shutdown's deadline passed before its end.
    ///
    /// # Cancel safety
    ///
    /// The batch is handed over before the future is first polled, and is delivered whether or not
    /// somebody waits.
    pub fn export_with_report(
        &self,
        batch: Vec<SpanData>,
    ) -> impl Future<Output = Result<Arc<ExportReport>, SubmitError>> + Send + use<> {
        let report = self.front.submit(batch);
        async move { report?.await.map_err(|_| SubmitError::Stopped) }
    }

    /// Counts of the delivery's spans so far.
    #[must_use]
    pub fn stats(&self) -> DeliveryStats {
        self.front.delivery().stats()
    }

    /// The delivery behind this exporter, to give it further fronts.
    #[must_use]
    pub fn delivery(&self) -> &Delivery {
        self.front.delivery()
    }
}

impl Delivery {
    /// A span exporter over this delivery, for a pipeline of the OpenTelemetry SDK.
    #[must_use]
    pub fn exporter(&self) -> Agent365Exporter {
        Agent365Exporter {
            front: Front::open(self.clone()),
        }
    }
}

impl From<Delivery> for Agent365Exporter {
    fn from(delivery: Delivery) -> Self {
        delivery.exporter()
    }
}

impl SpanExporter for Agent365Exporter {
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        let report = self.export_with_report(batch);
        async move {
            match report.await {
                Ok(report) if report.is_success() => Ok(()),
                Ok(report) => Err(OTelSdkError::InternalFailure(report.to_string())),
                Err(SubmitError::AlreadyShutdown) => Err(OTelSdkError::AlreadyShutdown),
                Err(error) => Err(OTelSdkError::InternalFailure(error.to_string())),
            }
        }
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.front.shutdown(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.front.delivery().flush(DEFAULT_WAIT)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.front.set_resource(resource);
    }
}
