//! Judges spans by the GenAI conventions.

use serde_json::Value;

use super::gen_ai_rules as rules;
use super::{Breach, ConventionRule};
use crate::agent365::contract::{ObservedSpan, SpanIds, observed_span};
use crate::agentspec::MASK;
use crate::keys::{self, dialects};
use crate::mapping::normal::SourceValue;

/// In nanoseconds since the Unix epoch: March 1973, before which a time is in another unit.
const FIRST_TIME: u64 = 100_000_000_000_000_000;

const INFERENCE: [&str; 3] = ["chat", "generate_content", "text_completion"];

const OPERATIONS: [&str; 10] = [
    "chat",
    "create_agent",
    "embeddings",
    "execute_tool",
    "generate_content",
    "invoke_agent",
    "invoke_workflow",
    "plan",
    "retrieval",
    "text_completion",
];

const DEPRECATED: [&str; 5] = [
    keys::GEN_AI_SYSTEM,
    dialects::GEN_AI_PROMPT,
    dialects::GEN_AI_COMPLETION,
    dialects::GEN_AI_USAGE_PROMPT_TOKENS,
    dialects::GEN_AI_USAGE_COMPLETION_TOKENS,
];

const TOKENS: [&str; 6] = [
    keys::GEN_AI_USAGE_INPUT_TOKENS,
    keys::GEN_AI_USAGE_OUTPUT_TOKENS,
    keys::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    keys::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
    keys::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
    keys::GEN_AI_REQUEST_MAX_TOKENS,
];

const NUMBERS: [&str; 4] = [
    keys::GEN_AI_REQUEST_TEMPERATURE,
    keys::GEN_AI_REQUEST_TOP_P,
    keys::GEN_AI_REQUEST_FREQUENCY_PENALTY,
    keys::GEN_AI_REQUEST_PRESENCE_PENALTY,
];

const LISTS: [&str; 2] = [
    keys::GEN_AI_RESPONSE_FINISH_REASONS,
    keys::GEN_AI_REQUEST_STOP_SEQUENCES,
];

const TEXTS: [&str; 4] = [
    keys::GEN_AI_OPERATION_NAME,
    keys::GEN_AI_PROVIDER_NAME,
    keys::GEN_AI_REQUEST_MODEL,
    keys::GEN_AI_CONVERSATION_ID,
];

const MESSAGES: [&str; 2] = [keys::GEN_AI_INPUT_MESSAGES, keys::GEN_AI_OUTPUT_MESSAGES];

/// The findings of the GenAI conventions for one span in the JSON of OTLP or of Agent 365. There
/// are none for a span without attributes of the conventions, or for JSON that is not a span.
#[must_use]
pub fn judge_gen_ai(span: &Value) -> Vec<Breach> {
    let Some(observed) = observed_span(span) else {
        return Vec::new();
    };
    if !observed
        .attributes()
        .any(|(key, _)| key.starts_with(keys::GEN_AI_PREFIX))
    {
        return Vec::new();
    }
    let mut judge = Judge {
        span: &observed,
        breaches: Vec::new(),
    };
    judge.shape();
    judge.operation();
    judge.types();
    if is_error(span) && observed.text(keys::ERROR_TYPE).is_none() {
        judge.about(&rules::MISSING_ERROR_TYPE, keys::ERROR_TYPE);
    }
    judge.breaches
}

struct Judge<'s, 'a> {
    span: &'s ObservedSpan<'a>,
    breaches: Vec<Breach>,
}

impl Judge<'_, '_> {
    fn add(&mut self, rule: &'static ConventionRule, attribute: Option<&str>) {
        self.breaches.push(Breach {
            rule,
            span: SpanIds::of(self.span),
            attribute: attribute.map(str::to_owned),
        });
    }

    fn about(&mut self, rule: &'static ConventionRule, attribute: &str) {
        self.add(rule, Some(attribute));
    }

    fn shape(&mut self) {
        let span = self.span;
        let parent = span.parent_span_id();
        let ids_are_whole = is_id(span.trace_id(), 32)
            && is_id(span.span_id(), 16)
            && parent.is_none_or(|parent| is_id(parent, 16));
        if !ids_are_whole {
            self.add(&rules::MALFORMED_IDS, None);
        }
        let times_are_possible = span
            .times()
            .is_some_and(|(start, end)| (FIRST_TIME..=end).contains(&start));
        if !times_are_possible {
            self.add(&rules::IMPOSSIBLE_TIMES, None);
        }
    }

