//! Text that should be JSON, also as Python's `json` module writes it.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{ProblemKind, ReadError};

/// The numbers that Python writes and JSON does not have.
const NOT_FINITE: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// Reads the text of one JSON value, or of what Python's `json.dumps` writes in its place.
///
/// `NaN`, `Infinity` and `-Infinity` become strings, since JSON has no such numbers. A `\u` escape that
/// is half of a surrogate pair becomes U+FFFD. Everything else stays byte for byte.
///
/// # Errors
///
/// [`ProblemKind::Syntax`] at the place in `text` where it stops being either.
pub(crate) fn read(text: &str) -> Result<Cow<'_, RawValue>, ReadError> {
    match serde_json::from_str(text) {
        Ok(raw) if !has_surrogate_escape(text) => Ok(Cow::Borrowed(raw)),
        _ => Ok(match mend(text)?.text {
            Cow::Borrowed(text) => Cow::Borrowed(parse(text)?),
            Cow::Owned(text) => Cow::Owned(parse(&text)?.to_owned()),
        }),
    }
}

/// Makes JSON of a text as [`read`] does, and keeps the whole text and where it differs.
pub(crate) fn mend(text: &str) -> Result<Mended<'_>, ReadError> {
    let error = match check(text) {
        Ok(()) if !has_surrogate_escape(text) => return Ok(Mended::nothing(text)),
        result => result.err(),
    };
    match (Mended::of(text), error) {
        (Some(mended), _) => match check(&mended.text) {
            Ok(()) => Ok(mended),
            Err(error) => Err(mended.syntax(text, &error)),
        },
        (None, None) => Ok(Mended::nothing(text)),
        (None, Some(error)) => Err(syntax(text, error.line(), error.column())),
    }
}

/// Whether this is the beginning of a text that [`read`] accepts, so that it may have been cut off.
pub(crate) fn is_cut_off(text: &str) -> bool {
    let is_open = |text: &str| match check(text) {
        Ok(()) => true,
        Err(error) if error.is_eof() => true,
        Err(_) => Mended::of(text).is_some_and(|mended| match check(&mended.text) {
            Ok(()) => true,
            Err(error) => error.is_eof(),
        }),
    };
    // A number may be cut after a sign, a point or an exponent, and a word of Python's anywhere.
    let words = NOT_FINITE
        .into_iter()
        .flat_map(|word| (1..word.len()).map(move |cut| word.split_at(cut)))
        .filter(|(start, _)| text.ends_with(start))
        .map(|(_, rest)| rest);
    is_open(text)
        || ["0"]
            .into_iter()
            .chain(words)
            .any(|rest| is_open(&format!("{text}{rest}")))
}

fn check(text: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<&RawValue>(text).map(|_| ())
}

/// Reads a text that is JSON.
pub(crate) fn parse(text: &str) -> Result<&RawValue, ReadError> {
    serde_json::from_str(text)
        .map_err(|error: serde_json::Error| syntax(text, error.line(), error.column()))
}

/// The error at a place of a text, as `serde_json` counts: lines from one, bytes of the line from one,
/// or zero where the text ends behind a line break.
fn syntax(text: &str, line: usize, column: usize) -> ReadError {
    let in_line = text.split('\n').nth(line.saturating_sub(1));
    let before = in_line.and_then(|text| text.as_bytes().get(..column));
    let is_start = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
    let characters = before.map(|bytes| bytes.iter().filter(is_start).count());
    let column = characters.unwrap_or(column).max(1);
    ReadError::of(ProblemKind::Syntax { line, column })
}

/// Cheap, and rarely true of a text without halves of pairs. (`serde_json` accepts halves in values that it
/// does not look into.)
fn has_surrogate_escape(text: &str) -> bool {
    text.contains("\\ud") || text.contains("\\uD")
}

/// A text in which what JSON does not have is replaced.
#[derive(Debug)]
pub(crate) struct Mended<'t> {
    pub(crate) text: Cow<'t, str>,
    /// Where quotes were added, as offsets in the new text.
    pub(crate) quotes: Vec<usize>,
}

impl<'t> Mended<'t> {
    /// A text that has all that JSON has, and no more.
    fn nothing(text: &'t str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            quotes: Vec::new(),
        }
    }

    /// Replaces what JSON does not have. Nothing, if there is nothing to replace.
    fn of(text: &str) -> Option<Self> {
        let mut mended = String::new();
        let mut quotes = Vec::new();
        let mut copied = 0;
        let mut at = 0;
        let mut in_string = false;
        while let Some(rest) = text.get(at..) {
            let Some(step) = rest.find(|c: char| is_stop(c, in_string)) else {
                break;
            };
            at += step;
            let rest = rest.get(step..)?;
            let (length, replacement) = match rest.as_bytes().first()? {
                b'"' => {
                    in_string = !in_string;
                    (1, None)
                }
                b'\\' => escape(rest),
                _ => word(rest),
            };
            if let Some(replacement) = replacement {
                mended.push_str(text.get(copied..at)?);
                match replacement {
                    Replacement::Unknown => mended.push_str("\\ufffd"),
                    Replacement::Quoted(word) => {
                        quotes.push(mended.len());
                        mended.push('"');
                        mended.push_str(word);
                        quotes.push(mended.len());
                        mended.push('"');
                    }
                }
                copied = at + length;
            }
            at += length;
        }
        if copied == 0 {
            return None;
        }
        mended.push_str(text.get(copied..)?);
        Some(Self {
            text: Cow::Owned(mended),
            quotes,
        })
    }

    /// The error at the column of the text that the caller knows, which has fewer quotes in the line.
    fn syntax(&self, text: &str, error: &serde_json::Error) -> ReadError {
        let before = self
            .text
            .split_inclusive('\n')
            .take(error.line().saturating_sub(1));
        let line_start: usize = before.map(str::len).sum();
        let in_line = line_start..line_start + error.column();
        let added = self.quotes.iter().filter(|at| in_line.contains(at)).count();
        syntax(text, error.line(), error.column().saturating_sub(added))
    }
}

