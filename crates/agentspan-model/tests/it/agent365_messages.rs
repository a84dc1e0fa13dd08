//! Messages are written as the reference writes them, and read back.

use agentspan_model::agent365::{
    ChatMessage, InputMessages, MessagePart, MessageRole, OutputMessage, OutputMessages, Profile,
    Request, Response,
};
use serde_json::{Map, Value, json};

fn structured() -> InputMessages {
    let parts = vec![
        MessagePart::text("canary"),
        MessagePart::ToolCall {
            name: "tool".to_owned(),
            id: None,
            arguments: Some(json!({"a": 1e-7})),
        },
        MessagePart::ToolCallResponse {
            id: Some("1".to_owned()),
            response: Some(Value::Null),
        },
        MessagePart::Generic {
            part_type: "custom".to_owned(),
            data: Map::new(),
        },
    ];
    vec![ChatMessage::new(MessageRole::User, parts).with_name("Ada")].into()
}

#[test]
fn parts_have_their_type_at_the_end_and_nothing_that_is_null() {
    assert_eq!(
        structured().to_json_text(),
        r#"[{"role": "user", "parts": [{"content": "canary", "type": "text"}, {"name": "tool", "arguments": {"a": 1e-07}, "type": "tool_call"}, {"id": "1", "type": "tool_call_response"}, {"type": "custom", "data": {}}], "name": "Ada"}]"#
    );
}

#[test]
fn messages_read_back_as_they_were_written() {
    let request = Request::new(structured(), None);
    let json = serde_json::to_string(&request).unwrap();
    let read: Request = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    assert_eq!(
        read.content.unwrap().to_json_text(),
        structured().to_json_text()
    );
    let unknown = r#"{"role":"critic","parts":[{"type":"thumbs","data":{"up":true}}]}"#;
    let message: ChatMessage = serde_json::from_str(unknown).unwrap();
    assert_eq!(serde_json::to_string(&message).unwrap(), unknown);
    let answer: OutputMessage = serde_json::from_str(r#"{"role":"assistant"}"#).unwrap();
    assert_eq!(
        serde_json::to_string(&answer).unwrap(),
        r#"{"role":"assistant","parts":[],"finish_reason":"stop"}"#
    );
}

#[test]
fn a_part_of_a_known_type_without_its_members_is_refused() {
    assert!(serde_json::from_str::<MessagePart>(r#"{"type":"text","data":1}"#).is_err());
    assert!(serde_json::from_str::<MessagePart>(r#"{"type":"custom"}"#).is_err());
}

#[test]
fn plain_texts_become_what_the_generation_writes() {
    let texts = ["Grüße", "\""];
    for (profile, input, output) in [
        (Profile::V0_1, r#"["Grüße", "\""]"#, r#"["Grüße", "\""]"#),
        (
            Profile::V2,
            r#"[{"role": "user", "parts": [{"content": "Grüße", "type": "text"}]}, {"role": "user", "parts": [{"content": "\"", "type": "text"}]}]"#,
            r#"[{"role": "assistant", "parts": [{"content": "Grüße", "type": "text"}], "finish_reason": "stop"}, {"role": "assistant", "parts": [{"content": "\"", "type": "text"}], "finish_reason": "stop"}]"#,
        ),
    ] {
        assert_eq!(profile.input_texts(&texts), input);
        assert_eq!(profile.output_texts(&texts), output);
        let owned = texts.map(str::to_owned).to_vec();
        let messages = InputMessages::from(owned.clone());
        assert_eq!(profile.input_messages_text(&messages), input);
        let messages = OutputMessages::from(owned);
        assert_eq!(profile.output_messages_text(&messages), output);
    }
}

#[test]
fn messages_that_are_nested_too_deep_leave_their_number() {
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let part = MessagePart::ToolCall {
        name: "tool".to_owned(),
        id: None,
        arguments: Some(deep),
    };
    let message = ChatMessage::new("assistant", [part.clone()]);
    assert_eq!(
        InputMessages::from(vec![message.clone(), message]).to_json_text(),
        r#"[{"role": "system", "parts": [{"type": "text", "content": "[serialization failed: 2 messages]"}]}]"#
    );
    let message = OutputMessage::new("assistant", [part]);
    assert_eq!(
        OutputMessages::from(vec![message]).to_json_text(),
        r#"[{"role": "system", "parts": [{"type": "text", "content": "[serialization failed: 1 message]"}], "finish_reason": "error"}]"#
    );
}

#[test]
fn debug_shows_nothing_of_what_was_said() {
    let tool_result = Map::from_iter([("a".to_owned(), json!("canary"))]);
    let shown = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        structured(),
        InputMessages::from("canary"),
        OutputMessages::from(vec!["canary".to_owned()]),
        OutputMessages::from(vec![OutputMessage::text("assistant", "canary")]),
        Response::from(tool_result),
        Request::new(structured(), None),
    );
    assert!(!shown.contains("canary"), "{shown}");
    assert!(
        shown.contains("tool_call") && shown.contains("** MASKED **"),
        "{shown}"
    );
}
