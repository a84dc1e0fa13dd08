//! `d5_order_of_nesting`: a scope that was not polled yet goes under the context that its future is
//! given, in whatever order that is written.

use std::future::ready;
use std::io;

use agentspan_model::agent365::{
    GuardrailDetails, InferenceCallDetails, InferenceOperationType, InvokeAgentDetails, Response,
    ToolCallDetails,
};
use agentspan_otel::baggage::RequestBaggage;
use agentspan_otel::scopes::ScopedFuture;
use agentspan_otel::{
    ApplyGuardrailScope, BaggageBuilder, ExecuteToolScope, InferenceScope, InvokeAgentScope,
    OtelBridge, OutputScope, Propagation, Scope, ScopeFutureExt as _,
};
use agentspan_processor::{Span as AgentSpan, Trace};
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{
    FutureExt as _, SpanContext, TraceContextExt as _, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SpanData};
use tracing::Instrument as _;

use crate::recorder::{Recorder, agent, assert_child, assert_root, tenant, values};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// What came with a request.
fn caller() -> Context {
    let parent = format!("00-{TRACE}-{CALLER}-01");
    Propagation::new().extract_headers(&Context::new(), [("traceparent", parent)])
}

fn baggage() -> RequestBaggage {
    BaggageBuilder::new().with_correlation_id("r-42").build()
}

fn request() -> Context {
    baggage().to_context(&caller())
}

#[track_caller]
fn assert_in_request(span: &SpanData) {
    assert_eq!(
        span.span_context.trace_id().to_string(),
        TRACE,
        "{}",
        span.name
    );
    assert_eq!(span.parent_span_id.to_string(), CALLER, "{}", span.name);
    assert_eq!(
        values(span, "correlation.id"),
        ["r-42".into()],
        "{}",
        span.name
    );
}

/// Work in which a span of somebody else starts.
async fn work(recorder: &Recorder) -> Result<(), io::Error> {
    tokio::task::yield_now().await;
    recorder.provider.tracer("http").start("inside");
    Ok(())
}

/// The scope is under the request, and what happens inside of it is under the scope.
#[track_caller]
fn check_in_request(recorder: &Recorder, name: &str) {
    let scope = recorder.named(name);
    assert_in_request(&scope);
    let inside = recorder.named("inside");
    assert_child(&inside, &scope);
    assert_eq!(values(&inside, "correlation.id"), ["r-42".into()]);
}

#[tokio::test]
async fn d5_a_scope_that_runs_with_a_context_is_under_it() {
    let recorder = Recorder::new();
    let scope = recorder.invoke_agent();
    scope
        .run(|_| work(&recorder))
        .with_context(request())
        .await
        .unwrap();
    check_in_request(&recorder, "invoke_agent");
}

#[tokio::test]
async fn d5_a_scope_that_runs_with_baggage_has_it() {
    let recorder = Recorder::new();
    async {
        let scope = recorder.invoke_agent();
        scope
            .run(|_| work(&recorder))
            .with_baggage(&baggage())
            .await
    }
    .with_context(caller())
    .await
    .unwrap();
    check_in_request(&recorder, "invoke_agent");
}

#[tokio::test]
async fn d5_every_way_to_run_every_scope_takes_the_context() {
    async fn check<K>(name: &str, start: impl Fn(&Recorder) -> Scope<K>) {
        let in_each_way = |way: usize, recorder: &Recorder| -> ScopedFuture<_> {
            let scope = start(recorder);
            let inner = recorder.provider.tracer("http");
            let work = async move {
                tokio::task::yield_now().await;
                inner.start("inside");
                Ok::<_, io::Error>(())
            };
            let work: std::pin::Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(work);
            match way {
                0 => work.in_scope(scope),
                _ => work.in_scope_infallible(scope),
            }
        };
        for way in 0..2 {
            let recorder = Recorder::new();
            let future = in_each_way(way, &recorder);
            future.with_context(request()).await.unwrap();
            check_in_request(&recorder, name);
        }
        let recorder = Recorder::new();
        let future = start(&recorder).run(|_| work(&recorder));
        future.with_context(request()).await.unwrap();
        check_in_request(&recorder, name);
        let recorder = Recorder::new();
        let future = start(&recorder).run_infallible(|_| work(&recorder));
        future.with_context(request()).await.unwrap();
        check_in_request(&recorder, name);
    }
    check("invoke_agent", Recorder::invoke_agent).await;
    check("execute_tool a", |recorder| recorder.tool("a")).await;
    check("Chat gpt", Recorder::inference).await;
    let agent = agent();
    check("output_messages agent-1", |recorder| {
        let answer = Response::from("answer");
        OutputScope::builder(&answer)
            .with_agent(&agent)
            .with_tracer(&recorder.tracer)
            .start()
    })
    .await;
    check("apply_guardrail llm_input", |recorder| {
        let guardrail = GuardrailDetails::new("llm_input", "allow");
        ApplyGuardrailScope::builder(&guardrail)
            .with_tracer(&recorder.tracer)
            .start()
    })
    .await;
}

