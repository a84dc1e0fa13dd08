//! A language model behind an HTTP endpoint that speaks the chat-completions protocol.
//!
//! The model is a script, so that the example needs no account. The protocol and the HTTP are real.

use agentspan_testkit::{Answer, RecordedRequest, Service};
use serde_json::{Value, json};

/// Starts the endpoint on the loopback.
pub(crate) fn start() -> Result<Service, agentspan_testkit::StartError> {
    Service::builder().answer_with(complete).start()
}

/// Asks for three tools at once, and then sums up what they said.
fn complete(request: &RecordedRequest) -> Answer {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let results: Vec<&str> = messages
        .iter()
        .filter(|message| message["role"] == "tool")
        .filter_map(|message| message["content"].as_str())
        .collect();
    if results.is_empty() {
        let calls = [
            tool_call("call-1", "count_lines", "README.md"),
            tool_call("call-2", "first_heading", "ARCHITECTURE.md"),
            tool_call("call-3", "count_lines", "docs/roadmap-to-the-moon.md"),
        ];
        return answer(
            json!({"role": "assistant", "content": null, "tool_calls": calls}),
            "tool_calls",
            212,
            61,
        );
    }
    let text = format!("Here is what I found: {}.", results.join("; "));
    answer(
        json!({"role": "assistant", "content": text}),
        "stop",
        330,
        48,
    )
}

fn tool_call(id: &str, name: &str, path: &str) -> Value {
    let arguments = json!({"path": path}).to_string();
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

fn answer(message: Value, finish_reason: &str, input_tokens: u32, output_tokens: u32) -> Answer {
    Answer::json(&json!({
        "id": format!("chatcmpl-{finish_reason}"),
        "object": "chat.completion",
        "model": "scripted-1",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": input_tokens, "completion_tokens": output_tokens},
    }))
}
