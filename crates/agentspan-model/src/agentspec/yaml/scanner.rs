//! Turns the characters of a YAML text into tokens.
//!
//! A key of a mapping is recognised by the colon after it. So wherever a key may begin, the scanner notes
//! the place, and once a colon comes it puts the tokens that begin a key in there. A key is on one line
//! and has at most 1,024 characters, so that few tokens wait for that.

use std::collections::VecDeque;

use super::{
    Fault, Place,
    text::{
        END, Text, is_blank_break_or_end, is_break, is_break_or_end, is_of_name,
        is_space_break_or_end,
    },
    tokens::{Kind, Tag, Token},
};

mod scalars;

const MAX_KEY: usize = 1024;

/// A place where a key may have begun.
#[derive(Clone, Copy, Debug)]
struct Key {
    /// The number of the token that begins there.
    token: usize,
    place: Place,
    /// Whether nothing but a key can begin there.
    is_required: bool,
}

#[derive(Debug)]
pub(super) struct Scanner<'t> {
    text: Text<'t>,
    tokens: VecDeque<Token<'t>>,
    /// How many tokens have been taken.
    taken: usize,
    is_done: bool,
    /// The column of the block around, one less than the first if there is none.
    indent: isize,
    indents: Vec<isize>,
    may_begin_key: bool,
    /// For each level of flow collections, the outermost level included.
    keys: Vec<Option<Key>>,
    /// The levels below have no keys.
    first_key: usize,
}

