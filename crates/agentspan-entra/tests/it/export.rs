//! Spans wait for tokens, and are sent with them.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use agentspan_agent365::retry::Retry;
use agentspan_agent365::{Delivery, DropReason, ExportReport};
use agentspan_entra::{Credential, Entra};
use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use agentspan_testkit::{Answer, Service};
use futures_executor::block_on;
use opentelemetry::KeyValue;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::directory::{AGENT, BLUEPRINT, OTHER_AGENT, OTHER_TENANT, TENANT, client, service};

/// Long enough that only a hanging test reaches it.
const LONG: Duration = Duration::from_secs(60);

/// A span of one identity.
pub(crate) fn span_of(tenant: &str, agent: &str) -> SpanData {
    let id = (TraceId::from(1), SpanId::from(1));
    let time = SystemTime::now();
    SpanData {
        span_context: SpanContext::new(
            id.0,
            id.1,
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Client,
        name: "chat".into(),
        start_time: time,
        end_time: time,
        attributes: vec![
            KeyValue::new(keys::TENANT_ID, tenant.to_owned()),
            KeyValue::new(keys::MICROSOFT_TENANT_ID, tenant.to_owned()),
            KeyValue::new(keys::GEN_AI_AGENT_ID, agent.to_owned()),
            KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat"),
        ],
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: opentelemetry::InstrumentationScope::default(),
    }
}

fn exported(report: &Arc<ExportReport>) -> Vec<usize> {
    let identities = report.identities.iter();
    identities.map(|identity| identity.exported).collect()
}

#[test]
fn spans_of_an_agent_wait_until_entra_gives_a_token() {
    let entra = service();
    let agent365 = Service::start().unwrap();
    let resolver = client(&entra).build().unwrap();
    let exporter = Delivery::builder(resolver)
        .with_profile(Profile::V2)
        .with_retry(Retry::for_at_most(Duration::from_secs(600)))
        .with_loopback_endpoint(agent365.url())
        .with_concurrency(1)
        .build()
        .unwrap()
        .exporter();
    // The first question of the first agent, and then that of the other one.
    entra.play([Answer::status(503), Answer::reset()]);
    let spans = vec![span_of(TENANT, AGENT), span_of(OTHER_TENANT, OTHER_AGENT)];
    let report = block_on(exporter.export_with_report(spans)).unwrap();
    assert_eq!(exported(&report), [1, 1]);
    let stats = exporter.delivery().stats();
    assert_eq!((stats.exported, stats.dropped()), (2, 0));
    for request in agent365.requests() {
        let token = request.header("authorization").unwrap();
        let claims = agentspan_testkit::claims_of(token.strip_prefix("Bearer ").unwrap()).unwrap();
        let agent = claims["azp"].as_str().unwrap().to_owned();
        let tenant = claims["tid"].as_str().unwrap().to_owned();
        let path = format!("/observabilityService/tenants/{tenant}/otlp/agents/{agent}/traces");
        assert_eq!(request.path(), path);
    }
}

fn causes(error: &dyn Error) -> Vec<String> {
    let mut all = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        all.push(error.to_string());
        cause = error.source();
    }
    all
}

#[test]
fn a_shutdown_names_the_refusal_that_spans_have_waited_for() {
    let entra = service();
    let agent365 = Service::start().unwrap();
    let credential = Credential::secret("another secret");
    let resolver = Entra::builder(BLUEPRINT, credential)
        .with_loopback_endpoint(entra.url())
        .build()
        .unwrap();
    let delivery = Delivery::builder(resolver)
        .with_profile(Profile::V2)
        .with_loopback_endpoint(agent365.url())
        .build()
        .unwrap();
    let report = delivery
        .exporter()
        .export_with_report(vec![span_of(TENANT, AGENT)]);
    entra.service().wait_for(1, LONG).unwrap();
    // The answer comes long before this has passed, and the pause after it is longer.
    delivery.shutdown(Duration::from_millis(300)).unwrap_err();
    let failure = delivery.last_failure().unwrap();
    assert!(failure.contains("AADSTS7000215"), "{failure}");
    let loss = &block_on(report).unwrap().identities[0].losses[0];
    assert_eq!(loss.error.reason(), DropReason::ShutdownDeadline);
    let causes = causes(&loss.error).join("; ");
    assert!(causes.contains("AADSTS7000215"), "{causes}");
    assert_eq!(
        delivery.stats().dropped_for(DropReason::ShutdownDeadline),
        1
    );
}
