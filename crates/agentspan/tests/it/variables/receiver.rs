//! Variables of exporters: where spans go, and how they are sent.

use agentspan::discovery::Environment;
use agentspan::{AgentSpanProcessor, InstallError, configure};
use agentspan_testkit::{Answer, CapturedLogs, Certificates, RecordedRequest, Service};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::program::Row;
use crate::grpc_receiver::GrpcReceiver;
use crate::otlp::{WHILE, in_environment, send};

const OTLP: (&str, &str) = ("OTEL_TRACES_EXPORTER", "otlp");

/// The one request that a service gets in this environment, and its own URL as the endpoint.
fn request(service: &Service, variables: &[(&str, &str)]) -> RecordedRequest {
    let url = service.url();
    let mut all = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str())];
    all.extend_from_slice(variables);
    assert_eq!(send(in_environment(all)), (1, 0), "{variables:?}");
    service.requests().pop().unwrap()
}

fn processor(variables: &[(&str, &str)]) -> (Result<AgentSpanProcessor, InstallError>, String) {
    let (logs, _guard) = CapturedLogs::on_this_thread();
    let environment: Environment = variables.iter().copied().collect();
    let configuration = configure().with_environment(&environment);
    let processor = configuration.with_switches_on().into_processor();
    (processor, logs.text())
}

/// The names of the destinations in this environment, and what was logged.
fn destinations(variables: &[(&str, &str)]) -> (Vec<String>, String) {
    let (processor, log) = processor(variables);
    let processor = processor.unwrap();
    let names = processor
        .queues()
        .iter()
        .map(|queue| queue.name().to_owned());
    (names.collect(), log)
}

pub(super) fn exporter(row: &Row) {
    for (value, names) in [
        ("otlp", &["otlp"][..]),
        (" OTLP , Console ,otlp", &["otlp", "console"]),
        ("none", &[]),
        // The console is where spans go if nothing else is said.
        ("", &["console"]),
    ] {
        let (found, log) = destinations(&[(row.variable, value)]);
        assert_eq!(found, names, "{value:?}");
        assert!(!log.contains("is ignored"), "{log}");
    }
    for unknown in ["zipkin", "logging", "otlp/stdout", "ｏｔｌｐ"] {
        let (found, log) = destinations(&[(row.variable, unknown)]);
        assert_eq!(found, ["console"], "{unknown:?}");
        assert!(log.contains("is ignored") && log.contains(unknown), "{log}");
    }
}

pub(super) fn side_channel(row: &Row) {
    assert_eq!(destinations(&[(row.variable, "True")]).0, ["otlp"]);
    assert_eq!(destinations(&[(row.variable, "True"), OTLP]).0, ["otlp"]);
    assert_eq!(destinations(&[(row.variable, "1")]).0, ["console"]);
}

pub(super) fn file(row: &Row) {
    let path = format!(
        "{}/row-{}.jsonl",
        env!("CARGO_TARGET_TMPDIR"),
        std::process::id()
    );
    let exporter = ("OTEL_TRACES_EXPORTER", "otlp_file");
    let (names, _) = destinations(&[exporter, (row.variable, &path)]);
    assert_eq!(names, ["json_lines"]);
    std::fs::remove_file(&path).unwrap();
    let (names, log) = destinations(&[exporter, (row.variable, " ")]);
    assert_eq!(names, ["console"]);
    assert!(log.contains("is ignored"), "{log}");
    assert!(log.contains("missing=\"AGENTSPAN_OTLP_FILE\""), "{log}");
}

pub(super) fn protocol(row: &Row) {
    let receiver = GrpcReceiver::start(None);
    let url = receiver.url("http");
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str());
    assert_eq!(
        send(in_environment([endpoint, (row.variable, " GRPC ")])),
        (1, 0)
    );
    assert_eq!(receiver.span_names(), ["over the wire"]);
    // What is not understood is passed over, and http/protobuf is the default.
    for value in [
        "http/protobuf",
        "HTTP/Protobuf",
        "http/json",
        "carrier pigeon",
        " ",
    ] {
        let service = Service::start().unwrap();
        let request = request(&service, &[(row.variable, value)]);
        assert_eq!(
            request.header("content-type"),
            Some("application/x-protobuf")
        );
    }
    let (_, log) = destinations(&[OTLP, (row.variable, "http/json")]);
    assert!(
        log.contains("is ignored") && log.contains("http/json"),
        "{log}"
    );
}

/// Nothing asks for the receiver of this variable, so the log says what does.
fn check_unused(row: &Row) {
    let receiver = (row.variable, "http://me:hunter2@collector:4318/hunter2");
    let (names, log) = destinations(&[receiver]);
    assert_eq!(names, ["console"]);
    let line = log.lines().find(|line| line.contains(row.variable));
    let line = line.unwrap_or_default();
    assert!(line.contains("is ignored"), "{log}");
    assert!(line.contains("OTEL_TRACES_EXPORTER=otlp"), "{line}");
    assert!(line.contains("http://collector:4318"), "{line}");
    assert!(!log.contains("hunter2"), "{log}");
    for choice in [
        OTLP,
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("ENABLE_OTLP_EXPORTER", "true"),
    ] {
        let (_, log) = destinations(&[receiver, choice]);
        assert!(!log.contains("is ignored"), "{choice:?}: {log}");
    }
}

