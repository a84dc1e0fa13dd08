//! The second generation of the contract: what is divided, what is skipped, and what is refused.

use agentspan_agent365::{
    AccessToken, BuildError, Delivery, DeliveryBuilder, DropReason, ExportError, TokenResolver,
    token_from_fn,
};
use agentspan_discovery::Environment;
use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::RuleSet;
use agentspan_model::keys;
use agentspan_testkit::{Answer, CapturedLogs, Service};
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::any_span::plain_span;
use crate::delivery_fixture::{
    TENANT, check_conserved, delivery_to, export, service, span_of, token,
};

/// A span that version 2 sends.
fn span(agent: &'static str, name: &str) -> SpanData {
    SpanData {
        name: name.to_owned().into(),
        attributes: vec![
            KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat"),
            KeyValue::new(keys::MICROSOFT_TENANT_ID, TENANT),
            KeyValue::new(keys::GEN_AI_AGENT_ID, agent),
        ],
        ..plain_span()
    }
}

fn version_2(service: &Service, resolver: impl TokenResolver) -> DeliveryBuilder<Delivery> {
    delivery_to(service, resolver).with_profile(Profile::V2)
}

/// The names of the spans of each request, in order.
fn names(service: &Service) -> Vec<Vec<String>> {
    let requests = service.requests();
    let names = requests.iter().map(|request| {
        let body: Json = serde_json::from_slice(&request.body).expect("a body is JSON");
        let scopes = body["resourceSpans"][0]["scopeSpans"].as_array().unwrap();
        let spans = scopes
            .iter()
            .flat_map(|scope| scope["spans"].as_array().unwrap());
        spans
            .map(|span| span["name"].as_str().unwrap().to_owned())
            .collect()
    });
    names.collect()
}

/// Exports two spans, and says for each how many lines warn that it breaks a rule of the contract.
fn warnings(ids: [u64; 2], delivery: DeliveryBuilder<Delivery>, rule: &str) -> [usize; 2] {
    let spans = ids.map(|id| (id, span("a", "n")));
    warnings_of(spans, delivery, rule)
}

/// The same of spans that get these ids.
fn warnings_of(
    spans: [(u64, SpanData); 2],
    delivery: DeliveryBuilder<Delivery>,
    rule: &str,
) -> [usize; 2] {
    let logs = CapturedLogs::everywhere();
    let delivery = delivery.build().unwrap();
    let ids = [spans[0].0, spans[1].0];
    let spans = spans.map(|(id, span)| SpanData {
        span_context: SpanContext::new(
            TraceId::from(7),
            SpanId::from(id),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        ..span
    });
    export(&delivery.exporter(), spans.into());
    let text = logs.text();
    // A warning of `level="error"` would be both.
    assert!(!text.contains("level="), "{text}");
    ids.map(|id| {
        let of_span = format!("span_id=\"{id:016x}\"");
        let rule = format!("rule=\"{rule}\"");
        let lines = text.lines().filter(|line| line.contains(&of_span));
        lines.filter(|line| line.contains(&rule)).count()
    })
}

#[test]
fn each_rule_that_spans_break_is_warned_of_once_and_never_on_request() {
    let service = service([]);
    let delivery = || version_2(&service, token("t"));
    let rules = || delivery().with_contract_rules(RuleSet::PackageFilter);
    // No blueprint, which the attribute reference wants, and the filter of the packages does not.
    assert_eq!(
        warnings([0xc0de_0001, 0xc0de_0002], delivery(), "R31"),
        [1, 0]
    );
    assert_eq!(warnings([0xc0de_0003, 0xc0de_0004], rules(), "R31"), [0, 0]);
    let quiet = delivery().without_contract_warnings();
    assert_eq!(warnings([0xc0de_0005, 0xc0de_0006], quiet, "R31"), [0, 0]);
    let old = delivery_to(&service, token("t"));
    assert_eq!(warnings([0xc0de_0007, 0xc0de_0008], old, "R31"), [0, 0]);
}

#[test]
fn a_port_that_the_profile_leaves_out_is_not_called_missing() {
    let service = service([]);
    let at_a_server = |operation: &'static str| {
        let mut span = span("a", "n");
        span.attributes[0] = KeyValue::new(keys::GEN_AI_OPERATION_NAME, operation);
        let address = KeyValue::new(keys::SERVER_ADDRESS, "agents.example.com");
        span.attributes.push(address);
        span
    };
    let delivery = |profile| delivery_to(&service, token("t")).with_profile(profile);
    let check = |ids: [u64; 2], operations: [&'static str; 2], profile, expected: [usize; 2]| {
        let spans = [0, 1].map(|at| (ids[at], at_a_server(operations[at])));
        let found = warnings_of(spans, delivery(profile), "R19");
        assert_eq!(found, expected, "{profile:?}: {operations:?}");
    };
    let unknown = ["invoke_agent", "execute_tool"];
    check([0xc0de_0011, 0xc0de_0012], unknown, Profile::V3, [0, 0]);
    check([0xc0de_0013, 0xc0de_0014], unknown, Profile::V2, [0, 0]);
    check([0xc0de_0015, 0xc0de_0016], unknown, Profile::Direct, [1, 0]);
    // All profiles write the port of a model, if there is one.
    let known = ["invoke_agent", "chat"];
    check([0xc0de_0017, 0xc0de_0018], known, Profile::V3, [0, 1]);
    // Without an address, the scope was told of no server.
    let nowhere = [0xc0de_0019, 0xc0de_001a].map(|id| (id, span("a", "n")));
    assert_eq!(warnings_of(nowhere, delivery(Profile::V3), "R19"), [1, 0]);
}

