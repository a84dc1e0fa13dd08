//! Spans of `tracing`, scopes and Agent Spec spans nest in each other: all orders of three, in three ways, with
//! roots that are opened with `parent: None` and without.

use std::pin::Pin;
use std::sync::Arc;

use agentspan_model::agentspec::SpanDetails;
use agentspan_otel::{BaggageBuilder, ScopeFutureExt as _};
use agentspan_processor::{Span, current_trace};
use opentelemetry::Value;
use opentelemetry::trace::SpanId;
use tracing::instrument::WithSubscriber as _;
use tracing::{Instrument as _, info_span};

use crate::recorder::{Recorder, value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A span of `tracing` in what is current.
    Tracing,
    /// As rig opens it.
    TracingRoot,
    Scope,
    AgentSpec,
}

use Kind::{AgentSpec, Scope, Tracing, TracingRoot};

#[derive(Clone, Copy, Debug)]
enum Way {
    Sync,
    Await,
    Spawn,
}

const WAYS: [Way; 3] = [Way::Sync, Way::Await, Way::Spawn];

fn name(kind: Kind, depth: usize) -> String {
    match kind {
        Scope => format!("execute_tool {depth}"),
        _ => format!("{kind:?} {depth}"),
    }
}

fn open_tracing(kind: Kind, depth: usize) -> tracing::Span {
    let name = name(kind, depth);
    if kind == TracingRoot {
        info_span!(parent: None, "chat", otel.name = name, gen_ai.operation.name = "chat")
    } else {
        info_span!("chat", otel.name = name, gen_ai.operation.name = "chat")
    }
}

fn nest(recorder: &Recorder, kinds: &[Kind], depth: usize) {
    let Some(kind) = kinds.get(depth).copied() else {
        return;
    };
    let inner = || nest(recorder, kinds, depth + 1);
    match kind {
        Tracing | TracingRoot => open_tracing(kind, depth).in_scope(inner),
        Scope => recorder
            .tool(&depth.to_string())
            .in_scope_infallible(|_| inner()),
        AgentSpec => {
            let trace = current_trace().is_none();
            let trace = trace.then(|| recorder.trace().start().unwrap());
            let span = Span::builder(SpanDetails::Plain).with_name(name(kind, depth));
            let span = span.start().unwrap();
            inner();
            span.end().unwrap();
            if let Some(trace) = trace {
                trace.end().unwrap();
            }
        }
    }
}

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

fn nest_async(recorder: Arc<Recorder>, kinds: Arc<[Kind]>, depth: usize, way: Way) -> BoxFuture {
    Box::pin(async move {
        let Some(kind) = kinds.get(depth).copied() else {
            return;
        };
        tokio::task::yield_now().await;
        let inner = nest_async(Arc::clone(&recorder), kinds, depth + 1, way);
        let future: BoxFuture = match kind {
            Tracing | TracingRoot => Box::pin(inner.instrument(open_tracing(kind, depth))),
            Scope => Box::pin(recorder.tool(&depth.to_string()).run_infallible(|_| inner)),
            AgentSpec => {
                let trace = current_trace().is_none();
                let trace = trace.then(|| recorder.trace().start_detached().unwrap());
                let mut span = Span::builder(SpanDetails::Plain).with_name(name(kind, depth));
                if let Some(trace) = &trace {
                    span = span.with_parent(trace.root());
                }
                let span = span.start_detached().unwrap();
                Box::pin(async move {
                    span.wrap(inner).await;
                    Span::end(&span).unwrap();
                    if let Some(trace) = trace {
                        trace.end().unwrap();
                    }
                })
            }
        };
        match way {
            Way::Spawn => {
                // The future ends inside of its subscriber, in which the registry closes parents.
                let future = async move {
                    future.await;
                };
                #[expect(clippy::disallowed_methods, reason = "the test is about tasks")]
                let task = tokio::spawn(future.with_current_subscriber());
                task.await.unwrap();
            }
            _ => future.await,
        }
    })
}

fn run(kinds: &[Kind], way: Way) -> Arc<Recorder> {
    let recorder = Arc::new(Recorder::new());
    let request = BaggageBuilder::request_context("tenant-1", "agent-1", "r-1");
    if let Way::Sync = way {
        recorder.run(|| request.in_baggage(|| nest(&recorder, kinds, 0)));
        return recorder;
    }
    let future = nest_async(Arc::clone(&recorder), kinds.into(), 0, way);
    let future = future.with_baggage(&request);
    let future = future.with_subscriber(recorder.dispatch.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build();
    runtime.unwrap().block_on(future);
    recorder
}

#[track_caller]
fn check(kinds: &[Kind], way: Way) {
    let recorder = run(kinds, way);
    let mut above = None;
    for (depth, kind) in kinds.iter().copied().enumerate() {
        let span = recorder.named(&name(kind, depth));
        let mut parent = span.parent_span_id;
        // The first span of Agent Spec is in its trace's root.
        let spans = recorder.spans();
        if let Some(root) = spans.iter().find(|span| {
            span.name == "RootSpan" && span.span_context.span_id() == parent && kind == AgentSpec
        }) {
            parent = root.parent_span_id;
        }
        let trace = span.span_context.trace_id();
        let (expected, in_trace) = above.unwrap_or((SpanId::INVALID, trace));
        assert_eq!(
            (parent, trace),
            (expected, in_trace),
            "{kinds:?} {way:?} {depth}"
        );
        for (key, expected) in [
            ("tenant.id", "tenant-1"),
            ("gen_ai.agent.id", "agent-1"),
            ("correlation.id", "r-1"),
        ] {
            let found = value(&span, key);
            assert_eq!(
                found,
                Some(Value::from(expected)),
                "{kinds:?} {way:?} {key}"
            );
        }
        above = Some((span.span_context.span_id(), trace));
    }
}

/// All twelve orders of three in which no two neighbours are of one kind.
fn orders(tracing: Kind) -> Vec<[Kind; 3]> {
    let all = [tracing, Scope, AgentSpec];
    let mut orders = Vec::new();
    for first in all {
        for second in all {
            for third in all {
                if first != second && second != third {
                    orders.push([first, second, third]);
                }
            }
        }
    }
    assert_eq!(orders.len(), 12);
    orders
}

#[test]
fn all_orders_of_three_nest_rightly_in_every_way() {
    for way in WAYS {
        for order in orders(Tracing) {
            check(&order, way);
        }
    }
}

#[test]
fn d8_roots_that_say_they_have_no_parent_are_children_of_what_is_active() {
    for way in WAYS {
        for order in orders(TracingRoot) {
            check(&order, way);
        }
    }
}

#[test]
fn a_long_chain_nests_rightly_in_every_way() {
    for way in WAYS {
        let chain = [Tracing, Scope, Tracing, AgentSpec, Tracing, TracingRoot];
        check(&chain, way);
        check(&[TracingRoot, Tracing, AgentSpec, Scope, TracingRoot], way);
    }
}
