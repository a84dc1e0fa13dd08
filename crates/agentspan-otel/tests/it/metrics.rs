//! What is measured of finished spans.

use std::collections::BTreeMap;

use agentspan_model::mapping::{ContentCapture, Rendering};
use agentspan_otel::{AgentMetrics, OtelBridge};
use agentspan_processor::Trace;
use agentspan_record::FinishedSpan;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanProcessor};

use crate::bridge::story;
use crate::meters::Meters;

/// The series that `measure` leaves behind, without how long anything took.
fn series<P: SpanProcessor + 'static>(
    measure: impl FnOnce(&SdkTracerProvider),
    processor: impl FnOnce(AgentMetrics) -> P,
) -> BTreeMap<String, f64> {
    let meters = Meters::new();
    let metrics = AgentMetrics::new(&meters.provider.meter("t"));
    let provider = OtelBridge::prepare(SdkTracerProvider::builder())
        .with_span_processor(processor(metrics))
        .build();
    measure(&provider);
    let mut series = meters.collect();
    series.retain(|name, _| !name.starts_with("gen_ai.client.operation.duration.sum"));
    series
}

fn of_attributes(attributes: Vec<KeyValue>) -> BTreeMap<String, f64> {
    let measure = |provider: &SdkTracerProvider| {
        let mut span = provider.tracer("t").start("a span");
        span.set_attributes(attributes);
        span.end();
    };
    series(measure, |metrics| metrics)
}

#[track_caller]
fn check(found: &BTreeMap<String, f64>, expected: &[(&str, f64)]) {
    let found: Vec<_> = found
        .iter()
        .map(|(name, value)| (&**name, *value))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn operations_are_timed_and_their_tokens_counted() {
    let series = of_attributes(vec![
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.usage.input_tokens", 7),
        KeyValue::new("gen_ai.usage.output_tokens", "11"),
        KeyValue::new("gen_ai.input.messages", "secret"),
        KeyValue::new("gen_ai.agent.id", "agent-1"),
    ]);
    check(
        &series,
        &[
            (
                "gen_ai.client.operation.duration.count{gen_ai.operation.name=chat}",
                1.0,
            ),
            (
                "gen_ai.client.token.usage.count{gen_ai.operation.name=chat,gen_ai.token.type=input}",
                1.0,
            ),
            (
                "gen_ai.client.token.usage.count{gen_ai.operation.name=chat,gen_ai.token.type=output}",
                1.0,
            ),
            (
                "gen_ai.client.token.usage.sum{gen_ai.operation.name=chat,gen_ai.token.type=input}",
                7.0,
            ),
            (
                "gen_ai.client.token.usage.sum{gen_ai.operation.name=chat,gen_ai.token.type=output}",
                11.0,
            ),
        ],
    );
}

/// As `tracing-opentelemetry` writes rig's spans: an agent repeats the sum of its calls, and numbers are texts.
#[test]
fn tokens_that_an_agent_repeats_are_counted_once() {
    let measure = |provider: &SdkTracerProvider| {
        for (operation, input) in [("chat", "40"), ("chat", "7"), ("invoke_agent", "47")] {
            let mut span = provider.tracer("rig").start(operation);
            span.set_attributes([
                KeyValue::new("gen_ai.operation.name", operation),
                KeyValue::new("gen_ai.usage.input_tokens", input),
                KeyValue::new("gen_ai.operation.name", operation),
            ]);
            span.end();
        }
    };
    let mut series = series(measure, |metrics| metrics);
    series.retain(|name, _| name.starts_with("gen_ai.client.token.usage"));
    let chat = "{gen_ai.operation.name=chat,gen_ai.token.type=input}";
    check(
        &series,
        &[
            (&format!("gen_ai.client.token.usage.count{chat}"), 2.0),
            (&format!("gen_ai.client.token.usage.sum{chat}"), 47.0),
        ],
    );
}

#[test]
fn release_0_1_of_the_conventions_has_metrics_of_its_own() {
    let meters = Meters::new();
    let metrics = AgentMetrics::in_words_of(Rendering::GenAiV0_1, &meters.provider.meter("t"));
    let provider = SdkTracerProvider::builder()
        .with_span_processor(metrics)
        .build();
    for attributes in [
        [
            ("gen_ai.operation.name", "invoke_agent"),
            ("gen_ai.agent.name", "clerk"),
            ("gen_ai.usage.input_tokens", "47"),
        ],
        [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.usage.input_tokens", "47"),
            ("gen_ai.usage.cache_read_input_tokens", "40"),
        ],
        [
            ("gen_ai.operation.name", "execute_tool"),
            ("gen_ai.tool.name", "weather"),
            ("error.type", "timeout"),
        ],
        [
            ("gen_ai.operation.name", "retrieval"),
            ("gen_ai.request.model", "m"),
            ("gen_ai.tool.name", "none of it"),
        ],
    ] {
        let mut span = provider.tracer("t").start("a span");
        span.set_attributes(attributes.map(|(key, value)| KeyValue::new(key, value)));
        span.end();
    }
    let mut series = meters.collect();
    series.retain(|name, _| !name.contains(".duration.sum"));
    let of_chat = "{gen_ai.operation.name=chat}";
    let usage = "gen_ai.client.inference.usage";
    check(
        &series,
        &[
            (
                &format!("gen_ai.client.inference.duration.count{of_chat}"),
                1.0,
            ),
            (&format!("{usage}.cache_read.input_tokens{of_chat}"), 40.0),
            (&format!("{usage}.input_tokens{of_chat}"), 47.0),
            (
                "gen_ai.client.operation.duration.count{gen_ai.operation.name=retrieval,gen_ai.request.model=m}",
                1.0,
            ),
            (
                "gen_ai.execute_tool.duration.count{error.type=timeout,gen_ai.tool.name=weather}",
                1.0,
            ),
            (
                "gen_ai.invoke_agent.duration.count{gen_ai.agent.name=clerk}",
                1.0,
            ),
        ],
    );
}

#[test]
fn spans_of_other_conventions_are_measured() {
    let series = of_attributes(vec![
        KeyValue::new("openinference.span.kind", "LLM"),
        KeyValue::new("llm.model_name", "gpt-4o"),
        KeyValue::new("llm.token_count.prompt", 7),
    ]);
    let model =
        "{gen_ai.operation.name=chat,gen_ai.request.model=gpt-4o,gen_ai.response.model=gpt-4o";
    check(
        &series,
        &[
            (
                &format!("gen_ai.client.operation.duration.count{model}}}"),
                1.0,
            ),
            (
                &format!("gen_ai.client.token.usage.count{model},gen_ai.token.type=input}}"),
                1.0,
            ),
            (
                &format!("gen_ai.client.token.usage.sum{model},gen_ai.token.type=input}}"),
                7.0,
            ),
        ],
    );
}

#[test]
fn a_span_without_an_operation_is_not_measured() {
    check(
        &of_attributes(vec![KeyValue::new("http.method", "GET")]),
        &[],
    );
}

#[test]
fn what_a_caller_may_choose_makes_no_series_of_its_own() {
    let prompt = "what is this about? ".repeat(10);
    let series = of_attributes(vec![
        KeyValue::new("gen_ai.operation.name", "tenant-4711"),
        KeyValue::new("gen_ai.request.model", prompt),
    ]);
    check(
        &series,
        &[(
            "gen_ai.client.operation.duration.count{gen_ai.operation.name=_OTHER,gen_ai.request.model=_OTHER}",
            1.0,
        )],
    );
}

#[test]
fn the_first_generation_of_agent_365_is_measured_in_the_words_of_the_conventions() {
    let name = |operation: &'static str| {
        let series = of_attributes(vec![KeyValue::new("gen_ai.operation.name", operation)]);
        series.into_keys().next().unwrap()
    };
    for (written, measured) in [
        ("Chat", "chat"),
        ("TextCompletion", "text_completion"),
        ("GenerateContent", "generate_content"),
        ("execute_tool", "execute_tool"),
    ] {
        assert!(
            name(written).ends_with(&format!("{{gen_ai.operation.name={measured}}}")),
            "{written}"
        );
    }
}

