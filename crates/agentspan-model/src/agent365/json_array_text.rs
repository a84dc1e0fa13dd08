//! Lists as the text of a JSON array, in the form that the reference writes.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

/// Writes texts as a JSON array with `", "` between them and non-ASCII characters as they are.
///
/// This is what Python's `json.dumps(list, ensure_ascii=False)` gives, and so what the reference puts
/// into message and finish reason attributes.
///
/// ```
/// use agentspan_model::agent365::json_array_text;
///
/// assert_eq!(json_array_text(&["stop", "Grüße\n"]), r#"["stop", "Grüße\n"]"#);
/// assert_eq!(json_array_text::<&str>(&[]), "[]");
/// ```
#[must_use]
pub fn json_array_text<S: AsRef<str>>(texts: &[S]) -> String {
    let mut bytes = Vec::with_capacity(texts.iter().map(|text| text.as_ref().len() + 4).sum());
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, CommaSpace);
    // Writing texts into memory cannot fail; should it ever, an empty text says less than the truth
    // and nothing false.
    match serializer_collect(texts, &mut serializer) {
        Ok(()) => String::from_utf8(bytes).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

fn serializer_collect<S: AsRef<str>>(
    texts: &[S],
    serializer: &mut serde_json::Serializer<&mut Vec<u8>, CommaSpace>,
) -> serde_json::Result<()> {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    texts.serialize(serializer)
}

struct CommaSpace;

impl Formatter for CommaSpace {
    fn begin_array_value<W>(&mut self, writer: &mut W, first: bool) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_quotes_backslashes_and_control_characters_are_escaped() {
        assert_eq!(
            json_array_text(&["\"\\/\u{0}\u{1f}\u{7f}\u{8}\u{c}\r\t\u{2028}天"]),
            "[\"\\\"\\\\/\\u0000\\u001f\u{7f}\\b\\f\\r\\t\u{2028}天\"]"
        );
    }
}
