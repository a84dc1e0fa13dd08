//! The metrics of release 0.1.0 of the GenAI conventions.

use agentspan_model::keys;
use opentelemetry::Value;
use opentelemetry::metrics::{Counter, Histogram, Meter};

use super::{DIMENSIONS, Measured, OF_USAGE, duration};

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
        }
    }

    pub(super) fn record(&self, measured: &Measured, seconds: f64) {
        let operation = measured.operation().map(Value::as_str);
        let (durations, keys): (_, &[&str]) = match operation.as_deref() {
            Some("chat" | "text_completion" | "generate_content") => (&self.inference, &DIMENSIONS),
            Some("invoke_agent" | "invoke_workflow") => (&self.agent, &OF_AGENTS),
            Some("execute_tool") => (&self.tool, &OF_TOOLS),
            _ => (&self.other, &DIMENSIONS),
        };
        durations.record(seconds, &measured.dimensions(keys));
        let usage = measured.usage;
        let dimensions = measured.dimensions(&OF_USAGE);
        for (counter, tokens) in [
            (&self.input, usage.input),
            (&self.output, usage.output),
            (&self.cache_read, usage.cache_read),
            (&self.cache_write, usage.cache_write),
            (&self.reasoning, usage.reasoning),
        ] {
            if let Some(tokens) = tokens {
                counter.add(tokens, &dimensions);
            }
        }
    }
}
