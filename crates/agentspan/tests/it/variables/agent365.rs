//! Variables of Microsoft's packages.

use std::time::Duration;

use agentspan::agent365::PerRequestExport;
use agentspan::discovery::{DomainOverride, Environment, Switches, runtime_v2};
use agentspan::prelude::*;
use agentspan::{Agent365Status, Configuration, configure};
use agentspan_testkit::Service;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::program::Row;
use crate::grpc_receiver::GrpcReceiver;
use crate::otlp::WHILE;

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().copied().collect()
}

pub(super) fn scopes(row: &Row) {
    let on = |value| Switches::read(&environment(&[(row.variable, value)])).observability_enabled();
    assert!(on("Yes"));
    assert!(!on("yes!"));
}

fn with_resolver(variables: &[(&str, &str)]) -> Configuration {
    let resolver = token_from_fn(|_| Ok(Some(AccessToken::new("token")?)));
    configure()
        .with_token_resolver(resolver)
        .with_environment(&environment(variables))
}

pub(super) fn exporter(row: &Row) {
    let status = |value| {
        let configuration = with_resolver(&[(row.variable, value), ("ENABLE_OBSERVABILITY", "1")]);
        configuration.into_processor().unwrap().agent365()
    };
    assert_eq!(status("ON"), Agent365Status::Delivers);
    assert_eq!(status(" on"), Agent365Status::WithoutSwitch);
}

/// Makes one span of an invoked agent.
fn make_span(configuration: Configuration) {
    let identity = [("tenant.id", "tenant-1"), ("gen_ai.agent.id", "agent-1")];
    make_span_of(&identity, configuration);
}

fn make_span_of(identity: &[(&'static str, &'static str)], configuration: Configuration) {
    let processor = configuration.with_switches_on().into_processor().unwrap();
    let (delivery, queues) = (processor.delivery().cloned(), processor.queues().to_vec());
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let attributes = [
        ("gen_ai.operation.name", "invoke_agent"),
        ("gen_ai.input.messages", "a question"),
        ("gen_ai.output.messages", "an answer"),
    ];
    let attributes = identity.iter().copied().chain(attributes);
    let attributes = attributes.map(|(key, value)| KeyValue::new(key, value));
    let tracer = provider.tracer("t");
    let span = tracer
        .span_builder("invoke_agent a")
        .with_attributes(attributes);
    drop(span.start(&tracer));
    if let Some(delivery) = delivery {
        delivery.flush(WHILE).unwrap();
    }
    for queue in queues {
        queue.flush(WHILE).unwrap();
    }
}

pub(super) fn sidecar(row: &Row) {
    let (over_http, over_grpc) = (Service::start().unwrap(), GrpcReceiver::start(None));
    let (http, grpc) = (over_http.url(), over_grpc.url("http"));
    let on = ("ENABLE_A365_OBSERVABILITY_SIDECAR", "yes");
    let place = |url| ("SPECTRA_ENDPOINT", url);
    make_span(configure().with_environment(&environment(&[on, place(grpc.as_str())])));
    assert_eq!(over_grpc.span_names(), ["invoke_agent a"]);
    let protocol = ("SPECTRA_PROTOCOL", " HTTP ");
    make_span(configure().with_environment(&environment(&[on, place(http.as_str()), protocol])));
    assert_eq!(over_http.request_count(), 1, "{}", row.variable);
}

/// The path of the request with a span of `identity`, if there is one.
fn path_of(
    identity: &[(&'static str, &'static str)],
    profile: Profile,
    variables: &[(&str, &str)],
) -> Option<String> {
    let service = Service::start().unwrap();
    let resolver = token_from_fn(|_| Ok(Some(AccessToken::new("token")?)));
    let delivery = Delivery::builder(resolver)
        .with_loopback_endpoint(service.url())
        .with_profile(profile);
    let configuration = configure().with_environment(&environment(variables));
    make_span_of(identity, configuration.with_delivery(delivery));
    service
        .requests()
        .pop()
        .map(|request| request.path().to_owned())
}

pub(super) fn identity(row: &Row) {
    let both = [("A365_TENANT_ID", "tenant-2"), ("A365_AGENT_ID", "agent-2")];
    let path = path_of(&[], Profile::V2, &both).unwrap();
    assert!(
        path.contains("/tenant-2/") && path.contains("/agent-2/"),
        "{path}"
    );
    let alone = both.map(|it| {
        if it.0 == row.variable {
            it
        } else {
            (it.0, " ")
        }
    });
    assert_eq!(path_of(&[], Profile::V2, &alone), None);
}

pub(super) fn route(row: &Row) {
    let path = |value| {
        let identity = [
            ("microsoft.tenant.id", "tenant-1"),
            ("gen_ai.agent.id", "agent-1"),
        ];
        path_of(&identity, Profile::V3, &[(row.variable, value)]).unwrap()
    };
    assert!(path(" On ").starts_with("/observabilityService/"));
    assert!(path("off").starts_with("/observability/"));
}

