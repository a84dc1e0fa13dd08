//! A model that plays a script, behind the API of OpenAI.

use agentspan_testkit::{Answer, Service};
use serde_json::{Value, json};

use crate::AnyError;

/// What the model answers, request by request.
pub(crate) enum Script {
    /// Two calls of tools, a text, and a stream.
    #[allow(dead_code, reason = "each program plays one of the scripts")]
    Alone,
    /// The same for a second agent, whom the first one calls, and a text for that one before the stream.
    #[allow(dead_code, reason = "each program plays one of the scripts")]
    WithSubAgent,
}

/// Starts the model.
pub(crate) fn start(script: &Script) -> Result<Service, AnyError> {
    let city = json!({"city": "Genoa, CANARY-arguments"});
    let calls = calls(&[("call-1", "weather", &city), ("call-2", "trains", &city)]);
    let text = || json!({"role": "assistant", "content": "By ship, CANARY-answer."});
    let alone = [
        Answer::json(&whole(calls, "tool_calls", (47, 12))),
        Answer::json(&whole(text(), "stop", (80, 9))),
    ];
    let stream = streamed(&["By ", "ship, CANARY-answer."], (100, 5));
    let mut answers = Vec::new();
    match script {
        Script::Alone => answers.extend(alone),
        Script::WithSubAgent => {
            let prompt = json!({"prompt": "Ask the timetables. CANARY-prompt"});
            let call = self::calls(&[("call-0", "clerk", &prompt)]);
            answers.push(Answer::json(&whole(call, "tool_calls", (30, 7))));
            answers.extend(alone);
            answers.push(Answer::json(&whole(text(), "stop", (60, 8))));
        }
    }
    answers.push(stream);
    Ok(Service::builder().script(answers).start()?)
}

fn calls(calls: &[(&str, &str, &Value)]) -> Value {
    let calls = calls.iter().map(|(id, name, arguments)| {
        let function = json!({"name": name, "arguments": arguments.to_string()});
        json!({"id": id, "type": "function", "function": function})
    });
    json!({"role": "assistant", "content": null, "tool_calls": calls.collect::<Vec<_>>()})
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
