//! An export works wherever it is called from, and waiting ends at its deadline.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use agentspan_agent365::retry::RetryTimer;
use agentspan_agent365::{Agent365Exporter, Agent365SpanProcessor, DropReason};
use agentspan_model::keys;
use agentspan_testkit::{Answer, Service};
use futures_executor::block_on;
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanExporter, SpanProcessor};
use tokio::runtime::Builder;

use crate::delivery_fixture::{
    LONG, TENANT, check_conserved, delivery_to, exporter_to, service, span_of, token,
};

/// Exports from wherever `run` calls what it is given.
fn check_exports_from(run: impl FnOnce(Arc<Agent365Exporter>)) {
    let service = service([Answer::status(200)]);
    let exporter = Arc::new(exporter_to(&service, token("t")));
    run(Arc::clone(&exporter));
    assert_eq!(exporter.stats().exported, 1);
    exporter.shutdown_with_timeout(LONG).unwrap();
}

fn one_span() -> Vec<opentelemetry_sdk::trace::SpanData> {
    vec![span_of(TENANT, "a")]
}

#[test]
fn without_a_runtime() {
    check_exports_from(|exporter| block_on(exporter.export(one_span())).unwrap());
}

#[test]
fn awaited_in_a_current_thread_runtime() {
    check_exports_from(|exporter| {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(exporter.export(one_span())).unwrap();
    });
}

#[test]
fn blocked_on_within_a_current_thread_runtime() {
    check_exports_from(|exporter| {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { block_on(exporter.export(one_span())).unwrap() });
    });
}

#[test]
fn in_a_spawned_task_of_a_multi_thread_runtime() {
    check_exports_from(|exporter| {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        let task = runtime.spawn(async move { exporter.export(one_span()).await });
        runtime.block_on(task).unwrap().unwrap();
    });
}

#[test]
fn blocked_on_in_a_spawned_task() {
    check_exports_from(|exporter| {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let task = runtime.spawn(async move { block_on(exporter.export(one_span())) });
        runtime.block_on(task).unwrap().unwrap();
    });
}

#[test]
fn in_drop() {
    struct ExportsWhenDropped(Arc<Agent365Exporter>);
    impl Drop for ExportsWhenDropped {
        fn drop(&mut self) {
            block_on(self.0.export(one_span())).unwrap();
        }
    }
    check_exports_from(|exporter| drop(ExportsWhenDropped(exporter)));
    check_exports_from(|exporter| {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { drop(ExportsWhenDropped(exporter)) });
    });
}

#[test]
fn in_the_sdks_batch_processor_with_the_providers_resource() {
    let service = service([Answer::status(200)]);
    let exporter = exporter_to(&service, token("t"));
    let delivery = exporter.delivery().clone();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder_empty().with_service_name("svc").build())
        .build();
    provider
        .tracer("x")
        .span_builder("s")
        .with_attributes(one_span().remove(0).attributes)
        .start(&provider.tracer("x"));
    provider.shutdown().unwrap();
    let body = service.requests()[0].json().unwrap();
    let resource = &body["resourceSpans"][0]["resource"]["attributes"];
    assert_eq!(resource["service.name"], "svc");
    assert_eq!(delivery.stats().exported, 1);
    assert!(matches!(
        delivery.flush(LONG),
        Err(OTelSdkError::AlreadyShutdown)
    ));
}

#[test]
fn a_dropped_export_is_delivered_all_the_same() {
    let service = service([Answer::status(200)]);
    let exporter = exporter_to(&service, token("t"));
    drop(exporter.export(one_span()));
    exporter.delivery().flush(LONG).unwrap();
    assert_eq!(exporter.stats().exported, 1);
}