#[test]
fn a_lost_request_ends_its_identity_and_no_other() {
    let answers = [200, 400, 200].map(Answer::status);
    let service = service(answers);
    let delivery = version_2(&service, token("t"))
        .with_max_payload_bytes(1)
        .build()
        .unwrap();
    let spans = vec![
        span("a", "1"),
        span("a", "2"),
        span("a", "3"),
        span("b", "4"),
    ];
    let report = export(&delivery.exporter(), spans);
    assert_eq!(names(&service), [["1"], ["2"], ["4"]]);
    let [first, second] = &report.identities[..] else {
        panic!("two identities");
    };
    assert_eq!((first.requests, first.exported, first.dropped()), (2, 1, 2));
    assert!(matches!(
        first.losses[0].error,
        ExportError::Status { status: 400, .. }
    ));
    assert_eq!((second.exported, second.dropped()), (1, 0));
    assert_eq!(report.dropped_for(DropReason::PermanentStatus), 2);
    let stats = delivery.stats();
    assert_eq!((stats.exported, stats.dropped()), (2, 2));
    let delivered = [0, 2].map(|at| service.requests()[at].body.len() as u64);
    assert_eq!(stats.exported_bytes, delivered.iter().sum::<u64>());
    check_conserved(&delivery);
}

#[test]
fn one_token_serves_all_requests_of_an_identity() {
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&calls);
    let resolver = token_from_fn(move |_| {
        let number = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok(Some(AccessToken::new(format!("t{number}"))?))
    });
    let service = service([Answer::status(200)]);
    let delivery = version_2(&service, resolver)
        .with_max_payload_bytes(1)
        .build()
        .unwrap();
    export(
        &delivery.exporter(),
        vec![span("a", "1"), span("a", "2"), span("b", "3")],
    );
    let requests = service.requests();
    let tokens: Vec<_> = requests
        .iter()
        .map(|request| request.header("authorization"))
        .collect();
    assert_eq!(
        tokens,
        [Some("Bearer t0"), Some("Bearer t0"), Some("Bearer t1")]
    );
}

