//! A service with faults, a destination that sends to it, and a provider that hands spans over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use agentspan::discovery::Environment;
use agentspan::otel::DropReason;
use agentspan::otel::ExportQueue;
use agentspan::{Destination, Otlp, configure};
use agentspan_agent365::retry::{Retry, RetryTimer};
use agentspan_agent365::{AccessToken, Delivery, DeliveryBuilder, token_from_fn};
use agentspan_model::agent365::Profile;
use agentspan_model::agentspec::Disclosure;
use agentspan_testkit::{Certificates, Oracle, Service};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};

use crate::Failure;
use crate::defence::{Defence, NEVER};
use crate::front::Front;
use crate::measure::Longest;
use crate::outcome::Counts;
use crate::relay::relay;
use crate::waits::Waits;

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
    /// By the name `localhost`, which may have an address of IPv6 where nobody listens.
    Localhost,
    /// By a name that no resolver asks anybody for, since its first label is too long.
    NoName,
}

impl Connection {
    fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::TlsOfAnother)
    }
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
#[derive(Clone, Debug)]
pub(crate) enum Pipeline {
    Delivery(Delivery),
    Queue(ExportQueue),
}

impl Pipeline {
    pub(crate) fn flush(&self, timeout: Duration) {
        // What it says of losses is in the counts.
        let _ = match self {
            Self::Delivery(delivery) => delivery.flush(timeout),
            Self::Queue(queue) => queue.flush(timeout),
        };
    }
}

pub(crate) struct Stage {
    pub(crate) oracle: Oracle,
    pub(crate) service: Option<Service>,
    pub(crate) pipeline: Pipeline,
    pub(crate) longest: Longest,
    /// What spans have beside what the oracle gives them.
    pub(crate) attributes: fn(usize) -> Vec<KeyValue>,
    /// When they start by the wall clock, if it is not now.
    pub(crate) start_time: fn(usize) -> Option<SystemTime>,
    pub(crate) tokens: Arc<AtomicU64>,
    tracer: SdkTracer,
    pub(crate) front: Front,
    handed_over: usize,
    /// What stands between, without a defence.
    _relay: Option<Service>,
}

/// Waits for pauses, but not as long as they are.
#[derive(Debug)]
struct Shortened;

impl RetryTimer for Shortened {
    fn pause(&self, pause: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(pause.min(Duration::from_millis(20))))
    }
}

/// Like [`Shortened`], with the least of the pauses that are random, so that the time of an export with
/// OTLP, which counts them as they are asked for, is always enough for three tries.
#[derive(Debug)]
struct Shortest;

impl RetryTimer for Shortest {
    fn pause(&self, pause: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Shortened.pause(pause)
    }

    fn random(&self) -> f64 {
        0.0
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
        let habit = without.and_then(Defence::relayed);
        let relay = habit.map(|habit| relay(front, service.addr(), habit));
        let relay = relay.transpose()?;
        let mut settings = settings;
        if relay.is_some() || without == Some(Defence::Tls) {
            settings.connection = Connection::Plain;
        }
        let next = relay.as_ref().unwrap_or(&service);
        let pipeline = match front.profile() {
            Some(profile) => {
                let builder = delivery(profile, next, settings, without, &tokens)?;
                Pipeline::Delivery(builder.build()?)
            }
            None => otlp(front, next, settings, without)?,
        };
        let provider = SdkTracerProvider::builder();
        let provider = match (&pipeline, without) {
            (pipeline, Some(Defence::Queue)) => {
                provider.with_span_processor(Waits::before(pipeline))
            }
            (Pipeline::Delivery(delivery), _) => {
                provider.with_span_processor(delivery.span_processor())
            }
            (Pipeline::Queue(queue), _) => provider.with_span_processor(queue.clone()),
        };
        Ok(Self {
            oracle,
            service: Some(service),
            pipeline,
            longest: Longest::default(),
            attributes: |_| Vec::new(),
            start_time: |_| None,
            tokens,
            tracer: provider.build().tracer("faults"),
            front,
            handed_over: 0,
            _relay: relay,
        })
    }

    /// Ends so many spans.
    pub(crate) fn hand_over(&mut self, spans: usize) {
        for number in self.handed_over..self.handed_over + spans {
            let attributes = self.oracle.attributes(self.profile(), number);
            let start_time = (self.start_time)(number);
            let span = self.start_span(attributes, (self.attributes)(number), start_time);
            self.longest.time(|| drop(span));
        }
        self.handed_over += spans;
    }

    pub(crate) fn profile(&self) -> Profile {
        self.front.profile().unwrap_or(Profile::V0_1)
    }

    /// A span with these attributes of the oracle, and others. It ends when it is dropped.
    pub(crate) fn start_span(
        &self,
        attributes: Vec<KeyValue>,
        others: Vec<KeyValue>,
        start_time: Option<SystemTime>,
    ) -> Span {
        let mut span = self.tracer.span_builder("chat").with_attributes(attributes);
        span.start_time = start_time;
        let mut span = span.start(&self.tracer);
        span.set_attributes(others);
        span
    }

    /// Waits until everything is exported or lost.
    pub(crate) fn flush(&self, timeout: Duration) {
        self.pipeline.flush(timeout);
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
    let lost = DropReason::OF_QUEUES.map(|loss| (loss.as_str(), stats.dropped_for(loss)));
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
        .with_max_spans(settings.queue_spans);
    let builder = match settings.connection {
        connection if !connection.is_tls() => builder.with_loopback_endpoint(service.url()),
        connection => builder
            .with_connect_to(service.addr())
            .with_root_certificates(trusted(service, connection, without)?.0),
    };
    let builder = (settings.build)(builder);
    Ok(Defence::taken_from(builder, without))
}

fn otlp(
    front: Front,
    service: &Service,
    settings: Settings,
    without: Option<Defence>,
) -> Result<Pipeline, Failure> {
    let url = service.url();
    let url = match settings.connection {
        Connection::Plain => url,
        Connection::Localhost => url.replace("127.0.0.1", "localhost"),
        Connection::NoName => url.replace("127.0.0.1", &"x".repeat(64)),
        Connection::Tls | Connection::TlsOfAnother => url.replace("http://", "https://"),
    };
    let timeout = match without {
        // Pauses count as long as they are asked for, which may be an hour each.
        Some(Defence::Timeout) => NEVER * 365,
        // The shortest pause before a second try is longer.
        Some(Defence::Retry) => Duration::from_millis(90),
        _ => settings.timeout * 3,
    };
    let mut otlp = Otlp::new().with_timeout(timeout);
    // Without a queue, a program waits for the whole pauses.
    if without != Some(Defence::Queue) {
        otlp = otlp.with_retry_timer(Shortest);
    }
    if settings.connection.is_tls() {
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
        .with_max_spans(spans);
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
