//! The body of a request, written again from the input the way Python writes JSON.
//!
//! It is a second implementation, made to be plain: the expected bodies of large requests are given
//! only as a digest, and requests that the reference did not send are not given at all.

use std::fmt::Write as _;

use super::model::{Run, SentRequest};
use crate::compare::differences;
use crate::typed_value::{TypedPairs, TypedValue};
use crate::{Json, Tolerances, VectorSpan};

/// The order of a resource's attributes: the SDK's resource has none.
const SAME_BODY: Tolerances = Tolerances {
    unordered: &["resourceSpans.*.resource.attributes"],
    ignored: &[],
};

/// Replaces bodies that were sent by those of the model where they are equal as JSON, so that their
/// lengths and digests can be compared too: those of the reference's own letters.
pub(super) fn write_as_the_reference(run: &mut Run, model: &Run) {
    for (sent, model) in run.requests.iter_mut().zip(&model.requests) {
        take_equal_body(sent, model);
    }
}

/// Takes the body of the model if both are equal as JSON.
pub(super) fn take_equal_body(sent: &mut SentRequest, model: &SentRequest) {
    if let (Ok(one), Ok(other)) = (Json::parse(&sent.body), Json::parse(&model.body)) {
        if differences(&other, &one, &SAME_BODY).is_empty() {
            sent.body.clone_from(&model.body);
        }
    }
}

/// What waits for another try is known by identity and number of spans; where both are those of the
/// model, these are its bodies.
pub(super) fn store_as_the_reference(run: &mut Run, model: &Run) {
    let played = std::mem::take(&mut run.stored);
    for stored in played {
        let of_it = model
            .stored
            .iter()
            .filter(|other| other.identity == stored.identity);
        let spans: usize = of_it.clone().map(|other| other.spans).sum();
        match spans == stored.spans {
            true => run.stored.extend(of_it.cloned()),
            false => run.stored.push(stored),
        }
    }
}

/// The body with these spans, which are of one identity.
pub(super) fn body(spans: &[&VectorSpan]) -> String {
    let resource = spans.first().map_or_else(
        || "null".to_owned(),
        |span| attributes(Some(&span.resource)),
    );
    let mut scopes: Vec<(String, Vec<String>)> = Vec::new();
    for span in spans {
        let scope = scope(span);
        match scopes.iter_mut().find(|(name, _)| *name == scope) {
            Some((_, members)) => members.push(object(span)),
            None => scopes.push((scope, vec![object(span)])),
        }
    }
    let scopes: Vec<_> = scopes
        .into_iter()
        .map(|(scope, spans)| format!(r#"{{"scope":{scope},"spans":[{}]}}"#, spans.join(",")))
        .collect();
    format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":{resource}}},"scopeSpans":[{}]}}]}}"#,
        scopes.join(",")
    )
}

fn scope(span: &VectorSpan) -> String {
    let (name, version) = span.scope.as_ref().map_or(("", None), |scope| {
        (scope.name.as_str(), scope.version.as_deref())
    });
    let version = version.map_or_else(|| "null".to_owned(), text);
    format!(r#"{{"name":{},"version":{version}}}"#, text(name))
}

pub(in crate::runners) fn object(span: &VectorSpan) -> String {
    let parent = span
        .parent
        .as_ref()
        .filter(|parent| parent.span_id.bytes().any(|digit| digit != b'0'))
        .map_or_else(|| "null".to_owned(), |parent| text(&parent.span_id));
    let events: Vec<_> = span
        .events
        .iter()
        .map(|event| {
            let attributes = attributes(event.attributes.as_ref());
            format!(
                r#"{{"timeUnixNano":{},"name":{},"attributes":{attributes}}}"#,
                event.timestamp_unix_nano,
                text(&event.name)
            )
        })
        .collect();
    let links: Vec<_> = span
        .links
        .iter()
        .map(|link| {
            let attributes = attributes(link.attributes.as_ref());
            format!(
                r#"{{"traceId":{},"spanId":{},"attributes":{attributes}}}"#,
                text(&link.trace_id),
                text(&link.span_id)
            )
        })
        .collect();
    let mut object = String::new();
    let _ = write!(
        object,
        r#"{{"traceId":{},"spanId":{},"parentSpanId":{parent},"name":{},"kind":{},"#,
        text(&span.trace_id),
        text(&span.span_id),
        text(&span.name),
        text(&span.kind),
    );
    let _ = write!(
        object,
        r#""startTimeUnixNano":{},"endTimeUnixNano":{},"attributes":{},"events":{},"links":{},"#,
        time(span.start_time_unix_nano),
        time(span.end_time_unix_nano),
        attributes(Some(&span.attributes)),
        list_or_null(&events),
        list_or_null(&links),
    );
    let _ = write!(
        object,
        r#""status":{{"code":{},"message":{}}}}}"#,
        text(&span.status.code),
        text(span.status.description.as_deref().unwrap_or_default()),
    );
    object
}

/// The epoch stands for a time that was never set.
fn time(nanoseconds: Option<u64>) -> String {
    match nanoseconds {
        None | Some(0) => "null".to_owned(),
        Some(nanoseconds) => nanoseconds.to_string(),
    }
}

fn list_or_null(items: &[String]) -> String {
    if items.is_empty() {
        "null".to_owned()
    } else {
        format!("[{}]", items.join(","))
    }
}

/// A key that is set again moves to the end, and an empty key is dropped.
fn attributes(pairs: Option<&TypedPairs>) -> String {
    let pairs = pairs.map_or(&[][..], Vec::as_slice);
    let members: Vec<_> = pairs
        .iter()
        .enumerate()
        .filter(|(at, (key, _))| {
            let later = pairs.get(at + 1..).unwrap_or_default();
            !key.is_empty() && !later.iter().any(|(other, _)| other == key)
        })
        .map(|(_, (key, typed))| format!("{}:{}", text(key), value(typed)))
        .collect();
    if members.is_empty() {
        "null".to_owned()
    } else {
        format!("{{{}}}", members.join(","))
    }
}

pub(super) fn value(typed: &TypedValue) -> String {
    fn list<T>(items: &[T], write: impl Fn(&T) -> String) -> String {
        let items: Vec<_> = items.iter().map(write).collect();
        format!("[{}]", items.join(","))
    }
    match typed {
        TypedValue::String(value) => text(value),
        TypedValue::Bool(value) => value.to_string(),
        TypedValue::Int(value) => value.to_string(),
        TypedValue::Double(value) => float(value.0),
        TypedValue::StringArray(items) => list(items, |item| text(item)),
        TypedValue::BoolArray(items) => list(items, ToString::to_string),
        TypedValue::IntArray(items) => list(items, ToString::to_string),
        TypedValue::DoubleArray(items) => list(items, |item| float(item.0)),
        TypedValue::Null(_) | TypedValue::Bigint(_) | TypedValue::Array(_) | TypedValue::Map(_) => {
            "null".to_owned()
        }
    }
}

fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The shortest digits that read back as the same number, with an exponent where Python's `repr` has
/// one. What JSON has no number for is the text that we write.
pub(in crate::runners) fn float(value: f64) -> String {
    if value.is_nan() {
        return r#""NaN""#.to_owned();
    }
    if value.is_infinite() {
        let text = if value > 0.0 {
            r#""Infinity""#
        } else {
            r#""-Infinity""#
        };
        return text.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value == 0.0 || (-4..16).contains(&exponent) {
        return format!("{value:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        let written = [
            (2.0, "2.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.25e22, "1.25e+22"),
            (1e300, "1e+300"),
        ];
        for (value, expected) in written {
            assert_eq!(float(value), expected);
        }
    }
}
