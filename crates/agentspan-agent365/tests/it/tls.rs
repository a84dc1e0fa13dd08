//! Over TLS the host is the tenant's, and nothing is sent to a server that is not it.

use agentspan_agent365::Agent365Exporter;
use agentspan_agent365::report::AttemptOutcome;
use agentspan_agent365::retry::Retry;
use agentspan_agent365::transport::TransportError;
use agentspan_testkit::{Certificates, Service};

use crate::delivery_fixture::{LONG, Pauses, TENANT, export, span_of, token};

const HOST: &str = "il-e3064512cc6d4703be71a2ecaecaa9.8a.tenant.api.powerplatform.com";

fn exporter_to(service: &Service) -> Agent365Exporter {
    Agent365Exporter::builder(token("s3cret-tls"))
        .with_connect_to(service.addr())
        .with_root_certificates(service.root_certificates())
        .with_retry(Retry::reference())
        .with_retry_timer(Pauses::default())
        .build()
        .unwrap()
}

fn service_with(certificates: Certificates) -> Service {
    Service::builder().tls(certificates).start().unwrap()
}

#[test]
fn host_and_server_name_are_those_of_the_tenant() {
    let service = service_with(Certificates::generate().unwrap());
    let exporter = exporter_to(&service);
    for _ in 0..2 {
        assert!(export(&exporter, vec![span_of(TENANT, "a")]).is_success());
    }
    let requests = service.requests();
    assert_eq!((requests.len(), service.connections()), (2, 1));
    for request in requests {
        assert_eq!(request.tls_server_name.as_deref(), Some(HOST));
        assert_eq!(request.host(), Some(HOST));
        assert_eq!(
            request.target,
            "/maven/agent365/agents/a/traces?api-version=1"
        );
        assert_eq!(request.header("authorization"), Some("Bearer s3cret-tls"));
    }
}

fn check_nothing_is_sent(certificates: Certificates) {
    let service = service_with(certificates);
    let exporter = exporter_to(&service);
    let report = export(&exporter, vec![span_of(TENANT, "a")]);
    let attempts = &report.identities[0].attempts;
    assert_eq!(attempts.len(), 4);
    for attempt in attempts {
        assert!(
            matches!(
                attempt.outcome,
                AttemptOutcome::Failed(TransportError::Connect(_))
            ),
            "{attempt:?}"
        );
    }
    let connections = service.wait_for_ended(4, LONG).unwrap();
    for connection in connections {
        assert_eq!((connection.requests, connection.http_bytes), (0, 0));
        assert_eq!(connection.tls_server_name.as_deref(), Some(HOST));
    }
}

#[test]
fn t21_a_certificate_for_another_name_ends_the_connection() {
    check_nothing_is_sent(Certificates::with_wrong_name().unwrap());
}

#[test]
fn a_certificate_that_has_expired_ends_the_connection() {
    check_nothing_is_sent(Certificates::expired().unwrap());
}

#[test]
fn a_certificate_of_an_unknown_authority_ends_the_connection() {
    check_nothing_is_sent(Certificates::of_unknown_authority().unwrap());
}

#[test]
fn t09_nothing_is_sent_in_clear_to_a_server_without_tls() {
    let service = Service::start().unwrap();
    let authority = Certificates::generate().unwrap();
    let exporter = Agent365Exporter::builder(token("s3cret-tls"))
        .with_connect_to(service.addr())
        .with_root_certificates(authority.root_certificates())
        .with_retry(Retry::reference())
        .with_retry_timer(Pauses::default())
        .build()
        .unwrap();
    assert!(!export(&exporter, vec![span_of(TENANT, "a")]).is_success());
    for connection in service.connection_records() {
        let text = String::from_utf8_lossy(&connection.unserved).into_owned();
        assert!(!text.contains("s3cret") && !text.contains("POST"), "{text}");
    }
    assert_eq!(service.request_count(), 0);
}
