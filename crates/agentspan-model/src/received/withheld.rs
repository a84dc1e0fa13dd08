//! Makes messages of a receiver safe to show.

use std::fmt;

use super::echo::Echo;

/// How much more than is shown of a text is looked at, so that a repetition that is cut is found. A secret
/// that is longer is found by its beginning.
const LOOKAHEAD: usize = 64;

/// Stands for what is left out, and for what was cut.
const LEFT_OUT: char = '…';

/// The texts that a shown message of a receiver must not repeat: secrets, and request bodies.
///
/// Eight or more consecutive bytes of a secret are removed, or a shorter secret as a whole. A
/// message with a secret of less than four bytes is removed as a whole. Sixteen or more consecutive
/// bytes of a body are removed, with or without JSON escapes, because they may be the content of a
/// prompt. Names of attributes, which are JSON keys, stay. The comparison ignores ASCII case.
///
/// ```
/// use agentspan_model::received::Withheld;
///
/// let withheld = Withheld::new().with_secret(b"sk-12345678");
/// let shown = withheld.show("invalid key\n'sk-12345678'", 200);
/// assert_eq!(shown, r"invalid key\n'…'");
/// ```
#[derive(Clone, Default)]
pub struct Withheld<'a> {
    secrets: Vec<&'a [u8]>,
    bodies: Vec<&'a [u8]>,
}

impl<'a> Withheld<'a> {
    /// Nothing is withheld.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret, such as a token. An empty text is ignored.
    #[must_use]
    pub fn with_secret(mut self, secret: &'a [u8]) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Adds a request body.
    #[must_use]
    pub fn with_body(mut self, body: &'a [u8]) -> Self {
        self.bodies.push(body);
        self
    }

    /// At most `max` characters of `text`, with an ellipsis if it has more, and in place of each
    /// withheld part. Control characters, invisible characters and backslashes are escaped as in a
    /// Rust string.
    #[must_use]
    pub fn show(&self, text: &str, max: usize) -> String {
        self.show_all(&[text], max).pop().unwrap_or_default()
    }

    /// Like [`show`](Self::show), for several texts at about the cost of one.
    #[must_use]
    pub fn show_all(&self, texts: &[&str], max: usize) -> Vec<String> {
        let texts: Vec<_> = texts.iter().map(|text| enough_of(text, max)).collect();
        let mut echo = Echo::of(&texts);
        echo.mark_secrets(&self.secrets);
        for body in &self.bodies {
            echo.mark_body(body);
        }
        let found = echo.into_found();
        let texts = texts.iter().zip(found);
        texts
            .map(|(text, found)| shown(text, &found, max))
            .collect()
    }
}

/// Shows nothing of what is withheld.
impl fmt::Debug for Withheld<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Withheld(..)")
    }
}

/// As much of `text` as [`Withheld::show`] looks at to show `max` characters. What keeps texts for later
/// need not keep more.
#[must_use]
pub fn enough_of(text: &str, max: usize) -> &str {
    let end = text.char_indices().nth(max.saturating_add(LOOKAHEAD));
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// `text` without the bytes that are `left_out`, escaped, in at most `max` characters.
fn shown(text: &str, left_out: &[bool], max: usize) -> String {
    let mut shown = String::new();
    let mut length = 0;
    let mut was_left_out = false;
    for (at, c) in text.char_indices() {
        let bytes = left_out.get(at..at + c.len_utf8()).unwrap_or_default();
        let is_left_out = bytes.contains(&true);
        if is_left_out && was_left_out {
            continue;
        }
        was_left_out = is_left_out;
        let escaped: String = match c {
            _ if is_left_out => LEFT_OUT.into(),
            '"' | '\'' => c.into(),
            c => c.escape_debug().collect(),
        };
        length += escaped.chars().count();
        if length > max {
            shown.push(LEFT_OUT);
            break;
        }
        shown.push_str(&escaped);
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_escaped_and_cut() {
        let shown = |text: &str| Withheld::new().show(text, 200);
        assert_eq!(shown(""), "");
        assert_eq!(shown("tenant_not_licensed"), "tenant_not_licensed");
        assert_eq!(
            shown("a\r\nb\u{1b}[31m\u{202e}\u{200b}\"é\"'\\"),
            "a\\r\\nb\\u{1b}[31m\\u{202e}\\u{200b}\"é\"'\\\\"
        );
        assert_eq!(shown(&"ä".repeat(200)), "ä".repeat(200));
        assert_eq!(shown(&"ä".repeat(201)), format!("{}…", "ä".repeat(200)));
        assert_eq!(shown(&"\0".repeat(9_000)).chars().count(), 201);
    }

    #[test]
    fn t11_what_is_cut_in_the_middle_of_a_secret_shows_nothing_of_it() {
        for secret in ["s3cret1".to_owned(), "0123456789".repeat(30)] {
            for before in 150..=200 {
                let text = format!("{}{secret} is wrong", "x".repeat(before));
                let shown = Withheld::new()
                    .with_secret(secret.as_bytes())
                    .show(&text, 200);
                assert!(!shown.contains(['0', '3']), "{before}: {shown}");
            }
        }
    }

    proptest! {
        #[test]
        fn t13_whatever_is_received_is_shown_on_one_line_without_secrets(
            before in ".{0,250}",
            secret in "[ -~]{8,40}",
            after in ".{0,40}",
        ) {
            let text = format!("{before}{secret}{after}");
            let shown = Withheld::new().with_secret(secret.as_bytes()).show(&text, 200);
            prop_assert!(shown.chars().count() <= 201);
            prop_assert!(!shown.contains(char::is_control));
            let plain = Withheld::new().show(&secret, 200);
            prop_assert!(!shown.contains(&plain), "{} in {}", plain, shown);
        }
    }
}
