//! What OpenTelemetry's variables of the process say, beside what the code says.
//!
//! The environment of a process cannot be changed safely while it runs: a test starts itself once more.

use std::process::Command;

use agentspan::discovery::Environment;
use agentspan::{Destination, Otlp, Sidecar, SidecarProtocol, configure};
use agentspan_testkit::{Certificates, RecordedRequest, Service};

use crate::grpc_receiver::GrpcReceiver;
use crate::otlp::{in_environment, send, to};

/// Set in a process that a test started.
const STARTED_BY_TEST: &str = "AGENTSPAN_STARTED_BY_TEST";

#[expect(clippy::disallowed_methods, reason = "this is no setting")]
fn is_started_by_test() -> bool {
    std::env::var_os(STARTED_BY_TEST).is_some()
}

/// Whether the test of this name passes in a process with these variables.
fn passes(name: &str, variables: &[(&str, &str)]) -> bool {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--quiet"])
        .env(STARTED_BY_TEST, "1")
        .envs(variables.iter().copied())
        .status();
    status.unwrap().success()
}

fn header<'a>(request: &'a RecordedRequest, name: &str) -> Vec<&'a str> {
    request.header_values(name)
}

#[test]
fn headers_of_the_code_go_before_those_of_the_process() {
    if is_started_by_test() {
        // Endpoint, authorities and compression are those of the environment.
        let otlp = Otlp::new().with_header("x-both", "code");
        assert_eq!(send(to(Destination::otlp_http(otlp).unwrap())), (1, 0));
        return;
    }
    let tls = Certificates::generate().unwrap();
    let service = Service::builder().tls(tls).start().unwrap();
    let file = format!("{}/authorities-process.pem", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, service.root_certificates_pem()).unwrap();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", service.url()),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", file),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip".to_owned()),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "x-both=environment,x-other=a%20b".to_owned(),
        ),
    ];
    let variables = variables
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let this = "otlp_process::headers_of_the_code_go_before_those_of_the_process";
    assert!(passes(this, &variables));
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].target, "/v1/traces");
    assert_eq!(header(&requests[0], "x-both"), ["code"]);
    assert_eq!(header(&requests[0], "x-other"), ["a b"]);
    assert_eq!(header(&requests[0], "content-encoding"), ["gzip"]);
}

#[test]
fn over_grpc_it_is_the_same() {
    if is_started_by_test() {
        let otlp = Otlp::new().with_header("x-both", "code");
        assert_eq!(send(to(Destination::otlp_grpc(otlp).unwrap())), (1, 0));
        return;
    }
    let receiver = GrpcReceiver::start(None);
    let url = receiver.url("http");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-both=not-read"),
        (
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "x-both=environment,x-other=a%20b",
        ),
    ];
    assert!(passes("otlp_process::over_grpc_it_is_the_same", &variables));
    assert_eq!(receiver.span_names(), ["over the wire"]);
    assert_eq!(receiver.metadata("x-both"), ["code"]);
    assert_eq!(receiver.metadata("x-other"), ["a b"]);
    assert_eq!(receiver.metadata("grpc-encoding"), ["gzip"]);
}

/// Headers that somebody else's key is in: whatever their names are, a sidecar gets none of them.
const HEADERS_OF_ANOTHER: &str =
    "x-key=secret,authorization=secret,user-agent=secret,content-type=secret";

fn send_to_sidecar(protocol: SidecarProtocol) {
    let sidecar = Sidecar::new().with_protocol(protocol);
    let configuration = configure()
        .with_environment(&Environment::from_process())
        .with_sidecar(sidecar);
    assert_eq!(send(configuration), (1, 0));
}

#[test]
fn a_sidecar_gets_no_headers_of_the_process() {
    if is_started_by_test() {
        return send_to_sidecar(SidecarProtocol::Http);
    }
    let service = Service::start().unwrap();
    let url = service.url();
    let variables = [
        ("SPECTRA_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_HEADERS", HEADERS_OF_ANOTHER),
    ];
    let this = "otlp_process::a_sidecar_gets_no_headers_of_the_process";
    assert!(passes(this, &variables));
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    let headers = &requests[0].headers;
    assert!(
        headers.iter().all(|(_, value)| value != "secret"),
        "{headers:?}"
    );
    assert_eq!(header(&requests[0], "content-encoding"), ["gzip"]);
    assert_eq!(
        header(&requests[0], "content-type"),
        ["application/x-protobuf"]
    );
}

#[test]
fn a_sidecar_over_grpc_gets_no_headers_of_the_process() {
    if is_started_by_test() {
        return send_to_sidecar(SidecarProtocol::Grpc);
    }
    let receiver = GrpcReceiver::start(None);
    let url = receiver.url("http");
    let variables = [
        ("SPECTRA_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", HEADERS_OF_ANOTHER),
    ];
    let this = "otlp_process::a_sidecar_over_grpc_gets_no_headers_of_the_process";
    assert!(passes(this, &variables));
    assert_eq!(receiver.span_names(), ["over the wire"]);
    assert_eq!(receiver.metadata("x-key"), [""; 0]);
    assert_eq!(receiver.metadata("authorization"), [""; 0]);
}

#[test]
fn an_environment_that_is_given_names_the_receiver_also_by_saying_nothing() {
    if is_started_by_test() {
        for protocol in ["http/protobuf", "grpc"] {
            // Whoever listens at the standard's ports on this machine is not asked for long.
            let configuration = in_environment([
                ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "200"),
            ]);
            send(configuration);
        }
        return;
    }
    let service = Service::start().unwrap();
    let url = service.url();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url.as_str()),
    ];
    let this =
        "otlp_process::an_environment_that_is_given_names_the_receiver_also_by_saying_nothing";
    assert!(passes(this, &variables));
    assert_eq!(service.connections(), 0);
}
