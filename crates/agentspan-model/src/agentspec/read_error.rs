//! Why a span, an event or a component cannot be read, and where.

use std::fmt;

/// Why a document cannot be read as what it should be: every problem that was found, in order.
///
/// Neither `Display` nor `Debug` shows values of the document, only names of members and types, ids that
/// references name, and the version of the language. `Display` shows the first eight problems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    problems: Vec<Problem>,
}

impl std::error::Error for ReadError {}

impl ReadError {
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Whether the text is not even JSON, or not even YAML.
    #[must_use]
    pub fn is_syntax(&self) -> bool {
        let mut problems = self.problems.iter();
        problems.any(|problem| {
            matches!(
                problem.kind,
                ProblemKind::Syntax { .. } | ProblemKind::Yaml { .. }
            )
        })
    }

    /// What was found, at least one problem.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, others) = match self.problems.split_at_checked(MAX_SHOWN) {
            Some(split) => split,
            None => (self.problems.as_slice(), &[][..]),
        };
        match shown {
            [] => f.write_str("unreadable")?,
            [first, rest @ ..] => {
                first.fmt(f)?;
                rest.iter()
                    .try_for_each(|problem| write!(f, "; {problem}"))?;
            }
        }
        match others.len() {
            0 => Ok(()),
            number => write!(f, "; and {number} more"),
        }
    }
}

/// How many problems the text of an error shows.
const MAX_SHOWN: usize = 8;

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where it is. Empty for the whole document.
    pub path: Vec<PathSegment>,
    /// Where it is in the text. Only for what a [`DocumentReader`](super::DocumentReader) reads: people
    /// write documents, and programs write everything else on one line.
    pub position: Option<Position>,
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
        self.kind.fmt(f)?;
        match self.position {
            Some(position) => write!(f, " ({position})"),
            None => Ok(()),
        }
    }
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a text has lines and columns, and nothing else"
)]
pub struct Position {
    /// The line, counted from one.
    pub line: usize,
    /// The character of the line, counted from one.
    pub column: usize,
}

/// The beginning of a text.
impl Default for Position {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column } = self;
        write!(f, "line {line}, column {column}")
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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The text is not JSON. A recording may have been cut off while it was written.
    Syntax {
        /// The line, counted from one.
        line: usize,
        /// The character of the line, counted from one.
        column: usize,
    },
    /// The text is not YAML, or says something in YAML that a document cannot say. Change the text.
    Yaml {
        /// Where reading stopped.
        position: Position,
        /// What stands there.
        fault: YamlFault,
    },
    /// A member that must be there is not. Ask the producer for it, or give it a value.
    Missing,
    /// The value has another type. Change the producer.
    WrongType {
        /// What should be there, as in "not a string".
        expected: &'static str,
    },
    /// The component is of a known class, but not of one that may stand here. Change the producer.
    WrongComponent {
        /// The class that must be, or be derived from.
        expected: &'static str,
        /// The component's class.
        found: String,
    },
    /// A state snapshot says nothing: it has neither `state_snapshot` nor `extra_state`. Give one of them.
    EmptySnapshot,
    /// A reference leads nowhere. Add the component to `$referenced_components`, or give the component or
    /// the value to the reader. Each missing id is reported once, where it stands first.
    MissingReference {
        /// The id that was not found.
        reference: String,
    },
    /// A reference leads to a component that only another one lists, which is read later. List it at a
    /// component that contains both, for instance at the outermost one.
    ListedLater {
        /// The component's id.
        reference: String,
    },
    /// A component contains itself. Agent Spec has no such components; change the document.
    CircularReference {
        /// The component's id.
        reference: String,
    },
    /// Two components, one of which contains the other, list different things under one id, and nobody
    /// can tell which is meant. Change one of the ids.
    ListedTwice {
        /// The id.
        reference: String,
        /// Where it is listed for the first time.
        first: Position,
    },
    /// There is no such version of Agent Spec. Upgrade, or read the document
    /// [whatever its version](super::DocumentReader::with_any_version).
    UnknownVersion {
        /// The version, or the JSON that stands in its place.
        version: String,
    },
    /// The document only lists components for others to refer to. Read it with
    /// [`DocumentReader::read_referenced`](super::DocumentReader::read_referenced), and give what it lists
    /// to the reader of those others.
    OnlyAList,
    /// The document should only list components under `$referenced_components`, but has a member besides.
    /// Remove it, or read the document as a component.
    MoreThanAList,
    /// Components are nested more than 200 levels deep. Refused, to protect the stack of the reader.
    TooDeep,
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { line, column } => write!(f, "not JSON: line {line}, column {column}"),
            Self::Yaml { position, fault } => write!(f, "not YAML: {position}: {fault}"),
            Self::Missing => f.write_str("missing"),
            Self::WrongType { expected } => write!(f, "not {expected}"),
            Self::WrongComponent { found, expected } => write!(
                f,
                "a component of the type {found} is not of the type {expected}"
            ),
            Self::EmptySnapshot => f.write_str("neither state_snapshot nor extra_state is given"),
            Self::MissingReference { reference } => {
                write!(f, "no component with the id {reference}")
            }
            Self::ListedLater { reference } => write!(
                f,
                "the component with the id {reference} is listed by a component that is read later"
            ),
            Self::CircularReference { reference } => {
                write!(f, "the component with the id {reference} contains itself")
            }
            Self::ListedTwice { reference, first } => write!(
                f,
                "the id {reference} is listed on two levels, for the first time at {first}"
            ),
            Self::UnknownVersion { version } => {
                write!(f, "there is no version {version} of Agent Spec")
            }
            Self::OnlyAList => f.write_str("only lists components under $referenced_components"),
            Self::MoreThanAList => f.write_str("a list of components has no other members"),
            Self::TooDeep => f.write_str("nested too deep"),
        }
    }
}

impl std::error::Error for ProblemKind {}

/// What is wrong with a text that should be YAML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum YamlFault {
    /// The text breaks a rule of YAML 1.1. Quote the text, or indent it.
    Syntax(&'static str),
    /// A tag that is none of a value that JSON can say, or that does not fit its value. Leave it out.
    Tag,
    /// The key of a mapping is a list or a mapping. Quote it, if it should be text with placeholders.
    Key,
    /// An alias without an anchor before it, or inside of what it stands for. Add the anchor.
    Alias,
    /// The text has more than one document. Split it.
    SecondDocument,
    /// Aliases stand for more than 16 MiB. Refused, because small texts can expand without bounds.
    TooLarge,
}

impl fmt::Display for YamlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(inner) => write!(f, "{inner}"),
            Self::Tag => f.write_str("a tag that does not fit"),
            Self::Key => f.write_str("a key that is a list or a mapping"),
            Self::Alias => f.write_str("an alias that stands for nothing"),
            Self::SecondDocument => f.write_str("a second document"),
            Self::TooLarge => f.write_str("too large with all aliases written out"),
        }
    }
}

impl std::error::Error for YamlFault {}
