//! Spans as other versions of the recorded frameworks, and frameworks that are not recorded, write them.

use agentspan_model::mapping::Rendering;
use agentspan_model::mapping::normal::{NormalMessage, NormalSpan, SourceSpan, SourceValue};
use serde_json::{Value, json};

use SourceValue::{F64, I64, Text, Texts};

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

/// Role and parts of each message, as JSON.
fn said(messages: &[NormalMessage]) -> Value {
    let of = |message: &NormalMessage| json!([message.role.as_str(), message.parts]);
    messages.iter().map(of).collect()
}

#[track_caller]
fn check_output(written: &Value, expected: &Value) {
    let written = written.to_string();
    let normal = chat(vec![("gen_ai.output.messages", Text(&written))]);
    assert_eq!(
        said(normal.output.reveal().unwrap()),
        *expected,
        "{written}"
    );
    check_stable(&normal);
}

#[track_caller]
fn check_input(written: &Value, expected: &Value) {
    let written = written.to_string();
    let normal = chat(vec![("gen_ai.input.messages", Text(&written))]);
    assert_eq!(said(normal.input.reveal().unwrap()), *expected, "{written}");
    check_stable(&normal);
}

/// What is written in the words of the GenAI conventions is read as the same.
#[track_caller]
fn check_stable(normal: &NormalSpan) {
    let mut kept = Vec::new();
    normal.visit(
        Rendering::GenAi,
        &mut |key: agentspan_model::attribute::Key,
              value: agentspan_model::attribute::AttributeValue<'_>| {
            use agentspan_model::attribute::AttributeValue::{Static, Str};
            if let Str(text) | Static(text) = value {
                kept.push((key.to_string(), text.to_owned()));
            }
        },
    );
    let attributes = kept.iter().map(|(key, value)| (key.as_str(), Text(value)));
    let again = read(attributes.collect()).unwrap();
    assert_eq!(normal.input, again.input);
    assert_eq!(normal.output, again.output);
    assert_eq!(normal.instructions, again.instructions);
    assert_eq!(normal.tool_definitions, again.tool_definitions);
}

fn text(content: &str) -> Value {
    json!({"type": "text", "content": content})
}

fn call(id: &str, arguments: &Value) -> Value {
    json!({"type": "tool_call", "id": id, "name": "f", "arguments": arguments})
}

#[test]
fn items_of_openais_responses_that_are_no_messages_cost_no_message() {
    check_output(
        &json!([
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "It rains."}]},
            {"type": "reasoning", "id": "rs_2", "summary": [],
             "content": [{"type": "reasoning_text", "text": "It pours."}]},
            {"type": "reasoning", "id": "rs_3", "summary": [], "encrypted_content": "gAAA"},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            {"type": "message", "role": "assistant",
             "content": [{"type": "output_text", "text": "Yes."}]},
        ]),
        &json!([
            ["assistant", [{"type": "reasoning", "content": "It rains."}]],
            ["assistant", [{"type": "reasoning", "content": "It pours."}]],
            ["assistant", [{"type": "reasoning", "data": {"id": "rs_3", "summary": [], "encrypted_content": "gAAA"}}]],
            ["assistant", [{"type": "web_search_call", "data": {"id": "ws_1", "status": "completed"}}]],
            ["assistant", [text("Yes.")]],
        ]),
    );
}

#[test]
fn the_result_of_a_tool_may_have_any_form() {
    let response = |response: &Value| json!([["tool", [{"type": "tool_call_response", "id": "c", "response": response}]]]);
    for (content, expected) in [
        (json!("22"), json!("22")),
        (json!([{"type": "text", "text": "22"}]), json!("22")),
        (
            json!([{"type": "text", "text": "2"}, {"type": "text", "text": "2"}]),
            json!([{"type": "text", "text": "2"}, {"type": "text", "text": "2"}]),
        ),
        (json!({"celsius": 22}), json!({"celsius": 22})),
        (json!(22), json!(22)),
    ] {
        check_input(
            &json!([{"role": "tool", "tool_call_id": "c", "content": content}]),
            &response(&expected),
        );
    }
    // Nothing came back.
    check_input(
        &json!([{"role": "tool", "tool_call_id": "c", "content": null}]),
        &json!([["tool", [{"type": "tool_call_response", "id": "c"}]]]),
    );
}

#[test]
fn calls_without_arguments_have_none() {
    let none = json!({"type": "tool_call", "id": "c", "name": "f"});
    for written in [
        json!([{"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": null}}]}]),
        json!([{"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f"}}]}]),
        json!([{"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": null}]}]),
        json!([{"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": null}]}]),
    ] {
        check_output(&written, &json!([["assistant", [none]]]));
    }
    check_output(
        &json!([{"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": null, "input": {"x": 1}}]}]),
        &json!([["assistant", [call("c", &json!({"x": 1}))]]]),
    );
}