pub(super) fn base_endpoint(row: &Row) {
    check_unused(row);
    let service = Service::start().unwrap();
    for (end, target) in [
        ("", "/v1/traces"),
        ("/", "/v1/traces"),
        ("/a/ ", "/a/v1/traces"),
    ] {
        let url = format!("{}{end}", service.url());
        let request = request(&service, &[(row.variable, &url)]);
        assert_eq!(request.target, target);
    }
    let (processor, log) = processor(&[OTLP, (row.variable, "me:hunter2@nowhere")]);
    let error = format!("{:?}", processor.unwrap_err());
    assert!(!error.contains("hunter2") && !log.contains("hunter2"));
}

pub(super) fn whole_endpoint(row: &Row) {
    check_unused(row);
    let service = Service::start().unwrap();
    let url = service.url();
    for (end, target) in [("", "/"), ("/", "/"), ("/spans", "/spans")] {
        let url = format!("{url}{end}");
        assert_eq!(request(&service, &[(row.variable, &url)]).target, target);
    }
    assert_eq!(
        request(&service, &[(row.variable, " ")]).target,
        "/v1/traces"
    );
}

pub(super) fn insecure(row: &Row) {
    let receiver = GrpcReceiver::start(None);
    let place = receiver.url("");
    let place = place.trim_start_matches("://");
    let sent = |value| {
        let timeout = ("OTEL_EXPORTER_OTLP_TIMEOUT", "500");
        let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", place);
        send(in_environment([
            grpc,
            endpoint,
            timeout,
            (row.variable, value),
        ]))
    };
    assert_eq!(sent("TRUE"), (1, 0));
    // The receiver speaks no TLS.
    assert_eq!(sent("yes"), (0, 1));
}

pub(super) fn certificate(row: &Row) {
    let tls = Certificates::generate().unwrap();
    let service = Service::builder().tls(tls).start().unwrap();
    let file = format!("{}/{}.pem", env!("CARGO_TARGET_TMPDIR"), row.variable);
    std::fs::write(&file, service.root_certificates_pem()).unwrap();
    request(&service, &[(row.variable, &file)]);
    let missing = [
        OTLP,
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://localhost"),
        (row.variable, "/missing"),
    ];
    let error = processor(&missing).0.unwrap_err();
    assert!(matches!(error, InstallError::Environment(_)), "{error:?}");
}

pub(super) fn headers(row: &Row) {
    let service = Service::start().unwrap();
    let value = "api-key=a%20secret%2C, x-rate=50%,x-equals=a=b,broken,x-line=a%0Ab";
    let got = request(&service, &[(row.variable, value)]);
    assert_eq!(got.header("api-key"), Some("a secret,"));
    assert_eq!(got.header("x-rate"), Some("50%"));
    assert_eq!(got.header("x-equals"), Some("a=b"));
    assert_eq!(got.header("x-line"), None);
    let (_, log) = destinations(&[OTLP, (row.variable, value)]);
    assert!(log.contains(row.variable), "{log}");
    for part in ["secret", "50%", "a=b", "broken", "x-line"] {
        assert!(!log.contains(part), "{part}: {log}");
    }
}

pub(super) fn compression(row: &Row) {
    let service = Service::start().unwrap();
    for (value, expected) in [
        ("gzip", Some("gzip")),
        (" GZIP ", Some("gzip")),
        ("none", None),
        ("zstd", None),
        ("", None),
    ] {
        let request = request(&service, &[(row.variable, value)]);
        assert_eq!(request.header("content-encoding"), expected, "{value:?}");
    }
}

/// Puts a span, and says what became of it once its export has ended.
fn outcome(service: &Service, variables: &[(&str, &str)]) -> (u64, u64) {
    let url = service.url();
    let mut all = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str())];
    all.extend_from_slice(variables);
    let processor = in_environment(all)
        .with_switches_on()
        .into_processor()
        .unwrap();
    let queue = processor.queues()[0].clone();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    provider.tracer("t").start("s").end();
    let _ = queue.flush(WHILE);
    let stats = queue.stats();
    (stats.exported, stats.dropped())
}

pub(super) fn timeout(row: &Row) {
    // A receiver that never answers is waited for until the limit.
    let hanging = Service::builder()
        .then_repeat(Answer::hang())
        .start()
        .unwrap();
    assert_eq!(outcome(&hanging, &[(row.variable, " 1 ")]), (0, 1));
    // No limit is not a limit of nothing, and what is no time leaves the default.
    for value in ["0", "18446744073709551615", "-1", "1.5", "soon"] {
        let service = Service::start().unwrap();
        assert_eq!(
            outcome(&service, &[(row.variable, value)]),
            (1, 0),
            "{value:?}"
        );
    }
}
