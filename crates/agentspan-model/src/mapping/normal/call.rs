//! The facts of a span about its agent, its model and its usage.

use std::borrow::Cow;

use serde_json::Value;

use super::facts::{NormalSpan, OperationName, Parameters, Usage};
use super::lenient_json;
use super::operation::langchain_agent;
use super::reader::{Reader, whole_of};
use super::source::SourceValue;
use crate::agent365::Profile;
use crate::keys::{self, dialects};
use crate::mapping::llm_call::provider_name;

pub(super) fn read(reader: &Reader<'_, '_>, normal: &mut NormalSpan) {
    read_agent(reader, normal);
    let call = &mut normal.call;
    call.provider = provider(reader).map(|said| provider_name(said).into_owned());
    call.response_id = reader.owned(&[keys::GEN_AI_RESPONSE_ID]);
    let streams = [
        keys::GEN_AI_REQUEST_STREAM,
        dialects::GEN_AI_IS_STREAMING,
        dialects::LLM_IS_STREAMING,
    ];
    call.is_streamed = reader.truth(&streams);
    call.output_type = reader.owned(&[keys::GEN_AI_OUTPUT_TYPE]);
    call.parameters = parameters(reader);
    let asked = Asked::of(reader);
    asked.complete(&mut call.parameters);
    call.is_streamed = call.is_streamed.or_else(|| asked.is_streamed());
    let is_streamed_by_langfuse = reader.text(&[dialects::LANGFUSE_MODEL]).is_some()
        && reader.has(dialects::LANGFUSE_COMPLETION_START);
    if is_streamed_by_langfuse {
        call.is_streamed.get_or_insert(true);
    }
    if call.response_id.is_none() {
        call.response_id = Answer::of(reader, &normal.operation).and_then(|answer| answer.id());
    }
    let Models { request, response } = models(reader, &normal.operation);
    call.request_model = request.map(Cow::into_owned);
    call.response_model = response.map(Cow::into_owned);
    normal.usage = usage(reader);
    normal.conversation_id = reader.owned(&[keys::GEN_AI_CONVERSATION_ID]);
    normal.session_id = reader.owned(&[keys::SESSION_ID, keys::MICROSOFT_SESSION_ID]);
}

fn read_agent(reader: &Reader<'_, '_>, normal: &mut NormalSpan) {
    let agent = &mut normal.agent;
    agent.id = reader.owned(&[keys::GEN_AI_AGENT_ID]);
    agent.name = agent_name(reader, &normal.operation).map(Cow::into_owned);
    agent.description = reader.owned(&[keys::GEN_AI_AGENT_DESCRIPTION]);
    agent.version = reader.owned(&[keys::GEN_AI_AGENT_VERSION]);
}

/// The name of the agent that does something, or for which it is done.
pub(super) fn agent_name<'a>(
    reader: &Reader<'_, 'a>,
    operation: &OperationName,
) -> Option<Cow<'a, str>> {
    if let Some(name) = reader.text(&[keys::GEN_AI_AGENT_NAME, keys::AGENT_NAME]) {
        return Some(name.into());
    }
    if reader.has(keys::OPENINFERENCE_SPAN_KIND) {
        if let Some(name) = langchain_agent(reader) {
            return Some(name.into());
        }
    }
    if !operation.is_agent() {
        return None;
    }
    let of_entity = reader.text(&[dialects::TRACELOOP_ENTITY_NAME]);
    // Langfuse has the agent's name in that of the span only.
    let is_named_so = reader.peek(dialects::LANGFUSE_TYPE) == Some("agent");
    let name = of_entity.or_else(|| is_named_so.then_some(reader.span.name))?;
    Some(name.into())
}

/// The provider of the model, as somebody calls it.
pub(super) fn provider<'a>(reader: &Reader<'_, 'a>) -> Option<&'a str> {
    let said = reader.text(&[
        keys::GEN_AI_PROVIDER_NAME,
        keys::LLM_PROVIDER,
        dialects::LLM_SYSTEM,
    ]);
    // In Agent 365 0.1.0 the system is the SDK.
    let system = reader.text(&[keys::GEN_AI_SYSTEM]);
    said.or(system.filter(|system| !Profile::is_system(system)))
}

/// The model that was asked, and the one that answered.
pub(super) struct Models<'a> {
    pub(super) request: Option<Cow<'a, str>>,
    pub(super) response: Option<Cow<'a, str>>,
}

