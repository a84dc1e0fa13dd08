//! Plays a case with the real exporter over TLS.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agentspan_agent365::{BuildError, Delivery, DeliveryBuilder, RetryTimer};
use agentspan_discovery::ClusterCategory;
use agentspan_model::agent365::Profile;
use agentspan_testkit::{Certificates, RecordedRequest, Service};
use opentelemetry_sdk::trace::{SpanExporter, SpanProcessor};

use super::model::{Run, SentRequest};
use crate::export_input::{ExportInput, Response, TokenCalls};
use crate::{Failure, VectorSpan};

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

/// Exports the spans of the case and tells what the service saw.
pub(super) fn play(input: &ExportInput, profile: Profile) -> Result<Run, Failure> {
    let cluster = match (input.cluster_category.parse::<ClusterCategory>(), profile) {
        (Ok(cluster), _) => cluster,
        (Err(_), Profile::V0_1) => return Ok(Run::default()),
        // The category has no part in anything.
        (Err(_), _) => ClusterCategory::default(),
    };
    let service = service(&input.responses)?;
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
        .with_retry_timer(pauses.clone());
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
    Ok(Run {
        requests: service
            .requests()
            .iter()
            .map(sent)
            .collect::<Result<_, _>>()?,
        token_calls: calls.clone(),
        pauses_seconds: pauses.iter().map(Duration::as_secs_f64).collect(),
        success,
    })
}

/// An exporter has one resource. Spans of several come from several providers, so they go through
/// span processors over the same delivery.
fn export(input: &ExportInput, builder: DeliveryBuilder<Delivery>) -> Result<bool, Failure> {
    let spans = input.rust_spans();
    let delivery = match builder
        .with_max_queue_spans(spans.len() + 1)
        .with_max_queue_bytes(usize::MAX)
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

fn sent(request: &RecordedRequest) -> Result<SentRequest, Failure> {
    let host = request.host().unwrap_or_default().to_owned();
    let name = host.split_once(':').map_or(host.as_str(), |(name, _)| name);
    if request.tls_server_name.as_deref() != Some(name) {
        return Err(format!("the server name of TLS is not the host {host}").into());
    }
    if request.method != "POST" || request.header("content-type") != Some("application/json") {
        return Err("the request is no POST of JSON".into());
    }
    Ok(SentRequest {
        host,
        target: request.target.clone(),
        authorization: request.header("authorization").map(str::to_owned),
        body: String::from_utf8(request.body.to_vec()).map_err(|_| "the body is no text")?,
    })
}

fn service(responses: &[Response]) -> Result<Service, Failure> {
    let certificates = Certificates::generate().map_err(|error| error.to_string())?;
    let answers: Vec<_> = responses
        .iter()
        .map(Response::answer)
        .collect::<Result<_, _>>()?;
    Service::builder()
        .tls(certificates)
        .script(answers)
        .start()
        .map_err(|error| error.to_string().into())
}
