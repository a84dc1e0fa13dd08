//! Reading of JSON text into the model: one walk that finds all problems and says where they are.

use std::{
    borrow::{Borrow, Cow},
    collections::{HashMap, HashSet},
    fmt,
    hash::{Hash, Hasher},
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    Component, Json, PathSegment, ProblemKind, ReadError,
    component::{reading::read_component, references::References},
    source::Source,
};

pub(crate) mod problems;

use problems::Problems;

/// How many steps down a text may lead, which bounds the stack that reading and writing need.
pub(crate) const MAX_DEPTH: usize = 256;

/// Text of components that a reader remembers, in bytes, before it forgets them all.
const MAX_REMEMBERED: usize = 16 << 20;

/// A value that a member of a span, an event or a message can have.
pub(crate) trait ReadValue: Sized {
    /// Reads the value, or reports what is wrong and gives nothing.
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self>;

    /// Whether a value that may be missing is, when this stands in its place.
    fn is_missing(text: &str) -> bool {
        text == "null"
    }
}

/// The components that were read before, so that equal text gives one shared component.
///
/// A recording repeats the definition of its agent in every line; this reads it once.
#[derive(Default)]
pub(crate) struct KnownComponents {
    by_dump: HashSet<ByDump>,
    bytes: usize,
}

impl KnownComponents {
    fn find(&self, text: &str) -> Option<Component> {
        self.by_dump
            .get(text)
            .map(|ByDump(component)| component.clone())
    }

    /// Remembers a component that was read from a text. Only if its dump is that text: so nothing is
    /// kept twice, and no secrets that the component has dropped.
    fn remember(&mut self, text: &str, component: &Component) {
        if component.dump() != text {
            return;
        }
        if self.bytes.saturating_add(text.len()) > MAX_REMEMBERED {
            *self = Self::default();
        }
        self.bytes = self.bytes.saturating_add(text.len());
        self.by_dump.insert(ByDump(component.clone()));
    }
}

impl fmt::Debug for KnownComponents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownComponents")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// A component that is found by its dump.
struct ByDump(Component);

impl Borrow<str> for ByDump {
    fn borrow(&self) -> &str {
        self.0.dump()
    }
}

impl PartialEq for ByDump {
    fn eq(&self, other: &Self) -> bool {
        self.0.dump() == other.0.dump()
    }
}

impl Eq for ByDump {}

impl Hash for ByDump {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.dump().hash(state);
    }
}

/// A step down into a document. Borrows, because nearly no step is ever reported.
#[derive(Clone, Debug)]
pub(crate) enum Step<'a> {
    Member(Cow<'a, str>),
    Index(usize),
}

impl<'a> Step<'a> {
    pub(crate) fn member(name: &'a str) -> Self {
        Self::Member(Cow::Borrowed(name))
    }
}

impl From<&Step<'_>> for PathSegment {
    fn from(step: &Step<'_>) -> Self {
        match step {
            Step::Member(name) => Self::Member(name.clone().into_owned()),
            Step::Index(index) => Self::Index(*index),
        }
    }
}

/// The state of a walk through one document: where it is, what it found, what it may refer to.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    known: &'a mut KnownComponents,
    text: &'a str,
    path: Vec<Step<'a>>,
    /// The value that the walk looks at, if it is noted.
    here: Option<&'a RawValue>,
    problems: Problems,
    /// How often something that was read differs from its text.
    pub(crate) changes: usize,
    /// Whether something is read that is kept in another way if it cannot be.
    pub(crate) is_trying: bool,
    /// The targets of `$component_ref`; nothing in a dump, which has no references.
    pub(crate) references: Option<References<'a>>,
}

impl<'a> Reader<'a> {
    /// Reads a whole dump, which [`json_text`](super::json_text) gives, with `read`.
    pub(crate) fn document<T>(
        raw: &'a RawValue,
        known: &'a mut KnownComponents,
        read: impl FnOnce(&'a RawValue, &mut Self) -> Option<T>,
    ) -> Result<T, ReadError> {
        let mut reader = Self::over(raw.get(), known, None);
        let value = read(raw, &mut reader);
        reader.result(value)
    }

    /// Reads a whole document, in which components refer to others, with `read`. Problems say where they are
    /// in it.
    pub(crate) fn referring<T>(
        source: &'a Source<'_>,
        known: &'a mut KnownComponents,
        references: References<'a>,
        read: impl FnOnce(&'a RawValue, &mut Self) -> Option<T>,
    ) -> Result<T, ReadError> {
        let raw = source.raw()?;
        let mut reader = Self::over(source.text(), known, Some(references));
        let value = read(raw, &mut reader);
        reader.problems.locate(source);
        reader.result(value)
    }

    fn over(
        text: &'a str,
        known: &'a mut KnownComponents,
        references: Option<References<'a>>,
    ) -> Self {
        Self {
            known,
            text,
            path: Vec::new(),
            here: None,
            problems: Problems::default(),
            changes: 0,
            is_trying: false,
            references,
        }
    }

    fn result<T>(self, value: Option<T>) -> Result<T, ReadError> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(self.problems.into_error()),
        }
    }

