//! A5, A11: subscribers of `tracing` see nothing of our own requests: one that makes a span of every event, at every
//! level, has no more to send, and one that panics over what the crates below log costs no span.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use agentspan::agent365::{AccessToken, Delivery, token_from_fn};
use agentspan::discovery::Environment;
use agentspan::otel::{ConsoleExporter, OtlpJsonLines};
use agentspan::{Configuration, Destination, Otlp, configure};
use agentspan_testkit::{Certificates, Service};
use agentspan_tls::rustls::pki_types::CertificateDer;
use agentspan_tls::rustls::pki_types::pem::PemObject as _;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::grpc_receiver::GrpcReceiver;
use crate::process::{is_started_by_test, must_pass, said};

const WHILE: Duration = Duration::from_secs(30);

/// Makes a span of each event and of each span of `tracing`, whatever its level.
struct SpanPerEvent;

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

fn span_of(metadata: &Metadata<'_>) {
    if let Some(tracer) = TRACER.get() {
        tracer.start(metadata.name()).end();
    }
}

impl Subscriber for SpanPerEvent {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        span_of(attributes.metadata());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        span_of(event.metadata());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Panics over every event and every span of the crates below us, and counts our own.
struct PanicsOverOthers;

static OWN_LINES: AtomicU64 = AtomicU64::new(0);

fn see(metadata: &Metadata<'_>) {
    let target = metadata.target();
    let below = ["hyper", "h2", "rustls", "tower", "tokio", "mio", "log"];
    assert!(!below.iter().any(|it| target.starts_with(it)), "{target}");
    let is_ours = target.starts_with("agentspan");
    OWN_LINES.fetch_add(u64::from(is_ours), Ordering::SeqCst);
}

impl Subscriber for PanicsOverOthers {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        see(attributes.metadata());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        see(event.metadata());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The destination that the test names, in a process of its own: what listens there would make events here.
fn configuration(to: &str) -> Configuration {
    let place = said("PLACE");
    let pem = said("ROOTS");
    let otlp = || {
        let otlp = Otlp::new().with_endpoint(&place);
        match pem.as_str() {
            "" => otlp,
            pem => otlp.with_certificate_authorities(pem),
        }
    };
    let token = token_from_fn(|_| Ok(Some(AccessToken::new("t")?)));
    let destination = match to {
        "http" => Destination::otlp_http(otlp()).unwrap(),
        "grpc" => Destination::otlp_grpc(otlp()).unwrap(),
        "json lines" => Destination::json_lines(OtlpJsonLines::append(place).unwrap()),
        "console" => Destination::console(ConsoleExporter::with_sink(|_| Ok(()))),
        "agent 365" => {
            let delivery = Delivery::builder(token).with_loopback_endpoint(place);
            return configure().with_delivery(delivery);
        }
        _ => {
            let root = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
            let delivery = Delivery::builder(token)
                .with_connect_to(place.parse().unwrap())
                .with_root_certificates([root]);
            return configure().with_delivery(delivery);
        }
    };
    configure().with_destination(destination)
}

/// Ends one span, and flushes so often that whatever feeds on itself grows.
fn send_one_span(to: &str) {
    let processor = configuration(to)
        .with_environment(&Environment::default())
        .with_switches_on()
        .into_processor()
        .unwrap();
    let queues = processor.queues().to_vec();
    let delivery = processor.delivery().cloned();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let tracer = provider.tracer("t");
    if said("SUBSCRIBER") == "panics" {
        tracing::subscriber::set_global_default(PanicsOverOthers).unwrap();
    } else {
        tracing::subscriber::set_global_default(SpanPerEvent).unwrap();
    }
    tracing_log::LogTracer::init().unwrap();
    assert!(TRACER.set(tracer.clone()).is_ok());

    let identity = [("tenant.id", "tenant-1"), ("gen_ai.agent.id", "agent-1")];
    let identity = identity.map(|(key, value)| KeyValue::new(key, value));
    let span = tracer.span_builder("real").with_attributes(identity);
    span.start(&tracer).end();
    for _ in 0..5 {
        match &delivery {
            Some(delivery) => delivery.flush(WHILE).unwrap(),
            None => queues[0].flush(WHILE).unwrap(),
        }
    }
    provider.shutdown_with_timeout(WHILE).unwrap();
    let counts = match &delivery {
        Some(delivery) => (delivery.stats().accepted, delivery.stats().exported),
        None => (queues[0].stats().accepted, queues[0].stats().exported),
    };
    assert_eq!(counts, (1, 1), "{to}");
    if said("SUBSCRIBER") == "panics" {
        assert_eq!(agentspan_queue::contain::panics(), 0, "{to}");
        // What the delivery logs reaches the subscriber.
        let lines = OWN_LINES.load(Ordering::SeqCst);
        assert!(lines > 0 || delivery.is_none(), "{to}");
    }
}

const THIS: &str = "feedback::t19_one_real_span_stays_one_at_each_destination";

#[test]
fn t19_one_real_span_stays_one_at_each_destination() {
    if is_started_by_test() {
        return send_one_span(&said("TO"));
    }
    check_every_destination(THIS, "");
}

const THAT: &str = "feedback::a11_a_subscriber_that_panics_over_what_others_log_costs_no_span";

#[test]
fn a11_a_subscriber_that_panics_over_what_others_log_costs_no_span() {
    if is_started_by_test() {
        return send_one_span(&said("TO"));
    }
    check_every_destination(THAT, "panics");
}

fn check_every_destination(test: &str, subscriber: &str) {
    let certificates = Certificates::generate().unwrap();
    let pem = certificates.root_certificates_pem().to_owned();
    let check = |to, place: &str, roots| {
        let variables = [
            ("TO", to),
            ("PLACE", place),
            ("ROOTS", roots),
            ("SUBSCRIBER", subscriber),
        ];
        must_pass(test, &variables);
    };
    let grpc = GrpcReceiver::start(None);
    check("grpc", &grpc.url("http"), "");
    assert_eq!(grpc.span_names(), ["real"]);
    let grpc = GrpcReceiver::start(Some(&certificates));
    check("grpc", &grpc.url("https"), &pem);
    assert_eq!(grpc.span_names(), ["real"]);

    let plain = Service::start().unwrap();
    // By its name, which a helper thread looks up.
    let place = format!("http://localhost:{}/v1/traces", plain.addr().port());
    check("http", &place, "");
    check("agent 365", &plain.url(), "");
    assert_eq!(plain.request_count(), 2);
    let tls = Service::builder().tls(certificates).start().unwrap();
    check("http", &format!("{}/v1/traces", tls.url()), &pem);
    check("agent 365 with tls", &tls.addr().to_string(), &pem);
    assert_eq!(tls.request_count(), 2);

    let file = format!("{}/feedback{subscriber}.jsonl", env!("CARGO_TARGET_TMPDIR"));
    check("json lines", &file, "");
    check("console", "", "");
    std::fs::remove_file(file).unwrap();
}
