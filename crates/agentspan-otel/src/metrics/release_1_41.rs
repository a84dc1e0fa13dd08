//! The metrics of release 1.41.0 of the semantic conventions.

use agentspan_model::keys;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter};

use super::duration;
use super::measured::{DIMENSIONS, Measured, OF_USAGE};
use super::series::Remembered;

/// The buckets that the [conventions](https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/)
/// advise for numbers of tokens.
const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

#[derive(Debug)]
pub(super) struct Instruments {
    duration: Histogram<f64>,
    tokens: Histogram<u64>,
    series: Remembered<{ DIMENSIONS.len() }, Series>,
}

/// The attributes of operations that have all dimensions in common.
#[derive(Debug)]
struct Series {
    duration: Vec<KeyValue>,
    input: Vec<KeyValue>,
    output: Vec<KeyValue>,
}

impl Series {
    fn of(measured: &Measured<'_>) -> Self {
        // The class of an error is none of tokens: a failed operation uses them as well.
        let of_tokens = |kind: &'static str| {
            let mut dimensions = measured.dimensions(&OF_USAGE);
            dimensions.push(KeyValue::new(keys::GEN_AI_TOKEN_TYPE, kind));
            dimensions
        };
        Self {
            duration: measured.dimensions(&DIMENSIONS),
            input: of_tokens("input"),
            output: of_tokens("output"),
        }
    }
}

impl Instruments {
    pub(super) fn new(meter: &Meter) -> Self {
        let tokens = meter
            .u64_histogram(keys::METRIC_TOKEN_USAGE)
            .with_unit("{token}")
            .with_description("how many tokens an operation used")
            .with_boundaries(TOKENS.to_vec());
        Self {
            duration: duration(meter, keys::METRIC_OPERATION_DURATION),
            tokens: tokens.build(),
            series: Remembered::new(),
        }
    }

    pub(super) fn record(&self, measured: &Measured<'_>, seconds: f64) {
        let texts = measured.without_names();
        let series = self.series.get(texts, || Series::of(measured));
        self.duration.record(seconds, &series.duration);
        for (used, dimensions) in [
            (measured.usage.input, &series.input),
            (measured.usage.output, &series.output),
        ] {
            if let Some(used) = used {
                self.tokens.record(used, dimensions);
            }
        }
    }
}