    fn operation(&mut self) {
        let Some(operation) = self.span.text(keys::GEN_AI_OPERATION_NAME) else {
            // OpenInference says it with a kind, and has no key for the id of an agent.
            if self.span.text(keys::OPENINFERENCE_SPAN_KIND).is_none() {
                self.about(&rules::MISSING_OPERATION, keys::GEN_AI_OPERATION_NAME);
            }
            return;
        };
        if !OPERATIONS.contains(&operation) {
            let is_misspelt = OPERATIONS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(operation.trim()));
            let rule = match is_misspelt {
                true => &rules::MISSPELT_OPERATION,
                false => &rules::CUSTOM_OPERATION,
            };
            self.about(rule, keys::GEN_AI_OPERATION_NAME);
            return;
        }
        let has = |key: &str| self.span.text(key).is_some();
        let is_call = INFERENCE.contains(&operation) || operation == "embeddings";
        let has_model = has(keys::GEN_AI_REQUEST_MODEL) || has(keys::GEN_AI_RESPONSE_MODEL);
        // The deprecated name of the provider has a rule of its own.
        let has_provider = has(keys::GEN_AI_PROVIDER_NAME) || has(keys::GEN_AI_SYSTEM);
        let is_nameless_tool = operation == "execute_tool" && !has(keys::GEN_AI_TOOL_NAME);
        if is_call && !has_provider {
            self.about(&rules::MISSING_PROVIDER, keys::GEN_AI_PROVIDER_NAME);
        }
        if is_call && !has_model {
            self.about(&rules::MISSING_MODEL, keys::GEN_AI_REQUEST_MODEL);
        }
        if is_nameless_tool {
            self.about(&rules::MISSING_TOOL_NAME, keys::GEN_AI_TOOL_NAME);
        }
        let name = self.span.name();
        let after = name.strip_prefix(operation);
        if !after.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) {
            self.add(&rules::OTHER_NAME, None);
        }
    }

    fn types(&mut self) {
        for (key, value) in self.span.attributes() {
            let rule = if DEPRECATED.contains(&key) {
                Some(&rules::DEPRECATED)
            } else if TOKENS.contains(&key) {
                match value {
                    SourceValue::I64(..0) => Some(&rules::NEGATIVE_TOKENS),
                    SourceValue::I64(_) => None,
                    _ => Some(&rules::WRONG_TYPE),
                }
            } else if MESSAGES.contains(&key) {
                (!are_messages(value)).then_some(&rules::MALFORMED_MESSAGES)
            } else {
                let is_right = match value {
                    _ if NUMBERS.contains(&key) => {
                        matches!(value, SourceValue::F64(_) | SourceValue::I64(_))
                    }
                    _ if LISTS.contains(&key) => matches!(value, SourceValue::Texts(_)),
                    _ if TEXTS.contains(&key) => matches!(value, SourceValue::Text(_)),
                    _ => true,
                };
                (!is_right).then_some(&rules::WRONG_TYPE)
            };
            if let Some(rule) = rule {
                self.about(rule, key);
            }
        }
    }
}

/// Whether a text holds messages, or was masked. Structured values are as good, but not looked into.
fn are_messages(value: &SourceValue<'_>) -> bool {
    let text = match value {
        SourceValue::Text(text) => *text,
        SourceValue::Other => return true,
        _ => return false,
    };
    if text == MASK {
        return true;
    }
    let Ok(Value::Array(messages)) = serde_json::from_str::<Value>(text) else {
        return false;
    };
    let is_part = |part: &Value| part.get("type").is_some_and(Value::is_string);
    messages.iter().all(|message| {
        let parts = message.get("parts").and_then(Value::as_array);
        message.get("role").is_some_and(Value::is_string)
            && parts.is_some_and(|parts| parts.iter().all(is_part))
    })
}

fn is_error(span: &Value) -> bool {
    match span.get("status").and_then(|status| status.get("code")) {
        Some(Value::Number(code)) => code.as_u64() == Some(2),
        Some(Value::String(code)) => code.ends_with("ERROR"),
        _ => false,
    }
}

/// Whether a text is an id of so many hexadecimal digits, which are not all zero.
fn is_id(text: &str, digits: usize) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_hexdigit();
    text.len() == digits && text.bytes().all(is_digit) && text.bytes().any(|byte| byte != b'0')
}
