//! T2, T3: whatever a tenant or an agent calls itself, its spans arrive under exactly that identity, or
//! are refused with the name of the id that is at fault.

use std::collections::{BTreeMap, BTreeSet};

use agentspan_agent365::token::TokenQuery;
use agentspan_agent365::{AccessToken, DeliveryBuilder, DropReason, token_from_fn};
use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use agentspan_testkit::{RecordedRequest, hostile_ids};
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;
use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

use crate::any_span::plain_span;
use crate::delivery_fixture::{TENANT, check_conserved, delivery_to, export, service};

/// The tenants and the agents of spans, by the names of these.
type Claims = BTreeMap<String, (String, String)>;

/// Each hostile id once as an agent and once as a tenant, each in a span of its own.
fn claims() -> Claims {
    let ids = hostile_ids().into_iter().enumerate();
    ids.flat_map(|(number, id)| {
        [
            (format!("agent {number}"), (TENANT.to_owned(), id.clone())),
            (format!("tenant {number}"), (id, "agent-1".to_owned())),
        ]
    })
    .collect()
}

fn span(profile: Profile, name: &str, (tenant, agent): &(String, String)) -> SpanData {
    SpanData {
        name: name.to_owned().into(),
        attributes: vec![
            KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat"),
            KeyValue::new(profile.tenant_id_key(), tenant.clone()),
            KeyValue::new(keys::GEN_AI_AGENT_ID, agent.clone()),
        ],
        ..plain_span()
    }
}

/// A token that says for whom it was asked for.
fn token_of(tenant: &str, agent: &str) -> String {
    format!("{:x?}/{:x?}", tenant.as_bytes(), agent.as_bytes()).replace(' ', "")
}

/// The names of the spans in a body.
fn names(request: &RecordedRequest) -> Vec<String> {
    let body: Json = serde_json::from_slice(&request.body).unwrap();
    let resources = body["resourceSpans"].as_array().unwrap().iter();
    let scopes = resources.flat_map(|resource| resource["scopeSpans"].as_array().unwrap());
    let spans = scopes.flat_map(|scope| scope["spans"].as_array().unwrap());
    spans
        .map(|span| span["name"].as_str().unwrap().to_owned())
        .collect()
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment)
        .decode_utf8()
        .unwrap()
        .into_owned()
}

/// Checks the place of the ids in a request: none has left its segment, its header or its host.
fn check_request(profile: Profile, request: &RecordedRequest, tenant: &str, agent: &str) {
    assert!(request.target.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(request.query(), Some("api-version=1"), "{}", request.target);
    let segments: Vec<_> = request.path().split('/').collect();
    let found = match (profile, segments.as_slice()) {
        (
            Profile::V2 | Profile::V3 | Profile::Direct,
            [
                "",
                "observabilityService",
                "tenants",
                of,
                "otlp",
                "agents",
                by,
                "traces",
            ],
        ) => {
            assert_eq!(decoded(of), tenant);
            decoded(by)
        }
        (_, ["", "maven", "agent365", "agents", by, "traces"]) => decoded(by),
        _ => panic!("{}", request.target),
    };
    assert_eq!(found, agent);
    let bearer = format!("Bearer {}", token_of(tenant, agent));
    assert_eq!(request.header_values("authorization"), [bearer]);
    assert_eq!(request.header_values("host").len(), 1);
    assert!(request.header("x-evil").is_none());
}

/// Exports a span for each claim, and gives the requests beside the claim of their spans.
fn delivered<F>(profile: Profile, customise: F) -> Vec<(RecordedRequest, (String, String))>
where
    F: FnOnce(DeliveryBuilder) -> DeliveryBuilder,
{
    let (service, claims) = (service([]), claims());
    let resolver = token_from_fn(|query: &TokenQuery| {
        let (tenant, agent) = (
            query.identity.tenant.as_str(),
            query.identity.agent.as_str(),
        );
        Ok(Some(AccessToken::new(token_of(tenant, agent))?))
    });
    let builder = delivery_to(&service, resolver).with_profile(profile);
    let exporter = customise(builder).build().unwrap().exporter();
    let spans = claims
        .iter()
        .map(|(name, claim)| span(profile, name, claim));
    let report = export(&exporter, spans.collect());
    for refused in &report.refused {
        let error = refused.error.to_string();
        assert!(
            error.starts_with("tenant id ") || error.starts_with("agent id "),
            "{error}"
        );
    }
    let refused: usize = report.refused.iter().map(|refused| refused.spans).sum();
    let without = report.dropped_for(DropReason::NoIdentity);
    assert_eq!(report.exported() + refused + without, claims.len());
    assert!(
        refused > 200 && report.exported() > 200,
        "{refused} were refused"
    );
    check_conserved(exporter.delivery());
    let mut seen = BTreeSet::new();
    let requests = service.requests().into_iter().map(|request| {
        let names = names(&request);
        let claim = claims[&names[0]].clone();
        for name in names {
            assert_eq!(claims[&name], claim, "{name}");
            assert!(seen.insert(name));
        }
        check_request(profile, &request, &claim.0, &claim.1);
        (request, claim)
    });
    let requests: Vec<_> = requests.collect();
    assert_eq!(seen.len(), report.exported());
    requests
}

#[test]
fn t02_hostile_ids_are_refused_by_name_or_stay_in_their_segment() {
    for profile in Profile::ALL {
        delivered(profile, |builder| builder);
    }
}

#[test]
fn t03_no_hostile_id_leaves_its_header() {
    for (request, (tenant, _)) in delivered(Profile::V2, DeliveryBuilder::with_tenant_header) {
        let values = request.header_values("x-ms-tenant-id");
        assert_eq!(values.len(), 1);
        assert_eq!(decoded(values[0]), tenant);
    }
}
