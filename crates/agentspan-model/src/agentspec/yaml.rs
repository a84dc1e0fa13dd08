//! Documents in YAML, turned into JSON with a place for each value.
//!
//! People write Agent Spec documents in YAML 1.1 as PyYAML reads it: `yes` is true, `012` is ten, `26.3` is
//! a number and `26.3.1` is text. No crate reads that; the ADR about YAML tells what was compared.
//! Nothing here recurses, and everything is linear in the text and in what its aliases stand for.

use super::{Position, ProblemKind, ReadError, YamlFault, source::Source};

mod compose;
mod parser;
mod scalar;
mod scanner;
mod text;
mod tokens;
mod write;

/// Reads the one document of a YAML text as JSON.
pub(crate) fn source(text: &str) -> Result<Source<'_>, ReadError> {
    let json = compose::compose(text).and_then(|graph| write::write(&graph, text));
    let (json, marks) = json.map_err(|Fault { place, fault }| {
        let position = place.into();
        ReadError::of(ProblemKind::Yaml { position, fault }).located()
    })?;
    Ok(Source::marked(text, json, marks))
}

/// A place in a text, counted in characters from zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    index: usize,
    line: usize,
    column: usize,
}

impl From<Place> for Position {
    fn from(place: Place) -> Self {
        Self {
            line: place.line + 1,
            column: place.column + 1,
        }
    }
}

/// A problem, and its place.
#[derive(Clone, Copy, Debug)]
struct Fault {
    place: Place,
    fault: YamlFault,
}

impl Fault {
    const fn new(place: Place, fault: YamlFault) -> Self {
        Self { place, fault }
    }

    const fn syntax(place: Place, what: &'static str) -> Self {
        Self::new(place, YamlFault::Syntax(what))
    }
}

#[cfg(test)]
mod tests;