#[test]
fn what_stands_beside_the_content_of_a_message_is_not_lost() {
    check_output(
        &json!([{"role": "assistant", "content": null, "refusal": "I cannot help."}]),
        &json!([["assistant", [{"type": "refusal", "data": {"refusal": "I cannot help."}}]]]),
    );
    for member in ["reasoning_content", "reasoning", "thinking"] {
        check_output(
            &json!([{"role": "assistant", member: "It rains.", "content": "Yes."}]),
            &json!([["assistant", [{"type": "reasoning", "content": "It rains."}, text("Yes.")]]]),
        );
    }
    check_output(
        &json!([{"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{\"x\":1}"}}]),
        &json!([["assistant", [{"type": "tool_call", "name": "f", "arguments": {"x": 1}}]]]),
    );
    check_output(
        &json!([{"role": "assistant", "tool_calls": [{"id": "c", "function": {"arguments": "{}"}}]}]),
        &json!([["assistant", [{"type": "tool_call", "data": {"id": "c", "function": {"arguments": "{}"}}}]]]),
    );
}

#[test]
fn parts_of_anthropic_gemini_and_bedrock_have_their_meaning() {
    let blob =
        json!({"type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBO"});
    check_input(
        &json!([{"role": "user", "content": [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
            {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        ]}]),
        &json!([["user", [
            blob,
            {"type": "uri", "modality": "image", "uri": "https://a/b.png"},
            {"type": "file", "modality": "image", "file_id": "file_1"},
        ]]]),
    );
    for [thought, data, file] in [
        ["thought", "inlineData", "fileData"],
        ["thought", "inline_data", "file_data"],
    ] {
        let (mime, uri) = if data == "inlineData" {
            ("mimeType", "fileUri")
        } else {
            ("mime_type", "file_uri")
        };
        check_input(
            &json!([{"role": "model", "parts": [
                {"text": "It rains.", thought: true},
                {data: {mime: "image/png", "data": "iVBO"}},
                {file: {mime: "image/png", uri: "gs://a/b.png"}},
            ]}]),
            &json!([["assistant", [
                {"type": "reasoning", "content": "It rains."},
                blob,
                {"type": "uri", "modality": "image", "uri": "gs://a/b.png", "mime_type": "image/png"},
            ]]]),
        );
    }
    check_input(
        &json!([
            {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"x": 1}}}]},
            {"role": "user", "parts": [{"function_response": {"name": "f", "response": {"y": 2}}}]},
        ]),
        &json!([
            ["assistant", [{"type": "tool_call", "name": "f", "arguments": {"x": 1}}]],
            ["tool", [{"type": "tool_call_response", "response": {"y": 2}}]],
        ]),
    );
    check_output(
        &json!({"output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "It rains.", "signature": "s"}}},
            {"text": "Yes."},
            {"image": {"format": "png", "source": {"bytes": "iVBO"}}},
        ]}}, "stopReason": "end_turn"}),
        &json!([["assistant", [{"type": "reasoning", "content": "It rains."}, text("Yes."), blob]]]),
    );
}

#[test]
fn parts_that_nobody_knows_keep_what_they_say() {
    // No type: there is nothing to call it by but its members.
    check_input(
        &json!([{"role": "user", "content": [{"citation": {"url": "https://a"}}, {"type": "text", "text": null}]}]),
        &json!([["user", [
            {"type": "citation", "data": {"citation": {"url": "https://a"}}},
            {"type": "text", "data": {"text": null}},
        ]]]),
    );
}

#[test]
fn messages_of_langchain_are_told_apart_by_their_type() {
    let expected = json!([
        ["system", [text("Be brief.")]],
        ["user", [text("Rain?")]],
        ["assistant", [call("c", &json!({"x": 1}))]],
        ["tool", [{"type": "tool_call_response", "id": "c", "response": "22"}]],
    ]);
    let flat = json!([
        {"type": "system", "content": "Be brief."},
        {"type": "human", "content": "Rain?"},
        {"type": "ai", "content": "", "tool_calls": [{"name": "f", "args": {"x": 1}, "id": "c", "type": "tool_call"}]},
        {"type": "tool", "content": "22", "tool_call_id": "c"},
    ]);
    check_input(&flat, &expected);
    // As `dumpd` and `message_to_dict` write them.
    for (kind, member) in [(true, "kwargs"), (false, "data")] {
        let wrapped = flat.as_array().unwrap().iter().map(|message| {
            let name = if kind {
                json!("constructor")
            } else {
                message["type"].clone()
            };
            json!({"type": name, member: message})
        });
        check_input(&wrapped.collect(), &expected);
    }
}

