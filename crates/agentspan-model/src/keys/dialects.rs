//! Keys that other instrumentations write, and that only the normal form reads.
//!
//! Those that have become part of a convention are in [`keys`](crate::keys) itself. Each is followed by who writes it.

/// Older GenAI conventions: one text, or a list (`gen_ai.prompt.0.content`) in OpenLLMetry.
pub(crate) const GEN_AI_PROMPT: &str = "gen_ai.prompt";
/// As [`GEN_AI_PROMPT`], of the answer.
pub(crate) const GEN_AI_COMPLETION: &str = "gen_ai.completion";
/// GenAI conventions before 1.27, and OpenLLMetry.
pub(crate) const GEN_AI_USAGE_PROMPT_TOKENS: &str = "gen_ai.usage.prompt_tokens";
/// GenAI conventions before 1.27, and OpenLLMetry.
pub(crate) const GEN_AI_USAGE_COMPLETION_TOKENS: &str = "gen_ai.usage.completion_tokens";
/// OpenLLMetry.
pub(crate) const GEN_AI_USAGE_CACHE_READ: &str = "gen_ai.usage.cache_read_input_tokens";
/// OpenLLMetry.
pub(crate) const GEN_AI_USAGE_CACHE_CREATION: &str = "gen_ai.usage.cache_creation_input_tokens";
/// OpenLLMetry, rig.
pub(crate) const GEN_AI_USAGE_REASONING: &str = "gen_ai.usage.reasoning_tokens";
/// Pydantic AI.
pub(crate) const GEN_AI_USAGE_DETAILS_REASONING: &str = "gen_ai.usage.details.reasoning_tokens";
/// Logfire: the usage as the provider's API has it, JSON.
pub(crate) const GEN_AI_USAGE_RAW: &str = "gen_ai.usage.raw";
/// OpenLLMetry.
pub(crate) const GEN_AI_IS_STREAMING: &str = "gen_ai.is_streaming";
/// rig: `success` or `error`.
pub(crate) const GEN_AI_TOOL_CALL_OUTCOME: &str = "gen_ai.tool.call.outcome";
/// rig: the class of the error of a tool.
pub(crate) const GEN_AI_TOOL_ERROR_TYPE: &str = "gen_ai.tool.error.type";
/// GenAI conventions up to 1.36: the events that hold contents.
pub(crate) const GEN_AI_CONTENT_PROMPT_EVENT: &str = "gen_ai.content.prompt";
/// As [`GEN_AI_CONTENT_PROMPT_EVENT`], of the answer.
pub(crate) const GEN_AI_CONTENT_COMPLETION_EVENT: &str = "gen_ai.content.completion";
/// OpenLLMetry: `chat`, `completion`, `embedding`, `rerank`.
pub(crate) const LLM_REQUEST_TYPE: &str = "llm.request.type";
/// OpenLLMetry.
pub(crate) const LLM_IS_STREAMING: &str = "llm.is_streaming";
/// OpenLLMetry: a list of the tools of a request.
pub(crate) const LLM_REQUEST_FUNCTIONS: &str = "llm.request.functions";
/// OpenLLMetry: `workflow`, `agent`, `tool`, `task`.
pub(crate) const TRACELOOP_SPAN_KIND: &str = "traceloop.span.kind";
/// OpenLLMetry.
pub(crate) const TRACELOOP_ENTITY_NAME: &str = "traceloop.entity.name";
/// OpenLLMetry.
pub(crate) const TRACELOOP_ENTITY_INPUT: &str = "traceloop.entity.input";
/// OpenLLMetry.
pub(crate) const TRACELOOP_ENTITY_OUTPUT: &str = "traceloop.entity.output";
/// OpenInference, older than `llm.provider` and as often written.
pub(crate) const LLM_SYSTEM: &str = "llm.system";
/// OpenInference.
pub(crate) const LLM_TOKEN_COUNT_CACHE_READ: &str = "llm.token_count.prompt_details.cache_read";
/// OpenInference.
pub(crate) const LLM_TOKEN_COUNT_CACHE_WRITE: &str = "llm.token_count.prompt_details.cache_write";
/// OpenInference.
pub(crate) const LLM_TOKEN_COUNT_REASONING: &str = "llm.token_count.completion_details.reasoning";
/// OpenInference: a list of the parts of a message.
pub(crate) const MESSAGE_CONTENTS: &str = "message.contents";
/// OpenInference: `text`, `image`, `reasoning`.
pub(crate) const MESSAGE_CONTENT_TYPE: &str = "message_content.type";
/// OpenInference.
pub(crate) const MESSAGE_CONTENT_TEXT: &str = "message_content.text";
/// OpenInference.
pub(crate) const MESSAGE_CONTENT_IMAGE_URL: &str = "message_content.image.image.url";
/// OpenInference.
pub(crate) const MESSAGE_CONTENT_AUDIO_URL: &str = "message_content.audio.audio.url";
/// OpenInference, of OpenAI's first API for calls.
pub(crate) const MESSAGE_FUNCTION_CALL_NAME: &str = "message.function_call_name";
/// As [`MESSAGE_FUNCTION_CALL_NAME`].
pub(crate) const MESSAGE_FUNCTION_CALL_ARGUMENTS: &str = "message.function_call_arguments_json";
/// OpenInference: the id of the call.
pub(crate) const TOOL_ID: &str = "tool.id";
/// OpenInference.
pub(crate) const EMBEDDING_MODEL_NAME: &str = "embedding.model_name";
/// Langfuse: `generation`, `agent`, `tool`, `embedding`, `span`, ...
pub(crate) const LANGFUSE_TYPE: &str = "langfuse.observation.type";
/// Langfuse.
pub(crate) const LANGFUSE_INPUT: &str = "langfuse.observation.input";
/// Langfuse.
pub(crate) const LANGFUSE_OUTPUT: &str = "langfuse.observation.output";
/// Langfuse: the model of the answer, and of the request where there is no answer.
pub(crate) const LANGFUSE_MODEL: &str = "langfuse.observation.model.name";
/// Langfuse: JSON.
pub(crate) const LANGFUSE_PARAMETERS: &str = "langfuse.observation.model.parameters";
/// Langfuse: JSON.
pub(crate) const LANGFUSE_USAGE: &str = "langfuse.observation.usage_details";
/// Langfuse: a time, where an answer was streamed.
pub(crate) const LANGFUSE_COMPLETION_START: &str = "langfuse.observation.completion_start_time";
/// Langfuse.
pub(crate) const LANGFUSE_FINISH_REASON: &str = "langfuse.observation.metadata.finish_reason";
/// Langfuse.
pub(crate) const LANGFUSE_TOOL_CALL_ID: &str = "langfuse.observation.metadata.tool_call_id";
/// Langfuse: `ERROR`, ...
pub(crate) const LANGFUSE_LEVEL: &str = "langfuse.observation.level";
/// Langfuse.
pub(crate) const LANGFUSE_STATUS_MESSAGE: &str = "langfuse.observation.status_message";
/// Logfire: the request as the provider's API has it, JSON.
pub(crate) const LOGFIRE_REQUEST_DATA: &str = "request_data";
/// Logfire: the answer, JSON.
pub(crate) const LOGFIRE_RESPONSE_DATA: &str = "response_data";

/// The keys that `tracing-opentelemetry` adds to every span, and those that rig keeps for itself:
/// they tell nothing about agents.
pub(crate) const TRACING_NOISE: &[&str] = &[
    super::TARGET,
    super::LEVEL,
    "busy_ns",
    "idle_ns",
    "rig.completion_parent",
];

/// The prefixes of the keys of such noise.
pub(crate) const TRACING_NOISE_PREFIXES: &[&str] = &["code.", "thread."];

/// The prefixes of the keys of all known conventions. A span without one of them is not looked at
/// further.
pub(crate) const CONVENTIONS: &[&str] = &[
    "gen_ai.",
    "openinference.",
    "llm.",
    "traceloop.",
    "langfuse.",
];

/// Whether a key belongs to a convention for agents, models and tools, so that a span with it is one of those.
#[must_use]
pub fn is_of_agent_convention(key: &str) -> bool {
    CONVENTIONS.iter().any(|prefix| key.starts_with(prefix))
}
