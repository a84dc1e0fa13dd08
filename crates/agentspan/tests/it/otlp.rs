//! Spans over OTLP as protobuf over HTTP, on the loopback.

use std::error::Error as _;
use std::fs;
use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::{Configuration, Destination, InstallError, Otlp, OtlpError, configure};
use agentspan_testkit::{Answer, CapturedLogs, Certificates, RecordedRequest, Service};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::sender::{AtOnce, LONG, Sender};

pub(crate) const WHILE: Duration = Duration::from_secs(30);

/// Sends one span, and says how many were exported and lost.
pub(crate) fn send(configuration: Configuration) -> (u64, u64) {
    let processor = configuration.into_processor().unwrap();
    let queues = processor.queues().to_vec();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    provider.tracer("t").start("over the wire").end();
    let _ = queues[0].flush(WHILE);
    let stats = queues[0].stats();
    (stats.exported, stats.dropped())
}

/// A configuration with this destination only.
pub(crate) fn to(destination: Destination) -> Configuration {
    let nothing = Environment::default();
    configure()
        .with_environment(&nothing)
        .with_destination(destination)
}

pub(crate) fn in_environment<'a>(
    variables: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Configuration {
    let variables = [("OTEL_TRACES_EXPORTER", "otlp")]
        .into_iter()
        .chain(variables);
    configure().with_environment(&variables.collect())
}

fn endpoint(service: &Service) -> String {
    format!("{}/v1/traces", service.url())
}

#[track_caller]
fn only_request(service: &Service) -> RecordedRequest {
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    requests.into_iter().next().unwrap()
}

#[test]
fn the_environment_says_where_otlp_goes_and_the_request_holds_the_span() {
    let service = Service::start().unwrap();
    let base = service.url();
    let configuration = in_environment([("OTEL_EXPORTER_OTLP_ENDPOINT", base.as_str())]);
    assert_eq!(send(configuration), (1, 0));
    let request = only_request(&service);
    assert_eq!(request.target, "/v1/traces");
    let body = String::from_utf8_lossy(&request.body);
    assert!(body.contains("over the wire"), "{body}");
}

#[test]
fn the_endpoint_of_spans_goes_before_that_of_all_signals_and_is_taken_as_it_is() {
    let service = Service::start().unwrap();
    let whole = format!("{}/spans", service.url());
    let configuration = in_environment([
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", whole.as_str()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
    ]);
    assert_eq!(send(configuration), (1, 0));
    assert_eq!(only_request(&service).target, "/spans");
}

#[test]
fn a_receiver_of_a_private_authority_is_trusted_when_it_is_named_in_code() {
    let tls = Certificates::generate().unwrap();
    let service = Service::builder().tls(tls).start().unwrap();
    let otlp = Otlp::new()
        .with_endpoint(endpoint(&service))
        .with_certificate_authorities(service.root_certificates_pem())
        .with_header("api-key", "100%25");
    assert_eq!(send(to(Destination::otlp_http(otlp).unwrap())), (1, 0));
    // Values of code are no percent-encoded text.
    assert_eq!(only_request(&service).header("api-key"), Some("100%25"));
}

#[test]
fn a_receiver_of_a_private_authority_is_trusted_when_the_environment_names_a_file() {
    let tls = Certificates::generate().unwrap();
    let service = Service::builder().tls(tls).start().unwrap();
    let file = format!("{}/authorities-http.pem", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&file, service.root_certificates_pem()).unwrap();
    let url = service.url();
    for name in [
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    ] {
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", &url), (name, &file)];
        let variables = variables.map(|(name, value)| (name, value.as_str()));
        assert_eq!(send(in_environment(variables)), (1, 0), "{name}");
    }
}

#[test]
fn a_receiver_of_another_authority_gets_nothing_and_the_loss_is_counted() {
    for (tls, cause) in [
        (
            Certificates::of_unknown_authority(),
            "the certificate is of an unknown authority",
        ),
        (
            Certificates::with_wrong_name(),
            "the certificate is for another name",
        ),
    ] {
        let service = Service::builder().tls(tls.unwrap()).start().unwrap();
        let otlp = Otlp::new()
            .with_endpoint(endpoint(&service))
            .with_timeout(LONG)
            .with_retry_timer(AtOnce)
            .with_certificate_authorities(service.root_certificates_pem());
        let sender = Sender::new(Destination::otlp_http(otlp).unwrap());
        sender.send(1).unwrap_err();
        let report = sender.report();
        assert_eq!((report.exported, report.dropped()), (0, 1));
        let failure = report.last_failure.unwrap();
        assert_eq!(failure, format!("cannot connect ({cause})"));
        assert_eq!(service.request_count(), 0);
        assert!(service.connections() > 0);
    }
}

#[test]
fn a_receiver_that_speaks_no_tls_is_named_as_such() {
    let service = Service::start().unwrap();
    let url = endpoint(&service).replacen("http:", "https:", 1);
    let sender = Sender::over_http(url.trim_end_matches("/v1/traces"), LONG);
    sender.send(1).unwrap_err();
    assert_eq!(
        sender.report().last_failure.unwrap(),
        "cannot connect (the receiver does not speak tls)"
    );
}

