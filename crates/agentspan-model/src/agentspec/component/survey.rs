//! The references and the lists of a whole text, wherever they stand: in metadata, schemas and
//! entries that nobody uses too. One walk over the text, without recursion.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    mem,
    ops::Range,
};

use super::{
    classes,
    references::{COMPONENT_TYPE, REFERENCE, REFERENCED},
};
use crate::agentspec::{
    PathSegment, ProblemKind, json::string_length, reader::problems::Problems, source::Edit,
};

/// The references and the lists of a text. The text is strict JSON.
#[derive(Debug, Default)]
pub(super) struct Survey<'t> {
    /// Members that a later one of the same name replaces, to be cut out.
    pub(super) repeated: Vec<Edit>,
    /// The objects that are references, but for those that stand for secrets.
    references: Vec<Reference<'t>>,
    /// The ids under which something is listed.
    listed: HashSet<Cow<'t, str>>,
}

/// An object that is a reference.
#[derive(Debug)]
struct Reference<'t> {
    /// Where the object begins, as an offset in bytes.
    start: usize,
    /// The id, or the JSON that stands in its place.
    id: Result<Cow<'t, str>, &'t str>,
}

impl<'t> Survey<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let mut walk = Walk::over(text, &[]);
        walk.run();
        let mut survey = walk.survey;
        survey.repeated = without_inner(survey.repeated);
        survey
    }

    /// The ids that are neither listed nor given, each with the place where it stands first.
    pub(super) fn missing(&self, text: &str, is_given: impl Fn(&str) -> bool) -> Problems {
        let mut missing = Vec::new();
        for Reference { start, id } in &self.references {
            match id {
                Ok(id) if self.listed.contains(id) || is_given(id) => {}
                Ok(id) => missing.push((*start, &**id)),
                Err(json) => missing.push((*start, *json)),
            }
        }
        missing.sort_unstable();
        let mut seen = HashSet::new();
        missing.retain(|(_, id)| seen.insert(*id));
        let mut walk = Walk::over(text, &missing);
        if !missing.is_empty() {
            walk.run();
        }
        walk.found
    }
}

/// Edits in order, without those inside of others.
fn without_inner(mut edits: Vec<Edit>) -> Vec<Edit> {
    edits.sort_unstable_by_key(|edit| edit.range.start);
    let mut reached = 0;
    edits.retain(|edit| {
        let is_outer = edit.range.start >= reached;
        reached = reached.max(edit.range.end);
        is_outer
    });
    edits
}

/// A walk over a text.
struct Walk<'t, 'w> {
    text: &'t str,
    frames: Vec<Frame<'t>>,
    /// The names of the members of all objects around, in order.
    names: Vec<(Cow<'t, str>, usize)>,
    survey: Survey<'t>,
    /// Ids that lead nowhere, in order, each after the place where the reference begins.
    missing: &'w [(usize, &'w str)],
    found: Problems,
}

/// An object or an array around the place where the walk is.
enum Frame<'t> {
    Object(Object<'t>),
    Array { index: usize },
}

struct Object<'t> {
    start: usize,
    /// Whether its names are ids under which something is listed.
    is_list: bool,
    expects_name: bool,
    /// How many names there are of the objects around.
    names_before: usize,
    /// Its names and the last place of each among all names, once there are many.
    places: HashMap<Cow<'t, str>, usize>,
    class: Option<Cow<'t, str>>,
    reference: Option<Result<Cow<'t, str>, &'t str>>,
    /// References in members that are called like secrets: the class says whether they are.
    doubtful: Vec<(Cow<'t, str>, Reference<'t>)>,
}

/// From how many names on it pays to look them up.
const MANY: usize = 16;

