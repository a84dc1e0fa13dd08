//! Texts of a YAML text: plain, in quotes, and in blocks.

use super::{Scanner, signed};
use crate::agentspec::yaml::{
    Fault,
    text::{is_blank_break_or_end, is_break, is_break_or_end},
    tokens::{Kind, Scalar},
};

/// The treatment of the breaks at the end of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    /// One is kept: the default.
    Clip,
    Strip,
    Keep,
}

impl<'t> Scanner<'t> {
    pub(super) fn fetch_plain(&mut self) -> Result<(), Fault> {
        self.note_key()?;
        self.may_begin_key = false;
        let place = self.text.place();
        let text = self.take_plain();
        self.push(
            Kind::Scalar(Scalar {
                text,
                is_plain: true,
            }),
            place,
        );
        Ok(())
    }

    /// A text without quotes, with its lines folded.
    fn take_plain(&mut self) -> String {
        let indent = self.indent + 1;
        let mut text = String::new();
        let mut spaces = String::new();
        while self.text.peek() != '#' {
            let words = self.take_words();
            if words.is_empty() {
                break;
            }
            self.may_begin_key = false;
            text.push_str(&spaces);
            text.push_str(words);
            spaces = self.take_spaces_of_plain();
            let is_dedented = !self.is_in_flow() && signed(self.text.column()) < indent;
            if spaces.is_empty() || is_dedented {
                break;
            }
        }
        text
    }

