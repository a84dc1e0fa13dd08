//! What is counted of a span is what its normal form has.

use agentspan_model::mapping::SpanKind;
use agentspan_model::mapping::normal::{
    NormalSpan, Outline, SourceEvent, SourceSpan, SourceValue, Usage, provider_name,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Keys that some convention has for what is counted, and some that look like them.
const KEYS: [&str; 55] = [
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.system",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.agent.name",
    "gen_ai.tool.name",
    "gen_ai.tool.call.outcome",
    "gen_ai.tool.error.type",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.completion_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.details.reasoning_tokens",
    "gen_ai.usage.raw",
    "gen_ai.input.messages",
    "gen_ai.response.id",
    "openinference.span.kind",
    "llm.model_name",
    "llm.provider",
    "llm.system",
    "llm.request.type",
    "llm.token_count.prompt",
    "llm.token_count.completion",
    "llm.token_count.total",
    "llm.token_count.prompt_details.cache_read",
    "llm.token_count.completion_details.reasoning",
    "llm.invocation_parameters",
    "traceloop.span.kind",
    "traceloop.entity.name",
    "langfuse.observation.type",
    "langfuse.observation.model.name",
    "langfuse.observation.model.parameters",
    "langfuse.observation.level",
    "langfuse.observation.status_message",
    "langfuse.observation.usage_details",
    "langfuse.observation.completion_start_time",
    "request_data",
    "agent.name",
    "tool.name",
    "metadata",
    "input.value",
    "output.value",
    "error.type",
    "error.message",
    "http.response.status_code",
    "",
    "é.ключ",
];

const TEXTS: [&str; 28] = [
    "",
    "chat",
    "Chat",
    "completion",
    "embedding",
    "invoke_agent",
    "invoke_workflow",
    "execute_tool",
    "unknown",
    "LLM",
    "AGENT",
    "tool",
    "TOOL",
    "CHAIN",
    "RETRIEVER",
    "agent",
    "generation",
    "error",
    "other",
    "ERROR",
    "openai",
    " Azure OpenAI ",
    "az.ai.agent365",
    "47",
    "4.7e1",
    r#"{"model": "gpt-4o", "stream": true, "lc_agent_name": "a span"}"#,
    r#"{"prompt_tokens": 7, "output": 4, "input_tokens_details": {"cached_tokens": 2}}"#,
    r#"{"id": "1", "llm_output": {"model_name": "m", "id": "2"}}"#,
];

/// The value of an attribute, made anew.
#[derive(Clone, Debug)]
enum Made {
    Text(&'static str),
    I64(i64),
    F64(f64),
    Bool(bool),
    Texts(Vec<&'static str>),
    Other,
}

impl Made {
    fn source(&self) -> SourceValue<'static> {
        match self {
            Self::Text(text) => SourceValue::Text(text),
            Self::I64(number) => SourceValue::I64(*number),
            Self::F64(number) => SourceValue::F64(*number),
            Self::Bool(truth) => SourceValue::Bool(*truth),
            Self::Texts(texts) => SourceValue::Texts(texts.clone()),
            Self::Other => SourceValue::Other,
        }
    }
}

fn value() -> impl Strategy<Value = Made> {
    prop_oneof![
        6 => select(&TEXTS[..]).prop_map(Made::Text),
        1 => (-1..50_i64).prop_map(Made::I64),
        1 => select(&[0.5, 4.0, f64::NAN][..]).prop_map(Made::F64),
        1 => any::<bool>().prop_map(Made::Bool),
        1 => vec(select(&TEXTS[..]), 0..3).prop_map(Made::Texts),
        1 => Just(Made::Other),
    ]
}

#[track_caller]
fn check(span: &SourceSpan<'_>) -> Option<()> {
    let (normal, outline) = (NormalSpan::read(span), Outline::read(span));
    assert_eq!(normal.is_some(), outline.is_some());
    let (normal, outline) = (normal?, outline?);
    assert_eq!(normal.operation, outline.operation);
    assert_eq!(normal.is_sum(), outline.is_sum());
    let usage = if normal.is_sum() {
        Usage::default()
    } else {
        normal.usage
    };
    assert_eq!(usage, outline.usage);
    let provider = outline.provider_said.map(provider_name);
    assert_eq!(normal.call.provider.as_deref(), provider.as_deref());
    let model = outline.request_model.as_deref();
    assert_eq!(normal.call.request_model.as_deref(), model);
    let model = outline.response_model.as_deref();
    assert_eq!(normal.call.response_model.as_deref(), model);
    assert_eq!(normal.call.model(), outline.model());
    assert_eq!(normal.agent.name.as_deref(), outline.agent_name.as_deref());
    assert_eq!(normal.tool.name.as_deref(), outline.tool_name);
    let class = normal.error.as_ref();
    let class = class.map(|error| error.error_type.as_deref().unwrap_or("_OTHER"));
    assert_eq!(class, outline.error_type);
    Some(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn an_outline_has_the_facts_of_the_normal_form(
        attributes in vec((select(&KEYS[..]), value()), 0..12),
        exceptions in vec((select(&["exception", "other"][..]), select(&TEXTS[..])), 0..3),
        status in 0..3,
        is_client in any::<bool>(),
    ) {
        let mut span = SourceSpan::new("a span");
        if is_client {
            span = span.with_kind(SpanKind::Client);
        }
        span = match status {
            0 => span,
            1 => span.with_ok(),
            _ => span.with_error("it failed"),
        };
        for (key, value) in &attributes {
            span.attribute(key, value.source());
        }
        for (name, class) in exceptions {
            let mut event = SourceEvent::new(name);
            event.attribute("exception.type", SourceValue::Text(class));
            span.event(event);
        }
        check(&span);
    }
}

/// Keys that differ in one byte only, wherever it is.
#[test]
fn keys_that_look_alike_are_told_apart() {
    let of = |key: &str| {
        let mut span = SourceSpan::new("a span");
        span.attribute("gen_ai.operation.name", SourceValue::Text("chat"));
        span.attribute(key, SourceValue::I64(7));
        Outline::read(&span).unwrap().usage.input
    };
    let key = "gen_ai.usage.input_tokens";
    assert_eq!(of(key), Some(7));
    for at in 0..key.len() {
        for other in [b'_', b'q', b'.'] {
            let mut bytes = key.as_bytes().to_vec();
            if bytes[at] != other {
                bytes[at] = other;
                assert_eq!(of(std::str::from_utf8(&bytes).unwrap()), None);
            }
        }
    }
}
