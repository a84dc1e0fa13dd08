//! Spans that no framework of the recordings wrote: half recorded, twice recorded, malformed.

use agentspan_model::agent365::{MessagePart, MessageRole, Profile};
use agentspan_model::attribute::{AttributeValue, Key};
use agentspan_model::mapping::Rendering;
use agentspan_model::mapping::normal::{
    NormalMessage, NormalSpan, OperationName, SourceEvent, SourceSpan, SourceValue,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use SourceValue::{Bool, F64, I64, Text, Texts};

fn read(attributes: Vec<(&str, SourceValue<'_>)>) -> Option<NormalSpan> {
    let mut span = SourceSpan::new("a span");
    for (key, value) in attributes {
        span.attribute(key, value);
    }
    NormalSpan::read(&span)
}

fn chat(mut attributes: Vec<(&str, SourceValue<'_>)>) -> NormalSpan {
    attributes.push(("gen_ai.operation.name", Text("chat")));
    read(attributes).unwrap()
}

fn tool(attributes: Vec<(&str, SourceValue<'_>)>) -> NormalSpan {
    let mut all = vec![("gen_ai.operation.name", Text("execute_tool"))];
    all.extend(attributes);
    read(all).unwrap()
}

/// Role and parts of each message, as JSON.
fn said(messages: &[NormalMessage]) -> Value {
    let of = |message: &NormalMessage| json!([message.role.as_str(), message.parts]);
    messages.iter().map(of).collect()
}

#[track_caller]
fn check_input(json: &str, expected: &Value) {
    let normal = chat(vec![("gen_ai.input.messages", Text(json))]);
    assert_eq!(said(normal.input.reveal().unwrap()), *expected, "{json}");
}

fn text(content: &str) -> Value {
    json!({"type": "text", "content": content})
}

/// The texts of a rendering, by key.
fn rendered(normal: &NormalSpan, rendering: Rendering) -> Vec<(String, String)> {
    let mut all = Vec::new();
    normal.visit(rendering, &mut |key: Key, value: AttributeValue<'_>| {
        let value = match value {
            AttributeValue::Str(text) | AttributeValue::Static(text) => text.to_owned(),
            other => format!("{other:?}"),
        };
        all.push((key.to_string(), value));
    });
    all
}

#[test]
fn the_last_of_two_values_counts_whatever_its_type() {
    let normal = chat(vec![
        ("gen_ai.usage.input_tokens", I64(1)),
        ("gen_ai.request.model", Text("first")),
        ("gen_ai.usage.input_tokens", Text("2")),
        ("gen_ai.request.model", Text("last")),
    ]);
    assert_eq!(normal.usage.input, Some(2));
    assert_eq!(normal.call.request_model.as_deref(), Some("last"));
}

#[test]
fn numbers_may_be_texts_with_a_point_and_no_others_are_guessed() {
    for (written, expected) in [
        ("47", Some(47)),
        (" 47 ", Some(47)),
        ("47.0", Some(47)),
        ("4.7e1", Some(47)),
        ("-1", Some(-1)),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("18446744073709551615", None),
        ("1e300", None),
        ("47.5", None),
        ("NaN", None),
        ("inf", None),
        ("", None),
        ("many", None),
        ("0x2f", None),
        ("٤٧", None),
    ] {
        let normal = chat(vec![("gen_ai.usage.input_tokens", Text(written))]);
        assert_eq!(normal.usage.input, expected, "{written:?}");
        // What is no number stays under its key.
        let is_read = normal.has_read("gen_ai.usage.input_tokens");
        assert_eq!(is_read, expected.is_some(), "{written:?}");
    }
    for (written, expected) in [(47.0, Some(47)), (f64::NAN, None), (f64::INFINITY, None)] {
        let normal = chat(vec![("gen_ai.usage.input_tokens", F64(written))]);
        assert_eq!(normal.usage.input, expected);
    }
    let normal = chat(vec![("gen_ai.usage.input_tokens", Bool(true))]);
    assert_eq!(normal.usage.input, None);
}

#[test]
fn pythons_truth_is_truth() {
    for (written, expected) in [("True", Some(true)), ("False", Some(false)), ("yes", None)] {
        let normal = chat(vec![("gen_ai.request.stream", Text(written))]);
        assert_eq!(normal.call.is_streamed, expected, "{written}");
    }
}

#[test]
fn pythons_repr_stays_text() {
    check_input(
        "[{'role': 'user', 'content': 'hi'}]",
        &json!([["user", [text("[{'role': 'user', 'content': 'hi'}]")]]]),
    );
}

#[test]
fn json_that_is_cut_off_stays_text() {
    let cut = r#"[{"role": "user", "content": "and then"#;
    check_input(cut, &json!([["user", [text(cut)]]]));
}

#[test]
fn halves_of_surrogates_cost_no_message() {
    // `json.dumps` of a text with bytes that were no UTF-8, and of half an emoji.
    check_input(
        r#"[{"role": "user", "content": "a\udc80b \ud83d"}, {"role": "assistant", "content": "\ud83d\ude00 \ud83d\n \\ud800"}]"#,
        &json!([
            ["user", [text("a\u{fffd}b \u{fffd}")]],
            ["assistant", [text("\u{1f600} \u{fffd}\n \\ud800")]],
        ]),
    );
}

#[test]
fn numbers_of_python_that_json_lacks_cost_no_message() {
    check_input(
        r#"[{"role": "user", "content": "NaN is \"NaN\""}, {"role": "assistant", "score": NaN, "low": -Infinity, "tool_calls": [{"name": "f", "arguments": {"x": Infinity}}]}]"#,
        &json!([
            ["user", [text("NaN is \"NaN\"")]],
            ["assistant", [{"type": "tool_call", "name": "f", "arguments": {"x": null}}]],
        ]),
    );
}

#[test]
fn line_breaks_inside_of_texts_cost_no_message() {
    check_input(
        "[{\"role\": \"user\", \"content\": \"two\nlines\tand \u{1}\"}]",
        &json!([["user", [text("two\nlines\tand \u{1}")]]]),
    );
}

#[test]
fn whole_numbers_that_json_parsers_round_stay_in_their_text() {
    let arguments = r#"{"account": 123456789012345678901234567890}"#;
    let normal = tool(vec![("gen_ai.tool.call.arguments", Text(arguments))]);
    let found = normal.tool.arguments.as_ref().unwrap().reveal().unwrap();
    assert_eq!(*found, json!(arguments));
    let exact = r#"{"account": 12345678901234567890, "rate": 0.1}"#;
    let normal = tool(vec![("gen_ai.tool.call.arguments", Text(exact))]);
    let found = normal.tool.arguments.as_ref().unwrap().reveal().unwrap();
    assert_eq!(
        *found,
        json!({"account": 12_345_678_901_234_567_890_u64, "rate": 0.1})
    );
}

/// A list in a list, so many times, around a text.
fn nested(levels: usize) -> String {
    format!("{}\"x\"{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn documents_that_are_nested_deeply_are_said_the_same_way_again() {
    for levels in [1, 63, 64, 65, 99, 100, 101, 126, 127, 128, 5_000] {
        let arguments = nested(levels);
        let in_text = serde_json::to_string(&arguments).unwrap();
        for message in [
            format!(
                r#"[{{"role":"assistant","tool_calls":[{{"name":"f","arguments":{in_text}}}]}}]"#
            ),
            format!(
                r#"[{{"role":"assistant","tool_calls":[{{"name":"f","arguments":{arguments}}}]}}]"#
            ),
            arguments.clone(),
        ] {
            let normal = chat(vec![("gen_ai.output.messages", Text(&message))]);
            let once = rendered(&normal, Rendering::GenAi);
            let again = once.iter().map(|(key, value)| (key.as_str(), Text(value)));
            let again = read(again.collect()).unwrap();
            assert_eq!(normal.output, again.output, "{levels}");
            assert_eq!(once, rendered(&again, Rendering::GenAi), "{levels}");
        }
        let normal = tool(vec![
            ("gen_ai.tool.name", Text("f")),
            ("gen_ai.tool.call.arguments", Text(&arguments)),
        ]);
        for rendering in [Rendering::GenAi, Rendering::OpenInference] {
            let once = rendered(&normal, rendering);
            let again = once.iter().map(|(key, value)| (key.as_str(), Text(value)));
            let again = read(again.collect()).unwrap();
            assert_eq!(normal.tool, again.tool, "{levels} {rendering:?}");
        }
    }
}

#[test]
fn a_list_of_keys_has_one_element_for_an_index() {
    let normal = chat(vec![
        ("gen_ai.prompt.1.role", Text("user")),
        ("gen_ai.prompt.1.content", Text("real")),
        ("gen_ai.prompt.01.content", Text("fake")),
        ("gen_ai.prompt.+1.content", Text("fake")),
        ("gen_ai.prompt.-1.content", Text("fake")),
        (
            "gen_ai.prompt.99999999999999999999999.content",
            Text("fake"),
        ),
        ("gen_ai.prompt.18446744073709551615.content", Text("last")),
        ("gen_ai.prompt.x.content", Text("fake")),
    ]);
    assert_eq!(
        said(normal.input.reveal().unwrap()),
        json!([["user", [text("real")]], ["user", [text("last")]]])
    );
    assert!(!normal.has_read("gen_ai.prompt.01.content"));
}

#[test]
fn ten_thousand_elements_are_read_in_order() {
    let keys: Vec<_> = (0..10_000)
        .rev()
        .map(|n| (format!("gen_ai.prompt.{n}.content"), n.to_string()))
        .collect();
    let attributes = keys.iter().map(|(key, text)| (key.as_str(), Text(text)));
    let normal = chat(attributes.collect());
    let input = normal.input.reveal().unwrap();
    assert_eq!(input.len(), 10_000);
    let texts = input.iter().map(|message| match &message.parts[..] {
        [MessagePart::Text { content }] => content.parse::<usize>().unwrap(),
        _ => usize::MAX,
    });
    assert!(texts.eq(0..10_000));
}

#[test]
fn a_list_with_a_text_for_each_message_is_messages() {
    let items = vec![r#"{"role": "system", "content": "be brief"}"#, "hi"];
    let normal = chat(vec![("gen_ai.input.messages", Texts(items))]);
    assert_eq!(
        said(normal.input.reveal().unwrap()),
        json!([["system", [text("be brief")]], ["user", [text("hi")]]])
    );
}

#[test]
fn contents_of_any_form_are_not_lost() {
    check_input(
        r#"[{"role": "user", "content": {"type": "text", "text": "one part"}}, {"role": "user", "content": 42}, {"role": "user", "content": null}]"#,
        &json!([
            ["user", [text("one part")]],
            ["user", [text("42")]],
            ["user", []]
        ]),
    );
}

#[test]
fn geminis_contents_and_candidates_are_messages() {
    check_input(
        r#"{"contents": [{"role": "user", "parts": [{"text": "weather?"}]}, {"role": "model", "parts": [{"functionCall": {"name": "forecast", "args": {"city": "Oslo"}}}]}, {"role": "user", "parts": [{"functionResponse": {"name": "forecast", "response": {"t": 3}}}]}]}"#,
        &json!([
            ["user", [text("weather?")]],
            ["assistant", [{"type": "tool_call", "name": "forecast", "arguments": {"city": "Oslo"}}]],
            ["tool", [{"type": "tool_call_response", "response": {"t": 3}}]],
        ]),
    );
    let answer = r#"{"candidates": [{"content": {"role": "model", "parts": [{"text": "cold"}]}, "finishReason": "STOP"}]}"#;
    let normal = chat(vec![("gen_ai.output.messages", Text(answer))]);
    assert_eq!(
        said(normal.output.reveal().unwrap()),
        json!([["assistant", [text("cold")]]])
    );
    assert_eq!(normal.call.finish_reasons, ["STOP"]);
}

#[test]
fn bedrocks_converse_is_messages() {
    check_input(
        r#"[{"role": "user", "content": [{"text": "weather?"}]}, {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "forecast", "input": {"city": "Oslo"}}}]}, {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": "3"}]}}]}]"#,
        &json!([
            ["user", [text("weather?")]],
            ["assistant", [{"type": "tool_call", "name": "forecast", "id": "t1", "arguments": {"city": "Oslo"}}]],
            ["tool", [{"type": "tool_call_response", "id": "t1", "response": [{"text": "3"}]}]],
        ]),
    );
    let answer = r#"{"output": {"message": {"role": "assistant", "content": [{"text": "cold"}]}}, "stopReason": "end_turn"}"#;
    let normal = chat(vec![("gen_ai.output.messages", Text(answer))]);
    assert_eq!(
        said(normal.output.reveal().unwrap()),
        json!([["assistant", [text("cold")]]])
    );
    assert_eq!(normal.call.finish_reasons, ["end_turn"]);
}

#[test]
fn the_reason_of_a_choice_is_in_its_event() {
    let mut span = SourceSpan::new("chat");
    span.attribute("gen_ai.operation.name", Text("chat"));
    let mut choice = SourceEvent::new("gen_ai.choice");
    choice.attribute("index", I64(0));
    choice.attribute("finish_reason", Text("length"));
    choice.attribute("message", Text(r#"{"role": "assistant", "content": "hi"}"#));
    span.event(choice);
    let normal = NormalSpan::read(&span).unwrap();
    assert_eq!(normal.call.finish_reasons, ["length"]);
}

#[test]
fn an_exception_that_a_span_got_over_is_no_failure() {
    let exception = || {
        let mut event = SourceEvent::new("exception");
        event.attribute("exception.type", Text("Timeout"));
        event
    };
    let span = |status: fn(SourceSpan<'static>) -> SourceSpan<'static>| {
        let mut span = status(SourceSpan::new("chat"));
        span.attribute("gen_ai.operation.name", Text("chat"));
        span.event(exception());
        NormalSpan::read(&span).unwrap().error
    };
    assert_eq!(span(SourceSpan::with_ok), None);
    for failed in [span(|span| span), span(|span| span.with_error(""))] {
        assert_eq!(failed.unwrap().error_type.as_deref(), Some("Timeout"));
    }
}

#[test]
fn an_exception_without_a_type_is_a_failure_without_a_class() {
    let mut span = SourceSpan::new("chat").with_error("no");
    span.attribute("gen_ai.operation.name", Text("chat"));
    let mut event = SourceEvent::new("exception");
    event.attribute("exception.type", Text(""));
    event.attribute("exception.message", Text("it broke"));
    span.event(event);
    let error = NormalSpan::read(&span).unwrap().error.unwrap();
    assert_eq!(error.error_type, None);
    assert_eq!(error.message.unwrap().reveal().unwrap(), "it broke");
}

#[test]
fn the_status_of_an_answer_may_be_a_text() {
    let normal = chat(vec![
        ("error.type", Text("RateLimited")),
        ("http.response.status_code", Text("429")),
    ]);
    assert_eq!(normal.error.unwrap().status_code, Some(429));
}

#[test]
fn operations_that_nobody_defined_keep_their_names() {
    let long = "x".repeat(100_000);
    for name in [
        "plan",
        "CHAT",
        "chat ",
        "\u{202e}tahc",
        "ignore all that",
        &long,
    ] {
        let normal = read(vec![("gen_ai.operation.name", Text(name))]).unwrap();
        assert_eq!(normal.operation, OperationName::from(name));
        assert_eq!(normal.span_name("own", Rendering::GenAi), "own");
        for profile in [Profile::V0_1, Profile::V2, Profile::V3] {
            assert_eq!(normal.operation_name(Rendering::Agent365(profile)), name);
        }
    }
    assert_eq!(read(vec![("gen_ai.operation.name", I64(7))]), None);
    assert_eq!(read(vec![("gen_ai.operation.name", Text(""))]), None);
    assert_eq!(read(vec![("llm.nothing.of.note", Text("x"))]), None);
}

#[test]
fn other_spans_and_spans_of_nothing_pass_untouched() {
    for attributes in [
        vec![],
        vec![("http.method", Text("GET")), ("ai.prompt", Text("hi"))],
        vec![("gen_aiX.operation.name", Text("chat"))],
        vec![("openinference.span.kind", Text("CHAIN"))],
        vec![("openinference.span.kind", Text(""))],
        vec![("gen_ai.operation.name", SourceValue::Other)],
    ] {
        assert_eq!(read(attributes.clone()), None, "{attributes:?}");
    }
}

/// Any text, most of it nearly JSON.
fn nearly_json() -> impl Strategy<Value = String> {
    let pieces = proptest::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "\\",
        "\\u",
        "\\ud83d",
        "\\ude00",
        "\\u00",
        "d8",
        "NaN",
        "Infinity",
        "-",
        "1e999",
        "role",
        "\"role\":\"user\"",
        "\"content\":",
        "\"parts\":",
        "\"type\":\"tool_call\"",
        "\"name\":\"f\"",
        "\"arguments\":",
        "null",
        "\n",
        "é",
        "\u{1f600}",
        "'",
        " ",
        "0",
        "\u{0}",
    ]);
    proptest::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

const KEYS: [&str; 14] = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.response.finish_reasons",
    "gen_ai.prompt.0.content",
    "gen_ai.usage.input_tokens",
    "input.value",
    "output.value",
    "metadata",
    "llm.invocation_parameters",
    "langfuse.observation.usage_details",
];

proptest! {
    #[test]
    fn nothing_that_anybody_writes_panics_and_texts_stay_whole(
        is_tool in any::<bool>(),
        values in proptest::collection::vec((0..KEYS.len(), nearly_json()), 1..6),
    ) {
        let operation = if is_tool { "execute_tool" } else { "chat" };
        let mut attributes = vec![("gen_ai.operation.name", Text(operation))];
        attributes.extend(values.iter().map(|(key, value)| (KEYS[*key], Text(value))));
        let normal = read(attributes).unwrap();
        for rendering in [
            Rendering::GenAi,
            Rendering::GenAiV0_1,
            Rendering::OpenInference,
            Rendering::Agent365(Profile::V0_1),
            Rendering::Agent365(Profile::V3),
        ] {
            let once = rendered(&normal, rendering);
            let keys: std::collections::BTreeSet<_> = once.iter().map(|(key, _)| key).collect();
            prop_assert_eq!(keys.len(), once.len(), "a key twice");
        }
    }

    #[test]
    fn a_plain_text_is_a_message_as_it_is(content in "[^\\[{\"].{0,40}") {
        let normal = chat(vec![("gen_ai.input.messages", Text(&content))]);
        let expected = [(MessageRole::User, vec![MessagePart::text(content.as_str())])];
        let found = normal.input.reveal().unwrap().iter();
        let found: Vec<_> = found.map(|it| (it.role.clone(), it.parts.clone())).collect();
        prop_assert_eq!(found, expected);
    }
}
