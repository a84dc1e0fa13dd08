//! Spans over OTLP over gRPC, on the loopback.

use std::fs;
use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::{Destination, Otlp, OtlpError, Sidecar, configure};
use agentspan_testkit::Certificates;

use crate::grpc_receiver::GrpcReceiver;
use crate::otlp::{check_headers_that_can_be_none, in_environment, send, to};

#[test]
fn a_span_arrives_with_the_metadata_of_the_code() {
    let receiver = GrpcReceiver::start(None);
    let otlp = Otlp::new()
        .with_endpoint(receiver.url("http"))
        .with_header("api-key", "100%25");
    assert_eq!(send(to(Destination::otlp_grpc(otlp).unwrap())), (1, 0));
    assert_eq!(receiver.span_names(), ["over the wire"]);
    assert_eq!(receiver.metadata("api-key"), ["100%25"]);
    assert_eq!(receiver.metadata("grpc-encoding"), [""; 0]);
}

#[test]
fn a_sidecar_is_spoken_to_over_grpc() {
    let receiver = GrpcReceiver::start(None);
    let sidecar = Sidecar::new().with_endpoint(receiver.url("http"));
    let configuration = configure()
        .with_environment(&Environment::default())
        .with_sidecar(sidecar);
    assert_eq!(send(configuration), (1, 0));
    assert_eq!(receiver.span_names(), ["over the wire"]);
    assert_eq!(receiver.metadata("authorization"), [""; 0]);
}

#[test]
fn the_environment_chooses_grpc_and_its_receiver() {
    let receiver = GrpcReceiver::start(None);
    let url = receiver.url("http");
    let configuration = in_environment([
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
    ]);
    assert_eq!(send(configuration), (1, 0));
    assert_eq!(receiver.span_names(), ["over the wire"]);
}

#[test]
fn what_is_no_url_is_found_out_at_once_and_not_shown() {
    for url in ["", "https://user:secret@two words", "/?key=secret"] {
        let error = Destination::otlp_grpc(Otlp::new().with_endpoint(url)).unwrap_err();
        assert!(matches!(error, OtlpError::Endpoint { .. }), "{error:?}");
    }
    // These are places to gRPC.
    for url in ["localhost:4317", "localhost:4317/path"] {
        drop(Destination::otlp_grpc(Otlp::new().with_endpoint(url)).unwrap());
    }
}

#[test]
fn requests_are_compressed_on_request() {
    let receiver = GrpcReceiver::start(None);
    let otlp = Otlp::new().with_endpoint(receiver.url("http")).with_gzip();
    assert_eq!(send(to(Destination::otlp_grpc(otlp).unwrap())), (1, 0));
    assert_eq!(receiver.span_names(), ["over the wire"]);
    assert_eq!(receiver.metadata("grpc-encoding"), ["gzip"]);
}

#[test]
fn a_receiver_of_a_private_authority_is_trusted_when_it_is_named() {
    let certificates = Certificates::generate().unwrap();
    let pem = certificates.root_certificates_pem();
    let receiver = GrpcReceiver::start(Some(&certificates));
    let url = receiver.url("https");
    let otlp = Otlp::new()
        .with_endpoint(&url)
        .with_certificate_authorities(pem);
    assert_eq!(send(to(Destination::otlp_grpc(otlp).unwrap())), (1, 0));

    let file = format!("{}/authorities-grpc.pem", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&file, pem).unwrap();
    let configuration = in_environment([
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", file.as_str()),
    ]);
    assert_eq!(send(configuration), (1, 0));
    assert_eq!(receiver.span_names(), ["over the wire", "over the wire"]);
}

#[test]
fn a_receiver_of_another_authority_gets_nothing_and_the_loss_is_counted() {
    let another = Certificates::generate().unwrap();
    let receiver = GrpcReceiver::start(Some(&Certificates::generate().unwrap()));
    let named = Otlp::new().with_certificate_authorities(another.root_certificates_pem());
    for otlp in [Otlp::new(), named] {
        let otlp = otlp
            .with_endpoint(receiver.url("https"))
            .with_timeout(Duration::from_millis(200));
        assert_eq!(send(to(Destination::otlp_grpc(otlp).unwrap())), (0, 1));
    }
    assert_eq!(receiver.span_names(), [""; 0]);
}

#[test]
fn what_can_be_no_header_is_found_out_at_once_and_no_value_is_shown() {
    check_headers_that_can_be_none(Destination::otlp_grpc);
}

#[test]
fn what_is_no_certificate_is_found_out_at_once() {
    for pem in ["", "-----BEGIN CERTIFICATE-----\n!\n"] {
        let otlp = Otlp::new().with_certificate_authorities(pem);
        let error = Destination::otlp_grpc(otlp).unwrap_err();
        assert!(matches!(error, OtlpError::Certificates { .. }), "{error:?}");
    }
}