    /// The characters up to a blank, or to what ends a text without quotes.
    fn take_words(&mut self) -> &'t str {
        let is_in_flow = self.is_in_flow();
        let rest = self.text.rest();
        let mut characters = rest.char_indices().peekable();
        let mut end = rest.len();
        let mut number = 0;
        while let Some((at, c)) = characters.next() {
            let next = characters.peek().map_or('\0', |(_, next)| *next);
            let is_end = match c {
                ':' => {
                    is_blank_break_or_end(next)
                        || is_in_flow && matches!(next, ',' | '[' | ']' | '{' | '}')
                }
                ',' | '?' | '[' | ']' | '{' | '}' => is_in_flow,
                _ => is_blank_break_or_end(c),
            };
            if is_end {
                end = at;
                break;
            }
            number += 1;
        }
        self.text.advance_by(number);
        rest.get(..end).unwrap_or_default()
    }

    /// The meaning of blanks and breaks inside a text without quotes. Nothing, if a document begins
    /// or ends after them.
    fn take_spaces_of_plain(&mut self) -> String {
        let blanks = self.text.take_while(|c| c == ' ');
        let Some(first) = self.text.take_break() else {
            return blanks.to_owned();
        };
        self.may_begin_key = true;
        if self.text.is_at_document() {
            return String::new();
        }
        let mut breaks = String::new();
        loop {
            if self.text.peek() == ' ' {
                self.text.advance();
            } else if let Some(next) = self.text.take_break() {
                breaks.push(next);
                if self.text.is_at_document() {
                    return String::new();
                }
            } else {
                return folded(first, &breaks);
            }
        }
    }

    pub(super) fn fetch_quoted(&mut self) -> Result<(), Fault> {
        self.note_key()?;
        self.may_begin_key = false;
        let place = self.text.place();
        let quote = self.text.peek();
        self.text.advance();
        let mut text = String::new();
        let mut high = None;
        loop {
            self.take_quoted_words(quote, &mut text, &mut high)?;
            if self.text.peek() == quote {
                break;
            }
            end_pair(&mut high, &mut text);
            let spaces = self.take_spaces_of_quoted()?;
            text.push_str(&spaces);
        }
        end_pair(&mut high, &mut text);
        self.text.advance();
        self.push(
            Kind::Scalar(Scalar {
                text,
                is_plain: false,
            }),
            place,
        );
        Ok(())
    }

    /// The characters up to a blank or to the quote that ends a text.
    fn take_quoted_words(
        &mut self,
        quote: char,
        text: &mut String,
        high: &mut Option<u32>,
    ) -> Result<(), Fault> {
        loop {
            let is_special = |c: char| matches!(c, '\'' | '"' | '\\') || is_blank_break_or_end(c);
            let words = self.text.take_while(|c| !is_special(c));
            if !words.is_empty() {
                end_pair(high, text);
                text.push_str(words);
            }
            match self.text.peek() {
                '\'' if quote == '\'' && self.text.peek_at(1) == '\'' => {
                    text.push('\'');
                    self.text.advance_by(2);
                }
                '\\' if quote == '"' => {
                    self.text.advance();
                    self.take_escape(text, high)?;
                }
                c if c != quote && matches!(c, '\'' | '"' | '\\') => {
                    end_pair(high, text);
                    text.push(c);
                    self.text.advance();
                }
                _ => return Ok(()),
            }
        }
    }

    fn take_escape(&mut self, text: &mut String, high: &mut Option<u32>) -> Result<(), Fault> {
        let c = self.text.peek();
        let digits = match c {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => {
                end_pair(high, text);
                if is_break(c) {
                    self.text.take_break();
                    let breaks = self.take_breaks_of_quoted()?;
                    text.push_str(&breaks);
                    return Ok(());
                }
                let Some(meant) = escaped(c) else {
                    let what = "an escape that means nothing";
                    return Err(Fault::syntax(self.text.place(), what));
                };
                text.push(meant);
                self.text.advance();
                return Ok(());
            }
        };
        self.text.advance();
        let place = self.text.place();
        let code = self.text.rest().get(..digits).filter(|code| {
            let mut bytes = code.bytes();
            bytes.all(|byte| byte.is_ascii_hexdigit())
        });
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        let fault = Fault::syntax(place, "an escape without its hexadecimal digits");
        push_code(code.ok_or(fault)?, text, high)
            .ok_or_else(|| Fault::syntax(place, "an escape of no character"))?;
        self.text.advance_by(digits);
        Ok(())
    }

    fn take_spaces_of_quoted(&mut self) -> Result<String, Fault> {
        let blanks = self.text.take_while(|c| matches!(c, ' ' | '\t'));
        if let Some(first) = self.text.take_break() {
            let breaks = self.take_breaks_of_quoted()?;
            return Ok(folded(first, &breaks));
        }
        if self.text.rest().is_empty() {
            let what = "a text without its quote at the end";
            return Err(Fault::syntax(self.text.place(), what));
        }
        Ok(blanks.to_owned())
    }

    fn take_breaks_of_quoted(&mut self) -> Result<String, Fault> {
        let mut breaks = String::new();
        loop {
            if self.text.is_at_document() {
                let what = "a mark of documents inside of quotes";
                return Err(Fault::syntax(self.text.place(), what));
            }
            self.text.take_while(|c| matches!(c, ' ' | '\t'));
            match self.text.take_break() {
                Some(next) => breaks.push(next),
                None => return Ok(breaks),
            }
        }
    }

    pub(super) fn fetch_block_scalar(&mut self) -> Result<(), Fault> {
        self.may_begin_key = true;
        self.drop_key()?;
        let place = self.text.place();
        let is_folded = self.text.peek() == '>';
        self.text.advance();
        let (chomping, increment) = self.take_block_indicators()?;
        self.skip_comment("something after the indicator of a block")?;
        let least = usize::try_from(self.indent + 1).unwrap_or_default().max(1);
        let (indent, mut breaks) = match increment {
            Some(increment) => {
                let indent = least + increment - 1;
                (indent, self.take_breaks_of_block(indent))
            }
            None => self.take_indentation(least),
        };
        let mut text = String::new();
        let mut last = None;
        while self.text.column() == indent && !self.text.rest().is_empty() {
            text.push_str(&breaks);
            let is_flush = !matches!(self.text.peek(), ' ' | '\t');
            text.push_str(self.text.take_while(|c| !is_break_or_end(c)));
            last = self.text.take_break();
            breaks = self.take_breaks_of_block(indent);
            if self.text.column() != indent || self.text.rest().is_empty() {
                break;
            }
            let is_next_flush = !matches!(self.text.peek(), ' ' | '\t');
            if is_folded && last == Some('\n') && is_flush && is_next_flush {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.extend(last);
            }
        }
        if chomping != Chomping::Strip {
            text.extend(last);
        }
        if chomping == Chomping::Keep {
            text.push_str(&breaks);
        }
        self.push(
            Kind::Scalar(Scalar {
                text,
                is_plain: false,
            }),
            place,
        );
        Ok(())
    }

    /// How a block ends, and how far it is indented more than what is around it, in either order.
    fn take_block_indicators(&mut self) -> Result<(Chomping, Option<usize>), Fault> {
        let mut chomping = self.take_chomping();
        let digit = self.text.peek().to_digit(10);
        if digit == Some(0) {
            let what = "an indentation of zero";
            return Err(Fault::syntax(self.text.place(), what));
        }
        if digit.is_some() {
            self.text.advance();
            chomping = chomping.or_else(|| self.take_chomping());
        }
        if !super::is_space_break_or_end(self.text.peek()) {
            let what = "an indicator of a block that means nothing";
            return Err(Fault::syntax(self.text.place(), what));
        }
        let increment = digit.and_then(|digit| usize::try_from(digit).ok());
        Ok((chomping.unwrap_or(Chomping::Clip), increment))
    }

    fn take_chomping(&mut self) -> Option<Chomping> {
        let chomping = match self.text.peek() {
            '+' => Chomping::Keep,
            '-' => Chomping::Strip,
            _ => return None,
        };
        self.text.advance();
        Some(chomping)
    }

    /// The indentation of a block, which its first line with text has, and the breaks before that.
    fn take_indentation(&mut self, least: usize) -> (usize, String) {
        let mut breaks = String::new();
        let mut indent = least;
        loop {
            if self.text.peek() == ' ' {
                self.text.advance();
                indent = indent.max(self.text.column());
            } else if let Some(next) = self.text.take_break() {
                breaks.push(next);
            } else {
                return (indent, breaks);
            }
        }
    }

    fn take_breaks_of_block(&mut self, indent: usize) -> String {
        let mut breaks = String::new();
        loop {
            while self.text.column() < indent && self.text.peek() == ' ' {
                self.text.advance();
            }
            match self.text.take_break() {
                Some(next) => breaks.push(next),
                None => return breaks,
            }
        }
    }
}

