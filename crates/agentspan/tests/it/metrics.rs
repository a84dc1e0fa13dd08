//! Metrics of a pipeline under faults.

use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::pin::Pin;
use std::time::Duration;

use agentspan::agent365::retry::{Retry, RetryTimer};
use agentspan::discovery::Environment;
use agentspan::prelude::*;
use agentspan::{AgentSpanProcessor, Configuration, Destination, configure};
use agentspan_testkit::{Answer, Service};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

use crate::meters::Meters;

const WHILE: Duration = Duration::from_secs(30);
const TENANT: &str = "e3064512-cc6d-4703-be71-a2ecaecaa98a";
const PREFIX: &str = "agentspan.destination.span.";

/// Tries again without a pause.
#[derive(Debug)]
struct AtOnce;

impl RetryTimer for AtOnce {
    fn pause(&self, _pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(ready(()))
    }
}

fn quiet() -> Configuration {
    let environment = Environment::default();
    configure()
        .with_environment(&environment)
        .with_switches_on()
}

fn end_span(provider: &SdkTracerProvider, agent: &'static str) {
    let mut span = provider.tracer("t").start("chat");
    span.set_attribute(KeyValue::new("tenant.id", TENANT));
    span.set_attribute(KeyValue::new("gen_ai.agent.id", agent));
    span.set_attribute(KeyValue::new("gen_ai.operation.name", "Chat"));
    span.set_attribute(KeyValue::new("gen_ai.input.messages", "a prompt"));
    span.end();
}

/// What the metrics say of a destination: accepted, exported, queued, dropped by reason.
fn of_destination(
    series: &BTreeMap<String, f64>,
    destination: &str,
) -> (f64, f64, f64, Vec<(String, f64)>) {
    let component = format!("otel.component.name={destination}}}");
    let value = |metric: &str| series[&format!("{PREFIX}{metric}{{{component}")];
    let reason = |name: &str| {
        let reasons = name
            .strip_prefix(PREFIX)?
            .strip_prefix("dropped{error.type=")?;
        let reason = reasons.strip_suffix(&component)?.strip_suffix(',')?;
        Some(reason.to_owned())
    };
    let dropped = series.iter().filter(|(_, count)| **count > 0.0);
    (
        value("accepted"),
        value("exported"),
        value("queue.size"),
        dropped
            .filter_map(|(name, count)| Some((reason(name)?, *count)))
            .collect(),
    )
}

/// accepted = exported + dropped + queued, for every destination that the metrics name.
#[track_caller]
pub(crate) fn check_conserved(series: &BTreeMap<String, f64>) {
    let accepted = format!("{PREFIX}accepted{{otel.component.name=");
    let names = series
        .keys()
        .filter_map(|name| name.strip_prefix(&accepted));
    let names: Vec<_> = names.filter_map(|name| name.strip_suffix('}')).collect();
    assert!(!names.is_empty(), "{series:?}");
    for name in names {
        let (accepted, exported, queued, dropped) = of_destination(series, name);
        let lost: f64 = dropped.iter().map(|(_, count)| count).sum();
        assert_eq!(accepted, exported + queued + lost, "{name}: {series:?}");
    }
}

#[test]
fn what_a_faulty_service_and_a_full_queue_cost_is_in_the_metrics_and_adds_up() {
    let refused = [(); 4].map(|()| Answer::status(503));
    let service = Service::builder()
        .route("/maven/agent365/agents/refused", [Answer::status(403)])
        .route("/maven/agent365/agents/out-of-order", refused)
        .then_repeat(Answer::status(200))
        .start()
        .unwrap();
    let token = || AccessToken::new("secret");
    let delivery = Delivery::builder(token_from_fn(move |_| Ok(Some(token()?))))
        .with_loopback_endpoint(service.url())
        .with_retry(Retry::reference())
        .with_retry_timer(AtOnce);
    let meters = Meters::new();
    let kept = InMemorySpanExporter::default();
    let processor = quiet()
        .with_delivery(delivery)
        .with_destination(Destination::exporter("kept", kept.clone()))
        .with_metrics(&meters.provider)
        .into_processor()
        .unwrap();
    let delivery = processor.delivery().unwrap().clone();
    let queue = processor.queues()[0].clone();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    for agent in ["refused", "out-of-order", "fine", "fine", "not/a/segment"] {
        end_span(&provider, agent);
    }
    provider.tracer("t").start("of nobody").end();
    delivery.flush(WHILE).unwrap_err();
    queue.flush(WHILE).unwrap();

    let series = meters.collect();
    check_conserved(&series);
    let lost = |reason: &str, count| (reason.to_owned(), count);
    assert_eq!(
        of_destination(&series, "agent365"),
        (
            6.0,
            2.0,
            0.0,
            vec![
                lost("bad_identity", 1.0),
                lost("no_identity", 1.0),
                lost("permanent_status", 1.0),
                lost("retries_exhausted", 1.0),
            ]
        )
    );
    assert_eq!(of_destination(&series, "kept"), (6.0, 6.0, 0.0, vec![]));
    assert_eq!(
        series["gen_ai.client.operation.duration.count{gen_ai.operation.name=chat}"],
        5.0
    );
    let names = format!("{series:?}");
    for private in [TENANT, "refused", "out-of-order", "a prompt", "secret"] {
        assert!(!names.contains(private), "{private}: {names}");
    }

    // The metrics go with the processor, which is the provider's.
    drop((provider, delivery, queue));
    let gone = meters.collect();
    assert!(
        gone.keys().all(|name| !name.starts_with(PREFIX)),
        "{gone:?}"
    );
}

#[test]
fn nothing_is_measured_unless_it_is_asked_for() {
    let meters = Meters::new();
    let measured = |processor: AgentSpanProcessor| {
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .build();
        end_span(&provider, "fine");
        let series = meters.collect();
        drop(provider);
        series
    };
    let kept = || Destination::exporter("kept", InMemorySpanExporter::default());
    let without = quiet().with_destination(kept()).into_processor().unwrap();
    assert_eq!(measured(without), BTreeMap::new());

    // The global provider is asked when the telemetry is built, and not before.
    let later = quiet().with_destination(kept()).with_global_metrics();
    opentelemetry::global::set_meter_provider(meters.provider.clone());
    let series = measured(later.into_processor().unwrap());
    check_conserved(&series);
    assert_eq!(of_destination(&series, "kept").0, 1.0);
}
