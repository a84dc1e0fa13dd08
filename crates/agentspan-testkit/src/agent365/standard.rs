//! Checks that a body is OTLP/JSON, as documented for senders without an SDK.

use serde_json::Value;

/// The first part of the body that differs from the [JSON
/// encoding](https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding) of OTLP; `None` if
/// there is none.
pub(super) fn flaw(body: &Value) -> Option<&'static str> {
    let Some(resources) = list(body, "resourceSpans") else {
        return Some("resourceSpans");
    };
    for resource in resources {
        let of_resource = resource.get("resource").unwrap_or(&Value::Null);
        let Some(scopes) = list(resource, "scopeSpans") else {
            return Some("scopeSpans");
        };
        if !has_pairs(of_resource) {
            return Some("resource");
        }
        for scope in scopes {
            let Some(spans) = list(scope, "spans") else {
                return Some("spans");
            };
            if let Some(flaw) = spans.iter().find_map(flaw_of_span) {
                return Some(flaw);
            }
        }
    }
    None
}

fn list<'a>(value: &'a Value, name: &str) -> Option<&'a [Value]> {
    value.get(name)?.as_array().map(Vec::as_slice)
}

fn flaw_of_span(span: &Value) -> Option<&'static str> {
    let member = |name: &str| span.get(name).unwrap_or(&Value::Null);
    let code = member("status").get("code").unwrap_or(&Value::Null);
    let are_pairs = |parts: &Value| match parts {
        Value::Null => true,
        Value::Array(parts) => parts.iter().all(has_pairs),
        _ => false,
    };
    let checks = [
        ("traceId", is_id(member("traceId"), 32)),
        ("spanId", is_id(member("spanId"), 16)),
        ("parentSpanId", is_parent(span.get("parentSpanId"))),
        ("name", member("name").is_string()),
        ("kind", is_number_up_to(member("kind"), 5)),
        ("startTimeUnixNano", is_time(member("startTimeUnixNano"))),
        ("endTimeUnixNano", is_time(member("endTimeUnixNano"))),
        ("attributes", has_pairs(span)),
        ("events", are_pairs(member("events"))),
        ("links", are_pairs(member("links"))),
        ("status", code.is_null() || is_number_up_to(code, 2)),
    ];
    let flaw = checks.into_iter().find(|(_, is_right)| !is_right);
    flaw.map(|(name, _)| name)
}

/// An id in hexadecimal digits that is not zero.
fn is_id(id: &Value, digits: usize) -> bool {
    let is_hex = |id: &str| id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_zero = |id: &str| id.bytes().all(|byte| byte == b'0');
    id.as_str()
        .is_some_and(|id| id.len() == digits && is_hex(id) && !is_zero(id))
}

/// A root has none, or an empty one.
fn is_parent(parent: Option<&Value>) -> bool {
    parent.is_none_or(|parent| parent == "" || is_id(parent, 16))
}

/// An enum is a number in OTLP's JSON. One that is left out is zero.
fn is_number_up_to(value: &Value, most: u64) -> bool {
    value.is_null() || value.as_u64().is_some_and(|number| number <= most)
}

/// Numbers of 64 bits are decimal text, and readers take numbers, too.
fn is_time(time: &Value) -> bool {
    let is_decimal = |text: &str| text.parse::<u64>().is_ok();
    time.is_u64() || time.as_str().is_some_and(is_decimal)
}

/// Attributes are a list of keys with a value of one kind each, or missing.
fn has_pairs(holder: &Value) -> bool {
    let Some(attributes) = holder.get("attributes") else {
        return true;
    };
    let is_pair = |pair: &Value| {
        let value = pair.get("value").and_then(Value::as_object);
        pair.get("key").is_some_and(Value::is_string) && value.is_some_and(|value| value.len() < 2)
    };
    let pairs = attributes.as_array();
    pairs.is_some_and(|pairs| pairs.iter().all(is_pair))
}