pub(super) fn models<'a>(reader: &Reader<'_, 'a>, operation: &OperationName) -> Models<'a> {
    let said = |key| reader.text(&[key]).map(Cow::Borrowed);
    let mut request = said(keys::GEN_AI_REQUEST_MODEL);
    let mut response = said(keys::GEN_AI_RESPONSE_MODEL);
    if request.is_none() {
        request = Asked::of(reader).model().map(Cow::Owned);
    }
    // Langfuse has one model, that of the answer, or of the request where there was no answer.
    if let Some(model) = said(dialects::LANGFUSE_MODEL) {
        let has_failed = reader.peek(dialects::LANGFUSE_LEVEL) == Some("ERROR");
        let place = if has_failed {
            &mut request
        } else {
            &mut response
        };
        place.get_or_insert(model);
    }
    if response.is_none() {
        let answer = Answer::of(reader, operation);
        response = answer.and_then(|answer| answer.model()).map(Cow::Owned);
    }
    // OpenInference has one model: of the answer, or where nobody knows it, of the request.
    let of_embeddings =
        || said(dialects::EMBEDDING_MODEL_NAME).filter(|_| *operation == OperationName::Embeddings);
    if let Some(model) = said(keys::LLM_MODEL_NAME).or_else(of_embeddings) {
        response.get_or_insert(model.clone());
        request.get_or_insert(model);
    }
    Models { request, response }
}

fn parameters(reader: &Reader<'_, '_>) -> Parameters {
    Parameters {
        max_tokens: reader.whole(&[keys::GEN_AI_REQUEST_MAX_TOKENS]),
        temperature: reader.real(&[keys::GEN_AI_REQUEST_TEMPERATURE]),
        top_p: reader.real(&[keys::GEN_AI_REQUEST_TOP_P]),
        top_k: reader.real(&[keys::GEN_AI_REQUEST_TOP_K]),
        frequency_penalty: reader.real(&[keys::GEN_AI_REQUEST_FREQUENCY_PENALTY]),
        presence_penalty: reader.real(&[keys::GEN_AI_REQUEST_PRESENCE_PENALTY]),
        seed: reader.whole(&[keys::GEN_AI_REQUEST_SEED]),
        choice_count: reader.whole(&[keys::GEN_AI_REQUEST_CHOICE_COUNT]),
    }
}

/// The request as the provider's API has it, where a convention keeps it as JSON. It holds more than is read
/// here, so it stays under its key as well.
struct Asked(Vec<Value>);

impl Asked {
    fn of(reader: &Reader<'_, '_>) -> Self {
        let places = [
            keys::LLM_INVOCATION_PARAMETERS,
            dialects::LANGFUSE_PARAMETERS,
            dialects::LOGFIRE_REQUEST_DATA,
        ];
        let texts = places.iter().filter_map(|key| reader.peek(key));
        let values = texts.filter_map(lenient_json::parse);
        Self(values.collect())
    }

    fn member<'v, T>(&'v self, names: &[&str], read: impl Fn(&'v Value) -> Option<T>) -> Option<T> {
        let mut values = self.0.iter();
        values.find_map(|value| {
            let mut names = names.iter();
            names.find_map(|name| value.get(name).and_then(&read))
        })
    }

    fn complete(&self, parameters: &mut Parameters) {
        // The names of OpenAI's APIs, old and new, and of LangChain.
        let max_tokens = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
        let whole = |slot: &mut Option<i64>, names: &[&str]| {
            *slot = slot.or_else(|| self.member(names, Value::as_i64));
        };
        let real = |slot: &mut Option<f64>, names: &[&str]| {
            *slot = slot.or_else(|| self.member(names, Value::as_f64));
        };
        whole(&mut parameters.max_tokens, &max_tokens);
        whole(&mut parameters.seed, &["seed"]);
        whole(&mut parameters.choice_count, &["n"]);
        real(&mut parameters.temperature, &["temperature"]);
        real(&mut parameters.top_p, &["top_p"]);
        real(&mut parameters.top_k, &["top_k"]);
        real(&mut parameters.frequency_penalty, &["frequency_penalty"]);
        real(&mut parameters.presence_penalty, &["presence_penalty"]);
    }

    fn model(&self) -> Option<String> {
        let model = self.member(&["model", "model_name"], Value::as_str);
        model.map(str::to_owned)
    }

    fn is_streamed(&self) -> Option<bool> {
        self.member(&["stream"], Value::as_bool)
    }
}

/// The answer of a model as the provider's API or LangChain has it.
struct Answer(Value);

