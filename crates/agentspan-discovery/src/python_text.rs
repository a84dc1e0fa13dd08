//! Where Python and Rust disagree about white space and lines, and the reference's answer shows it.

/// Whether Python's `str.isspace` holds: Unicode's white space and the four ASCII separators.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// `str.strip()`.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Whether `not text or not text.strip()` holds.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(is_space)
}

/// The lines that `str.splitlines` finds, which knows more line ends than `\n`.
///
/// A `\r\n` gives one more, empty line than in Python; nobody here looks at empty lines.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| {
        matches!(
            c,
            '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_separators_are_white_space() {
        assert_eq!(strip("\u{1c}\u{1f} a b \u{a0}\u{85}"), "a b");
        assert!(is_blank("\u{1d}\u{1e}\t\u{3000}"));
        assert!(!is_blank("\u{200b}"));
    }

    #[test]
    fn form_feeds_and_separators_end_lines() {
        let found: Vec<_> = lines("a\u{b}b\u{c}c\u{1c}d\u{85}e\u{2028}f\rg\nh\u{1f}i").collect();
        assert_eq!(found, ["a", "b", "c", "d", "e", "f", "g", "h\u{1f}i"]);
    }
}
