//! Cuts a text of JSON so that what is left is JSON: messages that are cut can still be read.

/// The beginning of a list or an object that is longer than `limit`, with all that is open closed.
/// `None` if the text is neither, as far as it was read.
///
/// Whole messages stay where they make up most of it. Else a text in the last one is cut, and ends
/// with `note`.
pub(super) fn cut_json(text: &str, limit: usize, note: &str) -> Option<String> {
    let mut scan = Scan {
        text,
        limit,
        note: note.len(),
        at: 0,
        open: Vec::new(),
        whole: 0,
        last: None,
    };
    let in_text = scan.run()?;
    let whole = scan.whole;
    let (end, depth, note) = match (in_text, scan.last) {
        (Some(end), _) if whole < limit - limit / 8 => (end, scan.open.len(), Some(note)),
        (_, Some((end, _))) if whole >= end / 2 => (whole, 1, None),
        (_, Some((end, depth))) => (end, depth, None),
        (_, None) => return None,
    };
    let mut cut = text.get(..end)?.to_owned();
    if let Some(note) = note {
        cut.push_str(note);
        cut.push('"');
    }
    let closing = scan.open.get(..depth)?.iter().rev();
    cut.extend(closing.copied().map(char::from));
    Some(cut)
}

#[derive(Clone, Copy)]
enum Expected {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

/// How a text within quotes ends.
enum Quoted {
    Ends,
    /// It is longer than what may stay. It can be cut here, if anywhere.
    Cut(Option<usize>),
}

struct Scan<'a> {
    text: &'a str,
    limit: usize,
    note: usize,
    at: usize,
    /// The brackets that close the open lists and objects.
    open: Vec<u8>,
    /// Where the last whole value of the outermost list or object ends.
    whole: usize,
    /// Where the last value ends, and how many lists and objects are open there.
    last: Option<(usize, usize)>,
}

