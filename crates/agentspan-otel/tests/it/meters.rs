//! A meter provider that keeps what it is told, as lines that are easy to compare.

use std::collections::BTreeMap;

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

/// Metrics that stay in memory.
#[derive(Debug)]
pub(crate) struct Meters {
    pub(crate) provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let provider = SdkMeterProvider::builder()
            .with_periodic_exporter(exporter.clone())
            .build();
        Self { provider, exporter }
    }

    /// Collects once. A series is called `metric{key=value,...}`; a histogram has two, `count` and `sum`.
    pub(crate) fn collect(&self) -> BTreeMap<String, f64> {
        self.exporter.reset();
        self.provider.force_flush().unwrap();
        let mut series = BTreeMap::new();
        for resource in self.exporter.get_finished_metrics().unwrap() {
            for metric in resource.scope_metrics().flat_map(|scope| scope.metrics()) {
                match metric.data() {
                    AggregatedMetrics::F64(data) => add(&mut series, metric.name(), data, |v| v),
                    #[expect(clippy::cast_precision_loss, reason = "counts of a test are small")]
                    AggregatedMetrics::U64(data) => {
                        add(&mut series, metric.name(), data, |v| v as f64);
                    }
                    #[expect(clippy::cast_precision_loss, reason = "counts of a test are small")]
                    AggregatedMetrics::I64(data) => {
                        add(&mut series, metric.name(), data, |v| v as f64);
                    }
                }
            }
        }
        series
    }
}

fn add<T: Copy>(
    series: &mut BTreeMap<String, f64>,
    name: &str,
    data: &MetricData<T>,
    number: fn(T) -> f64,
) {
    let mut add = |name: &str, attributes: &mut dyn Iterator<Item = &KeyValue>, value| {
        let mut attributes: Vec<_> = attributes
            .map(|attribute| format!("{}={}", attribute.key, attribute.value))
            .collect();
        attributes.sort();
        let series_name = format!("{name}{{{}}}", attributes.join(","));
        assert!(series.insert(series_name, value).is_none(), "{name} twice");
    };
    match data {
        MetricData::Sum(sum) => {
            for point in sum.data_points() {
                add(name, &mut point.attributes(), number(point.value()));
            }
        }
        MetricData::Histogram(histogram) => {
            for point in histogram.data_points() {
                #[expect(clippy::cast_precision_loss, reason = "counts of a test are small")]
                let count = point.count() as f64;
                add(&format!("{name}.count"), &mut point.attributes(), count);
                let sum = number(point.sum());
                add(&format!("{name}.sum"), &mut point.attributes(), sum);
            }
        }
        // Equal to nothing that a test may expect.
        _ => add(name, &mut [].into_iter(), f64::NAN),
    }
}
