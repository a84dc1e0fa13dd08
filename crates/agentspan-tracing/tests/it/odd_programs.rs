//! Programs that use `tracing` in ways that no framework of the recordings does.

use std::sync::{Arc, Barrier};

use agentspan_tracing::TracingSettings;
use opentelemetry::trace::{SpanId, TraceContextExt as _};
use opentelemetry::{Context, Value};
use tracing::field::Empty;
use tracing::{Dispatch, Span, debug_span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, reload};

use crate::recorder::{Recorder, value};

fn chat() -> Span {
    info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.usage.input_tokens = Empty
    )
}

fn is_current() -> bool {
    Context::map_current(Context::has_active_span)
}

#[test]
fn a_span_that_another_thread_closes_is_exported_where_it_began() {
    let recorder = Recorder::new();
    recorder.run(|| {
        info_span!("POST /chat").in_scope(|| {
            let chat = chat();
            std::thread::scope(|scope| {
                // In its subscriber, as in a program with a global one: the registry closes parents there.
                scope.spawn(|| {
                    recorder.run(|| {
                        chat.in_scope(|| chat.record("gen_ai.usage.input_tokens", 7_u64));
                        drop(chat);
                    });
                });
            });
        });
    });
    assert_eq!(recorder.names(), ["chat", "POST /chat"]);
    recorder.check_child("chat", "POST /chat");
    let tokens = value(&recorder.named("chat"), "gen_ai.usage.input_tokens");
    assert_eq!(tokens.unwrap().to_string(), "7");
}

#[test]
fn a_span_that_several_threads_enter_at_once_is_one_span_with_children_of_all() {
    let recorder = Recorder::new();
    recorder.run(|| {
        let chat = chat();
        let barrier = Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    recorder.run(|| {
                        let _entered = chat.enter();
                        barrier.wait();
                        info_span!("execute", gen_ai.operation.name = "execute_tool");
                        barrier.wait();
                    });
                    assert!(!is_current());
                });
            }
        });
    });
    let chat = recorder.named("chat").span_context.span_id();
    let spans = recorder.spans();
    assert_eq!(spans.len(), 5);
    let below = spans.iter().filter(|span| span.parent_span_id == chat);
    assert_eq!(below.count(), 4);
}

#[test]
fn a_span_that_is_entered_again_inside_of_itself_is_one_span() {
    let recorder = Recorder::new();
    recorder.run(|| {
        let chat = chat();
        for _ in 0..3 {
            let _outer = chat.enter();
            let _inner = chat.enter();
            chat.in_scope(|| info_span!("tool", gen_ai.tool.name = "t").in_scope(|| ()));
            assert!(is_current());
        }
        assert!(!is_current());
    });
    assert_eq!(recorder.names(), ["tool", "tool", "tool", "chat"]);
    recorder.check_child("tool", "chat");
    assert!(!is_current());
}

#[test]
fn guards_that_are_dropped_out_of_order_leave_nothing_current() {
    let recorder = Recorder::new();
    recorder.run(|| {
        let (outer, inner) = (chat(), debug_span!("tool", gen_ai.tool.name = "t"));
        let of_outer = outer.enter();
        let of_inner = inner.enter();
        drop(of_outer);
        drop(of_inner);
        assert!(!is_current());
        info_span!("after", gen_ai.operation.name = "chat").in_scope(|| ());
    });
    assert_eq!(recorder.named("after").parent_span_id, SpanId::INVALID);
}

#[test]
fn what_is_recorded_after_the_last_handle_is_gone_changes_nothing() {
    let recorder = Recorder::new();
    recorder.run(|| {
        let chat = chat();
        drop(chat);
        Span::none().record("gen_ai.usage.input_tokens", 1);
        Span::current().record("gen_ai.usage.input_tokens", 1);
    });
    assert_eq!(recorder.names(), ["chat"]);
    let chat = recorder.named("chat");
    assert_eq!(value(&chat, "gen_ai.usage.input_tokens"), None);
}