#[test]
fn answers_as_anthropic_and_ollama_have_them_say_why_they_ended() {
    for (answer, reason) in [
        (
            json!({"id": "m", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn"}),
            "end_turn",
        ),
        (
            json!({"model": "m", "message": {"role": "assistant", "content": "Yes."}, "done": true, "done_reason": "stop"}),
            "stop",
        ),
    ] {
        check_output(&answer, &json!([["assistant", [text("Yes.")]]]));
        let answer = answer.to_string();
        let normal = chat(vec![("output.value", Text(&answer))]);
        assert_eq!(normal.call.finish_reasons, [reason], "{answer}");
    }
}

#[test]
fn instructions_may_have_any_form() {
    let expected = json!([text("Be"), text("brief.")]);
    for value in [
        Text(r#"[{"type":"text","content":"Be"},{"type":"text","content":"brief."}]"#),
        Text(r#"["Be","brief."]"#),
        Text(
            r#"[{"role":"system","parts":[{"type":"text","content":"Be"},{"type":"text","content":"brief."}]}]"#,
        ),
        Text(r#"[{"role":"system","content":"Be"},{"role":"developer","content":"brief."}]"#),
        Text(r#"{"role":"system","content":["Be","brief."]}"#),
        Text(r#"{"parts":[{"text":"Be"},{"text":"brief."}]}"#),
        Texts(vec!["Be", "brief."]),
    ] {
        let normal = chat(vec![("gen_ai.system_instructions", value.clone())]);
        let found = json!(normal.instructions.reveal().unwrap());
        assert_eq!(found, expected, "{value:?}");
        assert!(normal.has_read("gen_ai.system_instructions"));
        check_stable(&normal);
    }
    let one = chat(vec![(
        "gen_ai.system_instructions",
        Text(r#"{"type":"text","content":"Be brief."}"#),
    )]);
    assert_eq!(
        json!(one.instructions.reveal().unwrap()),
        json!([text("Be brief.")])
    );
}

#[test]
fn definitions_of_tools_may_have_any_form_and_none_is_lost() {
    let f = json!({"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}});
    let g = json!({"name": "g", "input_schema": {"type": "object"}});
    let nested = json!({"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}});
    let expected = json!([f, g]);
    for written in [
        json!([f, g]),
        json!([nested, g]),
        json!({"tools": [nested, g]}),
    ] {
        let written = written.to_string();
        let normal = chat(vec![("gen_ai.tool.definitions", Text(&written))]);
        assert_eq!(
            json!(normal.tool_definitions.reveal().unwrap()),
            expected,
            "{written}"
        );
        check_stable(&normal);
    }
    let one = nested.to_string();
    let normal = chat(vec![("gen_ai.tool.definitions", Text(&one))]);
    assert_eq!(json!(normal.tool_definitions.reveal().unwrap()), json!([f]));
    let other = g.to_string();
    let normal = chat(vec![("gen_ai.tool.definitions", Texts(vec![&one, &other]))]);
    assert_eq!(json!(normal.tool_definitions.reveal().unwrap()), expected);
    // What is no definition stays where it is.
    for value in [
        Text("\"f and g\""),
        Text("7"),
        Text("f and g"),
        Texts(vec!["f", "g"]),
    ] {
        let normal = chat(vec![("gen_ai.tool.definitions", value.clone())]);
        assert!(!normal.has_read("gen_ai.tool.definitions"), "{value:?}");
    }
}

#[test]
fn numbers_in_the_json_of_a_usage_may_be_texts_or_have_a_point() {
    for raw in [
        json!({"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 3}, "completion_tokens_details": {"reasoning_tokens": 2}}),
        json!({"prompt_tokens": "9", "completion_tokens": 4.0, "prompt_tokens_details": {"cached_tokens": "3"}, "completion_tokens_details": {"reasoning_tokens": 2.0}}),
        json!({"input_tokens": 9.0, "output_tokens": "4", "input_tokens_details": {"cached_tokens": 3}, "output_tokens_details": {"reasoning_tokens": "2"}}),
    ] {
        let written = raw.to_string();
        for key in ["gen_ai.usage.raw", "langfuse.observation.usage_details"] {
            let usage = chat(vec![(key, Text(&written))]).usage;
            let found = [usage.input, usage.output, usage.cache_read, usage.reasoning];
            assert_eq!(
                found,
                [Some(9), Some(4), Some(3), Some(2)],
                "{key} {written}"
            );
        }
    }
}

#[test]
fn usage_may_be_text_or_a_number_with_a_point() {
    for value in [I64(9), F64(9.0), Text("9"), Text("9.0")] {
        let normal = chat(vec![
            ("gen_ai.usage.cache_read.input_tokens", value.clone()),
            ("gen_ai.usage.reasoning.output_tokens", value.clone()),
            ("gen_ai.usage.cache_creation.input_tokens", value.clone()),
        ]);
        let usage = normal.usage;
        let found = [usage.cache_read, usage.reasoning, usage.cache_write];
        assert_eq!(found, [Some(9); 3], "{value:?}");
    }
}

fn of_kind(
    kind: &str,
    mut attributes: Vec<(&'static str, SourceValue<'static>)>,
) -> Option<NormalSpan> {
    let kind: &'static str = kind.to_owned().leak();
    attributes.push(("openinference.span.kind", Text(kind)));
    read(attributes)
}

#[test]
fn kinds_of_openinference_are_operations_where_there_is_one() {
    for (kind, operation) in [
        ("LLM", Some("chat")),
        ("llm", Some("chat")),
        ("EMBEDDING", Some("embeddings")),
        ("RETRIEVER", Some("retrieval")),
        ("GUARDRAIL", Some("apply_guardrail")),
        ("AGENT", Some("invoke_agent")),
        ("TOOL", Some("execute_tool")),
        ("RERANKER", None),
        ("EVALUATOR", None),
        ("PROMPT", None),
        ("CHAIN", None),
        ("UNKNOWN", None),
    ] {
        let found = of_kind(kind, Vec::new());
        let found = found.as_ref().map(|normal| normal.operation.as_str());
        assert_eq!(found, operation, "{kind}");
    }
    let of_langfuse = read(vec![("langfuse.observation.type", Text("guardrail"))]);
    assert_eq!(of_langfuse.unwrap().operation.as_str(), "apply_guardrail");
}

#[test]
fn an_embedding_of_openinference_names_its_model() {
    let normal = of_kind(
        "EMBEDDING",
        vec![
            ("embedding.model_name", Text("text-embedding-3-small")),
            ("llm.token_count.prompt", I64(7)),
            ("embedding.embeddings.0.embedding.text", Text("rain")),
        ],
    );
    let normal = normal.unwrap();
    assert_eq!(normal.call.model(), Some("text-embedding-3-small"));
    assert_eq!(normal.usage.input, Some(7));
    assert!(!normal.has_read("embedding.embeddings.0.embedding.text"));
}

#[test]
fn lists_of_openinference_with_gaps_and_older_words_lose_nothing() {
    let normal = of_kind(
        "LLM",
        vec![
            ("llm.input_messages.7.message.role", Text("tool")),
            ("llm.input_messages.7.message.tool_call_id", Text("c")),
            ("llm.input_messages.7.message.content", Text("22")),
            ("llm.input_messages.2.message.role", Text("user")),
            (
                "llm.input_messages.2.message.contents.3.message_content.type",
                Text("text"),
            ),
            (
                "llm.input_messages.2.message.contents.3.message_content.text",
                Text("And this?"),
            ),
            (
                "llm.input_messages.2.message.contents.1.message_content.type",
                Text("audio"),
            ),
            (
                "llm.input_messages.2.message.contents.1.message_content.audio.audio.url",
                Text("https://a/b.wav"),
            ),
            ("llm.output_messages.4.message.role", Text("assistant")),
            (
                "llm.output_messages.4.message.function_call_name",
                Text("f"),
            ),
            (
                "llm.output_messages.4.message.function_call_arguments_json",
                Text("{\"x\":1}"),
            ),
        ],
    );
    let normal = normal.unwrap();
    assert_eq!(
        said(normal.input.reveal().unwrap()),
        json!([
            ["user", [{"type": "uri", "modality": "audio", "uri": "https://a/b.wav"}, text("And this?")]],
            ["tool", [{"type": "tool_call_response", "id": "c", "response": "22"}]],
        ])
    );
    assert_eq!(
        said(normal.output.reveal().unwrap()),
        json!([["assistant", [{"type": "tool_call", "name": "f", "arguments": {"x": 1}}]]])
    );
}

#[test]
fn a_tool_of_openinference_may_have_its_call_under_its_id() {
    let normal = of_kind(
        "TOOL",
        vec![("tool.id", Text("c")), ("tool.name", Text("f"))],
    );
    assert_eq!(normal.unwrap().tool.call_id.as_deref(), Some("c"));
}

#[test]
fn the_last_value_of_an_element_counts_whatever_its_type() {
    let normal = of_kind(
        "LLM",
        vec![
            ("llm.input_messages.0.message.content", Text("first")),
            ("llm.input_messages.0.message.content", Text("last")),
            ("llm.output_messages.0.message.content", Text("first")),
            ("llm.output_messages.0.message.content", I64(7)),
        ],
    );
    let normal = normal.unwrap();
    assert_eq!(
        said(normal.input.reveal().unwrap()),
        json!([["user", [text("last")]]])
    );
    assert_eq!(normal.output.reveal().unwrap().len(), 0);
}