    /// Notes a problem at the place where the walk is.
    pub(crate) fn report(&mut self, kind: ProblemKind) {
        let place = self.place();
        let path = || self.path.iter().map(PathSegment::from).collect();
        self.problems.add(place, path, kind);
    }

    /// Where the walk is, as an offset in bytes.
    fn place(&self) -> usize {
        let place = self.here.and_then(|raw| self.offset(raw));
        place.unwrap_or_default()
    }

    /// Where a part of the text begins. `None` for what somebody gave.
    pub(crate) fn offset(&self, raw: &RawValue) -> Option<usize> {
        let start = raw.get().as_ptr().addr();
        let offset = start.checked_sub(self.text.as_ptr().addr())?;
        (offset <= self.text.len()).then_some(offset)
    }

    /// Whether the text is a document, in which components refer to each other.
    pub(crate) fn is_document(&self) -> bool {
        self.references.is_some()
    }

    /// Notes that an id is listed here and was listed before, at an offset in bytes.
    pub(crate) fn report_listed_twice(&mut self, id: &str, first: usize) {
        let place = self.place();
        self.problems.add_listed_twice(place, first, &self.path, id);
    }

    /// Looks at a part of the text, does something there, and looks back. What was given from outside
    /// has no place in the text: whatever is wrong with it is wrong where the text refers to it.
    pub(crate) fn on<T>(&mut self, raw: &'a RawValue, there: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.here;
        if self.offset(raw).is_some() {
            self.here = Some(raw);
        }
        let result = there(self);
        self.here = before;
        result
    }

    /// Notes a problem at the place where the walk is, and gives the nothing that goes with it.
    pub(crate) fn refuse<T>(&mut self, kind: ProblemKind) -> Option<T> {
        self.report(kind);
        None
    }

    /// Tries something, and forgets its problems if it gives nothing.
    pub(crate) fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.problems.mark();
        let result = read(self);
        if result.is_none() {
            self.problems.forget_since(before);
        }
        result
    }

    /// Walks one step down, does something there, and comes back.
    pub(crate) fn at<T>(&mut self, step: Step<'a>, there: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = there(self);
        self.path.pop();
        result
    }

    /// Whether nothing more may be nested in the place where the walk is.
    pub(crate) fn is_too_deep(&self) -> bool {
        self.path.len() > MAX_DEPTH
    }

    /// The members of an object.
    pub(crate) fn object(&mut self, raw: &'a RawValue) -> Option<Members<'a>> {
        self.object_that_is(raw, "an object")
    }

    /// The members of an object that stands for something.
    pub(crate) fn object_that_is(
        &mut self,
        raw: &'a RawValue,
        expected: &'static str,
    ) -> Option<Members<'a>> {
        self.scalar(raw, expected)
    }

    /// The elements of an array.
    pub(crate) fn array(&mut self, raw: &'a RawValue) -> Option<Vec<&'a RawValue>> {
        self.scalar(raw, "an array")
    }

    /// A text, borrowed unless it has escapes.
    pub(crate) fn name(
        &mut self,
        raw: &'a RawValue,
        expected: &'static str,
    ) -> Option<Cow<'a, str>> {
        let Name(text) = self.scalar(raw, expected)?;
        Some(text)
    }

    /// A value that `serde` reads.
    pub(crate) fn scalar<T: Deserialize<'a>>(
        &mut self,
        raw: &'a RawValue,
        expected: &'static str,
    ) -> Option<T> {
        match serde_json::from_str(raw.get()) {
            Ok(value) => Some(value),
            // The error of serde_json quotes the value, which may be sensitive.
            Err(_) => self.refuse(ProblemKind::WrongType { expected }),
        }
    }

    /// A component, shared with all that had the same text before.
    pub(crate) fn component(&mut self, raw: &'a RawValue) -> Option<Component> {
        if let Some(component) = self.known.find(raw.get()) {
            return Some(component);
        }
        let component = read_component(raw, self)?;
        self.known.remember(raw.get(), &component);
        Some(component)
    }
}

/// The members of an object in the order of the text, each taken at most once.
///
/// Of a name that the text repeats, the last member counts, as in Python.
#[derive(Debug)]
pub(crate) struct Members<'a>(Vec<Member<'a>>);

#[derive(Debug)]
pub(crate) struct Member<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) value: &'a RawValue,
    taken: bool,
}

/// From how many members on it pays to look them up by their names.
const MANY: usize = 16;

