//! A lenient reader for JSON from other programs.

use serde_json::{Map, Number, Value};

use super::unescape::escape;

/// The maximum depth of nesting that is read, as in `serde_json`.
const MAX_DEPTH: usize = 128;

/// The readable part of bytes that should be JSON.
///
/// Input that `serde_json` rejects only affects its own place: invalid UTF-8 and unpaired
/// surrogates become U+FFFD, a byte order mark is skipped, control characters in texts are kept,
/// too large numbers become the largest number, and unknown words and values that are nested deeper
/// than 128 levels become null.
///
/// Reading takes time and memory in proportion to the bytes, and never fails.
///
/// ```
/// use agentspan_model::received::ReceivedJson;
///
/// let answer = ReceivedJson::read(b"{\"rejectedSpans\": 1e999, \"errorMessage\": \"caf\xe9\"}");
/// assert!(answer.is_whole);
/// assert_eq!(answer.value["errorMessage"], "caf\u{fffd}");
/// assert!(!ReceivedJson::read(b"{\"rejectedSpans\": 1, \"err").is_whole);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReceivedJson {
    /// The value; null if the bytes are not JSON at all.
    pub value: Value,
    /// Whether the bytes are exactly one value. Otherwise, the bytes were cut off or have
    /// unbalanced brackets, and members of `value` may be missing or misplaced.
    pub is_whole: bool,
}

impl ReceivedJson {
    /// Reads bytes as JSON.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        match serde_json::from_str(text) {
            Ok(value) => Self {
                value,
                is_whole: true,
            },
            Err(_) => Reader::new(text).read(),
        }
    }
}

/// A number of spans, which may be a text, as ProtoJSON writes 64-bit numbers. Negative numbers and
/// other values count as zero.
#[must_use]
pub fn span_count(value: &Value) -> u64 {
    let number = match value {
        Value::String(text) => text.trim().parse::<f64>().ok(),
        value => value.as_f64(),
    };
    // A cast from a float takes the nearest number that there is.
    number.map_or(0, |number| number as u64)
}

/// Reads a text that `serde_json` refuses.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    is_whole: bool,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            is_whole: true,
        }
    }

    fn read(mut self) -> ReceivedJson {
        let value = self.value(0);
        self.skip(is_blank);
        ReceivedJson {
            value,
            is_whole: self.is_whole && self.at == self.text.len(),
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes on for as long as there is what `is_skipped` names.
    fn skip(&mut self, is_skipped: fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_skipped).len();
    }

    /// Whatever the text says, at least one byte is read, if there is one.
    fn value(&mut self, depth: usize) -> Value {
        self.skip(is_blank);
        match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => {
                self.skip_nested();
                Value::Null
            }
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Value::String(self.string()),
            _ => self.word(depth),
        }
    }

    fn object(&mut self, depth: usize) -> Value {
        let mut members = Map::new();
        self.at += 1;
        loop {
            self.skip(is_separator);
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                Some(b'"') => {
                    let key = self.string();
                    self.skip(is_blank);
                    if self.peek() == Some(b':') {
                        self.at += 1;
                        let value = self.value(depth + 1);
                        members.insert(key, value);
                    } else {
                        self.is_whole = false;
                    }
                }
                // The list around the object goes on.
                None | Some(b']') => {
                    self.is_whole = false;
                    break;
                }
                Some(_) => {
                    self.is_whole = false;
                    self.value(depth + 1);
                }
            }
        }
        Value::Object(members)
    }

    fn array(&mut self, depth: usize) -> Value {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            self.skip(is_separator);
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    break;
                }
                // The object around the list goes on.
                None | Some(b'}') => {
                    self.is_whole = false;
                    break;
                }
                Some(_) => items.push(self.value(depth + 1)),
            }
        }
        Value::Array(items)
    }

    fn string(&mut self) -> String {
        let mut read = String::new();
        self.at += 1;
        loop {
            let rest = self.rest();
            let Some(step) = rest.find(['"', '\\']) else {
                read.push_str(rest);
                self.at = self.text.len();
                self.is_whole = false;
                return read;
            };
            let (plain, rest) = rest.split_at(step);
            read.push_str(plain);
            self.at += step;
            if rest.starts_with('"') {
                self.at += 1;
                return read;
            }
            let (c, length) = escape(rest);
            read.extend(c);
            self.at += length;
        }
    }

    /// A number, or one of the words of JSON.
    fn word(&mut self, depth: usize) -> Value {
        let rest = self.rest();
        let is_end = |c: char| is_separator(c) || "{}[]\":".contains(c);
        let (word, end) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
        self.at += word.len();
        let is_cut = end.is_empty();
        if word.is_empty() {
            self.is_whole = false;
            // A bracket ends what is around. Anything else is passed over.
            self.at += usize::from(!is_cut && !end.starts_with(['}', ']']));
            return Value::Null;
        }
        match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            _ => {
                let number = number(word).filter(|_| !is_cut);
                // Nobody knows what follows a number that may be cut.
                if number.is_none() && (depth == 0 || is_cut) {
                    self.is_whole = false;
                }
                number.map_or(Value::Null, Value::Number)
            }
        }
    }

    /// Passes over a list or an object with all that is in it.
    fn skip_nested(&mut self) {
        let mut open = 0_usize;
        while let Some(step) = self.rest().find(['"', '{', '[', '}', ']']) {
            self.at += step;
            match self.peek() {
                Some(b'"') => {
                    self.string();
                    continue;
                }
                Some(b'{' | b'[') => open += 1,
                _ => open = open.saturating_sub(1),
            }
            self.at += 1;
            if open == 0 {
                return;
            }
        }
        self.at = self.text.len();
        self.is_whole = false;
    }
}

fn is_blank(c: char) -> bool {
    c <= ' '
}

fn is_separator(c: char) -> bool {
    is_blank(c) || c == ','
}

fn number(word: &str) -> Option<Number> {
    if let Ok(number) = serde_json::from_str(word) {
        return Some(number);
    }
    let number: f64 = word.parse().ok()?;
    Number::from_f64(number.clamp(f64::MIN, f64::MAX))
}

#[cfg(test)]
mod tests;
