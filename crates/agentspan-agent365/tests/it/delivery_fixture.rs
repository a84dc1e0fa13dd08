//! What tests of the delivery share: spans of identities, tokens, and a timer that does not wait.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan_agent365::retry::{Retry, RetryTimer};
use agentspan_agent365::{
    AccessToken, Agent365Exporter, Delivery, DeliveryBuilder, ExportReport, TokenResolver,
    token_from_fn,
};
use agentspan_model::keys;
use agentspan_testkit::{Answer, Service};
use futures_executor::block_on;
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use crate::any_span::plain_span;

/// A tenant that can be a host name.
pub(crate) const TENANT: &str = "e3064512-cc6d-4703-be71-a2ecaecaa98a";

/// Long enough that only a hanging test reaches it.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Short, for what never comes.
pub(crate) const SHORT: Duration = Duration::from_millis(300);

/// A span of one identity.
pub(crate) fn span_of(tenant: impl Into<Value>, agent: impl Into<Value>) -> SpanData {
    SpanData {
        attributes: vec![
            KeyValue::new(keys::TENANT_ID, tenant),
            KeyValue::new(keys::GEN_AI_AGENT_ID, agent),
        ],
        ..plain_span()
    }
}

/// A token resolver that always gives this token.
pub(crate) fn token(text: &str) -> impl TokenResolver + use<> {
    let token = AccessToken::new(text).unwrap();
    token_from_fn(move |_| Ok(Some(token.clone())))
}

/// Records pauses and does not wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pauses(Arc<Mutex<Vec<Duration>>>);

impl Pauses {
    pub(crate) fn millis(&self) -> Vec<u128> {
        let pauses = self.0.lock().unwrap();
        pauses.iter().map(Duration::as_millis).collect()
    }
}

impl RetryTimer for Pauses {
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.lock().unwrap().push(pause);
        Box::pin(std::future::ready(()))
    }
}

pub(crate) fn service(answers: impl IntoIterator<Item = Answer>) -> Service {
    Service::builder().script(answers).start().unwrap()
}

/// Delivers to `service` in plain http, one identity at a time, with the tries of the reference and without
/// waiting between them.
pub(crate) fn delivery_to(
    service: &Service,
    resolver: impl TokenResolver,
) -> DeliveryBuilder<Delivery> {
    Delivery::builder(resolver)
        .with_loopback_endpoint(service.url())
        .with_concurrency(1)
        .with_retry(Retry::reference())
        .with_retry_timer(Pauses::default())
}

pub(crate) fn exporter_to(service: &Service, resolver: impl TokenResolver) -> Agent365Exporter {
    delivery_to(service, resolver).build().unwrap().exporter()
}

pub(crate) fn export(exporter: &Agent365Exporter, spans: Vec<SpanData>) -> Arc<ExportReport> {
    block_on(exporter.export_with_report(spans)).unwrap()
}

/// Checks that every span that was accepted is accounted for.
pub(crate) fn check_conserved(delivery: &Delivery) {
    let stats = delivery.stats();
    assert_eq!(
        stats.accepted,
        stats.exported + stats.dropped() + stats.queued,
        "{stats:?}"
    );
}