#[tokio::test]
async fn d5_wrappers_between_the_scope_and_the_context_change_nothing() {
    let recorder = Recorder::new();
    let scope = recorder.invoke_agent();
    let future = scope
        .run(|_| work(&recorder))
        .instrument(tracing::info_span!("http"));
    future.with_context(request()).await.unwrap();
    check_in_request(&recorder, "invoke_agent");

    let recorder = Recorder::new();
    let future = recorder.invoke_agent().run(|_| work(&recorder));
    Box::pin(future).with_context(request()).await.unwrap();
    check_in_request(&recorder, "invoke_agent");

    let recorder = Recorder::new();
    let future = recorder.invoke_agent().run(|_| work(&recorder));
    let future: std::pin::Pin<Box<dyn Future<Output = _>>> = Box::pin(future);
    async { future.with_baggage(&baggage()).await }
        .with_context(caller())
        .await
        .unwrap();
    check_in_request(&recorder, "invoke_agent");
}

#[tokio::test]
async fn d5_the_context_also_wins_over_a_span_that_was_current_at_the_start() {
    for is_wrapped in [false, true] {
        let recorder = Recorder::new();
        let server = recorder.provider.tracer("http").start("server");
        let server = Context::new().with_span(server);
        async {
            let future = recorder.invoke_agent().run(|_| work(&recorder));
            if is_wrapped {
                let future = future.instrument(tracing::info_span!("x"));
                future.with_context(request()).await
            } else {
                future.with_context(request()).await
            }
        }
        .with_context(server)
        .await
        .unwrap();
        check_in_request(&recorder, "invoke_agent");
    }
}

#[tokio::test]
async fn where_nothing_is_current_a_scope_stays_where_it_started() {
    let recorder = Recorder::new();
    let outer = recorder.tool("outer");
    let future = {
        let _request = baggage().enter();
        let _outer = outer.enter();
        // The context of `outer` is that of its start, without the baggage.
        let outer = baggage().to_context(&Context::current()).attach();
        let tracer = recorder.provider.tracer("inner");
        let future = recorder.invoke_agent().run(move |_| async move {
            tracer.start("inside");
            Ok::<_, io::Error>(())
        });
        drop(outer);
        future
    };
    #[expect(clippy::disallowed_methods, reason = "the test is about tasks")]
    tokio::spawn(future).await.unwrap().unwrap();
    drop(outer);
    let scope = recorder.named("invoke_agent");
    assert_child(&scope, &recorder.named("execute_tool outer"));
    assert_eq!(values(&scope, "correlation.id"), ["r-42".into()]);
    assert_child(&recorder.named("inside"), &scope);
}

#[tokio::test]
async fn baggage_that_is_current_without_a_span_is_added_to_the_span_of_the_start() {
    let recorder = Recorder::new();
    let future = {
        let _caller = caller().attach();
        recorder.invoke_agent().run(|_| work(&recorder))
    };
    let nothing_but_baggage = baggage().to_context(&Context::new());
    Box::pin(future)
        .with_context(nothing_but_baggage)
        .await
        .unwrap();
    check_in_request(&recorder, "invoke_agent");
}