#[test]
fn agent_spec_spans_are_measured() {
    const SAID: &str = "canary-4711";
    let run = |provider: &SdkTracerProvider| {
        let bridge = OtelBridge::new(provider).with_capture(ContentCapture::SpanAndEvent);
        let trace = Trace::builder().with_processor(bridge).start().unwrap();
        story::run(SAID);
        trace.end().unwrap();
    };
    let live = series(run, |metrics| metrics);
    assert!(!format!("{live:?}").contains(SAID));
    let model =
        "gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=gpt-4o";
    let usage = format!("gen_ai.client.token.usage.sum{{{model},gen_ai.token.type=");
    assert_eq!(live[&format!("{usage}input}}")], 12.0);
    assert_eq!(live[&format!("{usage}output}}")], 3.0);
    let durations = live.keys().filter(|name| name.contains("duration"));
    let durations: Vec<_> = durations.map(String::as_str).collect();
    assert_eq!(
        durations,
        [
            "gen_ai.client.operation.duration.count{error.type=ValueError,gen_ai.operation.name=invoke_agent,gen_ai.provider.name=openai,gen_ai.request.model=gpt-4o}",
            "gen_ai.client.operation.duration.count{gen_ai.operation.name=chat,gen_ai.provider.name=openai,gen_ai.request.model=gpt-4o}",
            "gen_ai.client.operation.duration.count{gen_ai.operation.name=execute_tool}",
        ]
    );
}

