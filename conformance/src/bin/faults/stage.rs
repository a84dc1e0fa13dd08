//! A service with faults, a destination that sends to it, and a provider that hands spans over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::otel::{ExportLoss, ExportQueue};
use agentspan::{Destination, Otlp, configure};
use agentspan_agent365::{
    AccessToken, Delivery, DeliveryBuilder, Retry, RetryTimer, SpanLimits, token_from_fn,
};
use agentspan_model::agent365::Profile;
use agentspan_model::agentspec::Disclosure;
use agentspan_testkit::{Certificates, Oracle, Service};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};

use crate::Failure;
use crate::defence::Defence;
use crate::front::Front;
use crate::measure::Longest;
use crate::outcome::Counts;

/// In place of a bound that is taken away.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// How a row wants its destination.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Of one try to Agent 365; OTLP has three times as much for all of its tries.
    pub(crate) timeout: Duration,
    /// For how long spans are tried.
    pub(crate) age: Duration,
    pub(crate) batch_spans: usize,
    pub(crate) queue_spans: usize,
    pub(crate) connection: Connection,
    /// Whether there is a token for an agent.
    pub(crate) resolve: fn(agent: &str) -> Result<bool, Failure>,
    pub(crate) build: fn(DeliveryBuilder<Delivery>) -> DeliveryBuilder<Delivery>,
}

/// How it speaks to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    Plain,
    /// Over TLS, whatever the service speaks, trusting its authority.
    Tls,
    /// Over TLS, trusting another authority.
    TlsOfAnother,
}

impl Settings {
    pub(crate) fn new() -> Self {
        Self {
            timeout: Duration::from_millis(400),
            age: Duration::from_secs(15 * 60),
            batch_spans: 512,
            queue_spans: 65_536,
            connection: Connection::Plain,
            resolve: |_| Ok(true),
            build: |builder| builder,
        }
    }
}

/// What stands before the service.
pub(crate) enum Pipeline {
    Delivery(Delivery),
    Queue(ExportQueue),
}

pub(crate) struct Stage {
    pub(crate) oracle: Oracle,
    pub(crate) service: Option<Service>,
    pub(crate) pipeline: Pipeline,
    pub(crate) longest: Longest,
    /// What spans have beside what the oracle gives them.
    pub(crate) attributes: fn(usize) -> Vec<KeyValue>,
    pub(crate) tokens: Arc<AtomicU64>,
    tracer: SdkTracer,
    pub(crate) front: Front,
    handed_over: usize,
}

/// Waits for pauses, but not as long as they are.
#[derive(Debug)]
struct Shortened;

impl RetryTimer for Shortened {
    fn pause(&self, pause: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(pause.min(Duration::from_millis(20))))
    }
}

impl Stage {
    pub(crate) fn new(
        front: Front,
        oracle: Oracle,
        service: Service,
        settings: Settings,
        without: Option<Defence>,
    ) -> Result<Self, Failure> {
        let tokens = Arc::new(AtomicU64::new(0));
        let pipeline = match front.profile() {
            Some(profile) => {
                let builder = delivery(profile, &service, settings, without, &tokens)?;
                Pipeline::Delivery(builder.build()?)
            }
            None => otlp(front, &service, settings, without)?,
        };
        let provider = SdkTracerProvider::builder();
        let provider = match &pipeline {
            Pipeline::Delivery(delivery) => provider.with_span_processor(delivery.span_processor()),
            Pipeline::Queue(queue) => provider.with_span_processor(queue.clone()),
        };
        Ok(Self {
            oracle,
            service: Some(service),
            pipeline,
            longest: Longest::default(),
            attributes: |_| Vec::new(),
            tokens,
            tracer: provider.build().tracer("faults"),
            front,
            handed_over: 0,
        })
    }

    /// Ends so many spans.
    pub(crate) fn hand_over(&mut self, spans: usize) {
        for number in self.handed_over..self.handed_over + spans {
            let span = self.start_span(number, (self.attributes)(number));
            self.longest.time(|| drop(span));
        }
        self.handed_over += spans;
    }

    /// A span of this number that has started. It ends when it is dropped.
    pub(crate) fn start_span(&self, number: usize, attributes: Vec<KeyValue>) -> Span {
        let profile = self.front.profile().unwrap_or(Profile::V0_1);
        let mut span = self
            .tracer
            .span_builder("chat")
            .with_attributes(self.oracle.attributes(profile, number))
            .start(&self.tracer);
        span.set_attributes(attributes);
        span
    }

    /// Waits until everything is exported or lost.
    pub(crate) fn flush(&self, timeout: Duration) {
        // What it says of losses is in the counts.
        let _ = match &self.pipeline {
            Pipeline::Delivery(delivery) => delivery.flush(timeout),
            Pipeline::Queue(queue) => queue.flush(timeout),
        };
    }

    pub(crate) fn shutdown(&self, timeout: Duration) {
        let _ = match &self.pipeline {
            Pipeline::Delivery(delivery) => delivery.shutdown(timeout),
            Pipeline::Queue(queue) => queue.shutdown(timeout),
        };
    }

