//! Whatever fails, panics or is cancelled: every span that a processor started ends there exactly once,
//! and nothing stays active.

use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use agentspan_processor::{
    ErrorPolicy, HookError, HookFuture, Span, SpanProcessor, Trace, TraceError, active_span_stack,
    current_trace,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::recorder::{EVENT, span, yield_once};

/// What happens at some point.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Fine,
    Fails,
    Panics,
    Waits,
}

/// What a span does, and what is nested in it.
#[derive(Clone, Debug)]
struct Node {
    way: u8,
    fate: Fate,
    children: Vec<Self>,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        8 => Just(Fate::Fine),
        1 => Just(Fate::Fails),
        1 => Just(Fate::Panics),
        2 => Just(Fate::Waits),
    ]
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = (0..5_u8, fate()).prop_map(|(way, fate)| Node {
        way,
        fate,
        children: Vec::new(),
    });
    leaf.prop_recursive(4, 24, 4, |inner| {
        (0..5_u8, fate(), vec(inner, 0..4)).prop_map(|(way, fate, children)| Node {
            way,
            fate,
            children,
        })
    })
}

/// Counts the starts and ends of each span, and misbehaves by turns.
#[derive(Debug)]
struct Counting {
    spans: Arc<Mutex<HashMap<String, (u32, u32)>>>,
    fates: Vec<Fate>,
    turn: Mutex<usize>,
}

impl Counting {
    fn next_fate(&self) -> Fate {
        let mut turn = self.turn.lock().unwrap();
        *turn += 1;
        let fates = &self.fates;
        fates
            .get(*turn % fates.len().max(1))
            .copied()
            .unwrap_or(Fate::Fine)
    }

    fn misbehave(fate: Fate) -> Result<(), HookError> {
        match fate {
            Fate::Fine | Fate::Waits => Ok(()),
            Fate::Fails => Err(HookError::message("fails")),
            Fate::Panics => panic!("a hook panics"),
        }
    }

    fn started(&self, span: &Span, fate: Fate) -> Result<(), HookError> {
        Self::misbehave(fate)?;
        self.spans
            .lock()
            .unwrap()
            .entry(span.id().to_string())
            .or_default()
            .0 += 1;
        Ok(())
    }

    fn ended(&self, span: &Span, fate: Fate) -> Result<(), HookError> {
        self.spans
            .lock()
            .unwrap()
            .entry(span.id().to_string())
            .or_default()
            .1 += 1;
        Self::misbehave(fate)
    }
}

impl SpanProcessor for Counting {
    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        self.started(span, self.next_fate())
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        self.ended(span, self.next_fate())
    }

    fn on_start_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        let fate = self.next_fate();
        HookFuture::new(async move {
            if fate == Fate::Waits {
                yield_once().await;
            }
            self.started(span, fate)
        })
    }

    /// Counts when it is called: a call that is cut short is a call.
    fn on_end_async<'a>(&'a self, span: &'a Span) -> HookFuture<'a> {
        let fate = self.next_fate();
        let ended = self.ended(span, Fate::Fine);
        HookFuture::new(async move {
            if fate == Fate::Waits {
                yield_once().await;
            }
            ended?;
            Self::misbehave(fate)
        })
    }
}

type Boxed<'a> = Pin<Box<dyn Future<Output = Result<(), TraceError>> + 'a>>;

fn failure() -> TraceError {
    TraceError::AlreadyActive {
        active: "a failure of the program".into(),
    }
}

fn body(node: &Node) -> Boxed<'_> {
    Box::pin(async move {
        for child in &node.children {
            // A failure ends the children only.
            if run(child).await.is_err() {
                break;
            }
        }
        match node.fate {
            Fate::Fine => Ok(()),
            Fate::Fails => Err(failure()),
            Fate::Panics => panic!("the program panics"),
            Fate::Waits => {
                yield_once().await;
                Ok(())
            }
        }
    })
}

fn run(node: &Node) -> Boxed<'_> {
    Box::pin(async move {
        match node.way {
            0 => span("run").run(|_| body(node)).await,
            1 => {
                let guard = span("guard").start()?;
                guard.add_event(EVENT)?;
                body(node).await
            }
            2 => {
                let open = span("open").start_async().await?;
                open.wrap(body(node)).await?;
                open.add_event_async(EVENT).await?;
                open.end_async().await
            }
            3 => {
                let open = span("detached").start_detached()?;
                let entered = open.enter();
                let result = body(node).await;
                drop(open);
                drop(entered);
                result
            }
            _ => {
                let open = span("dropped").start_async().await?;
                open.wrap(body(node)).await
            }
        }
    })
}

fn check(nodes: &[Node], fates: &[Vec<Fate>], policy: ErrorPolicy, polls: usize) {
    let mut counts = Vec::new();
    let mut builder = Trace::builder().with_error_policy(policy);
    for fates in fates {
        let spans = Arc::default();
        counts.push(Arc::clone(&spans));
        builder = builder.with_processor(Counting {
            spans,
            fates: fates.clone(),
            turn: Mutex::default(),
        });
    }
    let program = builder.run(|_| async {
        for node in nodes {
            run(node).await?;
        }
        Ok::<_, TraceError>(())
    });
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let mut program = pin!(program);
        for _ in 0..polls {
            let mut cx = Context::from_waker(Waker::noop());
            if let Poll::Ready(result) = program.as_mut().poll(&mut cx) {
                return result.is_ok();
            }
        }
        false
    }));
    assert!(active_span_stack().is_empty());
    assert!(current_trace().is_none());
    for spans in counts {
        for (id, (starts, ends)) in &*spans.lock().unwrap() {
            assert_eq!((*starts, *ends), (1, 1), "span {id}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_started_span_ends_exactly_once_and_stacks_are_balanced(
        nodes in vec(node(), 1..4),
        fates in vec(vec(fate(), 0..12), 0..4),
        propagates in any::<bool>(),
        polls in prop_oneof![Just(10_000_usize), 0..40_usize],
    ) {
        let policy = if propagates { ErrorPolicy::Propagate } else { ErrorPolicy::Report };
        check(&nodes, &fates, policy, polls);
    }
}