/// Ends a call of each model once, so many times.
fn calls_of(models: &[String], times: usize, metrics: &AgentMetrics) {
    let provider = SdkTracerProvider::builder()
        .with_span_processor(metrics.clone())
        .build();
    let tracer = provider.tracer("t");
    for model in (0..times).flat_map(|_| models) {
        let mut span = tracer.start("chat");
        span.set_attribute(KeyValue::new("gen_ai.operation.name", "chat"));
        span.set_attribute(KeyValue::new("gen_ai.request.model", model.clone()));
        span.set_attribute(KeyValue::new("gen_ai.usage.input_tokens", "7"));
        span.end();
    }
}

#[test]
fn more_series_than_are_remembered_are_measured_each_for_itself() {
    let meters = Meters::new();
    let metrics = AgentMetrics::new(&meters.provider.meter("t"));
    let models: Vec<_> = (0..1_500).map(|number| format!("model-{number}")).collect();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| calls_of(&models, 2, &metrics));
        }
    });
    let series = meters.collect();
    for model in &models {
        let of_model = format!("{{gen_ai.operation.name=chat,gen_ai.request.model={model}");
        let durations = format!("gen_ai.client.operation.duration.count{of_model}}}");
        assert_eq!(series[&durations], 4.0);
        let tokens = format!("gen_ai.client.token.usage.sum{of_model},gen_ai.token.type=input}}");
        assert_eq!(series[&tokens], 28.0);
    }
}

#[test]
fn texts_that_differ_in_their_place_only_are_series_of_their_own() {
    let meters = Meters::new();
    let metrics = AgentMetrics::new(&meters.provider.meter("t"));
    let provider = SdkTracerProvider::builder()
        .with_span_processor(metrics)
        .build();
    for (key, error) in [
        ("gen_ai.request.model", None),
        ("gen_ai.response.model", None),
        ("gen_ai.request.model", Some("m")),
        ("gen_ai.response.model", Some("m")),
    ] {
        let mut span = provider.tracer("t").start("chat");
        span.set_attribute(KeyValue::new("gen_ai.operation.name", "chat"));
        span.set_attribute(KeyValue::new(key, "m"));
        if let Some(error) = error {
            span.set_attribute(KeyValue::new("error.type", error));
        }
        span.end();
    }
    let mut series = meters.collect();
    series.retain(|name, _| name.contains("duration.count"));
    assert_eq!(series.len(), 4, "{series:?}");
    assert!(series.values().all(|count| *count == 1.0), "{series:?}");
}

#[test]
fn what_a_series_is_called_is_made_once() {
    let meters = Meters::new();
    let metrics = AgentMetrics::new(&meters.provider.meter("t"));
    let attributes = [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "OpenAI"),
        ("gen_ai.request.model", "gpt-4o"),
        ("gen_ai.response.model", "gpt-4o-2024-11-20"),
        ("gen_ai.usage.input_tokens", "100"),
        ("gen_ai.usage.output_tokens", "42"),
        ("gen_ai.input.messages", "[]"),
    ];
    let kept = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(kept.clone())
        .build();
    let mut span = provider.tracer("t").start("chat");
    span.set_attributes(attributes.map(|(key, value)| KeyValue::new(key, value)));
    span.end();
    let span = FinishedSpan::received(kept.get_finished_spans().unwrap().remove(0));
    metrics.record(&span);
    let allocated = allocation_counter::measure(|| metrics.record(&span));
    // What it borrows from the span: its attributes, and the sums of their keys.
    assert!(allocated.count_total <= 2, "{allocated:?}");
}

#[test]
fn the_buckets_are_those_that_the_conventions_advise() {
    let exporter = InMemoryMetricExporter::default();
    let meters = SdkMeterProvider::builder()
        .with_periodic_exporter(exporter.clone())
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(AgentMetrics::new(&meters.meter("t")))
        .build();
    let mut chat = provider.tracer("t").start("chat gpt-4o");
    chat.set_attribute(KeyValue::new("gen_ai.operation.name", "chat"));
    chat.set_attribute(KeyValue::new("gen_ai.usage.input_tokens", 7));
    chat.end();
    meters.force_flush().unwrap();

    let mut bounds = Vec::new();
    for resource in exporter.get_finished_metrics().unwrap() {
        for metric in resource.scope_metrics().flat_map(|scope| scope.metrics()) {
            let found: Vec<f64> = match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                    histogram.data_points().flat_map(|it| it.bounds()).collect()
                }
                AggregatedMetrics::U64(MetricData::Histogram(histogram)) => {
                    histogram.data_points().flat_map(|it| it.bounds()).collect()
                }
                other => panic!("{other:?}"),
            };
            let (first, last) = (found[0], found[found.len() - 1]);
            bounds.push((
                metric.name().to_owned(),
                metric.unit().to_owned(),
                first,
                last,
            ));
            assert_eq!(found.len(), 14);
        }
    }
    assert_eq!(
        bounds,
        [
            (
                "gen_ai.client.operation.duration".to_owned(),
                "s".to_owned(),
                0.01,
                81.92
            ),
            (
                "gen_ai.client.token.usage".to_owned(),
                "{token}".to_owned(),
                1.0,
                67_108_864.0
            ),
        ]
    );
}
