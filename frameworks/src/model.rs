//! A model that plays a script, behind the API of OpenAI.

use agentspan_testkit::{Answer, Service};
use serde_json::{Value, json};

use crate::AnyError;

/// Starts the model. It answers three requests: with two calls of tools, with a text, and with a stream.
pub(crate) fn start() -> Result<Service, AnyError> {
    let call = |id: &str, name: &str| {
        let arguments = json!({"city": "Genoa, CANARY-arguments"}).to_string();
        json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
    };
    let calls = json!({
        "role": "assistant",
        "content": null,
        "tool_calls": [call("call-1", "weather"), call("call-2", "trains")],
    });
    let text = json!({"role": "assistant", "content": "By ship, CANARY-answer."});
    Ok(Service::builder()
        .script([
            Answer::json(&whole(calls, "tool_calls", (47, 12))),
            Answer::json(&whole(text, "stop", (80, 9))),
            streamed(&["By ", "ship, CANARY-answer."], (100, 5)),
        ])
        .start()?)
}

fn usage((input, output): (u64, u64)) -> Value {
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

fn whole(message: Value, finish_reason: &str, tokens: (u64, u64)) -> Value {
    json!({
        "id": "response-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": usage(tokens),
    })
}

fn streamed(parts: &[&str], tokens: (u64, u64)) -> Answer {
    let chunk = |choices: Value, usage: Value| {
        json!({
            "id": "response-2",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "gpt-4o-2024-08-06",
            "choices": choices,
            "usage": usage,
        })
    };
    let mut chunks: Vec<Value> = parts
        .iter()
        .map(|part| {
            let delta = json!({"role": "assistant", "content": part});
            chunk(
                json!([{"index": 0, "delta": delta, "finish_reason": null}]),
                Value::Null,
            )
        })
        .collect();
    let last = json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]);
    chunks.push(chunk(last, Value::Null));
    chunks.push(chunk(json!([]), usage(tokens)));
    let mut body: String = chunks
        .iter()
        .map(|chunk| format!("data: {chunk}\n\n"))
        .collect();
    body.push_str("data: [DONE]\n\n");
    Answer::status(200)
        .header("content-type", "text/event-stream")
        .body(body)
}