#[test]
fn no_span_and_a_disabled_one_are_nobodys_parent() {
    let recorder = Recorder::new();
    recorder.run(|| {
        Span::none().in_scope(|| chat().in_scope(|| ()));
        debug_span!("disabled").in_scope(|| {
            info_span!(parent: Span::none(), "alone", gen_ai.operation.name = "chat");
        });
        let none = Span::none();
        info_span!(parent: &none, "also alone", gen_ai.operation.name = "chat");
    });
    assert_eq!(recorder.names(), ["chat", "alone", "also alone"]);
    for span in recorder.spans() {
        assert_eq!(span.parent_span_id, SpanId::INVALID, "{}", span.name);
    }
}

#[test]
fn a_span_that_follows_from_others_has_links_also_to_those_that_are_over() {
    let recorder = Recorder::new();
    recorder.run(|| {
        let cause = chat();
        let effect = info_span!("effect", gen_ai.operation.name = "chat");
        effect.follows_from(&cause);
        effect.follows_from(&effect);
        effect.follows_from(Span::none());
        effect.follows_from(debug_span!("disabled"));
        let over = chat();
        let id = over.id();
        drop(over);
        effect.follows_from(id);
        effect.in_scope(|| ());
        drop(effect);
        cause.in_scope(|| ());
    });
    let effect = recorder.named("effect");
    let cause = recorder
        .spans()
        .into_iter()
        .rev()
        .find(|span| span.name == "chat");
    let cause = cause.unwrap().span_context.span_id();
    let links: Vec<_> = effect
        .links
        .iter()
        .map(|link| link.span_context.span_id())
        .collect();
    assert!(links.contains(&cause), "{links:?}");
    assert_eq!(effect.parent_span_id, SpanId::INVALID);
}

#[test]
fn a_root_below_a_scope_is_its_child_wherever_it_ends() {
    let recorder = Recorder::new();
    let open = recorder.run(|| {
        recorder.tool("clock").in_scope_infallible(
            |_| info_span!(parent: None, "chat", gen_ai.operation.name = "chat"),
        )
    });
    std::thread::scope(|scope| {
        scope.spawn(|| drop(open));
    });
    assert_eq!(recorder.names(), ["execute_tool clock", "chat"]);
    recorder.check_child("chat", "execute_tool clock");
    let tenant = value(&recorder.named("chat"), "tenant.id");
    assert_eq!(tenant, Some(Value::from("tenant-1")));
}

#[test]
fn an_explicit_parent_wins_over_what_is_current() {
    let recorder = Recorder::new();
    recorder.run(|| {
        let parent = info_span!("parent", gen_ai.operation.name = "invoke_agent");
        // Only what has an explicit parent and a current span at once is in question.
        info_span!("current", gen_ai.operation.name = "invoke_agent").in_scope(|| {
            info_span!(parent: &parent, "child", gen_ai.operation.name = "chat").in_scope(|| ());
        });
        recorder.tool("clock").in_scope_infallible(|_| {
            info_span!(parent: parent.id(), "by id", gen_ai.operation.name = "chat");
        });
    });
    recorder.check_child("child", "parent");
    recorder.check_child("by id", "parent");
}

#[test]
fn a_span_may_be_given_a_context_before_it_is_entered_and_not_after() {
    let recorder = Recorder::new();
    recorder.run(|| {
        let tool = recorder.tool("clock");
        let given = chat();
        given.set_parent(tool.context()).unwrap();
        given.in_scope(|| ());
        let late = info_span!("late", gen_ai.operation.name = "chat");
        late.in_scope(|| ());
        late.set_parent(tool.context()).unwrap_err();
    });
    recorder.check_child("chat", "execute_tool clock");
    assert_eq!(recorder.named("late").parent_span_id, SpanId::INVALID);
}

#[test]
fn a_layer_behind_filters_and_in_an_option_captures_the_same() {
    for wrapped in [0, 1, 2, 3] {
        let recorder = Recorder::new();
        let layer = || agentspan_tracing::layer(&recorder.provider, TracingSettings::new());
        let registry = tracing_subscriber::registry();
        let dispatch = match wrapped {
            0 => Dispatch::new(registry.with(Some(layer()))),
            1 => Dispatch::new(registry.with(layer().boxed())),
            2 => Dispatch::new(registry.with(layer().with_filter(LevelFilter::TRACE))),
            _ => Dispatch::new(registry.with(layer()).with(LevelFilter::INFO)),
        };
        tracing::dispatcher::with_default(&dispatch, || {
            info_span!("POST /chat").in_scope(|| chat().in_scope(|| ()));
            info_span!("GET /health").in_scope(|| ());
        });
        assert_eq!(recorder.names(), ["chat", "POST /chat"], "{wrapped}");
        recorder.check_child("chat", "POST /chat");
    }
}

