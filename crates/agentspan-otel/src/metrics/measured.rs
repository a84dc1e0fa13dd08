//! The measured parts of a span.

use std::borrow::Cow;

use agentspan_model::attribute::{AttributeValue, Key};
use agentspan_model::keys;
use agentspan_model::mapping::normal::{Outline, provider_name};
use agentspan_model::mapping::{AgentSpecFields, Mapping, PlacedSpan, Rendering};
use agentspan_record::{FinishedSpan, from_otel, outlined, to_value};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::{LONGEST_NAME, OTHER};

/// The attributes of a span that its metrics have, too. None of them is content, an id or a name of a user.
pub(super) const DIMENSIONS: [&str; 5] = [
    keys::GEN_AI_OPERATION_NAME,
    keys::GEN_AI_PROVIDER_NAME,
    keys::GEN_AI_REQUEST_MODEL,
    keys::GEN_AI_RESPONSE_MODEL,
    keys::ERROR_TYPE,
];

/// The attributes that metrics of tokens have.
pub(super) const OF_USAGE: [&str; 4] = [
    keys::GEN_AI_OPERATION_NAME,
    keys::GEN_AI_PROVIDER_NAME,
    keys::GEN_AI_REQUEST_MODEL,
    keys::GEN_AI_RESPONSE_MODEL,
];

/// How many texts of a span are looked at: the [`DIMENSIONS`] and two names.
pub(super) const TEXTS: usize = DIMENSIONS.len() + 2;

/// The keys of the texts, in their order.
const KEYS: [&str; TEXTS] = [
    keys::GEN_AI_OPERATION_NAME,
    keys::GEN_AI_PROVIDER_NAME,
    keys::GEN_AI_REQUEST_MODEL,
    keys::GEN_AI_RESPONSE_MODEL,
    keys::ERROR_TYPE,
    keys::GEN_AI_AGENT_NAME,
    keys::GEN_AI_TOOL_NAME,
];

