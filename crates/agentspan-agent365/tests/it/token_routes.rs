//! Which route a token goes to, when it decides.

use agentspan_agent365::{AccessToken, Delivery, DeliveryBuilder, token_from_fn};
use agentspan_discovery::Environment;
use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use agentspan_testkit::{Answer, Service};
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;

use crate::any_span::plain_span;
use crate::delivery_fixture::{TENANT, check_conserved, delivery_to, export, service};

/// {"scp":"Agent365.Observability.OtelWrite"}
const DELEGATED: &str = "e30.eyJzY3AiOiJBZ2VudDM2NS5PYnNlcnZhYmlsaXR5Lk90ZWxXcml0ZSJ9.";

/// {"roles":["Agent365.Observability.OtelWrite"]}
const APP_ONLY: &str = "e30.eyJyb2xlcyI6WyJBZ2VudDM2NS5PYnNlcnZhYmlsaXR5Lk90ZWxXcml0ZSJdfQ.";

fn span(profile: Profile) -> SpanData {
    SpanData {
        attributes: vec![
            KeyValue::new(keys::GEN_AI_OPERATION_NAME, "invoke_agent"),
            KeyValue::new(profile.tenant_id_key(), TENANT),
            KeyValue::new(keys::GEN_AI_AGENT_ID, "a"),
        ],
        ..plain_span()
    }
}

/// The paths of the requests for one span, with the first token and, after a 401, the second.
fn paths(
    profile: Profile,
    tokens: [&'static str; 2],
    answers: &[u16],
    customise: impl FnOnce(DeliveryBuilder<Delivery>) -> DeliveryBuilder<Delivery>,
) -> Vec<String> {
    let service: Service = service(answers.iter().map(|status| Answer::status(*status)));
    let resolver = token_from_fn(move |query| {
        let [first, second] = tokens;
        let token = query.refused.as_ref().map_or(first, |_| second);
        Ok(Some(AccessToken::new(token)?))
    });
    let delivery = delivery_to(&service, resolver).with_profile(profile);
    let delivery = customise(delivery).build().unwrap();
    export(&delivery.exporter(), vec![span(profile)]);
    check_conserved(&delivery);
    let requests = service.requests();
    requests.iter().map(|it| it.path().to_owned()).collect()
}

fn of_v2(route: &str) -> String {
    format!("/{route}/tenants/{TENANT}/otlp/agents/a/traces")
}

#[test]
fn the_third_generation_takes_the_route_of_the_token_the_environment_or_the_program() {
    let environment = |value: &str| Environment::from_iter([("A365_USE_S2S_ENDPOINT", value)]);
    let route = |profile, token, value: &str, explicit: bool| {
        let paths = paths(profile, [token; 2], &[200], |it| {
            let it = it.with_environment(&environment(value));
            if explicit { it.with_usual_route() } else { it }
        });
        paths[0].split('/').nth(1).unwrap().to_owned()
    };
    for (value, delegated, app_only) in [
        ("", "observability", "observabilityService"),
        (" On ", "observabilityService", "observabilityService"),
        ("off", "observability", "observability"),
        ("soon", "observability", "observability"),
    ] {
        assert_eq!(route(Profile::V3, DELEGATED, value, false), delegated);
        assert_eq!(route(Profile::V3, APP_ONLY, value, false), app_only);
        assert_eq!(route(Profile::V3, APP_ONLY, value, true), "observability");
        // It knows one route only.
        let of_v2 = route(Profile::V2, DELEGATED, value, false);
        assert_eq!(of_v2, "observabilityService");
    }
}

/// R33: a token of a user is refused on the route of applications, and the other way round.
#[test]
fn r33_a_token_goes_to_the_route_of_its_kind() {
    let by_token = DeliveryBuilder::with_route_by_token;
    for (token, route, of_v0_1) in [
        (DELEGATED, "observability", "agents"),
        (APP_ONLY, "observabilityService", "service/agents"),
        ("opaque", "observabilityService", "service/agents"),
    ] {
        let found = paths(Profile::V2, [token; 2], &[200], by_token);
        assert_eq!(found, [of_v2(route)], "{token}");
        let found = paths(Profile::V0_1, [token; 2], &[200], by_token);
        assert_eq!(
            found,
            [format!("/maven/agent365/{of_v0_1}/a/traces")],
            "{token}"
        );
        // Unless it is asked for, all go to one route.
        let found = paths(Profile::V2, [token; 2], &[200], |it| it);
        assert_eq!(found, [of_v2("observabilityService")], "{token}");
    }
}

#[test]
fn another_token_goes_to_its_own_route() {
    let found = paths(
        Profile::V2,
        [APP_ONLY, DELEGATED],
        &[401, 200],
        DeliveryBuilder::with_route_by_token,
    );
    assert_eq!(
        found,
        [of_v2("observabilityService"), of_v2("observability")]
    );
}
