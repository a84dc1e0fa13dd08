//! One word of a search, and where it is found.

use std::borrow::Cow;

use serde_json::Value;

use crate::search::Trigrams;
use crate::span::Span;

/// JSON within texts within JSON is searched to this depth.
const MAX_DEPTH: usize = 8;

/// A word, in whatever case.
#[derive(Debug)]
pub(super) struct Word {
    lower: String,
    /// As it stands in JSON.
    escaped: String,
    /// The parts that look the same however often they stand in JSON in JSON, and whoever wrote it.
    plain: Vec<String>,
}

impl Word {
    pub(super) fn new(text: &str) -> Self {
        let lower = text.to_lowercase();
        let parts = lower.split(|character: char| !is_plain(character));
        Self {
            escaped: in_json(&lower),
            plain: parts.map(str::to_owned).collect(),
            lower,
        }
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        contains(text, &self.lower)
    }

    /// Whether spans whose texts have these trigrams may have the word.
    pub(super) fn may_be_in(&self, texts: &Trigrams) -> bool {
        let parts = &self.plain;
        texts.may_have(&self.escaped)
            || self.may_look_otherwise() && parts.iter().all(|part| texts.may_have(part))
    }

    /// Whether the JSON of a span has the word, or JSON in one of its texts has it.
    pub(super) fn is_in_span(&self, span: &Span) -> bool {
        contains(&span.json, &self.escaped)
            || self.may_look_otherwise() && self.is_in_unescaped(&span.json)
    }

    fn may_look_otherwise(&self) -> bool {
        self.plain.len() > 1
    }

    /// Whether the word is in a text from which one level of escapes after the other is taken.
    fn is_in_unescaped(&self, text: &str) -> bool {
        let mut text = Cow::Borrowed(text);
        for _ in 0..MAX_DEPTH {
            if !text.contains('\\') {
                return false;
            }
            text = Cow::Owned(unescaped(&text));
            if self.is_in(&text) {
                return true;
            }
        }
        false
    }
}

/// A text without one level of the escapes of JSON. Words have no blanks, so those that are escaped need not differ.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut characters = after.chars();
        match characters.next() {
            Some('u') => {
                let (character, after) = code_unit(characters.as_str());
                plain.push(character);
                rest = after;
                continue;
            }
            Some('b' | 'f' | 'n' | 'r' | 't') => plain.push(' '),
            Some(character) => plain.push(character),
            None => {}
        }
        rest = characters.as_str();
    }
    plain.push_str(rest);
    plain
}

/// The character that the digits after `\u` stand for, with a second half if it needs one, and what follows.
fn code_unit(text: &str) -> (char, &str) {
    let unit = |text: &str| u16::from_str_radix(text.get(..4)?, 16).ok();
    let Some(first) = unit(text) else {
        return ('u', text);
    };
    let rest = text.get(4..).unwrap_or_default();
    let second = rest.strip_prefix("\\u").and_then(unit);
    match char::decode_utf16([Some(first), second].into_iter().flatten()).next() {
        Some(Ok(character)) if character.len_utf16() == 2 => {
            (character, rest.get(6..).unwrap_or_default())
        }
        Some(Ok(character)) => (character, rest),
        _ => (char::REPLACEMENT_CHARACTER, rest),
    }
}

/// Whether no writer of JSON escapes a character. Some escape `<`, `&`, `'`, `+` and all that is not ASCII.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.' | ':' | ',')
}

/// A text as it stands in the JSON of a span.
pub(super) fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    let inner = quoted.get(1..quoted.len().saturating_sub(1));
    inner.unwrap_or_default().to_owned()
}

/// Whether a text has a word in lower case, in whatever case. Most words are of letters for which no other text
/// must be made.
fn contains(text: &str, word: &str) -> bool {
    let (Some(first), true) = (word.bytes().next(), word.is_ascii()) else {
        return text.to_lowercase().contains(word);
    };
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let mut from = 0;
    while let Some(rest) = text.get(from..).filter(|rest| rest.len() >= word.len()) {
        let begins = |byte: &u8| byte.eq_ignore_ascii_case(&first);
        let Some(at) = rest.iter().position(begins) else {
            return false;
        };
        let found = rest.get(at..at + word.len());
        if found.is_some_and(|found| found.eq_ignore_ascii_case(word)) {
            return true;
        }
        from += at + 1;
    }
    false
}
