//! The targets of references in a document.

use std::{borrow::Cow, collections::HashMap, mem};

use serde_json::value::RawValue;

use super::{
    Component,
    reading::{read_entry, read_root},
    version::Versions,
};
use crate::agentspec::{
    Json, ProblemKind,
    reader::{Reader, Step},
};

pub(super) const COMPONENT_TYPE: &str = "component_type";
pub(super) const REFERENCE: &str = "$component_ref";
pub(super) const REFERENCED: &str = "$referenced_components";

/// The values that a reader was given, by the id under which documents refer to them.
pub(super) type Given = HashMap<String, Referent>;

/// A value outside a document to which the document may refer.
#[derive(Clone, Debug)]
pub(super) enum Referent {
    Component(Component),
    Value(Json),
}

/// The targets of references in the rest of a document.
#[derive(Debug)]
pub(crate) struct References<'a> {
    /// Takes precedence over what is listed.
    given: &'a Given,
    /// The entries that the components read so far list.
    listed: Entries<'a>,
    /// In a document that only lists: all of its entries. Each may list more of its own.
    siblings: Entries<'a>,
    /// How many entries are being read, each for a reference in the one before.
    open: usize,
    pub(super) versions: Versions,
}

/// How many references may lead from one to the next, which bounds the stack: references to references
/// are no steps down into the text.
const MAX_OPEN: usize = 200;

type Entries<'a> = HashMap<Cow<'a, str>, Entry<'a>>;

/// Something that a component lists.
#[derive(Debug)]
struct Entry<'a> {
    /// Where it is listed, as an offset in bytes.
    start: usize,
    state: State<'a>,
}

#[derive(Debug)]
enum State<'a> {
    Unread(&'a RawValue),
    /// It is being read: a reference to it now means that it contains itself.
    Reading,
    /// Its problems have been reported.
    Unreadable,
    Read(Followed<'a>),
}

/// The target of a reference.
#[derive(Clone, Debug)]
pub(super) enum Followed<'a> {
    Component(Component),
    Value(&'a RawValue),
}

impl<'a> References<'a> {
    pub(super) fn new(given: &'a Given, versions: Versions) -> Self {
        Self {
            given,
            listed: HashMap::new(),
            siblings: HashMap::new(),
            open: 0,
            versions,
        }
    }

    /// Looks an id up.
    fn find(&mut self, id: &str) -> Found<'a> {
        match self.given.get(id) {
            Some(Referent::Component(component)) => {
                return Found::Read(Followed::Component(component.clone()));
            }
            Some(Referent::Value(json)) => return Found::Read(Followed::Value(json.as_raw())),
            None => {}
        }
        match self.listed.get_mut(id) {
            Some(entry) => entry.visit(Level::Around),
            None => self.find_sibling(id),
        }
    }

    fn find_sibling(&mut self, id: &str) -> Found<'a> {
        let entry = self.siblings.get_mut(id);
        entry.map_or(Found::Nothing, |entry| entry.visit(Level::Sibling))
    }
}

impl<'a> Entry<'a> {
    fn new(raw: &'a RawValue, reader: &Reader<'_>) -> Self {
        Self {
            start: reader.offset(raw).unwrap_or_default(),
            state: State::Unread(raw),
        }
    }

    /// Says what came of the entry. One that is not read yet is being read from now on.
    fn visit(&mut self, level: Level) -> Found<'a> {
        match &self.state {
            State::Read(followed) => Found::Read(followed.clone()),
            State::Reading => Found::Itself,
            State::Unreadable => Found::Unreadable,
            State::Unread(raw) => {
                let raw = *raw;
                self.state = State::Reading;
                Found::Unread(raw, level)
            }
        }
    }
}

enum Found<'a> {
    Read(Followed<'a>),
    Unread(&'a RawValue, Level),
    Itself,
    Unreadable,
    Nothing,
}

/// The place that lists an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// The component in which the reference stands, one around it, or one that was read before.
    Around,
    /// The document, which only lists.
    Sibling,
}

