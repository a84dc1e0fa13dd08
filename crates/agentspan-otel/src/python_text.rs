//! Values as text, in the way of Python's `str`, which the reference uses for baggage.

use agentspan_model::agent365::python_float_text;
use serde_json::Value;

/// `str.strip`, which also takes the separators of ASCII for white space.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

/// Whether `str.strip` leaves nothing of the text.
pub(crate) fn is_blank(text: &str) -> bool {
    // Nearly every text begins with a character that tells.
    let is_plain = |first: &u8| first.is_ascii_graphic();
    !text.as_bytes().first().is_some_and(is_plain) && strip(text).is_empty()
}

/// `str(value)`: texts as they are, everything else as [`repr`].
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => {
            let mut out = String::new();
            repr(other, &mut out);
            out
        }
    }
}

/// `repr(value)`.
fn repr(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) if number.is_f64() => {
            out.push_str(&python_float_text(number.as_f64().unwrap_or_default()));
        }
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => text_repr(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                repr(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                text_repr(name, out);
                out.push_str(": ");
                repr(value, out);
            }
            out.push('}');
        }
    }
}

/// A text in quotes: single ones, unless it holds only these.
fn text_repr(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote || c == '\\' => out.extend(['\\', c]),
            c if !is_printable(c) => {
                let code = u32::from(c);
                out.push_str(&match code {
                    0..=0xff => format!("\\x{code:02x}"),
                    0x100..=0xffff => format!("\\u{code:04x}"),
                    _ => format!("\\U{code:08x}"),
                });
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// Rust's `Debug` knows, as Python does, which characters can be printed. On its own it would also escape
/// what combines with the character before; Python does not.
fn is_printable(c: char) -> bool {
    let after_another = String::from_iter(['a', c]);
    let escaped = after_another.escape_debug();
    !c.is_ascii_control() && !escaped.to_string().starts_with("a\\u")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn white_space_of_python_is_blank() {
        assert!(is_blank("") && is_blank(" \t\n\u{1c}\u{1f}\u{85}\u{3000}"));
        assert!(!is_blank("\u{200b}") && !is_blank(" a "));
    }

    #[test]
    fn values_are_written_as_python_writes_them() {
        for (value, expected) in [
            (json!(null), "None"),
            (json!(true), "True"),
            (json!(false), "False"),
            (json!(-12), "-12"),
            (json!(u64::MAX), "18446744073709551615"),
            (json!(1e16), "1e+16"),
            (json!("text"), "text"),
            (json!({"a": [1, null, true]}), "{'a': [1, None, True]}"),
            (json!([]), "[]"),
            (
                json!(["it's", "'\"", "\\\n\u{1}\u{7f}\u{ad}ä\u{2028}"]),
                r#"["it's", '\'"', '\\\n\x01\x7f\xadä\u2028']"#,
            ),
            (
                json!(["e\u{301}", "\u{301}", "\u{e000}\u{feff}"]),
                "['e\u{301}', '\u{301}', '\\ue000\\ufeff']",
            ),
        ] {
            assert_eq!(value_text(&value), expected);
        }
    }
}