/// Columns are no larger than texts.
fn signed(column: usize) -> isize {
    isize::try_from(column).unwrap_or(isize::MAX)
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Result<Self, Fault> {
        Ok(Self {
            text: Text::new(text)?,
            tokens: VecDeque::new(),
            taken: 0,
            is_done: false,
            indent: -1,
            indents: Vec::new(),
            may_begin_key: true,
            keys: vec![None],
            first_key: 0,
        })
    }

    /// The next token, which is always there: nobody takes the last one.
    pub(super) fn peek(&mut self) -> Result<&Token<'t>, Fault> {
        while self.needs_more()? {
            self.fetch()?;
        }
        let place = self.text.place();
        let last = Fault::syntax(place, "nothing after the end of the text");
        self.tokens.front().ok_or(last)
    }

    pub(super) fn take(&mut self) -> Result<Token<'t>, Fault> {
        self.peek()?;
        let place = self.text.place();
        self.taken += 1;
        let last = Fault::syntax(place, "nothing after the end of the text");
        self.tokens.pop_front().ok_or(last)
    }

    fn needs_more(&mut self) -> Result<bool, Fault> {
        if self.is_done {
            return Ok(false);
        }
        if self.tokens.is_empty() {
            return Ok(true);
        }
        self.drop_old_keys()?;
        let first = self.keys.get(self.first_key).copied().flatten();
        Ok(first.is_some_and(|key| key.token == self.taken))
    }

    /// Forgets the keys that are too long or not on this line. Outer ones began earlier, so that they are
    /// forgotten first.
    fn drop_old_keys(&mut self) -> Result<(), Fault> {
        let here = self.text.place();
        while let Some(slot) = self.keys.get_mut(self.first_key) {
            match slot {
                Some(key)
                    if key.place.line == here.line && here.index - key.place.index <= MAX_KEY =>
                {
                    break;
                }
                Some(key) if key.is_required => {
                    return Err(Fault::syntax(here, "no colon after a key"));
                }
                _ => *slot = None,
            }
            if self.first_key + 1 == self.keys.len() {
                break;
            }
            self.first_key += 1;
        }
        Ok(())
    }

    fn is_in_flow(&self) -> bool {
        self.keys.len() > 1
    }

    fn push(&mut self, kind: Kind<'t>, place: Place) {
        self.tokens.push_back(Token { kind, place });
    }

    /// Passes the characters of a token.
    fn push_indicator(&mut self, kind: Kind<'t>, characters: usize) {
        self.push(kind, self.text.place());
        self.text.advance_by(characters);
    }

    fn fetch(&mut self) -> Result<(), Fault> {
        self.skip_to_token();
        self.drop_old_keys()?;
        self.close_blocks(signed(self.text.column()));
        let next = self.text.peek();
        let is_at_start = self.text.column() == 0;
        let is_alone = |text: &Text<'_>| is_blank_break_or_end(text.peek_at(1));
        match next {
            END => self.fetch_end(),
            '%' if is_at_start => self.fetch_directive(),
            '-' if is_at_start && self.text.is_at("---") => {
                self.fetch_document(Kind::DocumentStart)
            }
            '.' if is_at_start && self.text.is_at("...") => self.fetch_document(Kind::DocumentEnd),
            '[' => self.open_flow(Kind::FlowSequenceStart),
            '{' => self.open_flow(Kind::FlowMappingStart),
            ']' => self.close_flow(Kind::FlowSequenceEnd),
            '}' => self.close_flow(Kind::FlowMappingEnd),
            ',' => {
                self.may_begin_key = true;
                self.drop_key()?;
                self.push_indicator(Kind::FlowEntry, 1);
                Ok(())
            }
            '-' if is_alone(&self.text) => self.fetch_entry(),
            '?' if self.is_in_flow() || is_alone(&self.text) => self.fetch_key(),
            ':' if self.is_in_flow() || is_alone(&self.text) => self.fetch_value(),
            '*' => self.fetch_name(Kind::Alias),
            '&' => self.fetch_name(Kind::Anchor),
            '!' => self.fetch_tag(),
            '|' | '>' if !self.is_in_flow() => self.fetch_block_scalar(),
            '\'' | '"' => self.fetch_quoted(),
            _ if self.begins_plain(next) => self.fetch_plain(),
            _ => Err(Fault::syntax(
                self.text.place(),
                "a character that cannot begin a value",
            )),
        }
    }

    fn skip_to_token(&mut self) {
        if self.text.place().index == 0 && self.text.peek() == '\u{feff}' {
            self.text.advance();
        }
        loop {
            self.text.take_while(|c| c == ' ');
            if self.text.peek() == '#' {
                self.text.take_while(|c| !is_break_or_end(c));
            }
            if self.text.take_break().is_none() {
                break;
            }
            if !self.is_in_flow() {
                self.may_begin_key = true;
            }
        }
    }

    /// Notes that a key may begin here.
    fn note_key(&mut self) -> Result<(), Fault> {
        let place = self.text.place();
        let is_required = !self.is_in_flow() && self.indent == signed(place.column);
        if self.may_begin_key {
            self.drop_key()?;
            let token = self.taken + self.tokens.len();
            if let Some(slot) = self.keys.last_mut() {
                *slot = Some(Key {
                    token,
                    place,
                    is_required,
                });
            }
        }
        Ok(())
    }

    /// Forgets the key of this level.
    fn drop_key(&mut self) -> Result<(), Fault> {
        let key = self.keys.last_mut().and_then(Option::take);
        if key.is_some_and(|key| key.is_required) {
            return Err(Fault::syntax(self.text.place(), "no colon after a key"));
        }
        Ok(())
    }

    fn close_blocks(&mut self, column: isize) {
        if self.is_in_flow() {
            return;
        }
        while self.indent > column {
            self.indent = self.indents.pop().unwrap_or(-1);
            self.push(Kind::BlockEnd, self.text.place());
        }
    }

    /// Begins a block at a column, unless it has begun.
    fn opens_block(&mut self, column: usize) -> bool {
        let opens = self.indent < signed(column);
        if opens {
            self.indents.push(self.indent);
            self.indent = signed(column);
        }
        opens
    }

    fn fetch_end(&mut self) -> Result<(), Fault> {
        self.close_blocks(-1);
        self.drop_key()?;
        self.may_begin_key = false;
        self.keys.iter_mut().for_each(|key| *key = None);
        self.push(Kind::StreamEnd, self.text.place());
        self.is_done = true;
        Ok(())
    }

    fn fetch_document(&mut self, kind: Kind<'t>) -> Result<(), Fault> {
        self.close_blocks(-1);
        self.drop_key()?;
        self.may_begin_key = false;
        self.push_indicator(kind, 3);
        Ok(())
    }

    fn open_flow(&mut self, kind: Kind<'t>) -> Result<(), Fault> {
        self.note_key()?;
        self.keys.push(None);
        self.may_begin_key = true;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn close_flow(&mut self, kind: Kind<'t>) -> Result<(), Fault> {
        self.drop_key()?;
        if self.is_in_flow() {
            self.keys.pop();
            self.first_key = self.first_key.min(self.keys.len() - 1);
        }
        self.may_begin_key = false;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_entry(&mut self) -> Result<(), Fault> {
        if !self.is_in_flow() {
            if !self.may_begin_key {
                let what = "an item of a list where none may be";
                return Err(Fault::syntax(self.text.place(), what));
            }
            if self.opens_block(self.text.column()) {
                self.push(Kind::BlockSequenceStart, self.text.place());
            }
        }
        self.may_begin_key = true;
        self.drop_key()?;
        self.push_indicator(Kind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Fault> {
        self.open_mapping("a key where none may be")?;
        self.may_begin_key = !self.is_in_flow();
        self.drop_key()?;
        self.push_indicator(Kind::Key, 1);
        Ok(())
    }

    fn open_mapping(&mut self, otherwise: &'static str) -> Result<(), Fault> {
        if self.is_in_flow() {
            return Ok(());
        }
        if !self.may_begin_key {
            return Err(Fault::syntax(self.text.place(), otherwise));
        }
        if self.opens_block(self.text.column()) {
            self.push(Kind::BlockMappingStart, self.text.place());
        }
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Fault> {
        if let Some(key) = self.keys.last_mut().and_then(Option::take) {
            self.insert_key(key);
            self.may_begin_key = false;
        } else {
            self.open_mapping("a value of a mapping where none may be")?;
            self.may_begin_key = !self.is_in_flow();
        }
        self.push_indicator(Kind::Value, 1);
        Ok(())
    }

    /// Puts the tokens that begin a key where it began.
    fn insert_key(&mut self, Key { token, place, .. }: Key) {
        let at = (token - self.taken).min(self.tokens.len());
        let kind = Kind::Key;
        self.tokens.insert(at, Token { kind, place });
        if !self.is_in_flow() && self.opens_block(place.column) {
            let kind = Kind::BlockMappingStart;
            self.tokens.insert(at, Token { kind, place });
        }
    }

    fn fetch_name(&mut self, kind: fn(&'t str) -> Kind<'t>) -> Result<(), Fault> {
        self.note_key()?;
        self.may_begin_key = false;
        let place = self.text.place();
        self.text.advance();
        let name = self.text.take_while(is_of_name);
        let after = self.text.peek();
        let ends = is_blank_break_or_end(after)
            || matches!(after, '?' | ':' | ',' | ']' | '}' | '%' | '@' | '`');
        if name.is_empty() || !ends {
            let what = "a name of an anchor with characters that it cannot have";
            return Err(Fault::syntax(self.text.place(), what));
        }
        self.push(kind(name), place);
        Ok(())
    }

    fn fetch_tag(&mut self) -> Result<(), Fault> {
        self.note_key()?;
        self.may_begin_key = false;
        let place = self.text.place();
        let tag = match self.text.peek_at(1) {
            '<' => {
                self.text.advance_by(2);
                let suffix = self.take_uri()?;
                if self.text.peek() != '>' {
                    return Err(Fault::syntax(self.text.place(), "a tag without its end"));
                }
                self.text.advance();
                Tag {
                    handle: None,
                    suffix,
                }
            }
            c if is_blank_break_or_end(c) => {
                self.text.advance();
                let suffix = "!".to_owned();
                Tag {
                    handle: None,
                    suffix,
                }
            }
            _ => {
                let word = self.text.rest().split(is_space_break_or_end).next();
                let has_handle = word.is_some_and(|word| word.matches('!').count() > 1);
                let handle = if has_handle {
                    self.take_handle()?
                } else {
                    self.text.advance();
                    "!"
                };
                Tag {
                    handle: Some(handle),
                    suffix: self.take_uri()?,
                }
            }
        };
        if !is_space_break_or_end(self.text.peek()) {
            return Err(Fault::syntax(self.text.place(), "no blank after a tag"));
        }
        self.push(Kind::Tag(tag), place);
        Ok(())
    }

    /// The handle of a tag: `!`, `!!` or `!name!`.
    fn take_handle(&mut self) -> Result<&'t str, Fault> {
        let all = self.text.rest();
        let name = all.strip_prefix('!').map(|rest| {
            let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
            rest.split_at(end)
        });
        let length = match name {
            Some((name, after)) if after.starts_with('!') => name.len() + 2,
            Some((name, after)) if name.is_empty() && after.starts_with(' ') => 1,
            Some((name, _)) => {
                self.text.advance_by(name.len() + 1);
                return Err(Fault::syntax(
                    self.text.place(),
                    "a handle of a tag without its end",
                ));
            }
            None => return Err(Fault::syntax(self.text.place(), "no handle of a tag")),
        };
        self.text.advance_by(length);
        Ok(all.get(..length).unwrap_or_default())
    }

    fn take_uri(&mut self) -> Result<String, Fault> {
        let start = self.text.place();
        let is_of_uri = |c: char| c.is_ascii_alphanumeric() || "-;/?:@&=+$,_.!~*'()[]".contains(c);
        let mut uri = Vec::new();
        loop {
            uri.extend_from_slice(self.text.take_while(is_of_uri).as_bytes());
            if self.text.peek() != '%' {
                break;
            }
            let digits = self.text.rest().get(1..3).unwrap_or_default();
            let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            match u8::from_str_radix(digits, 16) {
                Ok(byte) if is_hexadecimal => uri.push(byte),
                _ => {
                    self.text.advance();
                    let what = "an escape in a tag without two hexadecimal digits";
                    return Err(Fault::syntax(self.text.place(), what));
                }
            }
            self.text.advance_by(3);
        }
        match String::from_utf8(uri) {
            Ok(uri) if !uri.is_empty() => Ok(uri),
            Ok(_) => Err(Fault::syntax(self.text.place(), "an empty tag")),
            Err(_) => Err(Fault::syntax(start, "a tag that is not UTF-8")),
        }
    }

    fn fetch_directive(&mut self) -> Result<(), Fault> {
        self.close_blocks(-1);
        self.drop_key()?;
        self.may_begin_key = false;
        let place = self.text.place();
        self.text.advance();
        let name = self.text.take_while(is_of_name);
        if name.is_empty() || !is_space_break_or_end(self.text.peek()) {
            let what = "a name of a directive with characters that it cannot have";
            return Err(Fault::syntax(self.text.place(), what));
        }
        let kind = match name {
            "YAML" => self.take_version()?,
            "TAG" => self.take_tag_directive()?,
            _ => {
                self.text.take_while(|c| !is_break_or_end(c));
                Kind::OtherDirective
            }
        };
        self.skip_comment("something after a directive")?;
        self.push(kind, place);
        Ok(())
    }

    fn take_version(&mut self) -> Result<Kind<'t>, Fault> {
        self.text.take_while(|c| c == ' ');
        let major = self.take_number()?;
        if self.text.peek() != '.' {
            return Err(Fault::syntax(self.text.place(), "a version without a dot"));
        }
        self.text.advance();
        self.take_number()?;
        if !is_space_break_or_end(self.text.peek()) {
            return Err(Fault::syntax(self.text.place(), "no blank after a version"));
        }
        Ok(Kind::Version(major))
    }

    fn take_number(&mut self) -> Result<u64, Fault> {
        let place = self.text.place();
        let digits = self.text.take_while(|c| c.is_ascii_digit());
        if digits.is_empty() {
            return Err(Fault::syntax(place, "a version without a number"));
        }
        Ok(digits.parse().unwrap_or(u64::MAX))
    }

    fn take_tag_directive(&mut self) -> Result<Kind<'t>, Fault> {
        self.text.take_while(|c| c == ' ');
        let handle = self.take_handle()?;
        if self.text.peek() != ' ' {
            return Err(Fault::syntax(self.text.place(), "no blank after a handle"));
        }
        self.text.take_while(|c| c == ' ');
        let prefix = self.take_uri()?;
        if !is_space_break_or_end(self.text.peek()) {
            return Err(Fault::syntax(self.text.place(), "no blank after a prefix"));
        }
        Ok(Kind::TagDirective(handle, prefix))
    }

    /// Passes blanks and a comment up to the end of the line, and the end too.
    fn skip_comment(&mut self, otherwise: &'static str) -> Result<(), Fault> {
        self.text.take_while(|c| c == ' ');
        if self.text.peek() == '#' {
            self.text.take_while(|c| !is_break_or_end(c));
        }
        if !is_break_or_end(self.text.peek()) {
            return Err(Fault::syntax(self.text.place(), otherwise));
        }
        self.text.take_break();
        Ok(())
    }

    /// Whether text without quotes may begin with a character.
    fn begins_plain(&self, c: char) -> bool {
        match c {
            '-' => !is_blank_break_or_end(self.text.peek_at(1)),
            '?' | ':' => !self.is_in_flow() && !is_blank_break_or_end(self.text.peek_at(1)),
            '\t' | ' ' | ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\''
            | '"' | '%' | '@' | '`' | END => false,
            _ => !is_break(c),
        }
    }
}
