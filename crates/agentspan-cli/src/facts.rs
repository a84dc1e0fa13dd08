//! The facts of a span for lists, bars and totals, read once when the span arrives.

use agentspan_model::agent365::MessagePart;
use agentspan_model::agentspec::MASK;
use agentspan_model::keys;
use agentspan_model::mapping::normal::{NormalMessage, NormalSpan, OperationName, Usage};
use serde_json::Value;

use crate::delivered::namespace;
use crate::reading::Reading;

/// The maximum length of a message in a list, in characters.
const GIST_CHARACTERS: usize = 160;

/// The event of Agent Spec for each piece of a streamed answer.
const CHUNK: &str = "LlmGenerationChunkReceived";

/// So many events of a span are drawn before its contents are asked for.
const EVENT_TIMES: usize = 16;

/// The kind of a span, which decides how it is drawn. By default, another one than those that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Kind {
    Other = 0,
    Agent = 1,
    Llm = 2,
    Tool = 3,
    Flow = 4,
    Node = 5,
    Guardrail = 6,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Llm => "llm",
            Self::Tool => "tool",
            Self::Flow => "flow",
            Self::Node => "node",
            Self::Guardrail => "guardrail",
            Self::Other => "other",
        }
    }
}

/// The generation of Agent 365 whose keys a span has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Generation {
    /// It has no keys that only packages of Agent 365 know.
    None = 0,
    /// The first one, of whose keys the contract says nothing.
    First = 1,
    Later = 2,
}

/// The facts of a span that lists, bars and totals show.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    pub(crate) operation: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) agent_id: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) conversation: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) tool: Option<String>,
    /// The id by which a model asked for the tool.
    pub(crate) call: Option<String>,
    pub(crate) usage: Usage,
    /// The cost that the span states, in billionths of a dollar.
    pub(crate) cost: Option<i64>,
    /// Whether the usage repeats that of spans below.
    pub(crate) is_sum: bool,
    pub(crate) error: Option<String>,
    pub(crate) asked: Option<String>,
    pub(crate) answered: Option<String>,
    pub(crate) is_masked: bool,
    pub(crate) events: usize,
    /// When the first events were that are no pieces of an answer.
    pub(crate) event_times: Vec<u64>,
    /// How many pieces of a streamed answer came, and when the first one did.
    pub(crate) chunks: usize,
    pub(crate) first_chunk: Option<u64>,
    /// The decision of a guardrail, or the branch that a node took.
    pub(crate) note: Option<String>,
    /// The word for the status: `unset`, `ok` or `error`.
    pub(crate) status: &'static str,
    pub(crate) generation: Generation,
    /// The service, or an exporter before it, would not take the span.
    pub(crate) is_refused: bool,
}

impl Facts {
    pub(crate) fn of(reading: &Reading) -> Self {
        let normal = reading.normal();
        let mut facts = normal.as_ref().map(Self::of_normal).unwrap_or_default();
        // A span of no known operation has no usage of its own, and may sum up costs.
        facts.is_sum = normal.as_ref().is_none_or(NormalSpan::is_sum);
        let text = |key| reading.text(key).map(str::to_owned);
        if facts.kind == Kind::Other {
            facts.kind = match reading.text(keys::AGENTSPEC_SPAN_TYPE) {
                Some("FlowExecutionSpan") => Kind::Flow,
                Some("NodeExecutionSpan") => Kind::Node,
                _ => Kind::Other,
            };
        }
        facts.tenant = text(keys::MICROSOFT_TENANT_ID).or_else(|| text(keys::TENANT_ID));
        if reading.is_error && facts.error.is_none() {
            facts.error = text(keys::ERROR_TYPE);
        }
        let mut values = reading.attributes.iter();
        facts.cost = cost(reading);
        facts.note = note(reading);
        facts.is_masked = values.any(|(_, value)| is_masked(value));
        facts.events = reading.events.len();
        let chunks = || reading.events.iter().filter(|event| is_chunk(&event.name));
        facts.chunks = chunks().count();
        facts.first_chunk = chunks().map(|event| event.time).min();
        let others = reading.events.iter().filter(|event| !is_chunk(&event.name));
        facts.event_times = others.map(|event| event.time).take(EVENT_TIMES).collect();
        facts.status = reading.status;
        facts.generation = generation(reading);
        facts
    }

