//! The turn: what an agent does to answer once, as finished OpenTelemetry spans.
//!
//! A turn is one `invoke_agent` span with 12 attributes; under it two spans of language model
//! calls with 10 attributes each, of which two are JSON documents of 500 bytes full of quotes, and
//! two events; and one tool span with 6 attributes, arguments of 200 bytes and two events. That is
//! 4 spans, 38 attributes, 6 events and about 3.3 KB of text, of the size that real agents produce.
//! Every text is deterministic, so that two encoders can be compared byte for byte.

use std::time::{Duration, SystemTime};

use agentspan_model::keys;
use opentelemetry::trace::{
    Event, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

/// How many spans a turn has.
pub const SPANS: usize = 4;

/// The tenant of all identities.
pub const TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// The agent of identity `number`.
#[must_use]
pub fn agent_id(number: usize) -> String {
    format!("a0000000-0000-0000-0000-{number:012x}")
}

/// The spans of `turns` turns in the order in which they end, as the SDK hands them to an exporter.
///
/// Turn `n` belongs to identity `n` modulo `identities`, which are [`TENANT`] with
/// [`agent_id`]`(0)` and so on. With no identities the spans name none, and belong to nobody.
#[must_use]
pub fn spans(turns: usize, identities: usize) -> Vec<SpanData> {
    let scope = InstrumentationScope::builder("agentspan")
        .with_version("0.1.0")
        .build();
    let mut spans = Vec::with_capacity(turns * SPANS);
    for turn in 0..turns {
        let maker = Maker {
            scope: scope.clone(),
            turn: turn as u64,
            agent: turn.checked_rem(identities).map(agent_id),
        };
        spans.extend([maker.model(1), maker.tool(), maker.model(3), maker.agent()]);
    }
    spans
}

/// The resource of the process that made the spans.
#[must_use]
pub fn resource() -> Resource {
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", "turn"),
            KeyValue::new("service.namespace", "agentspan"),
            KeyValue::new("telemetry.sdk.language", "rust"),
        ])
        .build()
}

