//! The metrics of release 0.1.0 of the GenAI conventions.

use agentspan_model::keys;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};

use super::duration;
use super::measured::{DIMENSIONS, Measured, OF_USAGE, TEXTS};
use super::series::Remembered;

/// The dimensions of how long an agent took.
const OF_AGENTS: [&str; 3] = [
    keys::GEN_AI_AGENT_NAME,
    keys::GEN_AI_REQUEST_MODEL,
    keys::ERROR_TYPE,
];

/// The dimensions of how long a tool took.
const OF_TOOLS: [&str; 3] = [
    keys::GEN_AI_TOOL_NAME,
    keys::GEN_AI_AGENT_NAME,
    keys::ERROR_TYPE,
];

#[derive(Debug)]
pub(super) struct Instruments {
    inference: Histogram<f64>,
    agent: Histogram<f64>,
    tool: Histogram<f64>,
    other: Histogram<f64>,
    input: Counter<u64>,
    output: Counter<u64>,
    cache_read: Counter<u64>,
    cache_write: Counter<u64>,
    reasoning: Counter<u64>,
    series: Remembered<TEXTS, Series>,
}

/// The attributes of operations that have all texts in common.
#[derive(Debug)]
struct Series {
    duration: Vec<KeyValue>,
    usage: Vec<KeyValue>,
}

impl Instruments {
    pub(super) fn new(meter: &Meter) -> Self {
        let counter = |name: &'static str| {
            let counter = meter.u64_counter(name).with_unit("{token}");
            counter
                .with_description("how many tokens calls of models used")
                .build()
        };
        Self {
            inference: duration(meter, keys::METRIC_INFERENCE_DURATION),
            agent: duration(meter, keys::METRIC_INVOKE_AGENT_DURATION),
            tool: duration(meter, keys::METRIC_EXECUTE_TOOL_DURATION),
            other: duration(meter, keys::METRIC_OPERATION_DURATION),
            input: counter(keys::METRIC_INPUT_TOKENS),
            output: counter(keys::METRIC_OUTPUT_TOKENS),
            cache_read: counter(keys::METRIC_CACHE_READ_TOKENS),
            cache_write: counter(keys::METRIC_CACHE_WRITE_TOKENS),
            reasoning: counter(keys::METRIC_REASONING_TOKENS),
            series: Remembered::new(),
        }
    }

    pub(super) fn record(&self, measured: &Measured<'_>, seconds: f64) {
        let (durations, keys): (_, &[&str]) = match measured.operation() {
            Some("chat" | "text_completion" | "generate_content") => (&self.inference, &DIMENSIONS),
            Some("invoke_agent" | "invoke_workflow") => (&self.agent, &OF_AGENTS),
            Some("execute_tool") => (&self.tool, &OF_TOOLS),
            _ => (&self.other, &DIMENSIONS),
        };
        let series = self.series.get(measured.texts(), || Series {
            duration: measured.dimensions(keys),
            usage: measured.dimensions(&OF_USAGE),
        });
        durations.record(seconds, &series.duration);
        let usage = measured.usage;
        for (counter, tokens) in [
            (&self.input, usage.input),
            (&self.output, usage.output),
            (&self.cache_read, usage.cache_read),
            (&self.cache_write, usage.cache_write),
            (&self.reasoning, usage.reasoning),
        ] {
            if let Some(tokens) = tokens {
                counter.add(tokens, &series.usage);
            }
        }
    }
}
