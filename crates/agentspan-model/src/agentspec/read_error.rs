//! Errors of reading spans, events and components, with their places.

use std::fmt;

use super::component::version::NEWEST;

/// Why a document cannot be read: the problems, in order.
///
/// Neither `Display` nor `Debug` shows values of the document, but only names of members and types,
/// ids in references, and the version of the language. `Display` shows the first eight problems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    problems: Vec<Problem>,
    /// How many were found besides.
    others: usize,
}

impl std::error::Error for ReadError {}

impl ReadError {
    pub(crate) fn new(problems: Vec<Problem>, others: usize) -> Self {
        Self { problems, others }
    }

    /// One problem of a whole text.
    pub(crate) fn of(kind: ProblemKind) -> Self {
        let problem = Problem {
            path: Vec::new(),
            position: None,
            kind,
        };
        Self::new(vec![problem], 0)
    }

    /// With the places where syntax errors are, of a text that people write.
    pub(crate) fn located(mut self) -> Self {
        for problem in &mut self.problems {
            problem.position = problem.kind.position().or(problem.position);
        }
        self
    }

    /// Whether the text is not valid JSON or YAML.
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

    /// The problems, at least one and at most the first 1,000. There are fewer if their paths are long.
    /// `Display` counts them all.
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
        match others.len() + self.others {
            0 => Ok(()),
            number => write!(f, "; and {number} more"),
        }
    }
}

/// How many problems the text of an error shows.
const MAX_SHOWN: usize = 8;

/// A problem of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The path to it. Empty for the whole document.
    pub path: Vec<PathSegment>,
    /// Its place in the text. Only a [`DocumentReader`](super::DocumentReader) sets it, because
    /// people write documents, while programs write all other texts on one line.
    pub position: Option<Position>,
    /// The kind of problem.
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
            Some(position) if self.kind.position().is_none() => write!(f, " ({position})"),
            _ => Ok(()),
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

/// A segment of a path in a document.
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

/// The kinds of problems in a document.
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
    /// The text is not YAML, or uses a feature of YAML that documents do not support. Change the
    /// text.
    Yaml {
        /// Where reading stopped.
        position: Position,
        /// The problem in the YAML.
        fault: YamlFault,
    },
    /// A required member is missing. Add it, or fix the producer.
    Missing,
    /// The value has the wrong type. Fix the producer.
    WrongType {
        /// The expected type, as in "not a string".
        expected: &'static str,
    },
    /// The component has a known class that is not allowed here. Fix the producer.
    WrongComponent {
        /// The class that must be, or be derived from.
        expected: &'static str,
        /// The component's class.
        found: String,
    },
    /// A state snapshot is empty: it has neither `state_snapshot` nor `extra_state`. Set one of
    /// them.
    EmptySnapshot,
    /// A reference cannot be resolved. Add the component to `$referenced_components`, or pass the
    /// component or the value to the reader. Each missing id is reported once, at its first place.
    MissingReference {
        /// The missing id.
        reference: String,
    },
    /// A reference refers to an entry that another component lists, which is read later. List the
    /// entry at a component that contains both, for instance at the outermost component.
    ListedLater {
        /// The component's id.
        reference: String,
    },
    /// A component contains itself, which Agent Spec does not allow. Change the document.
    CircularReference {
        /// The component's id.
        reference: String,
    },
    /// Two components, one inside the other, list different entries with the same id, so references
    /// are ambiguous. Change one of the ids.
    ListedTwice {
        /// The id.
        reference: String,
        /// The place of the first entry.
        first: Position,
    },
    /// The version of Agent Spec is unknown. Upgrade this crate, or allow
    /// [any version](super::DocumentReader::with_any_version).
    UnknownVersion {
        /// The version, or the JSON in its place.
        version: String,
    },
    /// The document only lists components for other documents. Read it with
    /// [`DocumentReader::read_referenced`](super::DocumentReader::read_referenced), and pass its
    /// components to the reader of these documents.
    OnlyAList,
    /// The document should only list components under `$referenced_components`, but has another
    /// member. Remove it, or read the document as a component.
    MoreThanAList,
    /// Components are nested more than 200 levels deep. They are rejected to protect the stack of
    /// the reader.
    TooDeep,
}

impl ProblemKind {
    /// The place that a syntax error tells of itself.
    fn position(&self) -> Option<Position> {
        match *self {
            Self::Syntax { line, column } => Some(Position { line, column }),
            Self::Yaml { position, .. } => Some(position),
            _ => None,
        }
    }
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
                write!(
                    f,
                    "version {version} of Agent Spec is unknown; the newest known version is {NEWEST}"
                )
            }
            Self::OnlyAList => f.write_str("only lists components under $referenced_components"),
            Self::MoreThanAList => f.write_str("a list of components has no other members"),
            Self::TooDeep => f.write_str("nested too deep"),
        }
    }
}

impl std::error::Error for ProblemKind {}

impl ProblemKind {
    /// The name from the document that is kept, if there is one.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::WrongComponent { found, .. } => found,
            Self::MissingReference { reference }
            | Self::ListedLater { reference }
            | Self::CircularReference { reference }
            | Self::ListedTwice { reference, .. } => reference,
            Self::UnknownVersion { version } => version,
            Self::Syntax { .. }
            | Self::Yaml { .. }
            | Self::Missing
            | Self::WrongType { .. }
            | Self::EmptySnapshot
            | Self::OnlyAList
            | Self::MoreThanAList
            | Self::TooDeep => "",
        }
    }
}

/// The kinds of problems in YAML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum YamlFault {
    /// The text breaks a rule of YAML 1.1. Quote the text, or indent it.
    Syntax(&'static str),
    /// A tag has no JSON equivalent, or does not fit its value. Remove the tag.
    Tag,
    /// The key of a mapping is a list or a mapping. If it should be a text with placeholders, quote
    /// it.
    Key,
    /// An alias has no anchor before it, or is inside its own anchor. Add the anchor.
    Alias,
    /// The text has more than one document. Split the text.
    SecondDocument,
    /// Aliases expand to more than 16 MiB. They are rejected, because small texts can expand
    /// without limit.
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
