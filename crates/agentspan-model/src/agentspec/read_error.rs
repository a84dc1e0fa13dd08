//! Why a span, an event or a component cannot be read, and where.

use std::fmt;

/// Why a document cannot be read as what it should be: every problem that was found, in order.
///
/// Neither `Display` nor `Debug` shows values of the document, only names of members and types.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ReadError {
    problems: Vec<Problem>,
}

impl ReadError {
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Whether the text is not even JSON.
    #[must_use]
    pub fn is_syntax(&self) -> bool {
        let mut problems = self.problems.iter();
        problems.any(|problem| matches!(problem.kind, ProblemKind::Syntax { .. }))
    }

    /// What was found, at least one problem.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [] => f.write_str("unreadable"),
            [only] => only.fmt(f),
            [first, others @ ..] => write!(f, "{first}, and {} more", others.len()),
        }
    }
}

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where it is. Empty for the whole document.
    pub path: Vec<PathSegment>,
    /// What it is.
    pub kind: ProblemKind,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.path.iter().enumerate() {
            match segment {
                PathSegment::Member(name) if position == 0 => f.write_str(name)?,
                PathSegment::Member(name) => write!(f, ".{name}")?,
                PathSegment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        if !self.path.is_empty() {
            f.write_str(": ")?;
        }
        self.kind.fmt(f)
    }
}

/// A step on the way to a place in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "JSON has objects and arrays, and nothing else that has parts"
)]
pub enum PathSegment {
    /// The member of an object.
    Member(String),
    /// The element of an array, counted from zero.
    Index(usize),
}

/// What is wrong at a place of a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The text is not JSON. A recording may have been cut off while it was written.
    #[error("not JSON: line {line}, column {column}")]
    Syntax {
        /// The line, counted from one.
        line: usize,
        /// The byte of the line, counted from one.
        column: usize,
    },
    /// A member that must be there is not. Ask the producer for it, or give it a value.
    #[error("missing")]
    Missing,
    /// The value has another type. Change the producer.
    #[error("not {expected}")]
    WrongType {
        /// What should be there, as in "not a string".
        expected: &'static str,
    },
    /// The component is of a known class, but not of one that may stand here. Change the producer.
    #[error("a component of the type {found} is not of the type {expected}")]
    WrongComponent {
        /// The class that must be, or be derived from.
        expected: &'static str,
        /// The component's class.
        found: String,
    },
    /// A state snapshot says nothing: it has neither `state_snapshot` nor `extra_state`. Give one of them.
    #[error("neither state_snapshot nor extra_state is given")]
    EmptySnapshot,
    /// A component reference leads nowhere. Add the component to `$referenced_components` or to the
    /// components that the caller knows.
    #[error("no component with the id {reference}")]
    MissingReference {
        /// The id that was not found.
        reference: String,
    },
    /// A component contains itself. Agent Spec has no such components; change the document.
    #[error("the component with the id {reference} contains itself")]
    CircularReference {
        /// The component's id.
        reference: String,
    },
    /// Components are nested more than 128 levels deep. Refused, to protect the stack of the reader.
    #[error("nested too deep")]
    TooDeep,
    /// With every reference written out, the component has more than 64 MiB. Refused, because small
    /// documents can expand without bounds.
    #[error("too large with all references written out")]
    TooLarge,
}
