//! What is measured of finished spans.

use agentspan_otel::AgentMetrics;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;

#[test]
fn operations_are_timed_and_their_tokens_counted() {
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
    chat.set_attribute(KeyValue::new("gen_ai.usage.output_tokens", "11"));
    chat.set_attribute(KeyValue::new("gen_ai.input.messages", "secret"));
    chat.end();
    provider.tracer("t").start("plain").end();
    meters.force_flush().unwrap();

    let mut measured = Vec::new();
    for resource in exporter.get_finished_metrics().unwrap() {
        for metric in resource.scope_metrics().flat_map(|scope| scope.metrics()) {
            match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                    for point in histogram.data_points() {
                        assert_eq!(point.bounds().count(), 14);
                        measured.push(format!("{} {}", metric.name(), point.count()));
                    }
                }
                AggregatedMetrics::U64(MetricData::Histogram(histogram)) => {
                    for point in histogram.data_points() {
                        let mut dimensions: Vec<_> = point
                            .attributes()
                            .map(|a| format!("{}={}", a.key, a.value))
                            .collect();
                        dimensions.sort();
                        measured.push(format!(
                            "{} {} {}",
                            metric.name(),
                            point.sum(),
                            dimensions.join(" ")
                        ));
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }
    measured.sort();
    assert_eq!(
        measured,
        [
            "gen_ai.client.operation.duration 1",
            "gen_ai.client.token.usage 11 gen_ai.operation.name=chat gen_ai.token.type=output",
            "gen_ai.client.token.usage 7 gen_ai.operation.name=chat gen_ai.token.type=input",
        ]
    );
}
