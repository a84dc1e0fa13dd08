//! Does an export as the vectors write it, with the real exporter over TLS.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use agentspan_agent365::retry::{Retry, RetryTimer};
use agentspan_agent365::{BuildError, Delivery, DeliveryBuilder};
use agentspan_discovery::ClusterCategory;
use agentspan_model::agent365::Profile;
use agentspan_testkit::Service;
use opentelemetry_sdk::trace::{SpanExporter, SpanProcessor};

use crate::export_input::{ExportInput, Response, TokenCall, TokenCalls};
use crate::{Failure, VectorSpan};

/// What came of an export, beside the requests that the service saw.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LiveExport {
    /// Each call of the token resolver.
    pub token_calls: Vec<TokenCall>,
    /// The pauses between tries, which nobody waited for.
    pub pauses: Vec<Duration>,
    /// The identities whose spans wait for another try, with the number of spans.
    pub queued: Vec<Queued>,
    /// How many requests there were when the export was over.
    pub requests: usize,
    /// Whether everything arrived.
    pub success: bool,
}

/// Spans of one identity that wait for another try.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "runners compare it")]
pub struct Queued {
    /// The tenant.
    pub tenant: String,
    /// The agent.
    pub agent: String,
    /// The user that the agent acts as.
    pub agentic_user: Option<String>,
    /// How many.
    pub spans: usize,
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
        let pauses = Pauses {
            end: profile != Profile::V3,
            ..Pauses::default()
        };
        let retry = match profile {
            Profile::V3 if !input.durable_delivery => Retry::for_at_most(Duration::ZERO),
            _ => Retry::reference(),
        };
        let queued = Arc::<Mutex<Vec<Queued>>>::default();
        let reported = Arc::clone(&queued);
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
            .with_retry(retry)
            .with_on_report(move |report| {
                let queued = report.identities.iter().filter(|one| one.queued > 0);
                let queued = queued.map(|one| Queued {
                    tenant: one.identity.tenant.as_str().to_owned(),
                    agent: one.identity.agent.as_str().to_owned(),
                    agentic_user: one.agentic_user.clone(),
                    spans: one.queued,
                });
                let mut all = reported.lock().unwrap_or_else(PoisonError::into_inner);
                all.extend(queued);
            })
            .with_usual_route()
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
        let delivery = build(input, builder)?;
        let success = match &delivery {
            Some(delivery) => export(input, delivery)?,
            // There is no exporter, so that every export fails.
            None => false,
        };
        // What waits is no part of the export.
        let requests = service.requests().len();
        let queued = std::mem::take(&mut *queued.lock().unwrap_or_else(PoisonError::into_inner));
        // An identity is reported before it pauses.
        let pauses = pauses.at_least(queued.len());
        if let Some(delivery) = &delivery {
            let _ = delivery.shutdown(Duration::ZERO);
        }
        let calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Self {
            token_calls: calls.clone(),
            pauses,
            queued,
            requests,
            success,
        })
    }
}

/// Longer than any case takes.
const LONG: Duration = Duration::from_secs(60);

/// For one try, where the service is to let it pass.
const SHORT: Duration = Duration::from_secs(1);

/// Records what is asked for. Pauses end at once or never.
#[derive(Clone, Debug, Default)]
struct Pauses {
    all: Arc<(Mutex<Vec<Duration>>, Condvar)>,
    end: bool,
}

impl Pauses {
    /// All pauses, as soon as there are so many.
    fn at_least(&self, count: usize) -> Vec<Duration> {
        let (all, more) = &*self.all;
        let all = all.lock().unwrap_or_else(PoisonError::into_inner);
        let all = more.wait_timeout_while(all, LONG, |all| all.len() < count);
        all.unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}

impl RetryTimer for Pauses {
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let (all, more) = &*self.all;
        all.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(pause);
        more.notify_all();
        match self.end {
            true => Box::pin(std::future::ready(())),
            false => Box::pin(std::future::pending()),
        }
    }

    fn random(&self) -> f64 {
        0.5
    }
}

/// The delivery, if there is one with these settings.
fn build(
    input: &ExportInput,
    builder: DeliveryBuilder<Delivery>,
) -> Result<Option<Delivery>, Failure> {
    match builder
        .with_max_spans(input.spans.len() + 1)
        .with_max_bytes(usize::MAX)
        .with_batch_spans(input.spans.len() + 1)
        .with_batch_delay(LONG)
        .build()
    {
        Ok(delivery) => Ok(Some(delivery)),
        Err(BuildError::DomainOverride(_) | BuildError::Zero { .. }) => Ok(None),
        Err(error) => Err(error.to_string().into()),
    }
}

/// An exporter has one resource. Spans of several come from several providers, so they go through
/// span processors over the same delivery.
fn export(input: &ExportInput, delivery: &Delivery) -> Result<bool, Failure> {
    let spans = input.rust_spans();
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
