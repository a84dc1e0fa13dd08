//! A span of any convention, in the words of a rendering, says what it said.

use std::collections::BTreeMap;

use agentspan_model::agent365::{MessagePart, Profile, json_array_text};
use agentspan_model::attribute::{AttributeValue, Key};
use agentspan_model::mapping::normal::{
    NormalMessage, NormalSpan, OperationName, SourceSpan, SourceValue,
};
use agentspan_model::mapping::{Rendering, SpanKind};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const RENDERINGS: [Rendering; 6] = [
    Rendering::GenAi,
    Rendering::GenAiV0_1,
    Rendering::OpenInference,
    Rendering::Agent365(Profile::V0_1),
    Rendering::Agent365(Profile::V2),
    Rendering::Agent365(Profile::V3),
];

/// The value of an attribute that is kept.
#[derive(Clone, Debug, PartialEq)]
enum Kept {
    Text(String),
    I64(i64),
    F64(f64),
    Bool(bool),
    Texts(Vec<String>),
}

impl Kept {
    fn of(value: AttributeValue<'_>) -> Self {
        match value {
            AttributeValue::Str(text) => Self::Text(text.to_owned()),
            AttributeValue::Static(text) => Self::Text(text.to_owned()),
            AttributeValue::I64(number) => Self::I64(number),
            AttributeValue::DecimalText(number) => Self::Text(number.to_string()),
            AttributeValue::Bool(truth) => Self::Bool(truth),
            AttributeValue::F64(number) => Self::F64(number),
            AttributeValue::StrList(texts) => {
                Self::Texts(texts.iter().map(|&text| text.to_owned()).collect())
            }
            AttributeValue::JsonArrayOfStrs(texts) => Self::Text(json_array_text(texts)),
            // Nothing reads it: a fact is missing.
            other => Self::Text(format!("{other:?}")),
        }
    }

    fn source(&self) -> SourceValue<'_> {
        match self {
            Self::Text(text) => SourceValue::Text(text),
            Self::I64(number) => SourceValue::I64(*number),
            Self::F64(number) => SourceValue::F64(*number),
            Self::Bool(truth) => SourceValue::Bool(*truth),
            Self::Texts(texts) => SourceValue::Texts(texts.iter().map(String::as_str).collect()),
        }
    }
}

/// A span of anybody, kept.
#[derive(Clone, Debug, PartialEq)]
struct Recorded {
    name: String,
    is_client: bool,
    error: Option<String>,
    attributes: BTreeMap<String, Kept>,
}

impl Recorded {
    fn read(&self) -> Option<NormalSpan> {
        let mut span = SourceSpan::new(&self.name);
        if self.is_client {
            span = span.with_kind(SpanKind::Client);
        }
        if let Some(error) = &self.error {
            span = span.with_error(error);
        }
        for (key, value) in &self.attributes {
            span.attribute(key, value.source());
        }
        NormalSpan::read(&span)
    }

    /// What a destination gets: the words of the rendering, and what the normal form has not read.
    fn rendered(&self, normal: &NormalSpan, rendering: Rendering) -> Self {
        let mut attributes = BTreeMap::new();
        normal.visit(rendering, &mut |key: Key, value: AttributeValue<'_>| {
            let before = attributes.insert(key.to_string(), Kept::of(value));
            assert_eq!(before, None, "{key} is shown twice");
        });
        for (key, value) in &self.attributes {
            if !normal.has_read(key) {
                attributes.entry(key.clone()).or_insert(value.clone());
            }
        }
        let message = normal.error.as_ref().map(|error| {
            let message = error.message.as_ref().and_then(|message| message.reveal());
            message.cloned().unwrap_or_default()
        });
        Self {
            name: normal.span_name(&self.name, rendering).into_owned(),
            is_client: self.is_client || normal.span_kind(rendering) == Some(SpanKind::Client),
            error: self.error.clone().or(message),
            attributes,
        }
    }
}

