//! The token is in the `authorization` header and nowhere else.

use agentspan_agent365::retry::Retry;
use agentspan_agent365::{AccessToken, Agent365Exporter, token_from_fn};
use agentspan_testkit::{Answer, CapturedLogs, Certificates, Service, forms_of};
use futures_executor::block_on;
use opentelemetry_sdk::trace::SpanExporter;

use crate::delivery_fixture::{Pauses, SHORT, TENANT, export, span_of, token};

const SECRET: &str = "s3cret-canary-7c1f";

/// Every way in which an export can go, once.
fn exports(service: &Service, exporter: &Agent365Exporter) -> String {
    let mut shown = format!("{exporter:?} {exporter:#?}");
    for answer in [
        Answer::status(200),
        Answer::status(401)
            .body(SECRET)
            .header("request-id", "seen-in-the-log"),
        Answer::status(503).body(SECRET),
        Answer::redirect(307, "https://user:pw@example.com/"),
        Answer::garbage(),
        Answer::reset(),
        Answer::hang(),
    ] {
        service.play([answer]);
        let report = export(exporter, vec![span_of(TENANT, "a")]);
        shown.push_str(&format!("{report:?} {report:#?} {report}"));
        if let Err(error) = block_on(exporter.export(vec![span_of(TENANT, "a")])) {
            shown.push_str(&format!("{error:?} {error}"));
        }
    }
    shown
}

#[test]
fn t11_the_token_is_in_no_log_no_error_and_no_debug() {
    let logs = CapturedLogs::everywhere();
    let plain = Service::start().unwrap();
    let secure = Service::builder()
        .tls(Certificates::generate().unwrap())
        .start()
        .unwrap();
    let over_http = Agent365Exporter::builder(token(SECRET))
        .with_loopback_endpoint(plain.url())
        .with_retry(Retry::reference())
        .with_retry_timer(Pauses::default())
        .with_timeout(SHORT)
        .build()
        .unwrap();
    let over_tls = Agent365Exporter::builder(token(SECRET))
        .with_connect_to(secure.addr())
        .with_root_certificates(secure.root_certificates())
        .with_retry(Retry::reference())
        .with_retry_timer(Pauses::default())
        .with_timeout(SHORT)
        .build()
        .unwrap();
    let mut shown = exports(&plain, &over_http);
    shown.push_str(&exports(&secure, &over_tls));
    let resolver = token_from_fn(|_| Err(SECRET.into()));
    let fails = Agent365Exporter::builder(resolver)
        .with_loopback_endpoint(plain.url())
        .build()
        .unwrap();
    shown.push_str(&exports(&plain, &fails));
    shown.push_str(&format!("{:?}", AccessToken::new(SECRET)));
    for request in plain.requests().iter().chain(&secure.requests()) {
        let value = request.header("authorization").unwrap();
        assert_eq!(value, format!("Bearer {SECRET}"));
    }
    assert!(forms_of(SECRET, shown.as_bytes()).is_empty(), "{shown}");
    // So that the test would notice if nothing were captured at all.
    assert!(logs.contains("seen-in-the-log"));
    // What the crates below say of our connections is not shown to the program's subscriber at all.
    assert!(!logs.contains("hyper_util"), "{}", logs.text());
    let leaked: Vec<_> = logs
        .text()
        .lines()
        .filter(|line| !forms_of(SECRET, line.as_bytes()).is_empty())
        .map(String::from)
        .collect();
    assert_eq!(leaked, Vec::<String>::new());
}