pub(super) fn without_input(row: &Row) {
    for (value, is_left_out) in [(" YES ", true), ("0", false), ("", false)] {
        let service = Service::start().unwrap();
        let resolver = token_from_fn(|_| Ok(Some(AccessToken::new("token")?)));
        let delivery = Delivery::builder(resolver).with_loopback_endpoint(service.url());
        let environment = environment(&[(row.variable, value)]);
        let configuration = configure().with_environment(&environment);
        make_span(configuration.with_delivery(delivery));
        let body = service.requests().pop().unwrap().body;
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(body.contains("an answer"), "{body}");
        assert_eq!(!body.contains("a question"), is_left_out, "{value:?}");

        // Through a sidecar it is the same.
        let sidecar = Service::start().unwrap();
        let url = sidecar.url();
        let variables = [
            (row.variable, value),
            ("ENABLE_A365_OBSERVABILITY_SIDECAR", "on"),
            ("SPECTRA_PROTOCOL", "http"),
            ("SPECTRA_ENDPOINT", url.as_str()),
        ];
        make_span(configure().with_environment(&self::environment(&variables)));
        let body = sidecar.requests().pop().unwrap().body;
        let body = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(!body.contains("a question"), is_left_out, "{value:?}");
    }
}

const PER_REQUEST: (&str, &str) = ("ENABLE_A365_OBSERVABILITY_PER_REQUEST_EXPORT", "true");

pub(super) fn per_request(row: &Row) {
    let read = |value| PerRequestExport::read(&environment(&[PER_REQUEST, (row.variable, value)]));
    let default = PerRequestExport::new();
    let milliseconds = Duration::from_millis(7);
    let expected = match row.variable {
        "A365_PER_REQUEST_MAX_TRACES" => default.clone().with_max_requests(7),
        "A365_PER_REQUEST_MAX_SPANS_PER_TRACE" => default.clone().with_max_spans(7),
        "A365_PER_REQUEST_FLUSH_GRACE_MS" => default.clone().with_grace(milliseconds),
        "A365_PER_REQUEST_MAX_TRACE_AGE_MS" => default.clone().with_max_age(milliseconds),
        switch => {
            assert_eq!(read("Yes"), Some(default));
            assert_eq!(PerRequestExport::read(&environment(&[(switch, "7")])), None);
            return;
        }
    };
    assert_eq!(read(" 7 "), Some(expected));
    assert_eq!(read("0"), Some(default));
}

pub(super) fn concurrency(row: &Row) {
    let service = Service::start().unwrap();
    let builder = |variables: &[(&str, &str)]| {
        let resolver = token_from_fn(|_| Ok(Some(AccessToken::new("token")?)));
        let builder = Delivery::builder(resolver).with_loopback_endpoint(service.url());
        builder.with_environment(&environment(variables))
    };
    let shown = |variables: &[(&str, &str)]| format!("{:?}", builder(variables));
    assert!(shown(&[PER_REQUEST, (row.variable, "7")]).contains("concurrency: Some(7)"));
    assert!(shown(&[(row.variable, "7")]).contains("concurrency: None"));
    assert!(shown(&[PER_REQUEST, (row.variable, "0")]).contains("concurrency: None"));
    // However many are allowed, the delivery starts.
    let most = u64::MAX.to_string();
    let delivery = builder(&[PER_REQUEST, (row.variable, &most)]).build();
    delivery.unwrap().flush(WHILE).unwrap();
}

pub(super) fn domain(row: &Row) {
    let variables = environment(&[(row.variable, "gateway.example:8443")]);
    let domain = DomainOverride::read(&variables).unwrap().unwrap();
    assert_eq!(domain.authority(), "gateway.example:8443");
}

pub(super) fn token_scope(row: &Row) {
    let variables = environment(&[(row.variable, " api://x/.default ")]);
    assert_eq!(
        runtime_v2::authentication_scope(&variables),
        "api://x/.default"
    );
}

pub(super) fn token_scopes(row: &Row) {
    token_scope(row);
    let singular = "A365_OBSERVABILITY_SCOPE_OVERRIDE";
    let both = environment(&[
        (row.variable, "api://x/a api://x/b"),
        (singular, "api://y/a"),
    ]);
    assert_eq!(runtime_v2::authentication_scope(&both), "api://y/a");
    let warning = "name different scopes of tokens";
    assert!(super::log(&both).contains(warning));
    let same = environment(&[(row.variable, "api://y/a"), (singular, " api://y/a")]);
    assert!(!super::log(&same).contains(warning));
}

pub(super) fn application_name(row: &Row) {
    let variables = environment(&[(row.variable, "shop")]);
    assert_eq!(runtime_v2::application_name(&variables, None), Some("shop"));
}

pub(super) fn environment_name(row: &Row) {
    let variables = environment(&[(row.variable, "DEVELOPMENT")]);
    assert!(Switches::read(&variables).is_development());
}
