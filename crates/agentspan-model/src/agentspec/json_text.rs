//! Text that should be JSON, also as Python's `json` module writes it.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{Problem, ProblemKind, ReadError};

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
    match parse(text) {
        Ok(raw) if !has_surrogate_escape(text) => Ok(Cow::Borrowed(raw)),
        plain => match (Mended::of(text), plain) {
            (Some(mended), _) => mended.parse().map(Cow::Owned),
            (None, Ok(raw)) => Ok(Cow::Borrowed(raw)),
            (None, Err(error)) => Err(syntax(error.line(), error.column())),
        },
    }
}

/// Whether this is the beginning of a text that [`read`] accepts, so that it may have been cut off.
pub(crate) fn is_cut_off(text: &str) -> bool {
    let is_open = |text: &str| match parse(text) {
        Ok(_) => true,
        Err(error) if error.is_eof() => true,
        Err(_) => Mended::of(text).is_some_and(|mended| match parse(&mended.text) {
            Ok(_) => true,
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

fn parse(text: &str) -> Result<&RawValue, serde_json::Error> {
    serde_json::from_str(text)
}

fn syntax(line: usize, column: usize) -> ReadError {
    ReadError::new(vec![Problem {
        path: Vec::new(),
        kind: ProblemKind::Syntax { line, column },
    }])
}

/// Cheap, and rarely true of a text without halves of pairs. (`serde_json` accepts halves in values that it
/// does not look into.)
fn has_surrogate_escape(text: &str) -> bool {
    text.contains("\\ud") || text.contains("\\uD")
}

/// A text in which something has been replaced.
struct Mended {
    text: String,
    /// Where quotes were added, as offsets in the new text.
    quotes: Vec<usize>,
}

impl Mended {
    /// Replaces what JSON does not have. Nothing, if there is nothing to replace.
    fn of(text: &str) -> Option<Self> {
        let mut mended = Self {
            text: String::new(),
            quotes: Vec::new(),
        };
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
                mended.text.push_str(text.get(copied..at)?);
                mended.push(replacement);
                copied = at + length;
            }
            at += length;
        }
        if copied == 0 {
            return None;
        }
        mended.text.push_str(text.get(copied..)?);
        Some(mended)
    }

    fn push(&mut self, replacement: Replacement) {
        match replacement {
            Replacement::Unknown => self.text.push_str("\\ufffd"),
            Replacement::Quoted(word) => {
                self.quotes.push(self.text.len());
                self.text.push('"');
                self.text.push_str(word);
                self.quotes.push(self.text.len());
                self.text.push('"');
            }
        }
    }

    fn parse(self) -> Result<Box<RawValue>, ReadError> {
        let error = match parse(&self.text) {
            Ok(raw) => return Ok(raw.to_owned()),
            Err(error) => error,
        };
        // Tell the column of the text that the caller knows, which has fewer quotes in the line.
        let before = self.text.split_inclusive('\n').take(error.line() - 1);
        let line_start: usize = before.map(str::len).sum();
        let in_line = line_start..line_start + error.column();
        let added = self.quotes.iter().filter(|at| in_line.contains(at)).count();
        Err(syntax(error.line(), error.column().saturating_sub(added)))
    }
}

/// What takes the place of something.
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
    match NOT_FINITE.into_iter().find(|word| text.starts_with(word)) {
        Some(word) => (word.len(), Some(Replacement::Quoted(word))),
        None => (1, None),
    }
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
        assert_eq!(read(text).unwrap_err(), syntax(line, column));
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