/// What must survive a rendering.
#[track_caller]
fn check_facts(before: &NormalSpan, after: &NormalSpan, rendering: Rendering) {
    let of_agent365 = matches!(rendering, Rendering::Agent365(_));
    let is_workflow = before.operation == OperationName::InvokeWorkflow;
    // Some have one word for all that runs agents.
    let has_workflows = !of_agent365 && rendering != Rendering::GenAiV0_1;
    if !is_workflow || has_workflows {
        assert_eq!(after.operation, before.operation);
    }
    let is_agent = before.operation == OperationName::InvokeAgent || is_workflow;
    if is_agent && rendering == Rendering::GenAiV0_1 {
        assert_eq!(after.agent.name, before.agent.name);
    } else {
        assert_eq!(after.agent, before.agent);
        assert_eq!(after.call.provider, before.call.provider);
    }
    if !(has_answer_model_only(before) && rendering == Rendering::OpenInference) {
        assert_eq!(after.call.request_model, before.call.request_model);
    }
    if before.call.response_model.is_some() {
        assert_eq!(after.call.response_model, before.call.response_model);
    }
    assert_eq!(after.call.response_id, before.call.response_id);
    assert_eq!(after.call.is_streamed, before.call.is_streamed);
    assert_eq!(after.call.output_type, before.call.output_type);
    assert_eq!(after.call.parameters, before.call.parameters);
    assert_eq!(after.call.finish_reasons, before.call.finish_reasons);
    if !before.is_sum() || rendering.is_gen_ai() {
        assert_eq!(after.usage, before.usage);
    }
    let shown = |value: &Option<agentspan_model::agentspec::Sensitive<Value>>| {
        let value = value.as_ref().and_then(|value| value.reveal());
        value.map(|value| value.as_str().map_or(value.to_string(), str::to_owned))
    };
    if before.tool.name.is_some() {
        assert_eq!(after.tool.name, before.tool.name);
    }
    assert_eq!(after.tool.call_id, before.tool.call_id);
    assert_eq!(after.tool.tool_type, before.tool.tool_type);
    assert_eq!(after.tool.description, before.tool.description);
    assert_eq!(shown(&after.tool.arguments), shown(&before.tool.arguments));
    assert_eq!(shown(&after.tool.result), shown(&before.tool.result));
    assert_eq!(after.tool_definitions, before.tool_definitions);
    assert_eq!(after.conversation_id, before.conversation_id);
    if before.session_id.is_some() {
        assert_eq!(after.session_id, before.session_id);
    }
    let error = |span: &NormalSpan| span.error.as_ref().map(|error| error.error_type.clone());
    assert_eq!(error(after), error(before));
    check_messages(before, after, rendering);
}

/// OpenInference has one model: where only that of the answer is known, it is read as that of the request as well.
fn has_answer_model_only(span: &NormalSpan) -> bool {
    span.call.request_model.is_none() && span.call.response_model.is_some()
}

#[track_caller]
fn check_messages(before: &NormalSpan, after: &NormalSpan, rendering: Rendering) {
    match rendering {
        // It knows texts only.
        Rendering::Agent365(Profile::V0_1) => {}
        Rendering::OpenInference if before.operation.is_inference() => {
            assert_eq!(parts(&after.conversation()), parts(&before.conversation()));
            assert_eq!(parts(output(after)), parts(output(before)));
        }
        // Agents and tools have one value there.
        Rendering::OpenInference => {}
        _ => {
            assert_eq!(after.instructions, before.instructions);
            assert_eq!(after.input, before.input);
            assert_eq!(after.output, before.output);
        }
    }
}

fn output(span: &NormalSpan) -> &[NormalMessage] {
    span.output.reveal().map(Vec::as_slice).unwrap_or_default()
}

/// All parts with the roles of their messages: OpenInference has a message for each result of a tool, and
/// knows no order of texts and calls.
fn parts(messages: &[NormalMessage]) -> Vec<(String, String)> {
    let all = messages.iter().flat_map(|message| {
        let mut parts: Vec<_> = message.parts.iter().collect();
        parts.sort_by_key(|part| matches!(part, MessagePart::ToolCall { .. }));
        parts.into_iter().map(|part| {
            let role = match part {
                MessagePart::ToolCallResponse { .. } => "tool",
                _ => message.role.as_str(),
            };
            let said = serde_json::to_value(part).unwrap();
            (role.to_owned(), said.to_string())
        })
    });
    all.collect()
}

#[track_caller]
fn check(recorded: &Recorded) {
    let Some(normal) = recorded.read() else {
        return;
    };
    // OpenInference may have the name of a tool in that of its span only.
    let is_nameless = normal.operation == OperationName::ExecuteTool && normal.tool.name.is_none();
    for rendering in RENDERINGS {
        if is_nameless && rendering == Rendering::OpenInference {
            continue;
        }
        let rendered = recorded.rendered(&normal, rendering);
        let again = rendered.read();
        assert!(again.is_some(), "{rendering:?} is not read: {rendered:?}");
        let again = again.unwrap();
        check_facts(&normal, &again, rendering);
        let mut twice = rendered.rendered(&again, rendering);
        let mut rendered = rendered;
        if has_answer_model_only(&normal) {
            for span in [&mut rendered, &mut twice] {
                span.attributes.remove("llm.invocation_parameters");
            }
        }
        assert_eq!(twice, rendered, "{rendering:?}");
    }
}