/// A replacement for a part of a text.
enum Replacement {
    /// U+FFFD as an escape: as long as the half of a pair.
    Unknown,
    /// The word as a string.
    Quoted(&'static str),
}

fn is_stop(c: char, in_string: bool) -> bool {
    match c {
        '"' => true,
        '\\' => in_string,
        'N' | 'I' | '-' => !in_string,
        _ => false,
    }
}

/// An escape in a string: how long it is, and what takes its place.
fn escape(text: &str) -> (usize, Option<Replacement>) {
    match code_unit(text) {
        Some(0xd800..=0xdbff) => match text.get(6..).and_then(code_unit) {
            Some(0xdc00..=0xdfff) => (12, None),
            _ => (6, Some(Replacement::Unknown)),
        },
        Some(0xdc00..=0xdfff) => (6, Some(Replacement::Unknown)),
        Some(_) => (6, None),
        // Two characters, of which the second may be long in a text that is no JSON.
        None => (1 + text.chars().nth(1).map_or(0, char::len_utf8), None),
    }
}

/// The code unit of a `\u` escape at the beginning of a text.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    are_digits.then(|| u16::from_str_radix(digits, 16).ok())?
}

/// A word outside of strings.
fn word(text: &str) -> (usize, Option<Replacement>) {
    let Some(word) = NOT_FINITE.into_iter().find(|word| text.starts_with(word)) else {
        return (1, None);
    };
    let after = text.get(word.len()..).unwrap_or_default();
    // The name of a member is a string in Python too.
    let is_name = after.trim_start().starts_with(':');
    (word.len(), (!is_name).then_some(Replacement::Quoted(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(read(text).unwrap().get(), expected);
    }

    #[track_caller]
    fn check_error(text: &str, line: usize, column: usize) {
        assert_eq!(read(text).unwrap_err(), syntax(text, line, column));
    }

    #[test]
    fn numbers_that_are_not_finite_become_strings() {
        check(
            r#"{"a":NaN,"b":[Infinity,-Infinity,-1]}"#,
            r#"{"a":"NaN","b":["Infinity","-Infinity",-1]}"#,
        );
        check("NaN", r#""NaN""#);
    }

    #[test]
    fn strings_keep_the_same_words() {
        check(r#"["NaN \" Infinity",1]"#, r#"["NaN \" Infinity",1]"#);
        check(r#"["NaN \\",NaN]"#, r#"["NaN \\","NaN"]"#);
    }

    #[test]
    fn half_of_a_pair_becomes_the_replacement_character() {
        check(r#""\udc00tail""#, r#""\ufffdtail""#);
        check(r#""\ud83d""#, r#""\ufffd""#);
        check(r#""\uD83D\u0041""#, r#""\ufffd\u0041""#);
        check(r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#);
        check(r#"{"\ude00":1}"#, r#"{"\ufffd":1}"#);
    }

    #[test]
    fn whole_pairs_and_what_only_looks_like_an_escape_stay() {
        for text in [r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\u00e9""#] {
            assert!(matches!(read(text), Ok(Cow::Borrowed(raw)) if raw.get() == text));
        }
    }

    #[test]
    fn errors_name_the_column_of_the_text_that_was_given() {
        check_error(r#"{"a" 1}"#, 1, 6);
        check_error(r#"{"a":NaN,"b" 1}"#, 1, 14);
        check_error("{\"a\":NaN,\n\"b\":Infinity,\"c\" 1}", 2, 18);
        check_error("{\"a\":nan}", 1, 7);
        check_error(r#"{"a":NaNN}"#, 1, 9);
        check_error("{NaN:1}", 1, 2);
        for (text, line) in [("", 1), ("\n", 2), ("{\"a\": \n", 2), ("[NaN,\n", 2)] {
            let error = read(text).unwrap_err();
            let expected = format!("not JSON: line {line}, column 1");
            assert_eq!(error.to_string(), expected, "{text:?}");
        }
        let error = read(r#"{"äöü" 1}"#).unwrap_err();
        assert_eq!(error.to_string(), "not JSON: line 1, column 8");
    }

    #[test]
    fn a_text_is_cut_off_only_if_more_of_it_can_be_json() {
        let cut = [
            "{",
            r#"{"a"#,
            r#"{"a":tru"#,
            r#"{"a":-"#,
            r#"{"a":1."#,
            r#"{"a":1e+"#,
            r#"{"a":Na"#,
            r#"{"a":-Inf"#,
            r#"{"a":NaN,"#,
            r#"{"a":"\ud8"#,
        ];
        for text in cut {
            assert!(is_cut_off(text), "{text}");
        }
        for text in [r#"{"a":1}}"#, "plain text", r#"{"a" 1"#, r#"{"a":NaM"#, "}"] {
            assert!(!is_cut_off(text), "{text}");
        }
    }
}
