//! JSON as text, in the form that the reference writes.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Map, Value};

use crate::escape::{ROOM, push_quoted};

/// How deep values may be nested, as much as readers of JSON usually take.
const MAX_DEPTH: usize = 128;

/// Writes texts as a JSON array with `", "` between them and non-ASCII characters as they are.
///
/// This is the output of Python's `json.dumps(list, ensure_ascii=False)`, which the reference uses
/// for attributes of messages and finish reasons.
///
/// ```
/// use agentspan_model::agent365::json_array_text;
///
/// assert_eq!(json_array_text(&["stop", "Grüße\n"]), r#"["stop", "Grüße\n"]"#);
/// assert_eq!(json_array_text::<&str>(&[]), "[]");
/// ```
#[must_use]
pub fn json_array_text<S: AsRef<str>>(texts: &[S]) -> String {
    array_of(texts, 4, push_quoted)
}

/// Writes a JSON array of what `push` writes for each text, which is `around` bytes longer.
pub(super) fn array_of<S: AsRef<str>>(
    texts: &[S],
    around: usize,
    push: impl Fn(&mut Vec<u8>, &str),
) -> String {
    // Escaping wants some room to work in, see `escape`.
    let room = |text: &S| text.as_ref().len() + text.as_ref().len() / 16 + around;
    let mut out = Vec::with_capacity(texts.iter().map(room).sum::<usize>() + ROOM);
    out.push(b'[');
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        push(&mut out, text.as_ref());
    }
    out.push(b']');
    // The output is UTF-8; should it ever not be, an empty text says less than the truth and
    // nothing false.
    String::from_utf8(out).unwrap_or_default()
}

/// Writes a JSON object in the same form, as the reference does for a tool's arguments and result.
///
/// Numbers are written as Python writes them, `1e-05` and `1e+16`. An object that is nested more
/// than 128 levels deep is written as `{}`.
///
/// ```
/// use agentspan_model::agent365::json_object_text;
///
/// let serde_json::Value::Object(result) = serde_json::json!({"unit": "°C", "temperature": [1e16]}) else {
///     unreachable!()
/// };
/// assert!(json_object_text(&result).contains(r#""temperature": [1e+16]"#));
/// ```
#[must_use]
pub fn json_object_text(object: &Map<String, Value>) -> String {
    write_json(object, 64).unwrap_or_else(|| "{}".to_owned())
}

/// Writes a value. None if it is nested too deep.
pub(super) fn write_json<T: Serialize + ?Sized>(value: &T, capacity: usize) -> Option<String> {
    let mut bytes = Vec::with_capacity(capacity);
    let formatter = Python { depth: 0 };
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    value.serialize(&mut serializer).ok()?;
    String::from_utf8(bytes).ok()
}

/// `json.dumps` of Python: `", "` and `": "`, and its numbers.
struct Python {
    depth: usize,
}

impl Python {
    fn enter(&mut self) -> io::Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(())
    }

    fn separate<W: ?Sized + io::Write>(writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }
}

impl Formatter for Python {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(python_float_text(value).as_bytes())
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter()?;
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        writer.write_all(b"]")
    }

    fn begin_array_value<W>(&mut self, writer: &mut W, first: bool) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        Self::separate(writer, first)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter()?;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        writer.write_all(b"}")
    }

    fn begin_object_key<W>(&mut self, writer: &mut W, first: bool) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        Self::separate(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

/// A number as Python's `str` writes it: the shortest digits that give the number back, with an
/// exponent below 1e-4 and from 1e16 on.
///
/// ```
/// use agentspan_model::agent365::python_float_text;
///
/// assert_eq!(python_float_text(0.00001), "1e-05");
/// assert_eq!(python_float_text(2.0), "2.0");
/// ```
#[must_use]
pub fn python_float_text(number: f64) -> String {
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
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_quotes_backslashes_and_control_characters_are_escaped() {
        assert_eq!(
            json_array_text(&["\"\\/\u{0}\u{1f}\u{7f}\u{8}\u{c}\r\t\u{2028}天"]),
            "[\"\\\"\\\\/\\u0000\\u001f\u{7f}\\b\\f\\r\\t\u{2028}天\"]"
        );
    }

    proptest! {
        #[test]
        fn texts_are_written_as_serde_writes_them(
            texts in proptest::collection::vec("(?s)[a-z\"\\\\\x00-\x1fäß天]{0,99}", 0..5),
        ) {
            prop_assert_eq!(Some(json_array_text(&texts)), write_json(&texts, 0));
        }
    }

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
            assert_eq!(python_float_text(number), expected);
        }
    }

    #[test]
    fn values_are_written_with_blanks_and_numbers_of_python() {
        let value = json!([{"a": [1, 1e-7, null, true]}, {}, [], "ä"]);
        assert_eq!(
            write_json(&value, 0).unwrap(),
            r#"[{"a": [1, 1e-07, null, true]}, {}, [], "ä"]"#
        );
    }

    #[test]
    fn what_is_nested_too_deep_is_not_written() {
        let nested = |depth| (1..depth).fold(json!([]), |inner, _| json!([inner]));
        assert_eq!(write_json(&nested(128), 0).unwrap().len(), 256);
        assert_eq!(write_json(&nested(129), 0), None);
        let object = Map::from_iter([("a".to_owned(), nested(128))]);
        assert_eq!(json_object_text(&object), "{}");
    }
}
