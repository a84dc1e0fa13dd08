//! Makes untrusted values safe to show.

use std::fmt::{self, Write as _};

/// How many characters are shown.
const MAX: usize = 100;

/// Shows an untrusted value, such as the value of an environment variable, in logs and errors.
///
/// It shows at most 100 characters on one line, between quotes. Line breaks, control characters and
/// characters that are invisible or change the direction of text are escaped as in a Rust string,
/// and an ellipsis after the closing quote marks a longer value. It does not hide secrets, so do
/// not use it for values that may hold one.
///
/// ```
/// use agentspan_discovery::ShownValue;
///
/// assert_eq!(ShownValue("zipkin\n").to_string(), r#""zipkin\n""#);
/// assert_eq!(ShownValue(&"x".repeat(1_000_000)).to_string().len(), 100 + r#""""#.len() + "…".len());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it is nothing but what it shows")]
pub struct ShownValue<'a>(pub &'a str);

impl fmt::Display for ShownValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = MAX;
        f.write_char('"')?;
        for c in self.0.chars() {
            let escaped = c.escape_debug();
            let Some(rest) = left.checked_sub(escaped.len()) else {
                return f.write_str("\"…");
            };
            left = rest;
            escaped.fmt(f)?;
        }
        f.write_char('"')
    }
}

/// As `Display`.
impl fmt::Debug for ShownValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_value_is_shown_whole() {
        assert_eq!(ShownValue("").to_string(), r#""""#);
        assert_eq!(ShownValue("zürich 東京").to_string(), r#""zürich 東京""#);
        assert_eq!(format!("{:?}", ShownValue("a")), r#""a""#);
        let full = "x".repeat(MAX);
        assert_eq!(ShownValue(&full).to_string(), format!("\"{full}\""));
    }

    #[test]
    fn a14_a_long_value_is_cut_and_never_in_the_middle_of_an_escape() {
        let long = "x".repeat(MAX + 1);
        let shown = "x".repeat(MAX);
        assert_eq!(ShownValue(&long).to_string(), format!("\"{shown}\"…"));
        let escaped = "\u{202e}".repeat(MAX);
        let shown = r"\u{202e}".repeat(MAX / 8);
        assert_eq!(ShownValue(&escaped).to_string(), format!("\"{shown}\"…"));
    }

    #[test]
    fn a14_nothing_breaks_the_line_or_hides() {
        let hostile = "\r\n\u{1b}[31m\0\u{7f}\u{85}\u{2028}\u{200b}\u{ad}\u{feff}\u{2066}\"";
        let shown = ShownValue(hostile).to_string();
        assert!(shown.is_ascii(), "{shown}");
        assert!(!shown.contains(char::is_control), "{shown}");
        assert!(shown.ends_with(r#"\"""#), "{shown}");
    }
}
