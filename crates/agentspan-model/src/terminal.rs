//! Characters that are unsafe to write to a terminal.

/// Whether a character controls a terminal, or changes the order of the following characters, so
/// that a text can look like another text.
///
/// ```
/// use agentspan_model::terminal::is_steering;
///
/// assert!(is_steering('\u{1b}') && is_steering('\u{202e}'));
/// assert!(!is_steering('é'));
/// ```
#[must_use]
pub fn is_steering(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
