//! Digests of the contents of spans: equal contents have equal digests.
//!
//! The page compares two traces by their digests, and only loads the contents of the selected step.

use std::hash::{DefaultHasher, Hash, Hasher};

use agentspan_model::agentspec::MASK;
use serde_json::{Map, Value};

use crate::answers::contents;
use crate::reading::Reading;
use crate::span::Span;
use crate::store::Trace;

/// The text for contents that were masked, which cannot be compared.
const MASKED: &str = "*";

/// For each span the numbers of its input, its output and its result, as texts.
pub(crate) fn digests(trace: &Trace) -> Value {
    let spans = trace.spans();
    let of_spans = spans
        .iter()
        .map(|span| (span.span_id.clone(), of_span(span)));
    Value::Object(of_spans.collect::<Map<_, _>>())
}

fn of_span(span: &Span) -> Value {
    let Some(normal) = Reading::of(&span.value()).normal() else {
        return Value::Array(Vec::new());
    };
    let contents = contents(&normal);
    let digest = |names: &[&str]| {
        let parts: Vec<&Value> = names
            .iter()
            .filter_map(|name| contents.get(*name))
            .collect();
        let is_any = parts.iter().any(|part| is_masked(part));
        if is_any || parts.iter().all(|part| is_hidden(part, span)) {
            return Value::from(MASKED);
        }
        let mut hasher = DefaultHasher::new();
        parts.iter().for_each(|part| feed(part, &mut hasher));
        format!("{:016x}", hasher.finish()).into()
    };
    [
        digest(&["messages", "arguments"]),
        digest(&["output"]),
        digest(&["result"]),
    ]
    .into_iter()
    .collect()
}

/// Whether a content of a span is masked. A masked recording may leave it out altogether.
pub(crate) fn is_hidden(content: &Value, span: &Span) -> bool {
    let says_nothing = |message: &Value| message["parts"].as_array().is_some_and(Vec::is_empty);
    let is_left_out = match content {
        Value::Null => true,
        Value::Array(messages) => messages.iter().all(says_nothing),
        _ => false,
    };
    is_masked(content) || (is_left_out && span.facts.is_masked)
}

fn is_masked(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(MASK),
        Value::Array(items) => items.iter().any(is_masked),
        Value::Object(members) => members.values().any(is_masked),
        _ => false,
    }
}

/// The order of members says nothing, and neither do the ids of calls, which differ from run to run.
fn feed(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Array(items) => {
            ('[', items.len()).hash(hasher);
            items.iter().for_each(|item| feed(item, hasher));
        }
        Value::Object(members) => {
            let is_call = members
                .get("type")
                .is_some_and(|kind| kind == "tool_call" || kind == "tool_call_response");
            let mut members: Vec<(&String, &Value)> = members
                .iter()
                .filter(|(name, _)| !(is_call && *name == "id"))
                .collect();
            members.sort_by_key(|(name, _)| *name);
            ('{', members.len()).hash(hasher);
            for (name, value) in members {
                name.hash(hasher);
                feed(value, hasher);
            }
        }
        scalar => scalar.to_string().hash(hasher),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::of_span;
    use crate::span::Span;

    fn digest(call: &str, arguments: &Value, result: &str) -> Value {
        let json = json!({
            "traceId": "a", "spanId": "b", "name": "execute_tool t", "startTimeUnixNano": "1",
            "attributes": {
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gen_ai.tool.call.id": call,
                "gen_ai.tool.call.arguments": arguments.to_string(), "gen_ai.tool.call.result": result,
            },
        });
        of_span(&Span::of_json(&json, None, &Arc::default()).unwrap())
    }

    #[test]
    fn what_is_said_decides_and_neither_ids_nor_the_order_of_members_do() {
        let first = digest("call-1", &json!({"a": 1, "b": [2]}), "sunny");
        assert_eq!(first, digest("call-2", &json!({"b": [2], "a": 1}), "sunny"));
        let other = digest("call-1", &json!({"a": 1, "b": [3]}), "sunny");
        assert!(first[0] != other[0] && first[2] == other[2]);
        let other = digest("call-1", &json!({"a": 1, "b": [2]}), "rain");
        assert!(first[0] == other[0] && first[2] != other[2]);
    }

    #[test]
    fn what_a_masked_recording_leaves_out_is_not_compared() {
        let json = json!({
            "traceId": "a", "spanId": "b", "name": "chat", "startTimeUnixNano": "1",
            "attributes": {"gen_ai.operation.name": "chat"},
        });
        let mut span = Span::of_json(&json, None, &Arc::default()).unwrap();
        assert!(of_span(&span)[0] != "*");
        span.facts.is_masked = true;
        assert_eq!(of_span(&span), json!(["*", "*", "*"]));
    }

    #[test]
    fn what_is_masked_is_not_compared() {
        let masked = digest("call-1", &json!("** MASKED **"), "sunny");
        assert_eq!(masked[0], "*");
        assert!(masked[2] != "*");
    }
}