fn word() -> impl Strategy<Value = String> {
    const ODD: &[&str] = &[
        "{}",
        "[]",
        "{\"a\": 1}",
        "[\"a\"]",
        "47",
        "true",
        "null",
        "\"quoted\"",
        "é\n☂",
        "unknown",
    ];
    prop_oneof![
        3 => "[a-z]{1,6}( [a-z]{1,6})?",
        1 => select(ODD).prop_map(str::to_owned),
    ]
}

fn id() -> impl Strategy<Value = Option<String>> {
    option::of("[a-z]{1,4}")
}

fn arguments() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => word().prop_map(|text| json!({"city": text})),
        4 => word().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn text_part() -> impl Strategy<Value = Value> {
    word().prop_map(|text| json!({"type": "text", "content": text}))
}

fn result() -> impl Strategy<Value = Value> {
    (id(), arguments()).prop_map(
        |(id, response)| json!({"type": "tool_call_response", "id": id, "response": response}),
    )
}

/// A part that a user may send: rig has results of tools among them.
fn asked() -> impl Strategy<Value = Value> {
    let image = json!({"type": "uri", "modality": "image", "uri": "https://example.com/a.png"});
    prop_oneof![3 => text_part(), 1 => Just(image), 1 => result()]
}

fn answered() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => text_part(),
        1 => word().prop_map(|text| json!({"type": "reasoning", "content": text})),
        2 => ("[a-z]{1,6}", id(), arguments()).prop_map(|(name, id, arguments)| {
            json!({"type": "tool_call", "name": name, "id": id, "arguments": arguments})
        }),
    ]
}

fn message() -> impl Strategy<Value = Value> {
    let of = |role: &'static str| move |parts: Vec<Value>| json!({"role": role, "parts": parts});
    let reason = option::of(select(&["stop", "tool_call", "length"][..]));
    prop_oneof![
        vec(text_part(), 1..3).prop_map(of("system")),
        vec(asked(), 1..4).prop_map(of("user")),
        vec(result(), 1..3).prop_map(of("tool")),
        (vec(answered(), 1..4), reason).prop_map(move |(parts, reason)| {
            let mut message = of("assistant")(parts);
            if let Some(reason) = reason {
                message["finish_reason"] = reason.into();
            }
            message
        }),
    ]
}

fn messages() -> impl Strategy<Value = Kept> {
    let json =
        vec(message(), 1..4).prop_map(|messages| Kept::Text(Value::from(messages).to_string()));
    prop_oneof![5 => json, 1 => word().prop_map(Kept::Text)]
}

fn count() -> impl Strategy<Value = Kept> {
    prop_oneof![
        (0..100_000_i64).prop_map(Kept::I64),
        (0..100_000_i64).prop_map(|number| Kept::Text(number.to_string())),
    ]
}

fn text() -> impl Strategy<Value = Kept> {
    word().prop_map(Kept::Text)
}

const TEXTS: &[&str] = &[
    "gen_ai.provider.name",
    "gen_ai.system",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.response.id",
    "gen_ai.output.type",
    "gen_ai.agent.id",
    "gen_ai.agent.name",
    "gen_ai.agent.description",
    "gen_ai.agent.version",
    "gen_ai.conversation.id",
    "session.id",
    "microsoft.session.id",
    "gen_ai.tool.name",
    "gen_ai.tool.type",
    "gen_ai.tool.description",
    "gen_ai.tool.call.id",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.arguments",
    "gen_ai.event.content",
    "gen_ai.completion",
    "gen_ai.prompt",
    "llm.model_name",
    "llm.provider",
    "llm.system",
    "llm.finish_reason",
    "agent.name",
    "tool.name",
    "tool.description",
    "tool_call.id",
    "input.value",
    "output.value",
    "error.type",
    "error.message",
    "traceloop.entity.name",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "langfuse.observation.model.name",
    "something.else",
];

const COUNTS: &[&str] = &[
    "gen_ai.request.max_tokens",
    "gen_ai.request.seed",
    "gen_ai.request.choice.count",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.completion_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.reasoning_tokens",
    "llm.token_count.prompt",
    "llm.token_count.completion",
    "llm.token_count.total",
];

