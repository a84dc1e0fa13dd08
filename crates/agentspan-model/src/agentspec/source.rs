//! The text of a document as strict JSON, and where its parts stand in what was written.
//!
//! Python writes JSON that others do not read: `NaN`, the infinities, and halves of surrogate pairs.
//! YAML is turned into JSON before it is read. Either way, a problem is to be found in the text that
//! somebody wrote.

use std::{borrow::Cow, ops::Range};

use serde_json::value::RawValue;

use super::{
    Position, ReadError,
    json_text::{self, Mended},
};

/// A text as strict JSON.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    written: &'a str,
    strict: Cow<'a, str>,
    origin: Origin,
}

/// Where the parts of the strict text come from.
#[derive(Debug)]
enum Origin {
    /// From the same places of the written text, but for edits, the last of which come first.
    Edited(Vec<Vec<Piece>>),
    /// From elements of another format.
    Marked(Vec<Mark>),
}

/// A piece of an edited text, up to the next one.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Where it begins.
    start: usize,
    /// Where it began before the edits.
    before: usize,
}

/// Where an element of the strict text was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    /// The offset of the element in the strict text, in bytes.
    pub(crate) start: usize,
    pub(crate) position: Position,
}

/// A part of a text to be replaced.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) range: Range<usize>,
    pub(crate) by: &'static str,
}

impl<'a> Source<'a> {
    /// JSON as it was written, but for what only Python writes.
    ///
    /// # Errors
    ///
    /// [`ProblemKind::Syntax`](super::ProblemKind::Syntax) if it is not even that.
    pub(crate) fn json(written: &'a str) -> Result<Self, ReadError> {
        let mended = json_text::mend(written).map_err(ReadError::located)?;
        let Mended { text, quotes } = mended;
        // Quotes around words are all that has changed lengths.
        let pieces = quotes.iter().enumerate().map(|(before, quote)| Piece {
            start: quote + 1,
            before: quote - before,
        });
        let pieces: Vec<Piece> = pieces.collect();
        Ok(Self {
            written,
            strict: text,
            origin: Origin::Edited(vec![pieces]),
        })
    }

    /// Strict JSON that was made of another format. The marks are in the order of the text.
    #[cfg_attr(
        not(feature = "yaml"),
        expect(dead_code, reason = "YAML is the other format")
    )]
    pub(crate) fn marked(written: &'a str, strict: String, marks: Vec<Mark>) -> Self {
        Self {
            written,
            strict: Cow::Owned(strict),
            origin: Origin::Marked(marks),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.strict
    }

    /// The text as a value.
    pub(crate) fn raw(&self) -> Result<&RawValue, ReadError> {
        json_text::parse(&self.strict)
    }

    /// The source with some parts replaced. The edits are in order and do not overlap.
    pub(crate) fn edited(&self, edits: &[Edit]) -> Self {
        let mut text = String::with_capacity(self.strict.len());
        let mut pieces = Vec::new();
        let mut copied = 0;
        for Edit { range, by } in edits {
            text.push_str(self.strict.get(copied..range.start).unwrap_or_default());
            text.push_str(by);
            copied = range.end;
            pieces.push(Piece {
                start: text.len(),
                before: copied,
            });
        }
        text.push_str(self.strict.get(copied..).unwrap_or_default());
        let origin = match &self.origin {
            Origin::Edited(before) => {
                let mut layers = vec![pieces];
                layers.extend(before.iter().cloned());
                Origin::Edited(layers)
            }
            // A text made from another format needs no edits.
            Origin::Marked(marks) => Origin::Marked(marks.clone()),
        };
        Self {
            written: self.written,
            strict: Cow::Owned(text),
            origin,
        }
    }

    /// Where places of the strict text, as offsets in bytes, were written. Linear in the text and the
    /// places, whatever their order.
    pub(crate) fn positions(&self, offsets: &[usize]) -> Vec<Position> {
        match &self.origin {
            Origin::Edited(layers) => {
                let before: Vec<usize> = offsets
                    .iter()
                    .map(|offset| before(layers, *offset))
                    .collect();
                positions(self.written, &before)
            }
            Origin::Marked(marks) => {
                let mark = |offset: &usize| {
                    let after = marks.partition_point(|mark| mark.start <= *offset);
                    let mark = after.checked_sub(1).and_then(|index| marks.get(index));
                    mark.map_or_else(Position::default, |mark| mark.position)
                };
                offsets.iter().map(mark).collect()
            }
        }
    }
}

/// Where a place of an edited text was before all edits.
fn before(layers: &[Vec<Piece>], offset: usize) -> usize {
    layers.iter().fold(offset, |offset, pieces| {
        let after = pieces.partition_point(|piece| piece.start <= offset);
        let piece = after.checked_sub(1).and_then(|index| pieces.get(index));
        piece.map_or(offset, |piece| piece.before + (offset - piece.start))
    })
}

/// Lines and columns of offsets in a text.
fn positions(text: &str, offsets: &[usize]) -> Vec<Position> {
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_unstable_by_key(|index| offsets.get(*index));
    let mut found = vec![Position::default(); offsets.len()];
    let (mut reached, mut line, mut column) = (0, 1, 1);
    for index in order {
        let offset = offsets.get(index).copied().unwrap_or_default();
        let passed = text.as_bytes().get(reached..offset).unwrap_or_default();
        for byte in passed {
            // The first byte of a character counts; those that continue it do not.
            let is_start = byte & 0b1100_0000 != 0b1000_0000;
            column += usize::from(is_start);
            if *byte == b'\n' {
                (line, column) = (line + 1, 1);
            }
        }
        reached = reached.max(offset.min(text.len()));
        if let Some(position) = found.get_mut(index) {
            *position = Position { line, column };
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_in_the_text_that_was_written() {
        let source = Source::json("{\"a\": NaN,\n \"é\": [NaN, \"x\", 1]}").unwrap();
        let range = |part: &str| {
            let start = source.text().find(part).unwrap();
            start..start + part.len()
        };
        let cut = Edit {
            range: range("\"x\", "),
            by: "",
        };
        let cut = source.edited(&[cut]);
        let places = ["1", "[", "\"NaN\",\n", "{"].map(|part| cut.text().find(part).unwrap());
        let written: Vec<_> = cut
            .positions(&places)
            .iter()
            .map(ToString::to_string)
            .collect();
        let expected = [
            "line 2, column 18",
            "line 2, column 7",
            "line 1, column 7",
            "line 1, column 1",
        ];
        assert_eq!(written, expected);
    }
}
