//! Does an export as the vectors write it, with the real exporter over TLS.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agentspan_agent365::retry::{Retry, RetryTimer};
use agentspan_agent365::{BuildError, Delivery, DeliveryBuilder};
use agentspan_discovery::ClusterCategory;
use agentspan_model::agent365::Profile;
use agentspan_testkit::Service;
use opentelemetry_sdk::trace::{SpanExporter, SpanProcessor};

use crate::export_input::{ExportInput, Response, TokenCalls};
use crate::{Failure, VectorSpan};

/// What came of an export, beside the requests that the service saw.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LiveExport {
    /// Agent and tenant of each call of the token resolver.
    pub token_calls: Vec<(String, String)>,
    /// The pauses between tries, which nobody waited for.
    pub pauses: Vec<Duration>,
    /// Whether everything arrived.
    pub success: bool,
}

/// What becomes of parents that are not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing between them")]
pub enum Parents {
    /// They are passed over.
    PassedOver,
    /// They stay, as in the reference.
    AsRecorded,
}

impl LiveExport {
    /// Exports the spans of the input. The exporter takes `service` for every host of the world, and
    /// sends one request after the other, as the reference does, so that the answers of the service
    /// meet the same requests.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the input has no form in Rust that [`ExportInput::rust_spans`] does not leave out.
    pub fn run(
        input: &ExportInput,
        profile: Profile,
        parents: Parents,
        service: &Service,
    ) -> Result<Self, Failure> {
        let cluster = match (input.cluster_category.parse::<ClusterCategory>(), profile) {
            (Ok(cluster), _) => cluster,
            (Err(_), Profile::V0_1) => return Ok(Self::default()),
            // The category has no part in anything.
            (Err(_), _) => ClusterCategory::default(),
        };
        let pauses = Pauses::default();
        let calls = TokenCalls::default();
        let resolver = input.resolver(&calls);
        let mut builder = Delivery::builder(resolver)
            .with_profile(profile)
            .with_environment(&input.environment())
            .with_cluster_category(cluster)
            .with_connect_to(service.addr())
            .with_root_certificates(service.root_certificates())
            .with_concurrency(1)
            .with_final_refusals()
            .with_retry(Retry::reference())
            .with_retry_timer(pauses.clone());
        if parents == Parents::AsRecorded {
            builder = builder.without_reparenting();
        }
        if input.use_s2s_endpoint {
            builder = builder.with_service_to_service();
        }
        if let Some(limit) = input.max_payload_bytes {
            builder = builder.with_max_payload_bytes(limit.max(0).try_into().unwrap_or(usize::MAX));
        }
        if input.responses.iter().any(Response::is_silence) {
            builder = builder.with_timeout(SHORT);
        }
        let success = export(input, builder)?;
        let pauses = pauses.0.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Self {
            token_calls: calls.clone(),
            pauses: pauses.clone(),
            success,
        })
    }
}

/// Longer than any case takes.
const LONG: Duration = Duration::from_secs(60);

/// For one try, where the service is to let it pass.
const SHORT: Duration = Duration::from_secs(1);

/// Records what is asked for and does not wait.
#[derive(Clone, Debug, Default)]
struct Pauses(Arc<Mutex<Vec<Duration>>>);

impl RetryTimer for Pauses {
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.push(pause);
        Box::pin(std::future::ready(()))
    }
}

/// An exporter has one resource. Spans of several come from several providers, so they go through
/// span processors over the same delivery.
fn export(input: &ExportInput, builder: DeliveryBuilder<Delivery>) -> Result<bool, Failure> {
    let spans = input.rust_spans();
    let delivery = match builder
        .with_max_spans(spans.len() + 1)
        .with_max_bytes(usize::MAX)
        .with_batch_spans(spans.len() + 1)
        .with_batch_delay(LONG)
        .build()
    {
        Ok(delivery) => delivery,
        // There is no exporter, so that every export fails.
        Err(BuildError::DomainOverride(_) | BuildError::Zero { .. }) => return Ok(false),
        Err(error) => return Err(error.to_string().into()),
    };
    let mut resources: Vec<&VectorSpan> = Vec::new();
    for span in &spans {
        if !resources.iter().any(|seen| seen.resource == span.resource) {
            resources.push(span);
        }
    }
    let to_resource = |span: &VectorSpan| span.to_resource().map_err(|error| error.to_string());
    let to_data = |span: &VectorSpan| span.to_span_data().map_err(|error| error.to_string());
    if resources.len() < 2 {
        let mut exporter = delivery.exporter();
        if let Some(span) = resources.first() {
            exporter.set_resource(&to_resource(span)?);
        }
        if input.shutdown_before_export {
            exporter
                .shutdown_with_timeout(LONG)
                .map_err(|error| error.to_string())?;
        }
        let batch = spans.iter().map(to_data).collect::<Result<_, _>>()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| error.to_string())?;
        return Ok(runtime.block_on(exporter.export(batch)).is_ok());
    }
    let mut processors = Vec::new();
    for span in &resources {
        let mut processor = delivery.span_processor();
        processor.set_resource(&to_resource(span)?);
        processors.push(processor);
    }
    if input.shutdown_before_export {
        delivery.shutdown(LONG).map_err(|error| error.to_string())?;
    }
    for span in &spans {
        let front = resources
            .iter()
            .zip(&processors)
            .find(|(seen, _)| seen.resource == span.resource);
        if let Some((_, processor)) = front {
            processor.on_end(to_data(span)?);
        }
    }
    Ok(delivery.flush(LONG).is_ok())
}
