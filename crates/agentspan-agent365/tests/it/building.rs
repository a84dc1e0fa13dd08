//! Settings that would put tokens or spans at risk are refused, and the error names the setting.

use std::error::Error;
use std::time::Duration;

use agentspan_agent365::{BuildError, Delivery, DeliveryBuilder, PerRequestExport};
use agentspan_testkit::Answer;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::delivery_fixture::{LONG, TENANT, delivery_to, service, span_of, token};

fn check_refused(
    set: impl FnOnce(DeliveryBuilder<Delivery>) -> DeliveryBuilder<Delivery>,
    message: &str,
    cause: &str,
) {
    let error: BuildError = set(Delivery::builder(token("t"))).build().unwrap_err();
    let source = error.source().map(ToString::to_string).unwrap_or_default();
    assert_eq!(
        (error.to_string().as_str(), source.as_str()),
        (message, cause)
    );
    // What `main` prints of it.
    let shown = [message, cause].join(if cause.is_empty() { "" } else { ": " });
    assert_eq!(format!("{error:?}"), shown);
}

#[test]
fn t10_a_loopback_endpoint_with_credentials_is_refused_without_repeating_them() {
    let message = "cannot use the url of with_loopback_endpoint";
    let check = |url: &str, cause| check_refused(|b| b.with_loopback_endpoint(url), message, cause);
    check(
        "http://user:s3cret@127.0.0.1:4318",
        "the url holds credentials",
    );
    check("http://127.0.0.1:4318?key=s3cret", "the url has a query");
    check("http://127.0.0.1:4318/s3cret", "the url has a path");
    check("http://127.0.0.1:4318#s3cret", "the url has a fragment");
    check(
        "s3cret",
        "the text is not a url of the form http://127.0.0.1:4318",
    );
}

#[test]
fn t09_plain_http_to_another_host_is_refused() {
    let message = "cannot use the url of with_loopback_endpoint";
    let cause = "the url names a host other than 127.0.0.0/8, [::1] or localhost";
    for url in [
        "http://example.com",
        "http://192.168.0.1:4318",
        "http://[2001:db8::1]:80",
    ] {
        check_refused(|b| b.with_loopback_endpoint(url), message, cause);
    }
    check_refused(
        |b| b.with_loopback_endpoint("https://127.0.0.1:4318"),
        message,
        "the url has a scheme other than http",
    );
}

#[test]
fn only_this_machine_can_be_dialled_in_place_of_the_service() {
    let address = "10.0.0.1:443".parse().unwrap();
    check_refused(
        |b| b.with_connect_to(address),
        "with_connect_to is not a loopback address",
        "",
    );
    let address = "127.0.0.1:443".parse().unwrap();
    check_refused(
        |b| {
            b.with_connect_to(address)
                .with_loopback_endpoint("http://127.0.0.1:80")
        },
        "with_loopback_endpoint and with_connect_to exclude each other",
        "",
    );
}

#[test]
fn a_setting_of_zero_is_refused() {
    check_refused(
        |b| b.with_concurrency(0),
        "with_concurrency is zero; it must be greater",
        "",
    );
    check_refused(
        |b| b.with_max_spans(0),
        "with_max_spans is zero; it must be greater",
        "",
    );
    check_refused(
        |b| b.with_max_bytes(0),
        "with_max_bytes is zero; it must be greater",
        "",
    );
    check_refused(
        |b| b.with_batch_spans(0),
        "with_batch_spans is zero; it must be greater",
        "",
    );
    check_refused(
        |b| b.with_batch_delay(Default::default()),
        "with_batch_delay is zero; it must be greater",
        "",
    );
    check_refused(
        |b| b.with_timeout(Default::default()),
        "with_timeout is zero; it must be greater",
        "",
    );
    check_refused(
        |b| b.with_token_deadline(Default::default()),
        "with_token_deadline is zero; it must be greater",
        "",
    );
}

#[test]
fn what_is_no_certificate_is_refused() {
    let error = Delivery::builder(token("t"))
        .with_root_certificates([b"-----BEGIN CERTIFICATE-----"])
        .build()
        .unwrap_err();
    assert!(matches!(error, BuildError::RootCertificate(_)));
    assert_eq!(
        error.to_string(),
        "with_root_certificates contains an invalid certificate"
    );
}

/// Delivers a span although every time is as long as it can be.
fn check_endless(set: impl FnOnce(DeliveryBuilder<Delivery>) -> DeliveryBuilder<Delivery>) {
    let service = service([Answer::status(200)]);
    let builder = delivery_to(&service, token("t"))
        .with_batch_delay(Duration::MAX)
        .with_timeout(Duration::MAX)
        .with_token_deadline(Duration::MAX);
    let delivery = set(builder).build().unwrap();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(delivery.span_processor())
        .build();
    let tracer = provider.tracer("t");
    let span = tracer.span_builder("s");
    span.with_attributes(span_of(TENANT, "a").attributes)
        .start(&tracer);
    delivery.flush(LONG).unwrap();
    delivery.shutdown(LONG).unwrap();
    assert_eq!(delivery.stats().exported, 1);
}

#[test]
fn a_time_without_end_is_a_long_time() {
    check_endless(|builder| builder);
    let requests = PerRequestExport::new()
        .with_max_age(Duration::MAX)
        .with_grace(Duration::MAX);
    check_endless(|builder| builder.with_per_request_export(requests));
}
