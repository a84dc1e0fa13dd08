//! Who becomes whose child, across threads and tasks.

use opentelemetry::Context;
use opentelemetry::trace::{FutureExt as _, TraceContextExt as _, Tracer, TracerProvider};

use agentspan_otel::ScopeFutureExt as _;

use crate::recorder::{Recorder, assert_child, assert_root};

#[test]
fn only_an_entered_scope_becomes_a_parent() {
    let recorder = Recorder::new();
    let outer = recorder.invoke_agent();
    recorder.tool("beside").end();
    let active = outer.enter();
    recorder.tool("inside").end();
    drop(active);
    recorder.tool("after").end();
    drop(outer);
    assert_root(&recorder.named("execute_tool beside"));
    assert_root(&recorder.named("execute_tool after"));
    assert_child(
        &recorder.named("execute_tool inside"),
        &recorder.named("invoke_agent"),
    );
}

#[test]
fn guards_may_be_dropped_in_any_order() {
    let recorder = Recorder::new();
    let (a, b) = (recorder.tool("a"), recorder.tool("b"));
    let in_a = a.enter();
    let in_b = b.enter();
    drop(in_a);
    recorder.tool("in b").end();
    drop(in_b);
    recorder.tool("outside").end();
    drop((a, b));
    assert_child(
        &recorder.named("execute_tool in b"),
        &recorder.named("execute_tool b"),
    );
    assert_root(&recorder.named("execute_tool outside"));
}

#[test]
fn spans_of_opentelemetry_and_scopes_nest_in_each_other() {
    let recorder = Recorder::new();
    let tracer = recorder.provider.tracer("http");
    tracer.in_span("request", |_| {
        recorder
            .invoke_agent()
            .in_scope_infallible(|_| tracer.in_span("database", |_| {}));
    });
    let scope = recorder.named("invoke_agent");
    assert_child(&scope, &recorder.named("request"));
    assert_child(&recorder.named("database"), &scope);
}

#[test]
fn an_explicit_parent_wins_over_the_current_span() {
    let recorder = Recorder::new();
    let parent = recorder.tool("parent");
    let context = parent.context();
    recorder.tool("current").in_scope_infallible(|_| {
        let call = agentspan_model::agent365::ToolCallDetails::new("child");
        agentspan_otel::ExecuteToolScope::builder(&call)
            .with_tracer(&recorder.tracer)
            .with_parent(&context)
            .start()
            .end();
    });
    drop(parent);
    assert_child(
        &recorder.named("execute_tool child"),
        &recorder.named("execute_tool parent"),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_tasks_keep_their_scopes_apart_while_they_move_between_threads() {
    let recorder = Recorder::new();
    let turn = recorder.invoke_agent();
    let context = turn.context();
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let call = agentspan_model::agent365::ToolCallDetails::new(format!("tool {n}"));
            let scope = agentspan_otel::ExecuteToolScope::builder(&call)
                .with_tracer(&recorder.tracer)
                .with_parent(&context)
                .start();
            let tracer = recorder.provider.tracer("inner");
            let work = async move {
                for step in 0..8 {
                    tokio::task::yield_now().await;
                    tracer.start(format!("step {step} of {n}"));
                }
                Ok::<_, std::io::Error>(n)
            };
            #[expect(clippy::disallowed_methods, reason = "the test is about tasks")]
            tokio::spawn(work.in_scope(scope))
        })
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap().unwrap(), n);
    }
    drop(turn);
    let turn = recorder.named("invoke_agent");
    for n in 0..8 {
        let tool = recorder.named(&format!("execute_tool tool {n}"));
        assert_child(&tool, &turn);
        for step in 0..8 {
            assert_child(&recorder.named(&format!("step {step} of {n}")), &tool);
        }
    }
    assert!(!Context::current().has_active_span());
}

#[tokio::test]
async fn between_polls_the_scope_is_not_current() {
    let recorder = Recorder::new();
    let (first, second) = (recorder.tool("first"), recorder.tool("second"));
    let tracer = recorder.provider.tracer("inner");
    let work = |name: &'static str| {
        let tracer = tracer.clone();
        async move {
            tokio::task::yield_now().await;
            tracer.start(name);
        }
    };
    tokio::join!(
        work("in first").in_scope_infallible(first),
        work("in second").in_scope_infallible(second),
        work("in none").with_context(Context::current()),
    );
    assert_child(
        &recorder.named("in first"),
        &recorder.named("execute_tool first"),
    );
    assert_child(
        &recorder.named("in second"),
        &recorder.named("execute_tool second"),
    );
    assert_root(&recorder.named("in none"));
}

#[tokio::test]
async fn a_handle_inside_the_future_records_on_the_scope() {
    let recorder = Recorder::new();
    let result = recorder
        .invoke_agent()
        .run(|turn| {
            let inner = recorder.tool("inner");
            let kept = turn.clone();
            async move {
                tokio::task::yield_now().await;
                turn.record_response("done");
                drop(inner);
                Ok::<_, std::io::Error>(kept)
            }
        })
        .await;
    let turn = recorder.named("invoke_agent");
    // It ended with the future although a handle is still there.
    assert!(!result.unwrap().is_recording());
    assert_eq!(
        crate::recorder::values(&turn, "gen_ai.output.messages"),
        [r#"["done"]"#.into()]
    );
    // The closure itself runs inside the scope too.
    assert_child(&recorder.named("execute_tool inner"), &turn);
}