impl<'t, 'w> Walk<'t, 'w> {
    fn over(text: &'t str, missing: &'w [(usize, &'w str)]) -> Self {
        Self {
            text,
            frames: Vec::new(),
            names: Vec::new(),
            survey: Survey::default(),
            missing,
            found: Problems::default(),
        }
    }

    fn run(&mut self) {
        let mut at = 0;
        while let Some(byte) = self.text.as_bytes().get(at).copied() {
            let rest = self.text.get(at..).unwrap_or_default();
            let length = match byte {
                b'{' | b'[' => {
                    self.open(at, byte);
                    1
                }
                b'}' | b']' => {
                    self.close();
                    1
                }
                b',' => {
                    self.next();
                    1
                }
                b'"' => string_length(rest),
                b':' | b' ' | b'\t' | b'\n' | b'\r' => 1,
                _ => rest
                    .find([',', '}', ']', ' ', '\t', '\n', '\r'])
                    .unwrap_or(rest.len()),
            };
            match byte {
                b'"' => self.text(at..at + length),
                b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                    self.value(at);
                    self.scalar(at..at + length);
                }
                _ => {}
            }
            at += length;
        }
    }

    fn open(&mut self, start: usize, byte: u8) {
        self.value(start);
        let is_list = matches!(self.name(), Some(REFERENCED));
        self.frames.push(if byte == b'[' {
            Frame::Array { index: 0 }
        } else {
            Frame::Object(Object {
                start,
                is_list,
                expects_name: true,
                names_before: self.names.len(),
                places: HashMap::new(),
                class: None,
                reference: None,
                doubtful: Vec::new(),
            })
        });
    }

    fn close(&mut self) {
        let Some(Frame::Object(object)) = self.frames.pop() else {
            return;
        };
        self.names.truncate(object.names_before);
        for (name, reference) in object.doubtful {
            let class = object.class.as_deref();
            if !class.is_some_and(|class| classes::is_secret(class, &name)) {
                self.survey.references.push(reference);
            }
        }
        let Some(id) = object.reference else {
            return;
        };
        let start = object.start;
        let reference = Reference { start, id };
        let name = self.names.last().map(|(name, _)| name.clone());
        match (self.frames.last_mut(), name) {
            (Some(Frame::Object(around)), Some(name)) if classes::is_called_like_one(&name) => {
                around.doubtful.push((name, reference));
            }
            _ => self.survey.references.push(reference),
        }
    }

    fn next(&mut self) {
        match self.frames.last_mut() {
            Some(Frame::Array { index }) => *index += 1,
            Some(Frame::Object(object)) => object.expects_name = true,
            None => {}
        }
    }

    /// The name of the member that the walk is in, if an object is next around it.
    fn name(&self) -> Option<&str> {
        match self.frames.last()? {
            Frame::Object(_) => self.names.last().map(|(name, _)| &**name),
            Frame::Array { .. } => None,
        }
    }

    fn text(&mut self, range: Range<usize>) {
        let is_name = match self.frames.last_mut() {
            Some(Frame::Object(object)) => mem::take(&mut object.expects_name),
            Some(Frame::Array { .. }) | None => false,
        };
        if is_name {
            self.member(range);
        } else {
            self.value(range.start);
            self.scalar(range);
        }
    }

    /// A member begins.
    fn member(&mut self, range: Range<usize>) {
        let start = range.start;
        let name = decoded(self.text.get(range).unwrap_or_default());
        let Some(Frame::Object(object)) = self.frames.last_mut() else {
            return;
        };
        if object.is_list {
            self.survey.listed.insert(name.clone());
        }
        let own = self.names.get(object.names_before..).unwrap_or_default();
        if own.len() == MANY {
            let all = own.iter().enumerate();
            let all = all.map(|(index, (name, _))| (name.clone(), object.names_before + index));
            object.places.extend(all);
        }
        let same = if own.len() < MANY {
            let found = own.iter().rposition(|(other, _)| *other == name);
            found.map(|index| object.names_before + index)
        } else {
            object.places.insert(name.clone(), self.names.len())
        };
        self.names.push((name, start));
        if let Some(same) = same {
            // The member ends where the one after it begins, which may be this one.
            let starts = self.names.get(same..).unwrap_or_default();
            if let [(_, start), (_, end), ..] = starts {
                let range = *start..*end;
                self.survey.repeated.push(Edit { range, by: "" });
            }
        }
    }

    /// A value begins.
    fn value(&mut self, start: usize) {
        let Some(((place, id), rest)) = self.missing.split_first() else {
            return;
        };
        if *place == start {
            self.missing = rest;
            let kind = ProblemKind::MissingReference {
                reference: (*id).to_owned(),
            };
            let path = || path_of(&self.frames, &self.names);
            self.found.add(start, path, kind);
        }
    }

    fn scalar(&mut self, range: Range<usize>) {
        let json = self.text.get(range).unwrap_or_default();
        let is_text = json.starts_with('"');
        match self.name() {
            Some(COMPONENT_TYPE) if is_text => {
                if let Some(Frame::Object(object)) = self.frames.last_mut() {
                    object.class = Some(decoded(json));
                }
            }
            Some(REFERENCE) => {
                if let Some(Frame::Object(object)) = self.frames.last_mut() {
                    object.reference = Some(if is_text {
                        Ok(decoded(json))
                    } else {
                        Err(json)
                    });
                }
            }
            _ => {}
        }
    }
}

/// The way to the place where the walk is.
fn path_of(frames: &[Frame<'_>], names: &[(Cow<'_, str>, usize)]) -> Vec<PathSegment> {
    let mut path = Vec::new();
    let mut frames = frames.iter();
    while let Some(frame) = frames.next() {
        path.push(match frame {
            Frame::Array { index } => PathSegment::Index(*index),
            Frame::Object(_) => {
                let inner = frames.clone().find_map(|frame| match frame {
                    Frame::Object(object) => Some(object.names_before),
                    Frame::Array { .. } => None,
                });
                let last = inner.unwrap_or(names.len()).checked_sub(1);
                let name = last.and_then(|index| names.get(index));
                PathSegment::Member(name.map_or_else(String::new, |(name, _)| name.to_string()))
            }
        });
    }
    path
}

/// The text of a JSON string.
fn decoded(json: &str) -> Cow<'_, str> {
    let text = json
        .strip_prefix('"')
        .and_then(|json| json.strip_suffix('"'));
    match text {
        Some(text) if !text.contains('\\') => Cow::Borrowed(text),
        // The text was read as JSON, and halves of pairs are gone.
        _ => serde_json::from_str(json).map_or(Cow::Borrowed(json), Cow::Owned),
    }
}