    /// What the library says.
    pub(crate) fn counts(&self) -> Counts {
        match &self.pipeline {
            Pipeline::Delivery(delivery) => {
                let stats = delivery.stats();
                let lost = stats.losses();
                let lost = lost.map(|(reason, count)| (reason.as_str(), count));
                Counts {
                    queued: stats.queued,
                    ..Counts::new(stats.accepted, stats.exported, lost)
                }
            }
            Pipeline::Queue(queue) => queue_counts(queue),
        }
    }
}

/// What a queue says.
pub(crate) fn queue_counts(queue: &ExportQueue) -> Counts {
    let stats = queue.stats();
    let lost = ExportLoss::ALL.map(|loss| (loss.as_str(), stats.dropped_for(loss)));
    Counts {
        queued: stats.queued,
        ..Counts::new(stats.accepted, stats.exported, lost)
    }
}

fn delivery(
    profile: Profile,
    service: &Service,
    settings: Settings,
    without: Option<Defence>,
    tokens: &Arc<AtomicU64>,
) -> Result<DeliveryBuilder<Delivery>, Failure> {
    let tokens = Arc::clone(tokens);
    let resolver = token_from_fn(move |query| {
        let agent = query.identity.agent.as_str();
        let number = tokens.fetch_add(1, SeqCst);
        if !(settings.resolve)(agent)? {
            return Ok(None);
        }
        let token = Oracle::token(agent);
        Ok(Some(AccessToken::new(format!("{token}{number}"))?))
    });
    let builder = Delivery::builder(resolver)
        .with_profile(profile)
        .with_timeout(settings.timeout)
        .with_retry(Retry::for_at_most(settings.age))
        .with_retry_timer(Shortened)
        .with_batch_spans(settings.batch_spans)
        .with_batch_delay(NEVER)
        .with_max_queue_spans(settings.queue_spans);
    let builder = match settings.connection {
        Connection::Plain => builder.with_loopback_endpoint(service.url()),
        connection => builder
            .with_connect_to(service.addr())
            .with_root_certificates(trusted(service, connection, without)?.0),
    };
    let builder = (settings.build)(builder);
    Ok(match without {
        Some(Defence::Timeout) => builder.with_timeout(NEVER),
        Some(Defence::Retry) => builder.with_retry(Retry::for_at_most(Duration::ZERO)),
        Some(Defence::Refusals) => builder.with_final_refusals(),
        Some(Defence::Lanes) => builder.with_retry(Retry::reference()),
        Some(Defence::TokenDeadline) => builder.with_token_deadline(NEVER),
        Some(Defence::Bounds) => builder.with_max_queue_spans(usize::MAX),
        Some(Defence::Limits) => builder.with_span_limits(
            SpanLimits::default()
                .with_content_bytes(usize::MAX)
                .with_span_bytes(usize::MAX),
        ),
        _ => builder,
    })
}

fn otlp(
    front: Front,
    service: &Service,
    settings: Settings,
    without: Option<Defence>,
) -> Result<Pipeline, Failure> {
    let url = match settings.connection {
        Connection::Plain => service.url(),
        _ => service.url().replace("http://", "https://"),
    };
    let timeout = match without {
        Some(Defence::Timeout) => NEVER,
        _ => settings.timeout * 3,
    };
    let mut otlp = Otlp::new().with_timeout(timeout);
    if settings.connection != Connection::Plain {
        let (_, pem) = trusted(service, settings.connection, without)?;
        otlp = otlp.with_certificate_authorities(pem);
    }
    let destination = match front {
        Front::OtlpGrpc => Destination::otlp_grpc(otlp.with_endpoint(url))?,
        _ => Destination::otlp_http(otlp.with_endpoint(format!("{url}/v1/traces")))?,
    };
    let spans = match without {
        Some(Defence::Bounds) => usize::MAX,
        _ => settings.queue_spans,
    };
    let mut destination = destination
        .with_batch_spans(settings.batch_spans)
        .with_batch_delay(NEVER)
        .with_max_queue_spans(spans);
    if without == Some(Defence::Masking) {
        destination = destination.with_disclosure(Disclosure::Clear);
    }
    let processor = configure()
        .with_environment(&Environment::default())
        .with_destination(destination)
        .into_processor()?;
    let queue = processor.queues().first().ok_or("no queue")?.clone();
    Ok(Pipeline::Queue(queue))
}

/// The authorities that are trusted, as DER and as PEM: the service's own, or another one while
/// only that is to be trusted.
fn trusted(
    service: &Service,
    connection: Connection,
    without: Option<Defence>,
) -> Result<(Vec<Vec<u8>>, String), Failure> {
    let is_known = connection == Connection::Tls || without == Some(Defence::Authority);
    let (ders, pem) = match is_known {
        true => (service.root_certificates(), service.root_certificates_pem()),
        false => {
            let another = Certificates::generate()?;
            let pem = another.root_certificates_pem().to_owned();
            (another.root_certificates(), pem)
        }
    };
    Ok((ders.iter().map(|der| der.to_vec()).collect(), pem))
}
