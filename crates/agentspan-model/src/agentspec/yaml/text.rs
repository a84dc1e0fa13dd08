//! The characters of a YAML text, one after the other.

use super::{Fault, Place};

/// The character for the end of a text, which cannot hold it.
pub(super) const END: char = '\0';

/// Whether a character breaks a line.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

pub(super) fn is_break_or_end(c: char) -> bool {
    c == END || is_break(c)
}

/// Blanks that separate words; tabs do not.
pub(super) fn is_space_break_or_end(c: char) -> bool {
    c == ' ' || is_break_or_end(c)
}

pub(super) fn is_blank_break_or_end(c: char) -> bool {
    c == '\t' || is_space_break_or_end(c)
}

/// Whether a character may stand in the name of an anchor, a directive or a handle.
pub(super) fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// A text, and how far it has been read.
#[derive(Debug)]
pub(super) struct Text<'t> {
    rest: &'t str,
    place: Place,
}

impl<'t> Text<'t> {
    /// A text of which all characters are ones that YAML allows.
    pub(super) fn new(text: &'t str) -> Result<Self, Fault> {
        let mut text = Self {
            rest: text,
            place: Place::default(),
        };
        if text.rest.contains(|c| !is_printable(c)) {
            while is_printable(text.peek()) {
                text.advance();
            }
            let what = "a character that YAML does not allow";
            return Err(Fault::syntax(text.place, what));
        }
        Ok(text)
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn column(&self) -> usize {
        self.place.column
    }

    pub(super) fn rest(&self) -> &'t str {
        self.rest
    }

    /// The next character.
    pub(super) fn peek(&self) -> char {
        self.rest.chars().next().unwrap_or(END)
    }

    /// A character after the next one.
    pub(super) fn peek_at(&self, distance: usize) -> char {
        self.rest.chars().nth(distance).unwrap_or(END)
    }

    /// Passes one character.
    pub(super) fn advance(&mut self) {
        let mut rest = self.rest.chars();
        let Some(c) = rest.next() else {
            return;
        };
        self.rest = rest.as_str();
        self.place.index += 1;
        if is_break(c) && !(c == '\r' && self.peek() == '\n') {
            self.place.line += 1;
            self.place.column = 0;
        } else if c != '\u{feff}' {
            self.place.column += 1;
        }
    }

    pub(super) fn advance_by(&mut self, characters: usize) {
        for _ in 0..characters {
            self.advance();
        }
    }

    /// Passes all characters that match, and gives them.
    pub(super) fn take_while(&mut self, matches: impl Fn(char) -> bool) -> &'t str {
        let all = self.rest;
        while !self.rest.is_empty() && matches(self.peek()) {
            self.advance();
        }
        let length = all.len() - self.rest.len();
        all.get(..length).unwrap_or_default()
    }

    /// Passes the break of a line, and gives what it means: a line feed, but for the separators of Unicode.
    pub(super) fn take_break(&mut self) -> Option<char> {
        let c = self.peek();
        if !is_break(c) {
            return None;
        }
        if self.rest.starts_with("\r\n") {
            self.advance();
        }
        self.advance();
        Some(match c {
            '\u{2028}' | '\u{2029}' => c,
            _ => '\n',
        })
    }

    /// Whether a mark of documents, `---` or `...`, stands here.
    pub(super) fn is_at(&self, mark: &str) -> bool {
        let after = self.rest.strip_prefix(mark);
        after.is_some_and(|after| is_blank_break_or_end(after.chars().next().unwrap_or(END)))
    }

    /// Whether a document begins or ends here.
    pub(super) fn is_at_document(&self) -> bool {
        self.is_at("---") || self.is_at("...")
    }
}

fn is_printable(c: char) -> bool {
    matches!(
        c,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}'
            | '\u{10000}'..
    )
}
