//! Bodies in the letters of Python: large ones are given by length and digest only.

use crate::typed_value::after_calls;
use crate::{Json, VectorSpan};

/// The body with floats as Python writes them, and the attributes of its resource in the order of the
/// input, since the SDK's resource has none. A body that is no JSON stays as it is.
pub(in crate::runners) fn as_python_writes(body: &str, spans: &[VectorSpan]) -> String {
    let Ok(mut json) = Json::parse(body) else {
        return body.to_owned();
    };
    write_floats(&mut json);
    let resources = json
        .member_mut("resourceSpans")
        .and_then(Json::as_array_mut);
    for resource in resources.into_iter().flatten() {
        let resource = resource.member_mut("resource");
        let attributes = resource.and_then(|resource| resource.member_mut("attributes"));
        if let Some(Json::Object(members)) = attributes {
            order(members, spans);
        }
    }
    json.to_string()
}

/// Brings attributes in the order of the span's resource that has the same keys.
fn order(members: &mut [(String, Json)], spans: &[VectorSpan]) {
    for span in spans {
        let given = after_calls(&span.resource);
        let place = |key: &str| given.iter().position(|(other, _)| other == key);
        if members.iter().all(|(key, _)| place(key).is_some()) {
            members.sort_by_key(|(key, _)| place(key));
            return;
        }
    }
}

fn write_floats(json: &mut Json) {
    match json {
        Json::Number(number) => {
            let text = number.to_string();
            let float = text.parse().ok().filter(|_| text.contains(['.', 'e', 'E']));
            if let Some(Ok(written)) = float.map(|value| Json::parse(&float_text(value))) {
                *json = written;
            }
        }
        Json::Array(items) => items.iter_mut().for_each(write_floats),
        Json::Object(members) => {
            let values = members.iter_mut().map(|(_, value)| value);
            values.for_each(write_floats);
        }
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}

/// The shortest digits that read back as the same number, with an exponent where Python's `repr` has one.
fn float_text(value: f64) -> String {
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
        let body = |numbers: &str| format!(r#"{{"a":[{numbers}]}}"#);
        let ours = body("2.0,-0.0,0.1,1e-4,0.00001,1.5e-7,1e15,1e16,12500000000000000000000.0,7");
        let written = body("2.0,-0.0,0.1,0.0001,1e-05,1.5e-07,1000000000000000.0,1e+16,1.25e+22,7");
        assert_eq!(as_python_writes(&ours, &[]), written);
    }
}