#[test]
fn a_filter_around_the_layer_may_be_reloaded_while_spans_are_open() {
    let recorder = Recorder::new();
    let (filter, handle) = reload::Layer::new(LevelFilter::OFF);
    let layer = agentspan_tracing::layer(&recorder.provider, TracingSettings::new());
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer.with_filter(filter)));
    tracing::dispatcher::with_default(&dispatch, || {
        let before = info_span!("before", gen_ai.operation.name = "chat");
        handle.reload(LevelFilter::TRACE).unwrap();
        before.in_scope(|| info_span!("on", gen_ai.operation.name = "chat").in_scope(|| ()));
        let across = info_span!("across", gen_ai.operation.name = "chat");
        handle.reload(LevelFilter::OFF).unwrap();
        across.in_scope(|| info_span!("off", gen_ai.operation.name = "chat").in_scope(|| ()));
    });
    assert!(!is_current());
    let names = recorder.names();
    assert!(names.contains(&"on".to_owned()), "{names:?}");
    for name in ["before", "off"] {
        assert!(!names.contains(&name.to_owned()), "{names:?}");
    }
}

#[test]
fn a_panic_inside_of_a_span_ends_it_and_leaves_nothing_current() {
    let recorder = Recorder::new();
    let unwound = recorder.run(|| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            chat().in_scope(|| std::panic::resume_unwind(Box::new("gone")))
        }))
    });
    unwound.unwrap_err();
    assert!(!is_current());
    assert_eq!(recorder.names(), ["chat"]);
}

#[test]
fn fields_that_are_recorded_twice_and_in_every_type_arrive() {
    let recorder = Recorder::new();
    recorder.run(|| {
        let span = info_span!(
            "chat",
            gen_ai.operation.name = Empty,
            gen_ai.usage.input_tokens = u64::MAX,
            gen_ai.usage.output_tokens = i128::MAX,
            gen_ai.request.temperature = f64::NAN,
            gen_ai.request.stream = true,
            gen_ai.request.model = ?Some("debug"),
            otel.kind = "client",
            otel.status_code = Empty,
        );
        span.record("gen_ai.operation.name", "completion");
        span.record("gen_ai.operation.name", "chat");
        span.record("gen_ai.usage.input_tokens", -1);
        span.record("no such field", 1);
        span.record("otel.status_code", "garbage");
    });
    let span = recorder.named("chat");
    assert_eq!(value(&span, "gen_ai.operation.name"), Some("chat".into()));
    assert_eq!(
        value(&span, "gen_ai.usage.input_tokens"),
        Some(Value::I64(-1))
    );
    assert_eq!(value(&span, "no such field"), None);
}

#[test]
fn a_tree_that_is_deeper_than_any_agent_ends() {
    // The registry itself closes parents by recursion, and overflows the stack some thousand levels on.
    let recorder = Recorder::new();
    recorder.run(|| {
        let mut spans = vec![info_span!("root")];
        for _ in 0..200 {
            let parent = spans.last().unwrap();
            spans.push(info_span!(parent: parent, "step"));
        }
        info_span!(parent: spans.last().unwrap(), "chat", gen_ai.operation.name = "chat");
        // The innermost first, as a stack does.
        while spans.pop().is_some() {}
    });
    assert_eq!(recorder.names().len(), 202);
    let recorder = Recorder::new();
    recorder.run(|| {
        let mut span = info_span!("root");
        for _ in 0..200 {
            span = info_span!(parent: &span, "step");
        }
    });
    assert_eq!(recorder.names(), [""; 0], "nothing of an agent");
}

#[test]
fn a_subscriber_that_is_gone_before_its_spans_costs_nothing_but_them() {
    let recorder = Arc::new(Recorder::new());
    let span = recorder.run(chat);
    let weak = Arc::downgrade(&recorder);
    let entered = span.entered();
    drop(recorder);
    assert!(weak.upgrade().is_none());
    drop(entered);
    assert!(!is_current());
}