impl<'a> Members<'a> {
    /// Adds a member of the text, instead of one with the same name.
    fn add(
        &mut self,
        names: &mut HashMap<Cow<'a, str>, usize>,
        name: Cow<'a, str>,
        value: &'a RawValue,
    ) {
        let members = &mut self.0;
        if members.len() == MANY {
            let all = members.iter().enumerate();
            names.extend(all.map(|(index, member)| (member.name.clone(), index)));
        }
        let same = if members.len() < MANY {
            members.iter().position(|member| member.name == name)
        } else {
            names.get(&name).copied()
        };
        if let Some(same) = same.and_then(|index| members.get_mut(index)) {
            same.value = value;
            return;
        }
        if members.len() >= MANY {
            names.insert(name.clone(), members.len());
        }
        members.push(Member {
            name,
            value,
            taken: false,
        });
    }

    /// Takes a member out.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let mut members = self.0.iter_mut();
        let member = members.find(|member| !member.taken && member.name == name)?;
        member.taken = true;
        Some(member.value)
    }

    /// Takes and reads a member, which must be there.
    pub(crate) fn required<T: ReadValue>(
        &mut self,
        name: &'static str,
        reader: &mut Reader<'a>,
    ) -> Option<T> {
        let value = self.take(name);
        reader.at(Step::member(name), |reader| match value {
            Some(raw) => T::read(raw, reader),
            None => reader.refuse(ProblemKind::Missing),
        })
    }

    /// Takes and reads a member, which is `absent` if it is not there.
    pub(crate) fn optional<T: ReadValue>(
        &mut self,
        name: &'static str,
        absent: T,
        reader: &mut Reader<'a>,
    ) -> Option<T> {
        match self.take(name) {
            Some(raw) => reader.at(Step::member(name), |reader| T::read(raw, reader)),
            None => Some(absent),
        }
    }

    /// How many members there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Looks at a member without taking it.
    pub(crate) fn find(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().find(|member| member.name == name);
        found.map(|member| member.value)
    }

    /// Takes all members that nobody took.
    pub(crate) fn take_rest(&mut self) -> impl Iterator<Item = Member<'a>> + use<'a> {
        let members = std::mem::take(&mut self.0);
        members.into_iter().filter(|member| !member.taken)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Members(Vec::new());
                let mut names = HashMap::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.add(&mut names, name, value);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

/// The members of a JSON object, or nothing if it is none.
pub(crate) fn pairs(object: &Json) -> Option<Vec<(Cow<'_, str>, &RawValue)>> {
    let mut members: Members<'_> = serde_json::from_str(object.as_str()).ok()?;
    let members = members.take_rest();
    Some(members.map(|member| (member.name, member.value)).collect())
}

/// A name that is borrowed unless it has escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl ReadValue for String {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        reader.scalar(raw, "a string")
    }
}

impl ReadValue for Cow<'static, str> {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        String::read(raw, reader).map(Self::Owned)
    }
}

impl ReadValue for bool {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        reader.scalar(raw, "true or false")
    }
}

impl ReadValue for i64 {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        reader.scalar(raw, "an integer of 64 bits")
    }
}

/// The texts that stand for numbers that are not finite.
const NOT_FINITE: [&str; 3] = [r#""NaN""#, r#""Infinity""#, r#""-Infinity""#];

impl ReadValue for f64 {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        // The standard library always finds the nearest number; serde_json only with a feature.
        let text = raw.get();
        let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        match text.parse() {
            Ok(number) if is_number && Self::is_finite(number) => Some(number),
            _ => reader.refuse(ProblemKind::WrongType {
                expected: "a number",
            }),
        }
    }

    /// JSON has no such numbers. Python writes them, and a line is not to be lost for one.
    fn is_missing(text: &str) -> bool {
        NOT_FINITE.contains(&text) || text == "null"
    }
}

impl ReadValue for super::Timestamp {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        reader.scalar(raw, "an integer of 64 bits")
    }
}

impl ReadValue for super::Id {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        let Name(text) = reader.scalar(raw, "a string")?;
        Some(Self::from(&*text))
    }
}

impl ReadValue for super::JsonObject {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        match Self::try_from(Json::from_raw(raw)) {
            Ok(object) => Some(object),
            Err(_) => reader.refuse(ProblemKind::WrongType {
                expected: "an object",
            }),
        }
    }
}

impl<T: ReadValue> ReadValue for Option<T> {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        if T::is_missing(raw.get()) {
            Some(None)
        } else {
            T::read(raw, reader).map(Some)
        }
    }
}

impl<T: ReadValue> ReadValue for Vec<T> {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        let elements = reader.array(raw)?;
        let mut values = Self::with_capacity(elements.len());
        let mut complete = true;
        for (index, element) in elements.into_iter().enumerate() {
            let read = |reader: &mut Reader<'a>| T::read(element, reader);
            match reader.at(Step::Index(index), read) {
                Some(value) => values.push(value),
                None => complete = false,
            }
        }
        complete.then_some(values)
    }
}

/// The mask itself reads as a value that is withheld.
impl<T: ReadValue> ReadValue for super::Sensitive<T> {
    fn read<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Self> {
        if raw
            .get()
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            == Some(super::MASK)
        {
            Some(Self::withheld())
        } else {
            T::read(raw, reader).map(Self::new)
        }
    }
}
