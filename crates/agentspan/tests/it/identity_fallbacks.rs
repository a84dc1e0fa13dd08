//! Whose a span is that names no agent.

use std::collections::HashMap;
use std::time::Duration;

use agentspan::agent365::{DeliveryBuilder, DropReason};
use agentspan::discovery::Environment;
use agentspan::model::keys;
use agentspan::otel::ScopeTracer;
use agentspan::prelude::*;
use agentspan::{Configuration, configure};
use agentspan_testkit::{Answer, Service};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::BaggagePropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::process::has_its_own;

const WHILE: Duration = Duration::from_secs(10);

/// The agent that a span with these attributes is delivered for, if it is.
fn agent_of(
    attributes: &[(&'static str, &'static str)],
    context: &Context,
    delivery: impl FnOnce(DeliveryBuilder) -> DeliveryBuilder,
    customise: impl FnOnce(Configuration) -> Configuration,
) -> Option<String> {
    let service = Service::builder()
        .script([Answer::status(200)])
        .start()
        .unwrap();
    let builder = Delivery::builder(token_from_fn(|_| Ok(Some(AccessToken::new("t")?))))
        .with_profile(Profile::V2)
        .with_loopback_endpoint(service.url());
    let configuration = configure()
        .with_environment(&Environment::default())
        .with_delivery(delivery(builder))
        .with_switches_on();
    let processor = customise(configuration).into_processor().unwrap();
    let delivery = processor.delivery().unwrap().clone();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let tracer = provider.tracer("t");
    let operation = KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat");
    let attributes = attributes
        .iter()
        .map(|(key, value)| KeyValue::new(*key, *value));
    tracer
        .span_builder("chat")
        .with_attributes(attributes.chain([operation]))
        .start_with_context(&tracer, context)
        .end();
    delivery.flush(WHILE).unwrap();
    let requests = service.requests();
    let stats = delivery.stats();
    let Some(request) = requests.first() else {
        assert_eq!(stats.dropped_for(DropReason::NoIdentity), 1);
        return None;
    };
    let path = request.path().strip_suffix("/traces").unwrap();
    path.rsplit('/').next().map(str::to_owned)
}

const TENANT: (&str, &str) = (keys::MICROSOFT_TENANT_ID, "tenant-1");
const AGENT: (&str, &str) = (keys::GEN_AI_AGENT_ID, "agent-1");
const PLATFORM: (&str, &str) = (keys::MICROSOFT_AGENT_PLATFORM_ID, "platform-1");

fn with_fallbacks(delivery: DeliveryBuilder) -> DeliveryBuilder {
    delivery.with_identity_fallbacks()
}

fn as_it_is<T>(value: T) -> T {
    value
}

/// What a span with these attributes is delivered for without fallbacks and with.
fn check(attributes: &[(&'static str, &'static str)], without: Option<&str>, with: Option<&str>) {
    let context = Context::new();
    let found = agent_of(attributes, &context, as_it_is, as_it_is);
    assert_eq!(found.as_deref(), without, "{attributes:?}");
    let found = agent_of(attributes, &context, with_fallbacks, as_it_is);
    assert_eq!(found.as_deref(), with, "{attributes:?}");
}

#[test]
fn the_platform_id_stands_in_for_the_agents_when_asked_for() {
    check(&[TENANT, AGENT, PLATFORM], Some("agent-1"), Some("agent-1"));
    check(&[TENANT, PLATFORM], None, Some("platform-1"));
    check(&[PLATFORM], None, None);
    check(&[TENANT], None, None);
    // As in .NET: an id that is there and blank is not replaced.
    check(
        &[TENANT, (keys::GEN_AI_AGENT_ID, " "), PLATFORM],
        None,
        None,
    );
}

#[test]
fn the_environment_names_whose_spans_are_that_name_nobody() {
    let both = [("A365_TENANT_ID", "tenant-2"), ("A365_AGENT_ID", "agent-2")];
    let found = |attributes: &[_], set: &[(&str, &str)]| {
        let environment: Environment = set.iter().copied().collect();
        agent_of(attributes, &Context::new(), as_it_is, |it| {
            it.with_environment(&environment)
        })
    };
    assert_eq!(found(&[], &both).as_deref(), Some("agent-2"));
    let own = found(&[TENANT, AGENT], &both);
    assert_eq!(own.as_deref(), Some("agent-1"));
    // One without the other names nobody, and nor does what is no id.
    for set in [&both[..1], &both[1..], &[both[0], ("A365_AGENT_ID", "..")]] {
        assert_eq!(found(&[], set), None, "{set:?}");
    }
}

/// A context with a caller's baggage, for the tenant of this process.
fn called() -> Context {
    let header = format!("{}=victims-agent", keys::MICROSOFT_AGENT_PLATFORM_ID);
    let headers = HashMap::from([("baggage".to_owned(), header)]);
    let context = BaggagePropagator::new().extract_with_context(&Context::new(), &headers);
    let own = BaggageBuilder::for_profile(Profile::V2).with_tenant_id("tenant-1");
    own.build().to_context(&context)
}

#[test]
fn a_callers_header_does_not_say_which_agent_it_is() {
    assert_eq!(agent_of(&[], &called(), with_fallbacks, as_it_is), None);
    let trusting = Configuration::with_trusted_remote_identity;
    let header = agent_of(&[TENANT], &called(), with_fallbacks, trusting);
    assert_eq!(header.as_deref(), Some("victims-agent"));
}

#[test]
fn baggage_of_this_process_does() {
    let own = BaggageBuilder::for_profile(Profile::V2)
        .with_tenant_id("tenant-1")
        .with_pairs([(keys::MICROSOFT_AGENT_PLATFORM_ID, "platform-1")])
        .build();
    let context = own.to_context(&Context::new());
    let found = agent_of(&[], &context, with_fallbacks, as_it_is);
    assert_eq!(found.as_deref(), Some("platform-1"));
    assert_eq!(agent_of(&[], &context, as_it_is, as_it_is), None);
}

#[test]
fn d5_a_span_of_somebody_else_inside_a_scope_is_delivered_for_the_scopes_agent() {
    if !has_its_own(
        "identity_fallbacks::d5_a_span_of_somebody_else_inside_a_scope_is_delivered_for_the_scopes_agent",
    ) {
        return;
    }
    let provider = SdkTracerProvider::builder().build();
    let details = InvokeAgentDetails::new(AgentDetails::new(AgentId::parse("agent-2").unwrap()));
    let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
    let scope = InvokeAgentScope::builder(&details)
        .with_tenant(&tenant)
        .with_tracer(&ScopeTracer::with_profile(&provider, Profile::V2))
        .start();
    let inside = agent_of(&[], &scope.context(), as_it_is, as_it_is);
    assert_eq!(inside.as_deref(), Some("agent-2"));
    let outside = agent_of(&[], &Context::new(), as_it_is, as_it_is);
    assert_eq!(outside, None);
}