impl Scan<'_> {
    /// Reads as much as may stay. `None` if it is no JSON, or ends before. Gives the place where
    /// the text that is read last can be cut, if it is one.
    fn run(&mut self) -> Option<Option<usize>> {
        use Expected::{Colon, CommaOrEnd, Key, KeyOrEnd, Value, ValueOrEnd};
        let mut expected = Value;
        while self.at < self.limit {
            let byte = self.byte(0)?;
            if matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                self.at += 1;
                continue;
            }
            expected = match (expected, byte) {
                (Value | ValueOrEnd, b'[' | b'{') => {
                    let (closing, next) = match byte {
                        b'[' => (b']', ValueOrEnd),
                        _ => (b'}', KeyOrEnd),
                    };
                    self.open.push(closing);
                    self.at += 1;
                    self.may_end();
                    next
                }
                (ValueOrEnd, b']') | (KeyOrEnd, b'}') | (CommaOrEnd, b']' | b'}') => {
                    if self.open.last() != Some(&byte) || self.open.len() == 1 {
                        return None;
                    }
                    if self.at + self.open.len() > self.limit {
                        // The part that can be kept lies within.
                        return Some(None);
                    }
                    self.open.pop();
                    self.at += 1;
                    self.may_end();
                    CommaOrEnd
                }
                (CommaOrEnd, b',') => {
                    self.at += 1;
                    match self.open.last() {
                        Some(b'}') => Key,
                        _ => Value,
                    }
                }
                (Colon, b':') => {
                    self.at += 1;
                    Value
                }
                (Key | KeyOrEnd, b'"') => match self.quoted()? {
                    Quoted::Ends => Colon,
                    Quoted::Cut(_) => return Some(None),
                },
                (Value | ValueOrEnd, _) if !self.open.is_empty() => {
                    let is_whole = match byte {
                        b'"' => match self.quoted()? {
                            Quoted::Ends => true,
                            Quoted::Cut(at) => return Some(at),
                        },
                        _ => self.word()?,
                    };
                    if is_whole {
                        self.may_end();
                    }
                    CommaOrEnd
                }
                _ => return None,
            };
        }
        Some(None)
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// A value has ended, or nothing is there yet.
    fn may_end(&mut self) {
        if self.at + self.open.len() <= self.limit {
            self.last = Some((self.at, self.open.len()));
            if self.open.len() == 1 {
                self.whole = self.at;
            }
        }
    }

    fn quoted(&mut self) -> Option<Quoted> {
        self.at += 1;
        let (mut cut, mut is_half) = (None, false);
        while self.at < self.limit {
            let with_end = self.at + self.note + 1 + self.open.len();
            if with_end <= self.limit && !is_half && self.text.is_char_boundary(self.at) {
                cut = Some(self.at);
            }
            is_half = false;
            self.at += match self.byte(0)? {
                b'"' => {
                    self.at += 1;
                    return Some(Quoted::Ends);
                }
                b'\\' if self.byte(1)? == b'u' => {
                    let digits = self.text.get(self.at + 2..self.at + 6)?;
                    let unit = u16::from_str_radix(digits, 16).ok()?;
                    is_half = (0xd800..0xdc00).contains(&unit);
                    6
                }
                b'\\' if b"\"\\/bfnrt".contains(&self.byte(1)?) => 2,
                b'\\' | 0..0x20 => return None,
                _ => 1,
            };
        }
        Some(Quoted::Cut(cut))
    }

    /// A number or another word. Whether all of it may stay.
    fn word(&mut self) -> Option<bool> {
        let rest = self.text.get(self.at..)?;
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let word = rest.get(..end)?;
        let is_number = word.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let is_known = matches!(word, "true" | "false" | "null");
        if !(is_known || is_number && word.parse::<f64>().is_ok()) {
            return None;
        }
        self.at += end;
        Some(self.at <= self.limit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const NOTE: &str = "...[cut]";

    #[test]
    fn whole_messages_stay_where_they_are_most_of_it() {
        let message = json!({"role": "user", "content": "x".repeat(50)});
        let text = Value::from(vec![message.clone(); 100]).to_string();
        let cut = cut_json(&text, 2_000, NOTE).unwrap();
        let kept: Vec<Value> = serde_json::from_str(&cut).unwrap();
        assert!(kept.len() > 20 && kept.iter().all(|kept| *kept == message));
    }

    #[test]
    fn a_message_that_is_too_long_is_cut_within_its_text() {
        let parts = json!([{"type": "text", "content": "é\n\u{1}".repeat(1_000)}]);
        let text = json!([{"a": [1, {}]}, {"parts": parts, "role": "user"}]).to_string();
        for limit in 100..400 {
            let cut = cut_json(&text, limit, NOTE).unwrap();
            assert!(cut.len() <= limit && cut.len() + 8 > limit, "{cut}");
            let cut: Value = serde_json::from_str(&cut).unwrap();
            let content = cut[1]["parts"][0]["content"].as_str().unwrap();
            assert!(content.ends_with(NOTE), "{content}");
        }
    }

    #[test]
    fn what_is_no_list_or_object_is_not_taken_for_one() {
        for text in [
            "[note] read this",
            "{name}, hello",
            "plain",
            "\"text\"",
            "[1] of 2",
            "[\"\\x",
            "[1}",
        ] {
            let text = text.to_owned() + &" and more".repeat(20);
            assert_eq!(cut_json(&text, 100, NOTE), None, "{text}");
        }
    }

    #[test]
    fn a_pair_of_escapes_stays_together() {
        let text = format!("[\"{}\"]", "\\ud83d\\ude00".repeat(100));
        for limit in 40..80 {
            let cut = cut_json(&text, limit, NOTE).unwrap();
            assert!(serde_json::from_str::<Value>(&cut).is_ok(), "{cut}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 60, 6, |inner| {
            let list = proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from);
            let members = proptest::collection::btree_map(any::<String>(), inner, 0..6);
            prop_oneof![
                list,
                members.prop_map(|members| Value::Object(members.into_iter().collect()))
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_left_is_json(value in any_json(), is_pretty in any::<bool>(), share in 0.0..1.0) {
            let value = json!([value, "x".repeat(30)]);
            let text = match is_pretty {
                true => serde_json::to_string_pretty(&value).unwrap(),
                false => value.to_string(),
            };
            let limit = 3 + ((text.len() - 3) as f64 * share) as usize;
            let cut = cut_json(&text, limit, NOTE).unwrap();
            prop_assert!(cut.len() <= limit, "{limit}: {cut}");
            prop_assert!(serde_json::from_str::<Value>(&cut).is_ok(), "{limit}: {cut}");
        }
    }
}
