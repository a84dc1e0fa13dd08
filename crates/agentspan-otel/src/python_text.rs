//! Values as text, in the way of Python's `str`, which the reference uses for baggage.

use serde_json::Value;

/// Whether `str.strip` leaves nothing of the text. It also takes the separators of ASCII for white space.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

/// `str(value)` for texts, numbers, booleans and null; objects and arrays are written as JSON.
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => float_text(number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    }
}

/// `str(number)`: the shortest digits that give the number back, with an exponent below 1e-4 and
/// from 1e16 on.
pub(crate) fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    // Rust writes the same shortest digits, always with an exponent here: `-1.5e-7`.
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{number}");
    if plain.contains('.') {
        plain
    } else {
        format!("{plain}.0")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (number, expected) in [
            (1.5, "1.5"),
            (2.0, "2.0"),
            (-0.0, "-0.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-1.5e-7, "-1.5e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.25e300, "1.25e+300"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float_text(number), expected);
        }
    }

    #[test]
    fn white_space_of_python_is_blank() {
        assert!(is_blank("") && is_blank(" \t\n\u{1c}\u{1f}\u{85}\u{3000}"));
        assert!(!is_blank("\u{200b}") && !is_blank(" a "));
    }

    #[test]
    fn values_are_written_as_python_writes_them_and_containers_as_json() {
        for (value, expected) in [
            (json!(null), "None"),
            (json!(true), "True"),
            (json!(false), "False"),
            (json!(-12), "-12"),
            (json!(u64::MAX), "18446744073709551615"),
            (json!(1e16), "1e+16"),
            (json!("text"), "text"),
            (json!({"a": [1, null]}), r#"{"a":[1,null]}"#),
        ] {
            assert_eq!(value_text(&value), expected);
        }
    }
}
