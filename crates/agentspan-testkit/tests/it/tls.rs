//! TLS: any name, and each way of being wrong.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use agentspan_testkit::{Answer, Certificates, Service};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

use crate::client::{REQUEST, connect};

/// Asks the service as `name` for an answer and gives its first bytes.
fn ask(service: &Service, name: &'static str) -> std::io::Result<[u8; 12]> {
    let mut roots = RootCertStore::empty();
    for root in service.root_certificates() {
        roots.add(root).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name).unwrap();
    let mut session = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut tcp: TcpStream = connect(service.addr());
    let mut stream = Stream::new(&mut session, &mut tcp);
    stream.write_all(REQUEST)?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    Ok(head)
}

fn serving(certificates: Certificates) -> Service {
    Service::builder().tls(certificates).start().unwrap()
}

/// A client refuses the certificates, for this reason, and no HTTP was sent.
#[track_caller]
fn check_refused(certificates: Certificates, reason: &str) {
    let service = serving(certificates);
    let error = ask(&service, "a.example.com").unwrap_err();
    assert!(error.to_string().contains(reason), "{error}");
    let connection = &service.wait_for_ended(1, Duration::from_secs(10)).unwrap()[0];
    assert_eq!((connection.http_bytes, connection.requests), (0, 0));
    assert!(connection.tls_error.is_some());
    assert_eq!(connection.tls_server_name.as_deref(), Some("a.example.com"));
}

#[test]
fn one_service_is_any_host() {
    let service = serving(Certificates::generate().unwrap());
    assert!(service.url().starts_with("https://127.0.0.1:"));
    for name in [
        "a.example.com",
        "b.example.org",
        "127.0.0.1",
        "a.example.com",
    ] {
        assert_eq!(&ask(&service, name).unwrap(), b"HTTP/1.1 200");
    }
    let requests = service.wait_for(4, Duration::from_secs(10)).unwrap();
    let names: Vec<_> = requests
        .iter()
        .map(|one| one.tls_server_name.as_deref())
        .collect();
    // An address is no name, so a client does not greet with it.
    assert_eq!(
        names,
        [
            Some("a.example.com"),
            Some("b.example.org"),
            None,
            Some("a.example.com")
        ]
    );
}

#[test]
fn a_wrong_name_is_refused() {
    check_refused(
        Certificates::with_wrong_name().unwrap(),
        "not valid for name",
    );
}

#[test]
fn an_expired_certificate_is_refused() {
    check_refused(Certificates::expired().unwrap(), "certificate expired");
}

#[test]
fn an_unknown_authority_is_refused() {
    check_refused(
        Certificates::of_unknown_authority().unwrap(),
        "UnknownIssuer",
    );
}

#[test]
fn a_self_signed_certificate_is_refused() {
    check_refused(Certificates::self_signed().unwrap(), "UnknownIssuer");
}

#[test]
fn a_server_of_tls_1_1_is_refused() {
    let service = Service::builder()
        .tls(Certificates::generate().unwrap())
        .script([Answer::tls_1_1()])
        .start()
        .unwrap();
    let error = ask(&service, "a.example.com").unwrap_err();
    let reason = "peer is incompatible: ServerDoesNotSupportTls12Or13";
    assert!(error.to_string().contains(reason), "{error}");
    let connection = &service.wait_for_ended(1, Duration::from_secs(10)).unwrap()[0];
    assert_eq!((connection.http_bytes, connection.requests), (0, 0));
}

#[test]
fn certificates_change_for_new_connections() {
    let service = serving(Certificates::generate().unwrap());
    ask(&service, "a.example.com").unwrap();
    let expired = Certificates::expired().unwrap();
    service.change_certificates(expired);
    let error = ask(&service, "a.example.com").unwrap_err();
    assert!(error.to_string().contains("certificate expired"), "{error}");
}

#[test]
fn plain_http_to_a_tls_service_is_kept_as_unserved_bytes() {
    let service = serving(Certificates::generate().unwrap());
    let mut stream = connect(service.addr());
    stream.write_all(REQUEST).unwrap();
    crate::client::read(&mut stream, usize::MAX);
    let connection = &service.connection_records()[0];
    assert_eq!(connection.unserved, REQUEST);
    assert_eq!(connection.http_bytes, 0);
    assert!(connection.tls_error.is_some());
}
