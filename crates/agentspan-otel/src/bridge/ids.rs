//! Gives Agent Spec spans their OpenTelemetry ids.
//!
//! The SDK takes ids only from its generator. It asks the generator on the thread that starts the
//! span, before any sampler or processor runs. `docs/adr/003-ids-through-the-generator.md` says why
//! this is better than to build span data without the SDK.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use agentspan_model::random;
use agentspan_queue::contain;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;

/// The ids that the next span on this thread is to get.
#[derive(Clone, Copy, Default)]
struct Wanted {
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
}

thread_local! {
    static WANTED: Cell<Wanted> = const { Cell::new(Wanted { trace_id: None, span_id: None }) };
}

/// Generates random ids that differ between forked processes.
///
/// A fork copies the SDK's own generator. So a child repeats the ids of its parent, and all workers
/// of a forking server generate the same ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RandomIds;

impl IdGenerator for RandomIds {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from(random::bits().max(1))
    }

    fn new_span_id(&self) -> SpanId {
        let bits = random::bits();
        // Both halves are random, one is as good as the other.
        SpanId::from((bits as u64).max(1))
    }
}

/// Gives Agent Spec spans their own ids, and all other spans random ids.
///
/// [`OtelBridge::prepare`](crate::OtelBridge::prepare) sets it. If the provider already has a
/// generator, wrap that generator, which then generates the ids of all other spans:
///
/// ```
/// use agentspan_otel::bridge::AgentSpecIdGenerator;
/// use opentelemetry_sdk::trace::{RandomIdGenerator, SdkTracerProvider};
///
/// let provider = SdkTracerProvider::builder()
///     .with_id_generator(AgentSpecIdGenerator::over(RandomIdGenerator::default()))
///     .build();
/// # let _ = provider;
/// ```
#[derive(Clone, Debug, Default)]
pub struct AgentSpecIdGenerator<G = RandomIds> {
    others: G,
}

impl<G: IdGenerator> AgentSpecIdGenerator<G> {
    /// Takes the ids of other spans from `others`.
    pub fn over(others: G) -> Self {
        Self { others }
    }
}

impl<G: IdGenerator> IdGenerator for AgentSpecIdGenerator<G> {
    fn new_trace_id(&self) -> TraceId {
        let mut wanted = WANTED.get();
        let trace_id = wanted.trace_id.take();
        WANTED.set(wanted);
        trace_id.unwrap_or_else(|| self.others.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        let mut wanted = WANTED.get();
        let span_id = wanted.span_id.take();
        WANTED.set(wanted);
        span_id.unwrap_or_else(|| self.others.new_span_id())
    }
}

/// Starts a span that is to have these ids. A trace id is for a span without a parent only: nobody else
/// would ask for it, and it would be left for another span.
pub(super) fn with_ids<T>(
    trace_id: Option<TraceId>,
    span_id: SpanId,
    start: impl FnOnce() -> T,
) -> T {
    let _forget = Forget;
    let span_id = Some(span_id);
    WANTED.set(Wanted { trace_id, span_id });
    start()
}

/// Nobody may have asked: a provider that is shut down does not, nor does another generator.
struct Forget;

impl Drop for Forget {
    fn drop(&mut self) {
        WANTED.set(Wanted::default());
    }
}

/// Says once that the provider makes its own ids.
pub(super) fn warn_of_random_ids() {
    // Nobody waits for it, as a child of a fork would for a subscriber that runs in its parent.
    static IS_SAID: AtomicBool = AtomicBool::new(false);
    if IS_SAID.swap(true, Ordering::Relaxed) {
        return;
    }
    contain::log(|| {
        tracing::warn!(
            target: "agentspan::otel::bridge",
            "the provider was not prepared for agent spec ids, so they are random"
        );
    });
}
