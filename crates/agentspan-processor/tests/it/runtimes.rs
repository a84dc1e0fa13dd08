//! The same program under each kind of executor.

use agentspan_model::agentspec::SpanDetails;
use agentspan_processor::{InMemory, Span, Trace, TraceError, current_span};
use tokio::sync::oneshot;

use crate::recorder::{EVENT, span, yield_once};

/// Awaits, a child in a branch that loses, a task that outlives its parent, a stream of events.
async fn program(spawn: impl Fn(futures_task::Boxed)) -> Result<(), TraceError> {
    let outer = span("outer").start_async().await?;
    let parent = Span::clone(&outer);
    let (finish, finished) = oneshot::channel();
    let (go, gone) = oneshot::channel::<()>();
    outer
        .wrap(async {
            span("first")
                .run(|first| async move {
                    yield_once().await;
                    assert!(current_span().is_some_and(|current| current.is_same(&first)));
                    first.add_event_async(EVENT).await
                })
                .await?;
            let loser = span("loser").run(|_| std::future::pending::<Result<(), TraceError>>());
            let winner = span("winner").run(|winner| async move {
                yield_once().await;
                yield_once().await;
                winner.add_event_async(EVENT).await
            });
            tokio::select! {
                biased;
                result = loser => result?,
                result = winner => result?,
            }
            Ok::<_, TraceError>(())
        })
        .await?;
    spawn(Box::pin(async move {
        let result = Span::builder(SpanDetails::Plain)
            .with_name("outlives")
            .with_parent(&parent)
            .run(|_| async {
                let _ = gone.await;
                yield_once().await;
                Ok::<_, TraceError>(())
            })
            .await;
        finish.send(result.is_ok()).unwrap();
    }));
    yield_once().await;
    outer.end_async().await?;
    go.send(()).unwrap();
    assert!(finished.await.unwrap());
    Ok(())
}

/// Names of types that the program needs, so that it needs no other crate for them.
mod futures_task {
    use std::future::Future;
    use std::pin::Pin;

    pub(super) type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;
}

fn trace() -> (InMemory, agentspan_processor::trace::TraceBuilder) {
    let memory = InMemory::new();
    (memory.clone(), Trace::builder().with_processor(memory))
}

#[track_caller]
fn check(memory: &InMemory) {
    memory
        .expect_tree(
            "RootSpan
             └─ outer (Span)
                ├─ first (Span)
                │  · Event
                ├─ loser (Span)
                │  · ExceptionRaised
                ├─ winner (Span)
                │  · Event
                └─ outlives (Span)",
        )
        .unwrap();
}

#[expect(clippy::disallowed_methods, reason = "this is a test of spawned tasks")]
fn spawn_on_tokio(future: futures_task::Boxed) {
    drop(tokio::spawn(future));
}

#[tokio::test]
async fn under_tokio_on_one_thread() {
    let (memory, trace) = trace();
    trace.run(|_| program(spawn_on_tokio)).await.unwrap();
    check(&memory);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_tokio_on_many_threads() {
    for _ in 0..20 {
        let (memory, trace) = trace();
        trace.run(|_| program(spawn_on_tokio)).await.unwrap();
        check(&memory);
    }
}

#[test]
fn under_a_plain_executor() {
    let (memory, trace) = trace();
    let spawn = |future| drop(std::thread::spawn(|| futures_executor::block_on(future)));
    futures_executor::block_on(trace.run(|_| program(spawn))).unwrap();
    check(&memory);
}