fn attribute() -> impl Strategy<Value = (String, Kept)> {
    let with = |keys: &'static [&'static str]| select(keys).prop_map(str::to_owned);
    let finish = prop_oneof![
        vec(select(&["stop", "tool_call"][..]), 1..3)
            .prop_map(|reasons| Kept::Texts(reasons.into_iter().map(str::to_owned).collect())),
        Just(Kept::Text(r#"["stop"]"#.to_owned())),
        Just(Kept::Text("length".to_owned())),
    ];
    let instructions = prop_oneof![
        word().prop_map(Kept::Text),
        word().prop_map(|text| Kept::Text(json!([{"type": "text", "content": text}]).to_string())),
    ];
    let definition = r#"[{"type":"function","name":"weather","parameters":{"type":"object"}}]"#;
    prop_oneof![
        10 => (with(TEXTS), text()),
        4 => (with(COUNTS), count()),
        2 => (
            with(&["gen_ai.request.temperature", "gen_ai.request.top_p"]),
            (0..20_u8).prop_map(|tenths| Kept::F64(f64::from(tenths) / 10.0)),
        ),
        1 => (
            with(&["gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming"]),
            any::<bool>().prop_map(Kept::Bool),
        ),
        6 => (with(&["gen_ai.input.messages", "gen_ai.output.messages"]), messages()),
        1 => (Just("gen_ai.response.finish_reasons".to_owned()), finish),
        1 => (Just("gen_ai.system_instructions".to_owned()), instructions),
        1 => (
            Just("gen_ai.tool.definitions".to_owned()),
            Just(Kept::Text(definition.to_owned())),
        ),
    ]
}

fn kind() -> impl Strategy<Value = (String, Kept)> {
    let words = [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.operation.name", "Chat"),
        ("gen_ai.operation.name", "text_completion"),
        ("gen_ai.operation.name", "generate_content"),
        ("gen_ai.operation.name", "embeddings"),
        ("gen_ai.operation.name", "retrieval"),
        ("gen_ai.operation.name", "invoke_agent"),
        ("gen_ai.operation.name", "create_agent"),
        ("gen_ai.operation.name", "invoke_workflow"),
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.operation.name", "apply_guardrail"),
        ("gen_ai.operation.name", "output_messages"),
        ("openinference.span.kind", "GUARDRAIL"),
        ("openinference.span.kind", "RETRIEVER"),
        ("openinference.span.kind", "LLM"),
        ("openinference.span.kind", "AGENT"),
        ("openinference.span.kind", "TOOL"),
        ("openinference.span.kind", "EMBEDDING"),
        ("llm.request.type", "chat"),
        ("llm.request.type", "completion"),
        ("traceloop.span.kind", "agent"),
        ("traceloop.span.kind", "tool"),
        ("traceloop.span.kind", "workflow"),
        ("langfuse.observation.type", "generation"),
        ("langfuse.observation.type", "agent"),
        ("langfuse.observation.type", "tool"),
        ("langfuse.observation.type", "guardrail"),
    ];
    select(words.to_vec()).prop_map(|(key, word)| (key.to_owned(), Kept::Text(word.to_owned())))
}

fn recorded() -> impl Strategy<Value = Recorded> {
    let name = "[a-z]{1,5}";
    let attributes = (kind(), vec(attribute(), 0..14));
    (name, any::<bool>(), option::of("[a-z ]{0,8}"), attributes).prop_map(
        |(name, is_client, error, (kind, attributes))| Recorded {
            name,
            is_client,
            error,
            attributes: attributes.into_iter().chain([kind]).collect(),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rendering_says_what_the_span_said_and_is_stable(recorded in recorded()) {
        check(&recorded);
    }
}

#[test]
fn a_message_that_says_nothing_is_rendered_stably() {
    let nothing =
        r#"[{"role":"user","parts":[{"type":"tool_call_response","id":null,"response":null}]}]"#;
    for operation in ["embeddings", "chat", "invoke_workflow", "invoke_agent"] {
        for messages in [nothing, r#"[{"role":"user","parts":[]}]"#] {
            let attributes = [
                ("gen_ai.operation.name", operation),
                ("gen_ai.input.messages", messages),
            ];
            let attributes =
                attributes.map(|(key, text)| (key.to_owned(), Kept::Text(text.to_owned())));
            check(&Recorded {
                name: "a".to_owned(),
                is_client: false,
                error: None,
                attributes: attributes.into_iter().collect(),
            });
        }
    }
}