/// The meaning of a line break where lines are folded, with the breaks after it.
fn folded(first: char, breaks: &str) -> String {
    let mut folded = String::new();
    if first != '\n' {
        folded.push(first);
    } else if breaks.is_empty() {
        folded.push(' ');
    }
    folded.push_str(breaks);
    folded
}

/// The meaning of a character after a backslash.
fn escaped(c: char) -> Option<char> {
    Some(match c {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        ' ' | '"' | '\\' | '/' => c,
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        _ => return None,
    })
}

/// Adds a character by its code. Halves of surrogate pairs wait for the other half, as in JSON, and a half
/// without another is U+FFFD.
fn push_code(code: u32, text: &mut String, high: &mut Option<u32>) -> Option<()> {
    if let (Some(first), 0xDC00..=0xDFFF) = (*high, code) {
        *high = None;
        let pair = 0x10000 + ((first - 0xD800) << 10) + (code - 0xDC00);
        text.push(char::from_u32(pair)?);
        return Some(());
    }
    end_pair(high, text);
    match code {
        0xD800..=0xDBFF => *high = Some(code),
        0xDC00..=0xDFFF => text.push(char::REPLACEMENT_CHARACTER),
        _ => text.push(char::from_u32(code)?),
    }
    Some(())
}

/// Gives up waiting for the second half of a pair.
fn end_pair(high: &mut Option<u32>, text: &mut String) {
    if high.take().is_some() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
}