    fn of_normal(normal: &NormalSpan) -> Self {
        let operation = &normal.operation;
        let kind = match operation {
            OperationName::ExecuteTool => Kind::Tool,
            OperationName::ApplyGuardrail => Kind::Guardrail,
            OperationName::InvokeWorkflow => Kind::Flow,
            OperationName::Embeddings | OperationName::Retrieval => Kind::Llm,
            operation if operation.is_inference() => Kind::Llm,
            operation if operation.is_agent() => Kind::Agent,
            _ => Kind::Other,
        };
        let error = normal.error.as_ref();
        Self {
            kind,
            operation: Some(operation.as_str().to_owned()),
            agent: normal.agent.name.clone(),
            agent_id: normal.agent.id.clone(),
            conversation: normal.conversation_id.clone(),
            model: normal.call.model().map(str::to_owned),
            tool: normal.tool.name.clone(),
            call: normal.tool.call_id.clone(),
            usage: normal.usage,
            is_sum: normal.is_sum(),
            error: error.and_then(|error| error.error_type.clone()),
            asked: gist(normal.input.reveal().and_then(|messages| messages.last())),
            answered: gist(normal.output.reveal().and_then(|messages| messages.last())),
            ..Self::default()
        }
    }

    /// About how much memory its texts take.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [
            &self.operation,
            &self.agent,
            &self.agent_id,
            &self.tenant,
            &self.conversation,
            &self.model,
            &self.tool,
            &self.call,
            &self.error,
            &self.asked,
            &self.answered,
            &self.note,
        ];
        let texts: usize = texts.into_iter().flatten().map(String::len).sum();
        texts + self.event_times.len() * size_of::<u64>()
    }
}

/// Whether an event is a piece of a streamed answer.
pub(crate) fn is_chunk(name: &str) -> bool {
    name == CHUNK
}

/// The cost of a span in billionths of a dollar, under the keys of OpenTelemetry's users and of
/// OpenInference. More than nine billion dollars is no cost.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a finite number of this size fits, and a billionth of a dollar more or less is not seen"
)]
fn cost(reading: &Reading) -> Option<i64> {
    let keys = [keys::GEN_AI_USAGE_COST, keys::LLM_COST_TOTAL];
    let dollars = keys
        .into_iter()
        .find_map(|key| reading.value(key)?.as_f64())?;
    (dollars.abs() < 9e9).then(|| (dollars * 1e9).round() as i64)
}

fn generation(reading: &Reading) -> Generation {
    if reading.text(keys::TENANT_ID).is_some() {
        return Generation::First;
    }
    let of_agent365 = namespace(keys::MICROSOFT_TENANT_ID);
    let mut keys = reading.attributes.iter();
    match keys.any(|(key, _)| namespace(key) == of_agent365) {
        true => Generation::Later,
        false => Generation::None,
    }
}

fn note(reading: &Reading) -> Option<String> {
    let short = |text: &str| text.chars().take(GIST_CHARACTERS).collect();
    if let Some(decision) = reading.text(keys::MICROSOFT_SECURITY_DECISION_TYPE) {
        return Some(short(decision));
    }
    let of_events = reading.events.iter().flat_map(|event| &event.attributes);
    let mut all = reading.attributes.iter().chain(of_events);
    let (_, branch) = all.find(|(key, _)| key == keys::AGENTSPEC_BRANCH_SELECTED)?;
    Some(short(&format!("branch {}", branch.as_str()?)))
}

/// The beginning of what a message says.
fn gist(message: Option<&NormalMessage>) -> Option<String> {
    let text = message?.parts.iter().find_map(|part| match part {
        MessagePart::Text { content } => Some(content.clone()),
        MessagePart::ToolCall { name, .. } => Some(format!("{name}(…)")),
        _ => None,
    })?;
    Some(text.chars().take(GIST_CHARACTERS).collect())
}

fn is_masked(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains(MASK))
}