/// The measured parts of a span: its operation, in the order of [`KEYS`], and its tokens.
#[derive(Debug, Default)]
pub(crate) struct Measured<'a> {
    texts: [Option<Cow<'a, str>>; TEXTS],
    pub(super) usage: Tokens,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tokens {
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    pub(super) cache_read: Option<u64>,
    pub(super) cache_write: Option<u64>,
    pub(super) reasoning: Option<u64>,
}

impl<'a> Measured<'a> {
    /// The measured parts of a span, if it is an operation of an agent.
    pub(crate) fn of_finished(span: &'a FinishedSpan) -> Option<Self> {
        match &span.agent_spec {
            Some(placed) => Self::of_placed(placed),
            None => Self::of_agent_spec(&span.data).or_else(|| Self::of(&span.data)),
        }
    }

    /// Whether the operation failed, if a status says so or not.
    pub(crate) fn has_failed(&self) -> bool {
        let [_, _, _, _, error_type, ..] = &self.texts;
        error_type.is_some()
    }

    /// The tokens of a call of a model, input and output together.
    pub(crate) fn tokens(&self) -> u64 {
        let used = [self.usage.input, self.usage.output];
        used.into_iter().flatten().fold(0, u64::saturating_add)
    }

    /// The measured parts of a span of any convention, if it names an operation.
    fn of(span: &'a SpanData) -> Option<Self> {
        let outline = Outline::read(&outlined(span))?;
        let mut measured = Self::default();
        if !outline.is_sum() {
            let count = |tokens: Option<i64>| tokens.and_then(|it| u64::try_from(it).ok());
            measured.usage = Tokens {
                input: count(outline.usage.input),
                output: count(outline.usage.output),
                cache_read: count(outline.usage.cache_read),
                cache_write: count(outline.usage.cache_write),
                reasoning: count(outline.usage.reasoning),
            };
        }
        measured.texts = [
            Some(operation(outline.operation.as_str()).into()),
            outline.provider_said.map(|name| short(name.into())),
            outline.request_model.map(short),
            outline.response_model.map(short),
            outline.error_type.map(|name| short(name.into())),
            outline.agent_name.map(short),
            outline.tool_name.map(|name| short(name.into())),
        ];
        Some(measured)
    }

    /// The measured parts of an Agent Spec span by the GenAI conventions, if it is one and an
    /// operation.
    fn of_agent_spec(span: &SpanData) -> Option<Self> {
        let mut attributes = span.attributes.iter();
        attributes.find(|attribute| attribute.key.as_str() == keys::AGENTSPEC_SPAN_ID)?;
        // One that was cut is measured by what is left of it.
        Self::of_placed(&from_otel(span).ok()??)
    }

    fn of_placed(placed: &PlacedSpan) -> Option<Self> {
        let mapping = Mapping::new(Rendering::GenAi).with_fields(AgentSpecFields::Identifying);
        let mut measured = Self::default();
        mapping.visit_span(
            &placed.in_trace(),
            &mut |key: Key, value: AttributeValue<'_>| {
                if let (Key::Static(name), Some(value)) = (key, to_value(key, value)) {
                    measured.add(name, value);
                }
            },
        );
        measured.operation().is_some().then_some(measured)
    }

    fn add(&mut self, key: &str, value: Value) {
        let key = match key {
            keys::GEN_AI_USAGE_INPUT_TOKENS => return self.usage.input = count(&value),
            keys::GEN_AI_USAGE_OUTPUT_TOKENS => return self.usage.output = count(&value),
            // As release 0.1.0 has it, which alone asks for it.
            keys::GEN_AI_WORKFLOW_NAME => keys::GEN_AI_AGENT_NAME,
            key => key,
        };
        let mut places = KEYS.iter().zip(&mut self.texts);
        if let Some((_, text)) = places.find(|(known, _)| **known == key) {
            *text = Some(match value {
                Value::String(name) if key == keys::GEN_AI_OPERATION_NAME => {
                    operation(name.as_str()).into()
                }
                Value::String(name) => short(String::from(name).into()),
                _ => OTHER.into(),
            });
        }
    }

    pub(super) fn operation(&self) -> Option<&str> {
        let [operation, ..] = &self.texts;
        operation.as_deref()
    }

    /// All that its series may differ in.
    pub(super) fn texts(&self) -> [Option<&str>; TEXTS] {
        self.texts.each_ref().map(Option::as_deref)
    }

    /// As [`texts`](Self::texts), without the names of agents and tools.
    pub(super) fn without_names(&self) -> [Option<&str>; DIMENSIONS.len()] {
        let [operation, provider, asked, answered, error_type, ..] = self.texts();
        [operation, provider, asked, answered, error_type]
    }

    /// The attributes under these keys, with room for one more.
    pub(super) fn dimensions(&self, keys: &[&str]) -> Vec<KeyValue> {
        let said = KEYS.into_iter().zip(&self.texts);
        let said = said.filter(|(key, _)| keys.contains(key));
        let mut dimensions = Vec::with_capacity(keys.len() + 1);
        dimensions.extend(said.filter_map(|(key, text)| {
            let text = text.as_deref()?;
            Some(match key {
                keys::GEN_AI_PROVIDER_NAME if text != OTHER => {
                    KeyValue::new(key, provider_name(text).into_owned())
                }
                _ => KeyValue::new(key, text.to_owned()),
            })
        }));
        dimensions
    }
}

/// A text that is short enough to be a name.
fn short(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= LONGEST_NAME {
        text
    } else {
        OTHER.into()
    }
}

/// The name of an operation in the conventions, and those of Agent 365 that they have no name for.
fn operation(name: &str) -> &'static str {
    const KNOWN: [&str; 11] = [
        "apply_guardrail",
        "chat",
        "create_agent",
        "embeddings",
        "execute_tool",
        "generate_content",
        "invoke_agent",
        "invoke_workflow",
        "output_messages",
        "retrieval",
        "text_completion",
    ];
    match name {
        "Chat" => "chat",
        "GenerateContent" => "generate_content",
        "TextCompletion" => "text_completion",
        _ => KNOWN
            .into_iter()
            .find(|known| *known == name)
            .unwrap_or(OTHER),
    }
}

/// A number of tokens; the reference 0.1.0 writes it as text.
fn count(value: &Value) -> Option<u64> {
    match value {
        Value::I64(number) => u64::try_from(*number).ok(),
        Value::String(text) => text.as_str().parse().ok(),
        _ => None,
    }
}