/// What others keep in contexts, for instance the token of a request.
#[derive(Clone, Debug, PartialEq)]
struct Token(&'static str);

#[tokio::test]
async fn values_of_others_are_there_wherever_they_were_set() {
    let token = |context: &Context| context.with_value(Token("t"));
    let inside = || async { Context::current().get::<Token>().cloned() };
    let recorder = Recorder::new();
    // Where it is polled,
    let future = recorder.invoke_agent().run_infallible(|_| inside());
    let wrapped = Box::pin(future).with_context(token(&Context::new()));
    assert_eq!(wrapped.await, Some(Token("t")));
    // where it was started,
    let future = {
        let _token = token(&Context::new()).attach();
        recorder.invoke_agent().run_infallible(|_| inside())
    };
    assert_eq!(future.await, Some(Token("t")));
    // and beside baggage of the other place.
    let future = {
        let _request = baggage().enter();
        recorder.invoke_agent().run_infallible(|_| inside())
    };
    let wrapped = Box::pin(future).with_context(token(&Context::new()));
    assert_eq!(wrapped.await, Some(Token("t")));
    let span = recorder.spans().pop().unwrap();
    assert_eq!(values(&span, "correlation.id"), ["r-42".into()]);
}

#[tokio::test]
async fn an_identity_that_was_set_where_it_is_polled_goes_before_that_of_the_start() {
    let recorder = Recorder::new();
    let start = BaggageBuilder::new()
        .with_tenant_id("t1")
        .with_agent_id("a1")
        .build();
    let future = {
        let _start = start.to_context(&caller()).attach();
        let tracer = recorder.provider.tracer("http");
        recorder.invoke_agent().run_infallible(|_| async move {
            tracer.start("inside");
        })
    };
    let tenant = BaggageBuilder::new().with_tenant_id("t2").build();
    Box::pin(future)
        .with_context(tenant.to_context(&Context::new()))
        .await;
    let inside = recorder.named("inside");
    assert_eq!(values(&inside, "tenant.id"), ["t2".into()]);
    // Nobody said that this agent is one of that tenant.
    assert_eq!(values(&inside, "gen_ai.agent.id"), []);
}

#[tokio::test]
async fn an_empty_context_makes_a_scope_a_root() {
    let recorder = Recorder::new();
    let _caller = request().attach();
    let future = recorder.invoke_agent().run(|_| work(&recorder));
    future.with_context(Context::new()).await.unwrap();
    let scope = recorder.named("invoke_agent");
    assert_root(&scope);
    assert_eq!(values(&scope, "correlation.id"), []);
}

#[tokio::test]
async fn an_explicit_parent_stays_unless_the_future_is_given_another() {
    let start = |recorder: &Recorder, parent: &Context| -> InvokeAgentScope {
        let details = InvokeAgentDetails::new(agent());
        InvokeAgentScope::builder(&details)
            .with_tenant(&tenant())
            .with_tracer(&recorder.tracer)
            .with_parent(parent)
            .start()
    };
    // What is current where it is polled does not count,
    let recorder = Recorder::new();
    let elsewhere = recorder.provider.tracer("http").start("elsewhere");
    let future = start(&recorder, &request()).run(|_| work(&recorder));
    Box::pin(future)
        .with_context(Context::new().with_span(elsewhere))
        .await
        .unwrap();
    check_in_request(&recorder, "invoke_agent");
    // baggage is added,
    let recorder = Recorder::new();
    let future = start(&recorder, &caller()).run(|_| work(&recorder));
    future.with_baggage(&baggage()).await.unwrap();
    check_in_request(&recorder, "invoke_agent");
    // and a later word counts.
    let recorder = Recorder::new();
    let future = start(&recorder, &Context::new()).run(|_| work(&recorder));
    future.with_context(request()).await.unwrap();
    check_in_request(&recorder, "invoke_agent");
    let recorder = Recorder::new();
    let future = start(&recorder, &Context::new()).run(|_| work(&recorder));
    let future = future.with_context(caller()).with_baggage(&baggage());
    future.await.unwrap();
    check_in_request(&recorder, "invoke_agent");
    let recorder = Recorder::new();
    let future = start(&recorder, &Context::new()).run(|_| work(&recorder));
    let future = future.with_baggage(&baggage()).with_context(caller());
    future.await.unwrap();
    check_in_request(&recorder, "invoke_agent");
}

#[tokio::test]
async fn baggage_that_is_given_joins_whatever_is_current_at_the_first_poll() {
    // A token that is put around it afterwards,
    let recorder = Recorder::new();
    let future = recorder
        .invoke_agent()
        .run_infallible(|_| async { Context::current().get::<Token>().cloned() });
    let future = Box::pin(future.with_baggage(&baggage()));
    let token = future.with_context(caller().with_value(Token("t"))).await;
    assert_eq!(token, Some(Token("t")));
    assert_in_request(&recorder.named("invoke_agent"));
    // and nothing, in a task: then it is where it was given.
    let recorder = Recorder::new();
    let tracer = recorder.provider.tracer("http");
    let future = recorder.invoke_agent().run_infallible(|_| async move {
        tracer.start("inside");
    });
    let future = {
        let _caller = caller().attach();
        future.with_baggage(&baggage())
    };
    #[expect(clippy::disallowed_methods, reason = "the test is about tasks")]
    tokio::spawn(future).await.unwrap();
    check_in_request(&recorder, "invoke_agent");
}

#[tokio::test]
async fn what_was_recorded_before_the_scope_runs_is_on_its_span() {
    let recorder = Recorder::new();
    let scope = recorder.invoke_agent();
    let handle = scope.clone();
    scope.record_input_messages(&["question"]);
    handle.record_attributes([("key", "first"), ("correlation.id", "own")]);
    scope.record_attributes([KeyValue::new("key", "second")]);
    let end = std::time::UNIX_EPOCH + std::time::Duration::from_secs(7);
    handle.set_end_time(end);
    let future = scope.run(|_| work(&recorder)).with_context(request());
    drop(handle);
    assert!(recorder.spans().is_empty());
    future.await.unwrap();
    let span = recorder.named("invoke_agent");
    assert_eq!(span.span_context.trace_id().to_string(), TRACE);
    assert_eq!(
        values(&span, "gen_ai.input.messages"),
        [r#"["question"]"#.into()]
    );
    assert_eq!(values(&span, "key"), ["second".into()]);
    // A free attribute gives way to what the request says.
    assert_eq!(values(&span, "correlation.id"), ["r-42".into()]);
    assert_eq!(span.end_time, end);
}

#[tokio::test]
async fn the_work_of_a_scope_starts_when_it_is_polled_and_inside_of_it() {
    let recorder = Recorder::new();
    let has_begun = std::cell::Cell::new(false);
    let future = recorder.invoke_agent().run(|_| {
        has_begun.set(true);
        let inner = recorder.tool("inner");
        async move {
            drop(inner);
            Ok::<_, io::Error>(())
        }
    });
    assert!(!has_begun.get());
    future.with_context(request()).await.unwrap();
    assert!(has_begun.get());
    let scope = recorder.named("invoke_agent");
    assert_in_request(&scope);
    assert_child(&recorder.named("execute_tool inner"), &scope);
}

#[tokio::test]
async fn a_scope_that_somebody_needed_before_keeps_its_parent() {
    let recorder = Recorder::new();
    let outer = recorder.tool("outer");
    let _outer = outer.enter();
    let needs: [fn(&InvokeAgentScope); 6] = [
        |scope| drop(scope.enter()),
        |scope| drop(scope.context()),
        |scope| drop(scope.span_context()),
        |scope| scope.inject_headers(&mut std::collections::HashMap::new()),
        |scope| assert!(scope.is_recording()),
        |scope| scope.record_error_as("E", "message"),
    ];
    for need in needs {
        let scope = recorder.invoke_agent();
        need(&scope);
        let ids = scope.span_context();
        scope
            .run(|_| work(&recorder))
            .with_context(request())
            .await
            .unwrap();
        let span = recorder.spans().pop().unwrap();
        assert_eq!(span.span_context.span_id(), ids.span_id());
        assert_eq!(span.parent_span_id, outer.span_context().span_id());
    }
}

#[tokio::test]
async fn a_future_that_is_dropped_before_it_was_polled_is_in_its_context() {
    let recorder = Recorder::new();
    drop(
        recorder
            .invoke_agent()
            .run(|_| work(&recorder))
            .with_context(request()),
    );
    assert_in_request(&recorder.named("invoke_agent"));
}

#[tokio::test]
async fn a_scope_without_a_span_runs_its_future_in_the_context() {
    for sampler in [Sampler::AlwaysOff, Sampler::AlwaysOn] {
        let recorder = Recorder::with(|builder| builder.with_sampler(sampler));
        recorder.provider.shutdown().unwrap();
        let scope = recorder.invoke_agent();
        let future = scope.run_infallible(|_| async {
            tokio::task::yield_now().await;
            Context::current().span().span_context().clone()
        });
        let inside: SpanContext = future.with_context(request()).await;
        assert_eq!(inside.trace_id().to_string(), TRACE);
        let future = recorder.invoke_agent().run_infallible(|_| async {
            let context = Context::current();
            (
                context.span().span_context().clone(),
                context.baggage().len(),
            )
        });
        let future = {
            let _caller = caller().attach();
            future.with_baggage(&baggage())
        };
        let (span, entries) = future.await;
        assert_eq!((span.trace_id().to_string().as_str(), entries), (TRACE, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_handles_that_start_a_scope_at_once_start_one_span() {
    for _ in 0..200 {
        let recorder = Recorder::new();
        let scope = recorder.invoke_agent();
        let ids: Vec<_> = std::thread::scope(|threads| {
            let started: Vec<_> = (0..4)
                .map(|_| {
                    let handle = scope.clone();
                    threads.spawn(move || {
                        handle.record_attributes([("key", "value")]);
                        handle.span_context()
                    })
                })
                .collect();
            let joined = started.into_iter().map(|thread| thread.join().unwrap());
            joined.collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0] && id.is_valid()));
        drop(scope);
        assert_eq!(values(&recorder.span(), "key"), ["value".into()]);
    }
}

#[tokio::test]
async fn d5_spans_and_traces_of_agent_spec_take_the_context_too() {
    let details = || agentspan_model::agentspec::SpanDetails::Plain;
    for way in 0..4 {
        let recorder = Recorder::with(|builder| {
            OtelBridge::prepare(builder)
                .with_span_processor(agentspan_otel::BaggageSpanProcessor::new())
        });
        let trace = Trace::builder().with_processor(OtelBridge::new(&recorder.provider));
        let future = trace.run(|_| async {
            AgentSpan::builder(details())
                .with_name("span")
                .run(|_| async { Ok::<_, agentspan_processor::TraceError>(()) })
                .await
        });
        let done = match way {
            0 => future.with_context(request()).await,
            1 => {
                future
                    .instrument(tracing::info_span!("x"))
                    .with_context(request())
                    .await
            }
            2 => {
                async { future.with_baggage(&baggage()).await }
                    .with_context(caller())
                    .await
            }
            _ => {
                let scope = recorder.invoke_agent();
                future.in_scope(scope).with_context(request()).await
            }
        };
        done.unwrap();
        let root = recorder.named("RootSpan");
        if way == 3 {
            let scope = recorder.named("invoke_agent");
            assert_in_request(&scope);
            assert_child(&root, &scope);
        } else {
            assert_in_request(&root);
        }
        assert_child(&recorder.named("span"), &root);
        assert_eq!(
            values(&recorder.named("span"), "correlation.id"),
            ["r-42".into()]
        );
    }
}

#[test]
fn the_newcomers_first_handler_is_right() {
    let recorder = Recorder::new();
    let call = InferenceCallDetails::new(InferenceOperationType::Chat, "gpt", "openai");
    let details = InvokeAgentDetails::new(agent());
    let tenant = tenant();
    let handler = InvokeAgentScope::builder(&details)
        .with_tenant(&tenant)
        .with_tracer(&recorder.tracer)
        .start()
        .run(|_| {
            let model = InferenceScope::builder(&call)
                .with_tracer(&recorder.tracer)
                .start();
            let tool = ToolCallDetails::new("clock");
            let tool = ExecuteToolScope::builder(&tool)
                .with_tracer(&recorder.tracer)
                .start();
            async move {
                ready(()).in_scope_infallible(model).await;
                ready(()).in_scope_infallible(tool).await;
                Ok::<_, io::Error>(())
            }
        });
    futures_executor::block_on(handler.with_context(request())).unwrap();
    let scope = recorder.named("invoke_agent");
    assert_in_request(&scope);
    for name in ["Chat gpt", "execute_tool clock"] {
        let inner = recorder.named(name);
        assert_child(&inner, &scope);
        assert_eq!(values(&inner, "correlation.id"), ["r-42".into()]);
    }
}
