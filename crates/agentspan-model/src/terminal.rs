//! Characters that are unsafe to write to a terminal.

/// Whether a character controls a terminal, starts a line, or changes the order of characters, so
/// that a text can look like another text.
///
/// ```
/// use agentspan_model::terminal::is_steering;
///
/// assert!(is_steering('\u{1b}') && is_steering('\u{2028}') && is_steering('\u{202e}'));
/// assert!(!is_steering('é'));
/// ```
#[must_use]
pub fn is_steering(c: char) -> bool {
    // The separators of lines and paragraphs, and what Unicode calls `Bidi_Control`.
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