#[test]
fn a_flush_ends_at_its_deadline_and_leaves_the_spans_where_they_are() {
    let service = service([Answer::hang()]);
    let exporter = exporter_to(&service, token("t"));
    let export = exporter.export(one_span());
    let timeout = Duration::from_millis(20);
    let result = exporter.delivery().flush(timeout);
    assert!(matches!(result, Err(OTelSdkError::Timeout(at)) if at == timeout));
    assert_eq!(exporter.stats().queued, 1);
    let result = exporter.shutdown_with_timeout(timeout);
    assert!(matches!(result, Err(OTelSdkError::Timeout(at)) if at == timeout));
    assert_eq!(
        exporter.stats().dropped_for(DropReason::ShutdownDeadline),
        1
    );
    assert!(block_on(export).is_err());
    check_conserved(exporter.delivery());
}

#[test]
fn batches_that_still_wait_at_the_deadline_of_a_shutdown_are_counted() {
    let service = service([Answer::hang()]);
    let exporter = exporter_to(&service, token("t"));
    let in_flight = exporter.export_with_report(one_span());
    let waiting = exporter.export_with_report(vec![span_of(TENANT, "b"), span_of(TENANT, "c")]);
    service.wait_for(1, LONG).unwrap();
    assert!(
        exporter
            .shutdown_with_timeout(Duration::from_millis(1))
            .is_err()
    );
    let report = block_on(in_flight).unwrap();
    assert_eq!(report.dropped_for(DropReason::ShutdownDeadline), 1);
    let report = block_on(waiting).unwrap();
    assert_eq!(report.dropped_for(DropReason::ShutdownDeadline), 2);
    let stats = exporter.stats();
    assert_eq!(stats.dropped_for(DropReason::ShutdownDeadline), 3);
    assert_eq!((stats.queued, stats.queued_bytes), (0, 0));
    check_conserved(exporter.delivery());
}

#[derive(Debug)]
struct PanicsInsteadOfWaiting;

impl RetryTimer for PanicsInsteadOfWaiting {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        panic!("on purpose")
    }
}

#[test]
fn a_panic_on_the_way_is_counted_and_the_delivery_goes_on() {
    let service = service([Answer::status(503), Answer::status(200)]);
    let exporter = delivery_to(&service, token("t"))
        .with_retry_timer(PanicsInsteadOfWaiting)
        .build()
        .unwrap()
        .exporter();
    let error = block_on(exporter.export(one_span())).unwrap_err();
    assert!(error.to_string().ends_with("agent a panicked"), "{error}");
    block_on(exporter.export(one_span())).unwrap();
    let stats = exporter.stats();
    assert_eq!(stats.dropped_for(DropReason::Internal), 1);
    assert_eq!((stats.exported, stats.queued), (1, 0));
    check_conserved(exporter.delivery());
}

#[test]
fn waiting_on_the_deliverys_own_thread_is_an_error_and_no_deadlock() {
    let service = service([Answer::status(200)]);
    let (send, receive) = sync_channel(1);
    let delivery = delivery_to(&service, token("t")).build().unwrap();
    let inside = delivery.clone();
    let reporting = delivery_to(&service, token("t"));
    let own = Arc::new(std::sync::OnceLock::<agentspan_agent365::Delivery>::new());
    let seen = Arc::clone(&own);
    let exporter = reporting
        .with_on_report(move |_| {
            let flushed = seen.get().map(|delivery| delivery.flush(LONG));
            // Another delivery's thread is not this one.
            let other = inside.flush(LONG);
            let _ = send.send((flushed.map(|r| r.unwrap_err().to_string()), other.is_ok()));
        })
        .build()
        .unwrap()
        .exporter();
    own.set(exporter.delivery().clone()).unwrap();
    block_on(exporter.export(one_span())).unwrap();
    let (own_error, other_is_ok) = receive.recv().unwrap();
    assert_eq!(
        own_error.as_deref(),
        Some("Operation failed: the thread agentspan-export cannot wait for itself")
    );
    assert!(other_is_ok);
    drop(delivery);
}