impl Answer {
    fn of(reader: &Reader<'_, '_>, operation: &OperationName) -> Option<Self> {
        let text = reader.peek(keys::OUTPUT_VALUE);
        let text = text.filter(|_| operation.is_inference())?;
        lenient_json::parse(text).map(Self)
    }

    fn id(&self) -> Option<String> {
        self.text(&[
            "/id",
            "/llm_output/id",
            "/generations/0/0/message/kwargs/response_metadata/id",
        ])
    }

    fn model(&self) -> Option<String> {
        self.text(&[
            "/llm_output/model_name",
            "/generations/0/0/generation_info/model_name",
            "/generations/0/0/message/kwargs/response_metadata/model_name",
        ])
    }

    fn text(&self, places: &[&str]) -> Option<String> {
        let mut places = places.iter().filter_map(|place| self.0.pointer(place));
        places.find_map(Value::as_str).map(str::to_owned)
    }
}

pub(super) fn usage(reader: &Reader<'_, '_>) -> Usage {
    let mut usage = Usage {
        input: reader.whole(&[
            keys::GEN_AI_USAGE_INPUT_TOKENS,
            dialects::GEN_AI_USAGE_PROMPT_TOKENS,
            keys::LLM_TOKEN_COUNT_PROMPT,
        ]),
        output: reader.whole(&[
            keys::GEN_AI_USAGE_OUTPUT_TOKENS,
            dialects::GEN_AI_USAGE_COMPLETION_TOKENS,
            keys::LLM_TOKEN_COUNT_COMPLETION,
        ]),
        cache_read: reader.whole(&[
            keys::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
            dialects::GEN_AI_USAGE_CACHE_READ,
            dialects::LLM_TOKEN_COUNT_CACHE_READ,
        ]),
        cache_write: reader.whole(&[
            keys::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
            keys::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
            dialects::GEN_AI_USAGE_CACHE_CREATION,
            dialects::LLM_TOKEN_COUNT_CACHE_WRITE,
        ]),
        reasoning: reader.whole(&[
            keys::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
            dialects::GEN_AI_USAGE_REASONING,
            dialects::GEN_AI_USAGE_DETAILS_REASONING,
            dialects::LLM_TOKEN_COUNT_REASONING,
        ]),
    };
    // The total follows from the others.
    let _ = reader.whole(&[keys::LLM_TOKEN_COUNT_TOTAL]);
    if let Some(details) = reader.json(&[dialects::LANGFUSE_USAGE, dialects::GEN_AI_USAGE_RAW]) {
        complete_usage(&mut usage, &details);
    }
    usage
}

/// Adds what the usage of a provider's API says, in the words of OpenAI's two APIs and of Langfuse.
fn complete_usage(usage: &mut Usage, details: &Value) {
    let find = |slot: &mut Option<i64>, places: &[&str]| {
        let mut places = places.iter().filter_map(|place| details.pointer(place));
        *slot = slot.or_else(|| places.find_map(|value| whole_of(&SourceValue::of_json(value))));
    };
    find(
        &mut usage.input,
        &["/prompt_tokens", "/input_tokens", "/input"],
    );
    find(
        &mut usage.output,
        &["/completion_tokens", "/output_tokens", "/output"],
    );
    find(
        &mut usage.cache_read,
        &[
            "/prompt_tokens_details/cached_tokens",
            "/input_tokens_details/cached_tokens",
            "/cache_read_input_tokens",
            "/input_cached_tokens",
        ],
    );
    find(
        &mut usage.cache_write,
        &[
            "/input_tokens_details/cache_write_tokens",
            "/cache_creation_input_tokens",
        ],
    );
    find(
        &mut usage.reasoning,
        &[
            "/completion_tokens_details/reasoning_tokens",
            "/output_tokens_details/reasoning_tokens",
            "/output_reasoning_tokens",
        ],
    );
}

/// Why the model stopped: what an attribute says, else what the messages say.
pub(super) fn read_finish_reasons(reader: &Reader<'_, '_>, normal: &mut NormalSpan) {
    let said = reader.texts(&[
        keys::GEN_AI_RESPONSE_FINISH_REASONS,
        keys::LLM_FINISH_REASON,
        dialects::LANGFUSE_FINISH_REASON,
    ]);
    let of_messages = || {
        let messages = normal.output.reveal().into_iter().flatten();
        let reasons = messages.filter_map(|message| message.finish_reason.clone());
        // rig says so where it does not know.
        reasons.filter(|reason| reason != "unknown").collect()
    };
    normal.call.finish_reasons = said.unwrap_or_else(of_messages);
}
