//! The rules of the GenAI conventions.

use super::ConventionRule;
use crate::agent365::contract::Level;

const SPANS: &str = "OpenTelemetry GenAI semantic conventions, spans";
const AGENTS: &str = "OpenTelemetry GenAI semantic conventions, agent and framework spans";
const REGISTRY: &str = "OpenTelemetry GenAI semantic conventions, attribute registry";
const MESSAGES: &str = "OpenTelemetry GenAI semantic conventions, JSON schemas of messages";
const OTLP: &str = "OpenTelemetry protocol, trace.proto";

pub(super) static MISSING_OPERATION: ConventionRule = ConventionRule {
    id: "G01",
    name: "missing-operation",
    level: Level::Error,
    symptom: "Viewers do not know what the span did.",
    cause: "The span has attributes of the GenAI conventions and no `gen_ai.operation.name`.",
    remedy: "Set it to the operation, such as `chat`, `execute_tool` or `invoke_agent`.",
    source: SPANS,
};
pub(super) static MISSPELT_OPERATION: ConventionRule = ConventionRule {
    id: "G02",
    name: "misspelt-operation",
    level: Level::Warning,
    symptom: "Viewers show the span as something else.",
    cause: "The operation differs from a well-known one only in its letters' case, or has blanks around it.",
    remedy: "Write it as the conventions do, in lower case.",
    source: REGISTRY,
};
pub(super) static CUSTOM_OPERATION: ConventionRule = ConventionRule {
    id: "G03",
    name: "custom-operation",
    level: Level::Hint,
    symptom: "Viewers may not know the operation.",
    cause: "The operation is none of the well-known ones. A custom one is allowed if none of them fits.",
    remedy: "Use a well-known operation if one fits.",
    source: REGISTRY,
};
pub(super) static MISSING_PROVIDER: ConventionRule = ConventionRule {
    id: "G04",
    name: "missing-provider",
    level: Level::Error,
    symptom: "Calls are not grouped by provider, and prices cannot be found.",
    cause: "A call of a model has no `gen_ai.provider.name`.",
    remedy: "Set it, for instance to `openai` or `azure.ai.openai`.",
    source: SPANS,
};
pub(super) static MISSING_MODEL: ConventionRule = ConventionRule {
    id: "G05",
    name: "missing-model",
    level: Level::Warning,
    symptom: "Calls are not grouped by model.",
    cause: "A call of a model has neither `gen_ai.request.model` nor `gen_ai.response.model`.",
    remedy: "Set `gen_ai.request.model`.",
    source: SPANS,
};
pub(super) static MISSING_TOOL_NAME: ConventionRule = ConventionRule {
    id: "G06",
    name: "missing-tool-name",
    level: Level::Error,
    symptom: "It is not known which tool ran.",
    cause: "An `execute_tool` span has no `gen_ai.tool.name`.",
    remedy: "Set it to the name under which the model calls the tool.",
    source: AGENTS,
};
pub(super) static MISSING_ERROR_TYPE: ConventionRule = ConventionRule {
    id: "G07",
    name: "missing-error-type",
    level: Level::Warning,
    symptom: "Errors are not grouped by what went wrong.",
    cause: "The status of the span is an error, and it has no `error.type`.",
    remedy: "Set it to the class of the exception, a status code, or `_OTHER`.",
    source: SPANS,
};
pub(super) static DEPRECATED: ConventionRule = ConventionRule {
    id: "G08",
    name: "deprecated-attribute",
    level: Level::Warning,
    symptom: "Viewers of the current conventions pass over the attribute.",
    cause: "The attribute has been replaced by another one.",
    remedy: "Write the attribute that took its place, such as `gen_ai.provider.name` for `gen_ai.system`, \
             `gen_ai.usage.input_tokens` for `gen_ai.usage.prompt_tokens` or `gen_ai.input.messages` for \
             `gen_ai.prompt`.",
    source: REGISTRY,
};
pub(super) static WRONG_TYPE: ConventionRule = ConventionRule {
    id: "G09",
    name: "wrong-type",
    level: Level::Error,
    symptom: "The value cannot be summed, or is not read.",
    cause: "The value has another type than the conventions say, such as a number of tokens as text.",
    remedy: "Write numbers as numbers, and lists of texts as lists.",
    source: REGISTRY,
};
pub(super) static NEGATIVE_TOKENS: ConventionRule = ConventionRule {
    id: "G10",
    name: "negative-tokens",
    level: Level::Error,
    symptom: "Totals are too small.",
    cause: "A number of tokens is negative.",
    remedy: "Leave the attribute out if the number is not known.",
    source: REGISTRY,
};
pub(super) static MALFORMED_MESSAGES: ConventionRule = ConventionRule {
    id: "G11",
    name: "malformed-messages",
    level: Level::Error,
    symptom: "Viewers show no conversation.",
    cause: "The messages are not JSON of the conventions: a list of messages with `role` and `parts`, each part with \
            a `type`.",
    remedy: "Write `[{\"role\": \"user\", \"parts\": [{\"type\": \"text\", \"content\": \"…\"}]}]`.",
    source: MESSAGES,
};
pub(super) static OTHER_NAME: ConventionRule = ConventionRule {
    id: "G12",
    name: "other-span-name",
    level: Level::Hint,
    symptom: "Lists of spans are harder to read.",
    cause: "The span's name does not begin with its operation.",
    remedy: "Name it `{operation} {model}`, `{operation} {tool}` or `{operation} {agent}`.",
    source: SPANS,
};
pub(super) static MALFORMED_IDS: ConventionRule = ConventionRule {
    id: "G13",
    name: "malformed-ids",
    level: Level::Error,
    symptom: "Receivers drop the span, or cannot put it into its trace.",
    cause: "An id is not written in hexadecimal digits, has the wrong length, or is all zeros.",
    remedy: "Write 32 hexadecimal digits for a trace, and 16 for a span.",
    source: OTLP,
};
pub(super) static IMPOSSIBLE_TIMES: ConventionRule = ConventionRule {
    id: "G14",
    name: "impossible-times",
    level: Level::Error,
    symptom: "The span stands in the wrong place, or nowhere.",
    cause: "The span ends before it starts, or a time is missing or not in nanoseconds since the Unix epoch.",
    remedy: "Write nanoseconds since the Unix epoch.",
    source: OTLP,
};

/// All rules of the GenAI conventions, in the order of their ids.
pub static GEN_AI_RULES: [&ConventionRule; 14] = [
    &MISSING_OPERATION,
    &MISSPELT_OPERATION,
    &CUSTOM_OPERATION,
    &MISSING_PROVIDER,
    &MISSING_MODEL,
    &MISSING_TOOL_NAME,
    &MISSING_ERROR_TYPE,
    &DEPRECATED,
    &WRONG_TYPE,
    &NEGATIVE_TOKENS,
    &MALFORMED_MESSAGES,
    &OTHER_NAME,
    &MALFORMED_IDS,
    &IMPOSSIBLE_TIMES,
];