/// Gives headers that can be none to a destination, which says so and shows no value.
pub(crate) fn check_headers_that_can_be_none(
    destination: impl Fn(Otlp) -> Result<Destination, OtlpError>,
) {
    let bad_name = "has a name that no header can have: use letters, digits and -";
    for (name, value, problem) in [
        ("api key", "secret", bad_name),
        ("", "secret", bad_name),
        ("api-key", "secret\n", "a line break at its end: trim it"),
        (
            "content-length",
            "secret",
            "is set by the protocol: leave it out",
        ),
        (
            "grpc-timeout",
            "secret",
            "is set by the protocol: leave it out",
        ),
    ] {
        let error = destination(Otlp::new().with_header(name, value)).unwrap_err();
        let found = matches!(&error, OtlpError::Header { name: found, .. } if found == name);
        assert!(found, "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("secret"), "{text}");
        assert!(text.contains(problem), "{text}");
        assert!(
            text.starts_with(&format!("the header {name:?} of")),
            "{text}"
        );
    }
}

#[test]
fn what_can_be_no_header_is_found_out_at_once_and_no_value_is_shown() {
    check_headers_that_can_be_none(Destination::otlp_http);
}

#[test]
fn what_is_no_certificate_is_found_out_at_once() {
    for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n!\n"] {
        let otlp = Otlp::new().with_certificate_authorities(pem);
        let error = Destination::otlp_http(otlp).unwrap_err();
        assert!(matches!(error, OtlpError::Certificates { .. }), "{error:?}");
        // What `main` prints of it.
        let shown = format!("{error}: {}", error.source().unwrap());
        assert!(format!("{error:?}").starts_with(&shown), "{error:?}");
    }
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:1"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "no/such/file"),
    ];
    let error = in_environment(variables).into_processor().unwrap_err();
    assert!(matches!(error, InstallError::Environment(_)), "{error:?}");
    assert_eq!(
        error.source().unwrap().to_string(),
        r#"cannot read the certificates in "no/such/file", which OTEL_EXPORTER_OTLP_CERTIFICATE names"#
    );
}

#[test]
fn requests_are_compressed_on_request() {
    let service = Service::start().unwrap();
    let otlp = Otlp::new().with_endpoint(endpoint(&service)).with_gzip();
    assert_eq!(send(to(Destination::otlp_http(otlp).unwrap())), (1, 0));
    let request = only_request(&service);
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    assert!(request.body.starts_with(&[0x1f, 0x8b]));
}

#[test]
fn t08_a_redirect_is_not_followed() {
    let other = Service::start().unwrap();
    let service = Service::builder()
        .script([Answer::redirect(307, &other.url())])
        .start()
        .unwrap();
    let otlp = Otlp::new().with_endpoint(endpoint(&service));
    assert_eq!(send(to(Destination::otlp_http(otlp).unwrap())), (0, 1));
    assert_eq!(other.request_count(), 0);
}

#[test]
fn what_is_no_url_is_found_out_at_once_and_not_shown() {
    for url in [
        "",
        "https://user:secret@two words",
        "localhost:4318/?key=secret",
        "ftp://host/secret",
        "/secret",
    ] {
        let otlp = Otlp::new().with_endpoint(url);
        assert!(!format!("{otlp:?}").contains("secret"), "{otlp:?}");
        let error = Destination::otlp_http(otlp).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Otlp::with_endpoint is not an http or https url with a host and a valid port, such as \
             http://localhost:4318/v1/traces"
        );
    }
}

#[test]
fn an_error_names_the_variable_and_what_it_expects() {
    for (variable, value, expected) in [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "localhost:4318/secret",
            "is not an http or https url with a host and a valid port, such as http://localhost:4318",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "secret:4318",
            "is not an http or https url with a host and a valid port, such as \
             http://localhost:4318/v1/traces",
        ),
    ] {
        let error = in_environment([(variable, value)]).into_processor();
        let error = error.unwrap_err().source().unwrap().to_string();
        assert_eq!(error, format!("{variable} {expected}"));
    }
    let file = format!("{}/no-certificate.pem", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&file, "secret").unwrap();
    let variable = "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE";
    let https = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:1");
    let error = in_environment([https, (variable, &file)]).into_processor();
    let error = error.unwrap_err().source().unwrap().to_string();
    assert_eq!(
        error,
        format!("cannot use the certificates of the receiver's authorities in {variable}")
    );
}

#[test]
fn a_variable_that_is_ignored_is_told_with_what_is_expected() {
    for (variable, value) in [
        ("OTEL_TRACES_EXPORTER", "jaeger"),
        ("OTEL_TRACES_EXPORTER", "otlp_file"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "none"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "soon"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "65537"),
        ("A365_TENANT_ID", "t"),
        ("A365_AGENT_ID", "a"),
        ("OTEL_SDK_DISABLED", "1"),
    ] {
        let (logs, _guard) = CapturedLogs::on_this_thread();
        let otlp = ("OTEL_TRACES_EXPORTER", "otlp");
        let environment = Environment::from_iter([otlp, (variable, value)]);
        let configuration = configure().with_environment(&environment);
        configuration.with_switches_on().into_processor().unwrap();
        let lines = logs.text();
        let line = lines.lines().find(|line| line.contains(variable));
        let line = line.unwrap_or_else(|| panic!("{variable}: {lines}"));
        assert!(line.contains("expected="), "{line}");
    }
}

#[test]
fn t11_debug_shows_no_secret_of_a_receiver() {
    let otlp = Otlp::new()
        .with_endpoint("https://me:secret-0@example.com/v1/traces?key=secret-1")
        .with_header("authorization", "secret-2");
    let text = format!("{otlp:?}");
    assert!(!text.contains("secret"), "{text}");
    assert!(text.contains("authorization") && text.contains("https://example.com"));
    let destination = Destination::otlp_http(otlp).unwrap();
    assert!(!format!("{destination:?}").contains("secret"));
}
