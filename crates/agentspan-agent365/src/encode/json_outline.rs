//! The places of a JSON document at which it can be cut: its strings, and the items of its containers.

use std::ops::Range;

use super::ascii::ascii_cost;

/// Shorter strings are not worth remembering: what would say that they were cut is as long.
const SHORT: usize = 40;

/// Where a document can be cut, and what its parts take as a JSON string in ASCII.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// The strings that are values, in order.
    pub(super) strings: Vec<Text>,
    /// Objects and arrays, in the order of their beginnings.
    pub(super) containers: Vec<Container>,
    /// The bytes of all of it, without the quotes around it.
    pub(super) cost: usize,
}

/// A string that is a value.
#[derive(Debug)]
pub(super) struct Text {
    /// The range between its quotes.
    pub(super) range: Range<usize>,
    pub(super) cost: usize,
    /// Bytes in base64, which are of no use in parts.
    pub(super) is_blob: bool,
}

/// An object or an array.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) is_array: bool,
    /// Behind its opening bracket.
    pub(super) begin: Mark,
    /// Where its members or items end, in front of the commas.
    pub(super) ends: Vec<Mark>,
}

/// A place in the document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) at: usize,
    /// The bytes in front of it.
    pub(super) cost: usize,
    /// How many of the strings stand in front of it.
    pub(super) strings: usize,
}

impl Outline {
    /// The outline of a text that is JSON.
    pub(super) fn of(text: &str) -> Self {
        let mut scanner = Scanner::default();
        for (at, c) in text.char_indices() {
            scanner.step(text, at, c);
            scanner.outline.cost += ascii_cost(c);
        }
        scanner.outline
    }
}

#[derive(Default)]
struct Scanner {
    outline: Outline,
    /// The containers that are open.
    open: Vec<Frame>,
    string: Option<OpenString>,
    /// A number, `true`, `false` or `null` has begun.
    is_in_word: bool,
}

struct OpenString {
    begin: usize,
    cost: usize,
    is_escaped: bool,
}

/// An open container.
struct Frame {
    /// Its place in the list of containers.
    container: usize,
    /// The next string is the name of a member.
    expects_name: bool,
    name: Name,
    /// The object says that its bytes are in base64.
    says_blob: bool,
    /// The string that holds them if it does.
    bytes: Option<usize>,
}

/// The names of members that say what a blob is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Type,
    Bytes,
    Other,
}

impl Scanner {
    fn step(&mut self, text: &str, at: usize, c: char) {
        if let Some(string) = &mut self.string {
            match c {
                '"' if !string.is_escaped => self.end_string(text, at),
                _ => string.is_escaped = c == '\\' && !string.is_escaped,
            }
            return;
        }
        match c {
            '"' => {
                self.string = Some(OpenString {
                    begin: at + 1,
                    // Its quote is counted after this step.
                    cost: self.outline.cost + ascii_cost(c),
                    is_escaped: false,
                });
            }
            '[' | '{' => self.open(at, c == '['),
            ']' | '}' => {
                self.end_word(at);
                self.close(at);
            }
            ',' => {
                self.end_word(at);
                self.expects_name(true);
            }
            ':' => self.expects_name(false),
            ' ' | '\t' | '\n' | '\r' => self.end_word(at),
            _ => self.is_in_word = true,
        }
    }

    fn open(&mut self, at: usize, is_array: bool) {
        let mut begin = self.mark(at + 1);
        // The bracket is counted after this step.
        begin.cost += 1;
        self.open.push(Frame {
            container: self.outline.containers.len(),
            expects_name: !is_array,
            name: Name::Other,
            says_blob: false,
            bytes: None,
        });
        self.outline.containers.push(Container {
            is_array,
            begin,
            ends: Vec::new(),
        });
    }

    fn close(&mut self, at: usize) {
        let Some(frame) = self.open.pop() else {
            return;
        };
        if let (true, Some(bytes)) = (frame.says_blob, frame.bytes) {
            if let Some(string) = self.outline.strings.get_mut(bytes) {
                string.is_blob = true;
            }
        }
        self.end_value(at, 1);
    }

    fn expects_name(&mut self, expects_name: bool) {
        if let Some(frame) = self.open.last_mut() {
            let container = self.outline.containers.get(frame.container);
            frame.expects_name = expects_name && container.is_some_and(|c| !c.is_array);
        }
    }

    fn end_word(&mut self, at: usize) {
        if std::mem::take(&mut self.is_in_word) {
            self.end_value(at, 0);
        }
    }

    /// A string ends with the quote at `at`.
    fn end_string(&mut self, text: &str, at: usize) {
        let Some(string) = self.string.take() else {
            return;
        };
        let literal = text.get(string.begin..at).unwrap_or_default();
        let frame = self.open.last_mut();
        if let Some(frame) = frame {
            if frame.expects_name {
                frame.name = match literal {
                    "type" => Name::Type,
                    "content" | "data" => Name::Bytes,
                    _ => Name::Other,
                };
                return;
            }
            match frame.name {
                Name::Type => frame.says_blob |= matches!(literal, "blob" | "base64"),
                Name::Bytes => frame.bytes = Some(self.outline.strings.len()),
                Name::Other => {}
            }
        }
        let cost = self.outline.cost - string.cost;
        if cost > SHORT {
            self.outline.strings.push(Text {
                range: string.begin..at,
                cost,
                is_blob: is_data_url(literal),
            });
        } else if let Some(frame) = self.open.last_mut() {
            frame.bytes = frame.bytes.filter(|at| *at < self.outline.strings.len());
        }
        self.end_value(at, 2);
    }

    /// A value ends in front of or with the character at `at`, whose cost is still to be counted.
    fn end_value(&mut self, at: usize, cost_of_last: usize) {
        let is_with = usize::from(cost_of_last > 0);
        let mut end = self.mark(at + is_with);
        end.cost += cost_of_last;
        let frame = self.open.last_mut();
        if let Some(frame) = frame {
            frame.name = Name::Other;
            if let Some(container) = self.outline.containers.get_mut(frame.container) {
                container.ends.push(end);
            }
        }
    }

    fn mark(&self, at: usize) -> Mark {
        Mark {
            at,
            cost: self.outline.cost,
            strings: self.outline.strings.len(),
        }
    }
}

/// Whether a text is a `data:` URL in base64, by [RFC 2397].
///
/// [RFC 2397]: https://www.rfc-editor.org/rfc/rfc2397
pub(super) fn is_data_url(text: &str) -> bool {
    const HEAD: usize = 128;
    text.starts_with("data:")
        && text
            .split_once(',')
            .is_some_and(|(head, _)| head.len() < HEAD && head.ends_with(";base64"))
}
