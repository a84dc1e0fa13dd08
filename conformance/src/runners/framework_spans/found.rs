//! What the normal form says of a scenario's spans, in the shape of the facts.

use agentspan_model::agent365::MessagePart;
use agentspan_model::mapping::normal::{NormalMessage, NormalSpan, OperationName};
use serde_json::{Value, json};

use super::asked::{Fact, plain};
use super::python_text::is_python_text;
use super::spans::RecordedSpan;

/// What the normal form says of a scenario.
pub(super) struct Found {
    /// `{"calls": [...], "tools": [...], "agent": {...}, "identity": {...}}`.
    all: Value,
    /// All values with their names, for facts that a span says in another place than the scenario.
    leaves: Vec<(String, Value)>,
    /// Texts that are Python's form of an object.
    python_texts: Vec<String>,
}

impl Found {
    pub(super) fn in_spans(spans: &[RecordedSpan]) -> Self {
        let mut sorted: Vec<_> = spans.iter().collect();
        sorted.sort_by_key(|span| span.start);
        let mut calls: Vec<(&RecordedSpan, Value)> = Vec::new();
        let mut tools = Vec::new();
        let mut agent = Value::Null;
        let mut identity = json!({});
        for span in sorted {
            keep_identity(&mut identity, span);
            let Some(normal) = NormalSpan::read(&span.source()) else {
                continue;
            };
            if normal.operation.is_inference() {
                let mut call = call_value(&normal);
                complete(&mut call, json!({"agent": agent_around(spans, span)}));
                match calls.last_mut() {
                    // Logfire has what comes of a stream in a span of its own, of no length.
                    Some((before, whole))
                        if span.start == span.end && before.parent == span.parent =>
                    {
                        complete(whole, call);
                    }
                    _ => calls.push((span, call)),
                }
            } else if normal.operation == OperationName::ExecuteTool {
                tools.push(tool_value(&normal));
            } else if normal.operation == OperationName::InvokeAgent && normal.agent.name.is_some()
            {
                complete(
                    &mut agent,
                    json!({"name": normal.agent.name, "id": normal.agent.id}),
                );
            }
            let ids = json!({"conversation": normal.conversation_id, "session": normal.session_id});
            complete(&mut identity, ids);
        }
        let calls: Vec<_> = calls.into_iter().map(|(_, call)| call).collect();
        let all = json!({"calls": calls, "tools": tools, "agent": agent, "identity": identity});
        let mut leaves = Vec::new();
        collect(&all, "", &mut leaves);
        let python_texts = leaves.iter().filter_map(|(_, value)| value.as_str());
        let python_texts = python_texts.filter(|text| is_python_text(text));
        Self {
            python_texts: python_texts.map(str::to_owned).collect(),
            all,
            leaves,
        }
    }

    /// What stands where the fact does. Tools are found by name and arguments.
    pub(super) fn at(&self, fact: &Fact) -> Option<&Value> {
        let pointer: String = fact
            .place
            .iter()
            .map(|member| format!("/{member}"))
            .collect();
        self.all.pointer(&pointer).filter(|value| !value.is_null())
    }

    /// Whether the same is said of something else with the same name, as `id` of a call of
    /// a tool in a message for that of
    /// its execution.
    pub(super) fn has_elsewhere(&self, fact: &Fact) -> bool {
        if fact.is_in("error") && fact.is_in("calls") {
            let mut said = self.leaves.iter().filter(|(name, _)| name == "message");
            return said.any(|(_, value)| fact.agrees_with(value));
        }
        let is_of_tool = fact.is_in("tools") || fact.is_in("parts") || fact.is_in("agent");
        let name = match fact.name() {
            "result_sent_to_model" => "response",
            // What a tool says of its failure is part of what the model is told.
            "message" if fact.is_in("tools") => {
                let mut said = self
                    .leaves
                    .iter()
                    .filter(|(name, _)| name == "response" || name == "message");
                return said.any(|(_, value)| plain(value).contains(&plain(&fact.value)));
            }
            "operation" if fact.is_in("tools") => return true,
            name => name,
        };
        let mut leaves = self.leaves.iter();
        (is_of_tool || fact.is_in("identity"))
            && leaves.any(|(found, value)| found == name && fact.agrees_with(value))
    }

    pub(super) fn has_in_python_text(&self, fact: &Fact) -> bool {
        let said = plain(&fact.value);
        self.python_texts.iter().any(|text| text.contains(&said))
    }
}

