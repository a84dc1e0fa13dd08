//! A token for each request, through the facade.

use std::time::Duration;

use agentspan::agent365::{DeliveryBuilder, DropReason, PerRequestExport, token_from_request};
use agentspan::configure;
use agentspan::discovery::Environment;
use agentspan::model::agentspec::SpanDetails;
use agentspan::model::keys;
use agentspan::otel::{OtelBridge, ScopeTracer};
use agentspan::prelude::*;
use agentspan_processor::{Span, Trace};
use agentspan_testkit::{Answer, Service};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::process::has_its_own;

const WHILE: Duration = Duration::from_secs(10);

/// The token that a span arrives with whose request has the token `own`.
fn arrived_with(
    variables: &[(&str, &str)],
    customise: impl FnOnce(DeliveryBuilder) -> DeliveryBuilder,
) -> Option<String> {
    let service = Service::builder()
        .script([Answer::status(200)])
        .start()
        .unwrap();
    let delivery = Delivery::builder(token_from_request()).with_loopback_endpoint(service.url());
    let processor = configure()
        .with_environment(&variables.iter().copied().collect::<Environment>())
        .with_delivery(customise(delivery))
        .with_switches_on()
        .into_processor()
        .unwrap();
    let delivery = processor.delivery().unwrap().clone();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let tracer = provider.tracer("t");
    let token = ExportToken::new(AccessToken::new("own").unwrap());
    let identity = [
        (keys::TENANT_ID, "tenant-1"),
        (keys::GEN_AI_AGENT_ID, "agent-1"),
    ];
    tracer
        .span_builder("s")
        .with_attributes(identity.map(|(key, value)| KeyValue::new(key, value)))
        .start_with_context(&tracer, &token.to_context(&Context::new()))
        .end();
    delivery.flush(WHILE).unwrap();
    let requests = service.requests();
    requests[0].header("authorization").map(str::to_owned)
}

#[test]
fn the_token_of_a_request_reaches_the_service() {
    let own = Some("Bearer own".to_owned());
    let asked = |builder: DeliveryBuilder| builder.with_per_request_export(PerRequestExport::new());
    assert_eq!(arrived_with(&[], asked), own);
    let on = [("ENABLE_A365_OBSERVABILITY_PER_REQUEST_EXPORT", "1")];
    assert_eq!(arrived_with(&on, |builder| builder), own);
    // Nobody has asked for it, and the first generation sends without a token.
    assert_eq!(arrived_with(&[], |builder| builder), None);
}

#[test]
fn d5_a_scope_that_runs_with_the_token_of_a_request_has_it() {
    if !has_its_own("per_request::d5_a_scope_that_runs_with_the_token_of_a_request_has_it") {
        return;
    }
    let service = Service::start().unwrap();
    let delivery = Delivery::builder(token_from_request())
        .with_loopback_endpoint(service.url())
        .with_per_request_export(PerRequestExport::new());
    let processor = configure()
        .with_environment(&Environment::default())
        .with_delivery(delivery)
        .with_switches_on()
        .into_processor()
        .unwrap();
    let delivery = processor.delivery().unwrap().clone();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let details = InvokeAgentDetails::new(AgentDetails::new(AgentId::parse("agent-1").unwrap()));
    let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
    let token = ExportToken::new(AccessToken::new("own").unwrap());
    let baggage = BaggageBuilder::new().with_conversation_id("c").build();
    for order in 0..3 {
        let scope = InvokeAgentScope::builder(&details)
            .with_tenant(&tenant)
            .with_tracer(&ScopeTracer::new(&provider))
            .start();
        let future = scope.run_infallible(|_| std::future::ready(()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let given = match order {
                0 => future.with_export_token(&token),
                1 => future.with_baggage(&baggage).with_export_token(&token),
                _ => {
                    let _request = baggage.enter();
                    future.with_export_token(&token)
                }
            };
            given.await;
        });
    }
    delivery.flush(WHILE).unwrap();
    let requests = service.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        assert_eq!(request.header("authorization"), Some("Bearer own"));
    }
}

/// The token, the identity and the baggage of a request that are entered around a trace that runs
/// already reach its spans, and no others.
#[test]
fn a_token_that_is_entered_around_a_running_trace_reaches_its_spans_and_no_others() {
    let service = Service::start().unwrap();
    let delivery = Delivery::builder(token_from_request())
        .with_loopback_endpoint(service.url())
        .with_per_request_export(PerRequestExport::new());
    let processor = configure()
        .with_environment(&Environment::default())
        .with_delivery(delivery)
        .with_switches_on()
        .into_processor()
        .unwrap();
    let delivery = processor.delivery().unwrap().clone();
    let provider = OtelBridge::prepare(SdkTracerProvider::builder());
    let provider = provider.with_span_processor(processor).build();
    let trace = || {
        let bridge = OtelBridge::new(&provider);
        let builder = Trace::builder().with_processor(bridge);
        builder.start_detached().unwrap()
    };
    let traces = [trace(), trace(), trace()];
    let baggage = |number: usize| {
        let baggage = BaggageBuilder::new().with_tenant_id(format!("tenant-{number}"));
        let baggage = baggage.with_agent_id("agent-1");
        baggage
            .with_correlation_id(format!("correlation-{number}"))
            .build()
    };
    for (number, trace) in traces.iter().enumerate() {
        let _identity = baggage(number).enter();
        let token = ExportToken::new(AccessToken::new(format!("own-{number}")).unwrap());
        // Nobody has given one to the last.
        let _token = (number < 2).then(|| token.enter());
        let _trace = trace.root().enter();
        let span = Span::builder(SpanDetails::Plain).with_name("step");
        span.start().unwrap().end().unwrap();
    }
    for trace in traces {
        trace.end().unwrap();
    }
    // Nothing is sent without a token: that of another trace would be worse.
    assert!(delivery.flush(WHILE).is_err());
    let stats = delivery.stats();
    assert_eq!(
        (stats.exported, stats.dropped_for(DropReason::Token)),
        (2, 1),
        "{stats}"
    );
    let requests = service.requests();
    assert_eq!(requests.len(), 2);
    for number in 0..2 {
        let token = format!("Bearer own-{number}");
        let mut own = requests
            .iter()
            .filter(|request| request.header("authorization") == Some(&*token));
        let body = own.next().unwrap().json().unwrap().to_string();
        for word in ["tenant", "correlation"] {
            assert!(body.contains(&format!("{word}-{number}")), "{body}");
            assert!(!body.contains(&format!("{word}-{}", 1 - number)), "{body}");
        }
    }
}