/// A JSON document of exactly 500 bytes: messages as language models are sent them.
#[must_use]
pub fn messages(role: &str) -> String {
    let begin = format!(
        r#"[{{"role":"system","content":"Say \"please\" and answer in one sentence."}},{{"role":"{role}","parts":[{{"type":"text","content":""#
    );
    padded(begin, "Will it rain in Seattle tomorrow? ", r#""}]}]"#, 500)
}

/// A JSON document of exactly 200 bytes: the arguments of a tool call.
#[must_use]
pub fn arguments() -> String {
    let begin = r#"{"city":"Seattle","days":[1,2,3],"units":"metric","note":""#;
    padded(begin.to_owned(), "with wind and cloud ", r#""}"#, 200)
}

/// The agent's description, of 200 bytes.
#[must_use]
pub fn description() -> String {
    padded(
        String::new(),
        "Answers questions about the weather. ",
        "",
        200,
    )
}

fn guid(kind: u32, number: u64) -> String {
    format!("{kind:08x}-0000-4000-8000-{number:012x}")
}

/// `begin`, as much of the repeated `filler` as there is room for, and `end`.
fn padded(mut begin: String, filler: &str, end: &str, bytes: usize) -> String {
    let room = bytes.saturating_sub(begin.len() + end.len());
    begin.extend(filler.chars().cycle().take(room));
    begin + end
}

/// Makes the spans of one turn.
struct Maker {
    scope: InstrumentationScope,
    turn: u64,
    agent: Option<String>,
}

impl Maker {
    fn agent(&self) -> SpanData {
        let mut span = self.span(0, "invoke_agent Weather Bot", SpanKind::Client, 4000);
        span.attributes = vec![
            KeyValue::new(keys::GEN_AI_SYSTEM, "az.ai.agent365"),
            KeyValue::new(keys::GEN_AI_OPERATION_NAME, "invoke_agent"),
            KeyValue::new(keys::GEN_AI_AGENT_NAME, "Weather Bot".to_owned()),
            KeyValue::new(keys::GEN_AI_AGENT_DESCRIPTION, description()),
            KeyValue::new(keys::GEN_AI_CONVERSATION_ID, guid(0xc, self.turn)),
            KeyValue::new(keys::SESSION_ID, guid(0x5, self.turn)),
            KeyValue::new(keys::GEN_AI_CALLER_ID, guid(0xca, 42)),
            KeyValue::new(keys::GEN_AI_CALLER_NAME, "Ada".to_owned()),
            KeyValue::new(keys::GEN_AI_EXECUTION_TYPE, "HumanToAgent".to_owned()),
            KeyValue::new(keys::SERVER_ADDRESS, "agents.example.com".to_owned()),
        ];
        self.identify(&mut span);
        span
    }

    fn model(&self, number: u64) -> SpanData {
        let mut span = self.span(number, "Chat gpt-4o", SpanKind::Client, 1000);
        span.attributes = vec![
            KeyValue::new(keys::GEN_AI_OPERATION_NAME, "Chat"),
            KeyValue::new(keys::GEN_AI_REQUEST_MODEL, "gpt-4o-2024-11-20".to_owned()),
            KeyValue::new(keys::GEN_AI_PROVIDER_NAME, "openai".to_owned()),
            KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, messages("user")),
            KeyValue::new(keys::GEN_AI_OUTPUT_MESSAGES, messages("assistant")),
            KeyValue::new(
                keys::GEN_AI_USAGE_INPUT_TOKENS,
                (100 + self.turn).to_string(),
            ),
            KeyValue::new(keys::GEN_AI_USAGE_OUTPUT_TOKENS, "42".to_owned()),
            KeyValue::new(
                keys::GEN_AI_RESPONSE_FINISH_REASONS,
                r#"["stop"]"#.to_owned(),
            ),
        ];
        self.identify(&mut span);
        span.events = events(
            span.start_time,
            ["gen_ai.request", "gen_ai.response"],
            |name| {
                vec![
                    KeyValue::new(keys::GEN_AI_REQUEST_MODEL, "gpt-4o-2024-11-20".to_owned()),
                    KeyValue::new(keys::GEN_AI_TOKEN_TYPE, name),
                ]
            },
        );
        span
    }

    fn tool(&self) -> SpanData {
        let mut span = self.span(2, "execute_tool forecast", SpanKind::Internal, 500);
        span.attributes = vec![
            KeyValue::new(keys::GEN_AI_OPERATION_NAME, "execute_tool"),
            KeyValue::new(keys::GEN_AI_TOOL_NAME, "forecast".to_owned()),
            KeyValue::new(keys::GEN_AI_TOOL_ARGUMENTS, arguments()),
            KeyValue::new(keys::GEN_AI_TOOL_CALL_ID, guid(0xf, self.turn)),
        ];
        self.identify(&mut span);
        span.events = events(span.start_time, ["tool.request", "tool.response"], |_| {
            vec![KeyValue::new(
                keys::GEN_AI_TOOL_CALL_ID,
                guid(0xf, self.turn),
            )]
        });
        span
    }

    fn identify(&self, span: &mut SpanData) {
        if let Some(agent) = &self.agent {
            span.attributes.extend([
                KeyValue::new(keys::TENANT_ID, TENANT.to_owned()),
                KeyValue::new(keys::GEN_AI_AGENT_ID, agent.clone()),
            ]);
        }
    }

    /// Span `number` of the turn, of which number 0 is the parent of the others.
    fn span(&self, number: u64, name: &'static str, kind: SpanKind, micros: u64) -> SpanData {
        let start_time = SystemTime::UNIX_EPOCH
            + Duration::from_secs(1_765_000_000)
            + Duration::from_micros(self.turn * 5000 + number * 1000);
        let span_id = |number| SpanId::from((self.turn + 1) << 8 | number);
        SpanData {
            span_context: SpanContext::new(
                TraceId::from(u128::from(self.turn + 1) << 64 | 0x00a9_e275_9a00),
                span_id(number),
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: match number {
                0 => SpanId::INVALID,
                _ => span_id(0),
            },
            parent_span_is_remote: false,
            span_kind: kind,
            name: name.into(),
            start_time,
            end_time: start_time + Duration::from_micros(micros),
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: self.scope.clone(),
        }
    }
}

fn events(
    start: SystemTime,
    names: [&'static str; 2],
    attributes: impl Fn(&'static str) -> Vec<KeyValue>,
) -> SpanEvents {
    let mut events = SpanEvents::default();
    for (number, name) in (1..).zip(names) {
        let at = start + Duration::from_micros(number * 100);
        events
            .events
            .push(Event::new(name, at, attributes(name), 0));
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_as_large_as_it_says() {
        let spans = spans(3, 2);
        assert_eq!(spans.len(), 3 * SPANS);
        let turn = &spans[..SPANS];
        let attributes: Vec<_> = turn.iter().map(|span| span.attributes.len()).collect();
        assert_eq!(attributes, [10, 6, 10, 12]);
        let events: Vec<_> = turn.iter().map(|span| span.events.events.len()).collect();
        assert_eq!(events, [2, 2, 2, 0]);
        let event_attributes = turn
            .iter()
            .flat_map(|span| span.events.iter().flat_map(|event| &event.attributes));
        let text: usize = turn
            .iter()
            .flat_map(|span| &span.attributes)
            .chain(event_attributes)
            .map(|attribute| attribute.value.as_str().len())
            .sum();
        assert!((3200..3400).contains(&text), "{text}");
    }

    #[test]
    fn documents_have_their_exact_size_and_are_json() {
        for (document, bytes) in [
            (messages("user"), 500),
            (messages("assistant"), 500),
            (arguments(), 200),
        ] {
            assert_eq!(document.len(), bytes);
            serde_json::from_str::<serde_json::Value>(&document).unwrap();
        }
    }

    #[test]
    fn turns_go_round_the_identities() {
        let spans = spans(3, 2);
        let agents: Vec<_> = spans
            .iter()
            .flat_map(|span| &span.attributes)
            .filter(|attribute| attribute.key.as_str() == keys::GEN_AI_AGENT_ID)
            .map(|attribute| attribute.value.to_string())
            .collect();
        let expected = [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0].map(agent_id);
        assert_eq!(agents, expected);
    }
}