/// The agent that is invoked around a span, if the span itself names none.
fn agent_around(spans: &[RecordedSpan], span: &RecordedSpan) -> Option<String> {
    let mut around = span;
    // A span is in no more spans than there are.
    for _ in spans {
        around = spans.iter().find(|other| other.id == around.parent)?;
        let normal = NormalSpan::read(&around.source());
        let normal = normal.filter(|normal| normal.operation == OperationName::InvokeAgent);
        if let Some(name) = normal.and_then(|normal| normal.agent.name) {
            return Some(name);
        }
    }
    None
}

/// What a span says of who and where beside the normal form: it passes as it is.
fn keep_identity(identity: &mut Value, span: &RecordedSpan) {
    let mut said = json!({"workflow": span.name});
    if !matches!(span.parent, Value::Null) {
        said = json!({});
    }
    for attribute in &span.attributes {
        let name = match &*attribute.key {
            "microsoft.tenant.id" => "tenant",
            "microsoft.channel.name" => "channel",
            "microsoft.a365.agent.blueprint.id" => "blueprint",
            "user.id" => "user",
            "langfuse.trace.tags" => "tags",
            key => {
                if let Some(member) = key.strip_prefix("langfuse.trace.metadata.") {
                    let text = attribute.value.as_str().unwrap_or_default();
                    let value: Value = serde_json::from_str(text).unwrap_or_default();
                    complete(&mut said, json!({"metadata": {member: value}}));
                }
                continue;
            }
        };
        complete(&mut said, json!({name: attribute.value}));
    }
    complete(identity, said);
}

fn call_value(normal: &NormalSpan) -> Value {
    let call = &normal.call;
    let usage = &normal.usage;
    let error = normal.error.as_ref().map(|error| {
        let message = error.message.as_ref().and_then(|message| message.reveal());
        json!({
            "http_status": error.status_code,
            "code": error.code,
            "message": message,
        })
    });
    json!({
        "operation": normal.operation.as_str(),
        "agent": normal.agent.name,
        "provider": call.provider,
        "request_model": call.request_model,
        "response_model": call.response_model,
        "response_id": call.response_id,
        "stream": call.is_streamed,
        "temperature": call.parameters.temperature,
        "max_tokens": call.parameters.max_tokens,
        "finish_reasons": call.finish_reasons,
        "usage": {
            "input": usage.input,
            "output": usage.output,
            "cached": usage.cache_read,
            "reasoning": usage.reasoning,
        },
        "input": messages_value(&normal.conversation()),
        "output": messages_value(normal.output.reveal().map(Vec::as_slice).unwrap_or_default()),
        "error": error,
    })
}

fn messages_value(messages: &[NormalMessage]) -> Value {
    let messages = messages.iter().map(|message| {
        let parts = message.parts.iter().map(part_value);
        json!({"role": message.role.as_str(), "parts": parts.collect::<Vec<_>>()})
    });
    messages.collect()
}

fn part_value(part: &MessagePart) -> Value {
    serde_json::to_value(part).unwrap_or_default()
}

fn tool_value(normal: &NormalSpan) -> Value {
    let tool = &normal.tool;
    let shown = |value: &Option<agentspan_model::agentspec::Sensitive<Value>>| {
        value.as_ref().and_then(|value| value.reveal().cloned())
    };
    let error = normal.error.as_ref();
    let message = error.and_then(|error| error.message.as_ref()?.reveal());
    json!({
        "operation": normal.operation.as_str(),
        "id": tool.call_id,
        "name": tool.name,
        "arguments": shown(&tool.arguments),
        "response": shown(&tool.result),
        "error": error.map(|_| json!({"message": message})),
    })
}

/// Adds what is not there.
fn complete(whole: &mut Value, part: Value) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (name, value) in part {
                complete(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(whole), Value::Array(part)) if whole.is_empty() => *whole = part,
        (whole @ Value::Null, part) => *whole = part,
        _ => {}
    }
}

fn collect(value: &Value, name: &str, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, v)| collect(v, name, leaves)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, name, leaves)),
        value => leaves.push((name.to_owned(), value.clone())),
    }
    // A result that is JSON is compared as a whole.
    if name == "response" && (value.is_object() || value.is_array()) {
        leaves.push((name.to_owned(), value.clone()));
    }
}
