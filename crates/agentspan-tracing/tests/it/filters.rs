//! Which spans and log records are captured.

use agentspan_otel::BaggageBuilder;
use agentspan_tracing::TracingSettings;
use opentelemetry::trace::{Status, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::instrument::WithSubscriber as _;
use tracing::{Instrument as _, Level, debug_span, info_span, trace_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::recorder::{Recorder, value};

fn chat() -> tracing::Span {
    info_span!("chat", gen_ai.operation.name = "chat")
}

#[test]
fn spans_of_agents_and_those_around_them_are_exported_and_no_others() {
    let recorder = Recorder::new();
    recorder.run(|| {
        info_span!("cron").in_scope(|| info_span!("sweep").in_scope(|| ()));
        info_span!("POST /chat").in_scope(|| {
            info_span!("authorise").in_scope(|| ());
            info_span!("handler").in_scope(|| {
                chat().in_scope(|| info_span!("http request").in_scope(|| ()));
                info_span!("store").in_scope(|| ());
            });
        });
        info_span!("never entered");
    });
    assert_eq!(recorder.names(), ["chat", "handler", "POST /chat"]);
    recorder.check_child("chat", "handler");
    recorder.check_child("handler", "POST /chat");
}

#[test]
fn spans_of_no_agent_are_withheld_whatever_limits_the_provider_has() {
    let provider = SdkTracerProvider::builder().with_max_attributes_per_span(1);
    let recorder = Recorder::of(TracingSettings::new(), provider);
    recorder.run(|| {
        info_span!("GET /health", method = "GET", uri = "/health", version = 2).in_scope(|| ());
        info_span!("never entered", method = "GET", uri = "/health");
        chat();
    });
    assert_eq!(recorder.names(), ["chat"]);
}

#[test]
fn what_is_around_a_scope_or_a_span_of_somebody_else_is_exported() {
    let recorder = Recorder::new();
    recorder.run(|| {
        info_span!("POST /tool").in_scope(|| recorder.tool("clock").in_scope_infallible(|_| ()));
        info_span!("POST /other").in_scope(|| recorder.provider.tracer("other").start("other"));
        info_span!("GET /health").in_scope(|| ());
    });
    let names = ["execute_tool clock", "POST /tool", "other", "POST /other"];
    assert_eq!(recorder.names(), names);
    recorder.check_child("execute_tool clock", "POST /tool");
    recorder.check_child("other", "POST /other");
}

#[test]
fn a_span_of_an_agent_may_have_any_level_and_any_convention() {
    let recorder = Recorder::new();
    recorder.run(|| {
        trace_span!("gen_ai", gen_ai.operation.name = tracing::field::Empty);
        debug_span!("openinference", openinference.span.kind = "LLM");
        debug_span!("traceloop", traceloop.span.kind = "tool");
        debug_span!("llm", llm.request.type = "chat");
        debug_span!("none", general.field = "llm.");
    });
    let names = ["gen_ai", "openinference", "traceloop", "llm"];
    assert_eq!(recorder.names(), names);
}

#[test]
fn spans_that_are_withheld_do_not_cut_the_tree() {
    let recorder = Recorder::new();
    // Without a layer that takes the span between the two, there is none.
    let layer = agentspan_tracing::layer(&recorder.provider, TracingSettings::new());
    let subscriber = tracing_subscriber::registry()
        .with(layer)
        .with(LevelFilter::TRACE);
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(
        async {
            let task = async {
                tokio::task::yield_now().await;
                chat().in_scope(|| ());
            };
            let outer = info_span!("outer", gen_ai.operation.name = "invoke_agent");
            let task = outer.in_scope(|| task.instrument(debug_span!("worker")));
            #[expect(clippy::disallowed_methods, reason = "the test is about tasks")]
            let task = tokio::spawn(task.with_current_subscriber());
            task.await.unwrap();
        }
        .with_subscriber(subscriber),
    );
    recorder.check_child("chat", "outer");
    assert_eq!(recorder.names(), ["chat", "outer"]);
}

#[test]
fn an_explicit_parent_is_the_parent_whatever_is_active() {
    let recorder = Recorder::new();
    let request = BaggageBuilder::new().with_correlation_id("r-1").build();
    recorder.run(|| {
        let parent = request.in_baggage(|| info_span!("parent"));
        recorder.tool("clock").in_scope_infallible(|_| {
            info_span!(parent: &parent, "chat", gen_ai.operation.name = "chat");
        });
    });
    recorder.check_child("chat", "parent");
    let correlation = value(&recorder.named("chat"), "correlation.id");
    assert_eq!(correlation, Some("r-1".into()));
}

#[test]
fn a_setting_captures_all_spans() {
    let recorder = Recorder::with(TracingSettings::new().with_all_spans());
    recorder.run(|| {
        info_span!("cron").in_scope(|| trace_span!("sweep").in_scope(|| ()));
    });
    assert_eq!(recorder.names(), ["sweep", "cron"]);
}

#[test]
fn a_filter_of_ones_own_decides_alone_and_may_panic() {
    let settings = TracingSettings::new().with_spans(|span| {
        assert_ne!(span.name(), "panics");
        *span.level() == Level::DEBUG
    });
    let recorder = Recorder::with(settings);
    recorder.run(|| {
        chat().in_scope(|| debug_span!("taken").in_scope(|| info_span!("panics").in_scope(|| ())));
    });
    assert_eq!(recorder.names(), ["taken"]);
}

#[test]
fn nothing_is_captured_if_settings_say_so() {
    let recorder = Recorder::with(TracingSettings::nothing());
    recorder.run(|| chat().in_scope(|| tracing::error!("lost")));
    assert_eq!(recorder.names(), [""; 0]);
}

#[test]
fn log_records_below_warn_are_left_out_unless_a_setting_takes_them() {
    let log = || {
        chat().in_scope(|| {
            tracing::trace!(target: "rig::completions", "request: {{\"prompt\": \"SECRET\"}}");
            tracing::info!("asked");
            tracing::warn!("slow");
        });
    };
    let names = |recorder: &Recorder| {
        let events = recorder.named("chat").events.events.into_iter();
        let names: Vec<_> = events.map(|event| event.name.into_owned()).collect();
        names
    };
    let recorder = Recorder::new();
    recorder.run(log);
    assert_eq!(names(&recorder), ["slow"]);
    let recorder = Recorder::with(TracingSettings::new().with_events(LevelFilter::INFO));
    recorder.run(log);
    assert_eq!(names(&recorder), ["asked", "slow"]);
}

#[test]
fn an_error_in_the_log_is_the_status_of_its_span() {
    let recorder = Recorder::new();
    recorder.run(|| chat().in_scope(|| tracing::error!("no answer")));
    let status = recorder.named("chat").status;
    assert!(matches!(status, Status::Error { .. }), "{status:?}");
}

#[test]
fn how_tracing_is_used_is_told_on_demand_only() {
    let noise = [
        "code.file.path",
        "thread.id",
        "target",
        "busy_ns",
        "idle_ns",
    ];
    for (settings, has_noise) in [
        (TracingSettings::new(), false),
        (TracingSettings::new().with_source_locations(), true),
    ] {
        let recorder = Recorder::with(settings);
        recorder.run(|| chat().in_scope(|| ()));
        let span = recorder.named("chat");
        for key in noise {
            assert_eq!(value(&span, key).is_some(), has_noise, "{key}");
        }
    }
}