#[test]
fn an_observer_that_panics_changes_nothing() {
    let service = service([Answer::status(200)]);
    let exporter = delivery_to(&service, token("t"))
        .with_on_report(|_| panic!("on purpose"))
        .build()
        .unwrap()
        .exporter();
    block_on(exporter.export(one_span())).unwrap();
    block_on(exporter.export(one_span())).unwrap();
    assert_eq!(exporter.stats().exported, 2);
}

#[test]
fn one_delivery_serves_two_providers_until_the_last_is_shut_down() {
    let service = service([Answer::status(200)]);
    let delivery = delivery_to(&service, token("t")).build().unwrap();
    let provider = |name: &'static str| {
        SdkTracerProvider::builder()
            .with_span_processor(delivery.span_processor())
            .with_resource(Resource::builder_empty().with_service_name(name).build())
            .build()
    };
    let (one, two) = (provider("one"), provider("two"));
    let record = |provider: &SdkTracerProvider, agent: &'static str| {
        let tracer = provider.tracer("x");
        tracer
            .span_builder("s")
            .with_attributes(span_of(TENANT, agent).attributes)
            .start(&tracer);
    };
    record(&two, "b");
    record(&one, "a");
    one.shutdown().unwrap();
    record(&two, "b");
    two.shutdown().unwrap();
    let services: Vec<_> = service
        .requests()
        .iter()
        .map(|request| {
            let body = request.json().unwrap();
            let resource = &body["resourceSpans"][0]["resource"]["attributes"];
            (
                request.path().to_owned(),
                resource["service.name"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let expected = [("b", "two"), ("a", "one"), ("b", "two")].map(|(agent, name)| {
        (
            format!("/maven/agent365/agents/{agent}/traces"),
            String::from(name),
        )
    });
    assert_eq!(services, expected);
    assert_eq!(delivery.stats().exported, 3);
}

#[test]
fn t19_the_delivery_makes_no_telemetry_of_its_own() {
    // A resolver that opens spans on the provider that exports through it would feed itself.
    let service = service([Answer::status(200)]);
    let (give, take) = sync_channel::<SdkTracerProvider>(1);
    let take = std::sync::Mutex::new(take);
    let provider = std::sync::OnceLock::<SdkTracerProvider>::new();
    let resolver = agentspan_agent365::token_from_fn(move |query| {
        let provider = provider.get_or_init(|| take.lock().unwrap().recv().unwrap());
        let tracer = provider.tracer("resolver");
        tracer
            .span_builder("get token")
            .with_attributes([
                KeyValue::new(keys::TENANT_ID, query.identity.tenant.as_str().to_owned()),
                KeyValue::new(
                    keys::GEN_AI_AGENT_ID,
                    query.identity.agent.as_str().to_owned(),
                ),
            ])
            .start(&tracer);
        Ok(None)
    });
    let processor: Agent365SpanProcessor = delivery_to(&service, resolver)
        .build()
        .unwrap()
        .span_processor();
    let delivery = processor.delivery().clone();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    give.send(provider.clone()).unwrap();
    let tracer = provider.tracer("x");
    for _ in 0..3 {
        tracer
            .span_builder("s")
            .with_attributes(span_of(TENANT, "a").attributes)
            .start(&tracer);
        provider.force_flush().unwrap();
    }
    assert_eq!(delivery.stats().accepted, 3);
    assert!(!Context::is_current_telemetry_suppressed());
}

#[test]
fn spans_that_were_not_sampled_are_not_taken() {
    let service = Service::start().unwrap();
    let processor = delivery_to(&service, token("t"))
        .build()
        .unwrap()
        .span_processor();
    let mut span = span_of(TENANT, "a");
    span.span_context = opentelemetry::trace::SpanContext::NONE;
    processor.on_end(span);
    processor.force_flush().unwrap();
    assert_eq!((processor.stats().accepted, service.connections()), (0, 0));
}