/// Notes what a component lets others refer to.
///
/// One id on two levels is a mistake, whatever it lists: nobody could tell which is meant. The empty id
/// is none, as in the reference.
pub(super) fn list<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<()> {
    reader.at(Step::member(REFERENCED), |reader| {
        reader.on(raw, |reader| {
            let mut is_unique = true;
            for member in reader.object(raw)?.take_rest() {
                let entry = Entry::new(member.value, reader);
                let listed = &mut reader.references.as_mut()?.listed;
                match listed.get_mut(&*member.name) {
                    None => {
                        listed.insert(member.name, entry);
                    }
                    Some(known) if member.name.is_empty() => {
                        if matches!(known.state, State::Unread(_)) {
                            *known = entry;
                        }
                    }
                    Some(known) => {
                        let first = known.start;
                        is_unique = false;
                        reader.at(Step::Member(member.name.clone()), |reader| {
                            reader.on(member.value, |reader| {
                                reader.report_listed_twice(&member.name, first);
                            });
                        });
                    }
                }
            }
            is_unique.then_some(())
        })
    })
}

/// Notes the entries of a document that only lists, and reads them all.
pub(super) fn read_list<'a>(
    raw: &'a RawValue,
    reader: &mut Reader<'a>,
) -> Option<Vec<(Cow<'a, str>, Followed<'a>)>> {
    let members: Vec<_> = reader.object(raw)?.take_rest().collect();
    for member in &members {
        let entry = Entry::new(member.value, reader);
        let siblings = &mut reader.references.as_mut()?.siblings;
        siblings.insert(member.name.clone(), entry);
    }
    let mut read = Vec::new();
    let mut complete = true;
    for member in members {
        let followed = match reader.references.as_mut()?.find_sibling(&member.name) {
            Found::Read(followed) => Some(followed),
            Found::Unread(raw, level) => reader.at(Step::Member(member.name.clone()), |reader| {
                read_found(&member.name, raw, level, reader)
            }),
            // Its problems have been reported.
            Found::Unreadable | Found::Itself | Found::Nothing => None,
        };
        match followed {
            Some(followed) => read.push((member.name, followed)),
            None => complete = false,
        }
    }
    complete.then_some(read)
}

/// The target of a reference, read the first time and shared from then on.
pub(super) fn follow<'a>(reference: &'a RawValue, reader: &mut Reader<'a>) -> Option<Followed<'a>> {
    let id: Cow<'a, str> = reader.at(Step::member(REFERENCE), |reader| {
        reader.name(reference, "a string")
    })?;
    reader.changes += 1;
    let reference = || id.clone().into_owned();
    match reader.references.as_mut()?.find(&id) {
        Found::Read(followed) => Some(followed),
        Found::Unreadable => None,
        Found::Itself => reader.refuse(ProblemKind::CircularReference {
            reference: reference(),
        }),
        // Something lists it, or the survey of the document would have missed it.
        Found::Nothing => reader.refuse(ProblemKind::ListedLater {
            reference: reference(),
        }),
        Found::Unread(raw, level) => read_found(&id, raw, level, reader),
    }
}

/// Reads an entry that is marked as being read, and remembers what came of it.
fn read_found<'a>(
    id: &str,
    raw: &'a RawValue,
    level: Level,
    reader: &mut Reader<'a>,
) -> Option<Followed<'a>> {
    let references = reader.references.as_mut()?;
    references.open += 1;
    let is_too_deep = references.open > MAX_OPEN;
    // An entry of a document that only lists sees what it lists itself, and its siblings.
    let mut around = HashMap::new();
    if level == Level::Sibling {
        mem::swap(&mut references.listed, &mut around);
    }
    let followed = match level {
        _ if is_too_deep => reader.refuse(ProblemKind::TooDeep),
        Level::Sibling => read_root(raw, reader),
        Level::Around => read_entry(raw, reader),
    };
    let references = reader.references.as_mut()?;
    references.open -= 1;
    let entries = match level {
        Level::Sibling => {
            references.listed = around;
            &mut references.siblings
        }
        Level::Around => &mut references.listed,
    };
    if let Some(entry) = entries.get_mut(id) {
        entry.state = followed.clone().map_or(State::Unreadable, State::Read);
    }
    followed
}

/// The value that the reader was given for a reference, which need not lead anywhere.
pub(super) fn given_instead_of<'a>(raw: &'a RawValue, reader: &Reader<'a>) -> Option<&'a RawValue> {
    let references = reader.references.as_ref()?;
    let members: HashMap<Cow<'a, str>, &RawValue> = serde_json::from_str(raw.get()).ok()?;
    let id: Cow<'a, str> = serde_json::from_str(members.get(REFERENCE)?.get()).ok()?;
    match references.given.get(&*id)? {
        Referent::Value(json) => Some(json.as_raw()),
        Referent::Component(_) => None,
    }
}
