//! A provider that keeps finished spans, and services to try layers on.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use agentspan_model::agent365::{AgentDetails, AgentId, InvokeAgentDetails};
use agentspan_otel::{BaggageSpanProcessor, InvokeAgentScope, ScopeTracer};
use agentspan_tower::Service;
use http::{Request, Response};
use opentelemetry::Context;
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, SdkTracer, SdkTracerProvider, SimpleSpanProcessor, SpanData,
};

pub(crate) const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Nobody can look into it: it has no trait at all.
#[derive(PartialEq, Eq)]
pub(crate) struct Opaque(pub(crate) u32);

#[derive(Clone)]
pub(crate) struct Recorder {
    exporter: InMemorySpanExporter,
    pub(crate) tracer: SdkTracer,
    pub(crate) scopes: ScopeTracer,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BaggageSpanProcessor::new())
            .with_span_processor(SimpleSpanProcessor::new(exporter.clone()))
            .build();
        Self {
            exporter,
            tracer: provider.tracer("test"),
            scopes: ScopeTracer::new(&provider),
        }
    }

    pub(crate) fn spans(&self) -> Vec<SpanData> {
        self.exporter.get_finished_spans().unwrap()
    }

    #[track_caller]
    pub(crate) fn named(&self, name: &str) -> SpanData {
        let spans = self.spans();
        let found = spans.iter().find(|span| span.name == name);
        found
            .unwrap_or_else(|| panic!("{name}: {spans:#?}"))
            .clone()
    }

    /// A span in the current context.
    pub(crate) fn work(&self, name: &'static str) {
        drop(self.tracer.start_with_context(name, &Context::current()));
    }

    pub(crate) fn scope(&self, agent: &str) -> InvokeAgentScope {
        let agent = AgentDetails::new(AgentId::parse(agent).unwrap());
        let details = InvokeAgentDetails::new(agent);
        InvokeAgentScope::builder(&details)
            .with_tracer(&self.scopes)
            .start()
    }
}

pub(crate) fn text(span: &SpanData, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|it| it.key.as_str() == key);
    found.map(|it| it.value.to_string())
}

/// A service that a function answers for.
#[derive(Clone)]
pub(crate) struct Handler<F>(pub(crate) F);

impl<F, R, T, E, Fut> Service<R> for Handler<F>
where
    F: FnMut(R) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    type Response = T;
    type Error = E;
    type Future = Fut;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Fut {
        (self.0)(request)
    }
}

/// What a handler answers.
pub(crate) type Answer<T = Opaque> = Result<Response<T>, Infallible>;

pub(crate) fn answer() -> Answer {
    Ok(Response::new(Opaque(2)))
}

pub(crate) fn request(headers: &[(&str, &[u8])]) -> Request<Opaque> {
    let mut request = Request::builder().uri("/ask");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Opaque(1)).unwrap()
}

/// Sends one request.
pub(crate) fn send<S: Service<Request<Opaque>>>(
    service: &mut S,
    headers: &[(&str, &[u8])],
) -> Result<S::Response, S::Error> {
    block_on(service.call(request(headers)))
}

/// Runs a future that waits for nothing but its own pauses. The SDK's processor runs an executor
/// itself, which does not nest in another.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            return output;
        }
    }
}

/// Polls once.
pub(crate) fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    let waker = std::task::Waker::noop();
    future.poll(&mut TaskContext::from_waker(waker))
}

/// Lets others run once.
pub(crate) async fn pause() {
    let mut has_paused = false;
    std::future::poll_fn(|task| {
        if has_paused {
            return Poll::Ready(());
        }
        has_paused = true;
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