#[test]
fn nothing_is_sent_without_a_token() {
    for nothing in [None, Some(AccessToken::new("").unwrap())] {
        let service = service([Answer::status(200)]);
        let resolver = token_from_fn(move |_| Ok(nothing.clone()));
        let delivery = version_2(&service, resolver).build().unwrap();
        let report = export(&delivery.exporter(), vec![span("a", "1")]);
        assert_eq!(service.request_count(), 0);
        let error = &report.identities[0].losses[0].error;
        assert_eq!(error.reason(), DropReason::Token);
        assert_eq!(
            error.to_string(),
            format!("the token resolver has no token for tenant {TENANT}, agent a")
        );
        check_conserved(&delivery);
    }
}

#[test]
fn spans_of_other_operations_are_counted_and_are_no_failure() {
    let service = service([Answer::status(200)]);
    let delivery = version_2(&service, token("t")).build().unwrap();
    let report = export(
        &delivery.exporter(),
        vec![span_of(TENANT, "a"), span("a", "1")],
    );
    assert_eq!(names(&service), [["1"]]);
    assert!(report.is_success());
    assert_eq!(report.dropped_for(DropReason::OtherOperation), 1);
    assert_eq!(delivery.stats().dropped_for(DropReason::OtherOperation), 1);
    check_conserved(&delivery);
}

#[test]
fn a_span_that_was_cut_is_reported() {
    let service = service([Answer::status(200)]);
    let delivery = version_2(&service, token("t")).build().unwrap();
    let mut long = span("a", "1");
    long.attributes
        .push(KeyValue::new("long", "x".repeat(300_000)));
    let report = export(&delivery.exporter(), vec![long, span("a", "2")]);
    assert_eq!((report.identities[0].truncated, report.exported()), (1, 2));
    let body = service.requests()[0].body.clone();
    let body: Json = serde_json::from_slice(&body).unwrap();
    let spans = &body["resourceSpans"][0]["scopeSpans"][0]["spans"];
    assert_eq!(spans[0]["attributes"]["long"], "TRUNCATED");
}

/// What building says with this domain override, for a profile.
fn check_override(profile: Profile, text: &str, expected: Option<&str>) {
    let environment = Environment::from_iter([("A365_OBSERVABILITY_DOMAIN_OVERRIDE", text)]);
    let built = Delivery::builder(token("t"))
        .with_profile(profile)
        .with_environment(&environment)
        .build();
    let error = built.err().map(|error| match error {
        BuildError::DomainOverride(cause) => cause.to_string(),
        other => panic!("{other}"),
    });
    assert_eq!(error.as_deref(), expected, "{text}");
}

#[test]
fn an_override_that_would_show_tokens_is_refused() {
    let not_https = Some("domain override is not https");
    check_override(Profile::V2, "http://host.example", not_https);
    check_override(Profile::V2, "ftp://host.example", None);
    check_override(Profile::V2, "https://host.example/base", None);
    check_override(Profile::V0_1, "http://host.example", None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn requests_keep_order_lose_nothing_and_fit(
        lengths in vec((0_usize..3_000, prop_oneof![Just("x"), Just("\""), Just("\u{1}")]), 1..12),
        resource in 0_usize..2_000,
        limit in 1_usize..20_000,
    ) {
        let service = service([Answer::status(200)]);
        let delivery = version_2(&service, token("t"))
            .with_max_payload_bytes(limit)
            .build()
            .unwrap();
        let spans: Vec<_> = lengths
            .iter()
            .enumerate()
            .map(|(number, (length, unit))| {
                let mut one = span("a", &number.to_string());
                one.attributes.push(KeyValue::new("text", unit.repeat(*length)));
                one
            })
            .collect();
        let mut exporter = delivery.exporter();
        let resource = KeyValue::new("r", "r".repeat(resource));
        exporter.set_resource(&Resource::builder_empty().with_attribute(resource).build());
        let report = export(&exporter, spans);
        prop_assert_eq!(report.exported(), lengths.len());
        let names = names(&service);
        let expected: Vec<_> = (0..lengths.len()).map(|number| number.to_string()).collect();
        prop_assert_eq!(names.concat(), expected);
        for (request, names) in service.requests().iter().zip(&names) {
            prop_assert!(request.body.len() <= limit || names.len() == 1);
        }
    }
}
