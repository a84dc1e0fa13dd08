//! Reading of components: finds nested ones, follows references, drops secrets.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use serde_json::value::RawValue;

use super::{
    Component, ComponentValue, Inner, classes, default_component,
    fields::{Fields, Shape},
    place::{Place, check_shape},
    references::{COMPONENT_TYPE, Followed, REFERENCE, REFERENCED, follow, list},
    secrets::{incomplete_head, is_falsy, read_secret, without_secret},
    version::{check_version, take_version},
};
use crate::agentspec::{
    Json, ProblemKind,
    reader::{Members, ReadValue, Reader, Step},
};

/// How deep components of a document may be nested. Dumps may be somewhat deeper, so that what a document
/// says can be read back from a span.
const MAX_NESTING: usize = 200;

impl Component {
    /// Puts a component together, without its secrets.
    pub(super) fn assemble(head: Head, members: Vec<(Box<str>, ComponentValue)>) -> Self {
        let members: Vec<_> = members
            .into_iter()
            .map(|(name, value)| {
                let value = without_secret(&head.component_type, &head.id, &name, value);
                (name, value)
            })
            .collect();
        let sizes = members.iter().map(|(name, value)| {
            let punctuation = 4;
            value.size().saturating_add(name.len() + punctuation)
        });
        let depths = members.iter().map(|(_, value)| value.depth());
        Self(Arc::new(Inner {
            size: sizes.fold(2, usize::saturating_add),
            depth: depths.fold(0, usize::max) + 1,
            component_type: head.component_type,
            id: head.id,
            name: head.name,
            description: head.description,
            members,
            dump: OnceLock::new(),
            outlines: super::outline::Outlines::default(),
            properties: OnceLock::new(),
        }))
    }
}

/// The members that every component has.
pub(super) struct Head {
    pub(super) component_type: Box<str>,
    pub(super) id: Box<str>,
    pub(super) name: Box<str>,
    pub(super) description: Option<Box<str>>,
}

/// Reads a component of a dump, nested ones included.
pub(crate) fn read_component<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Component> {
    let members = reader.object_that_is(raw, "a component")?;
    read_members(members, None, reader)
}

/// Reads what a document is about, or an entry of one that only lists: these say their version.
pub(super) fn read_root<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Followed<'a>> {
    reader.on(raw, |reader| {
        let mut members = reader.object_that_is(raw, "a component")?;
        check_version(&mut members, reader)?;
        read_object(members, reader)
    })
}

/// Reads what a component lists.
pub(super) fn read_entry<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Followed<'a>> {
    reader.on(raw, |reader| {
        let members = reader.object_that_is(raw, "a component")?;
        read_object(members, reader)
    })
}

/// The component that must stand in a place.
pub(super) fn only_component(followed: Followed<'_>, reader: &mut Reader<'_>) -> Option<Component> {
    match followed {
        Followed::Component(component) => Some(component),
        Followed::Value(_) => reader.refuse(ProblemKind::WrongType {
            expected: "a component",
        }),
    }
}

/// Reads an object of a document that is a component or a reference.
fn read_object<'a>(mut members: Members<'a>, reader: &mut Reader<'a>) -> Option<Followed<'a>> {
    if reader.is_too_deep() {
        return reader.refuse(ProblemKind::TooDeep);
    }
    if let Some(raw) = members.take(REFERENCED) {
        list(raw, reader)?;
    }
    if let Some(reference) = members.find(REFERENCE) {
        return follow(reference, reader);
    }
    // Only what a document is about has one.
    take_version(&mut members);
    read_members(members, None, reader).map(Followed::Component)
}

/// Reads the members of a component in the order in which Agent Spec has them, which decides who lists a
/// component before whom, and keeps them in the order of the text. A class stands in for one that is missing.
fn read_members<'a>(
    mut members: Members<'a>,
    class: Option<&str>,
    reader: &mut Reader<'a>,
) -> Option<Component> {
    if reader.is_too_deep() {
        return reader.refuse(ProblemKind::TooDeep);
    }
    let (component_type, head) = read_head(&members, class, reader)?;
    let fields = Fields::of(&component_type);
    let mut ordered: Vec<_> = members.take_rest().enumerate().collect();
    let shape_of = |name: &str| fields.find(name);
    if reader.is_document() {
        ordered.sort_by_cached_key(|(_, member)| {
            shape_of(&member.name).map_or(usize::MAX, |(place, _)| place)
        });
    }
    let mut values: Vec<Option<(Box<str>, ComponentValue)>> = vec![None; ordered.len()];
    let mut complete = true;
    for (index, member) in ordered {
        let shape = shape_of(&member.name).map(|(_, shape)| shape);
        let value = if classes::is_secret(&component_type, &member.name) {
            read_secret(member.value, reader)
        } else {
            let step = Step::Member(member.name.clone());
            let is_known = fields.is_known();
            reader.at(step, |reader| {
                read_member(member.value, shape, is_known, reader)
            })
        };
        match (value, values.get_mut(index)) {
            (Some(value), Some(slot)) => *slot = Some((member.name.into(), value)),
            _ => complete = false,
        }
    }
    let head = head.filter(|_| complete)?;
    let mut values: Vec<_> = values.into_iter().flatten().collect();
    if reader.is_document() {
        default_component::add(&head, &mut values);
    }
    let component = Component::assemble(head, values);
    if reader.is_document() && component.0.depth > MAX_NESTING {
        return reader.refuse(ProblemKind::TooDeep);
    }
    Some(component)
}

fn read_member<'a>(
    raw: &'a RawValue,
    shape: Option<Shape>,
    is_known_class: bool,
    reader: &mut Reader<'a>,
) -> Option<ComponentValue> {
    let is_document = reader.is_document();
    let place = Place::of(shape, is_known_class, is_document);
    let value = read_value(raw, place, reader)?;
    if is_document {
        reader.on(raw, |reader| check_shape(shape, &value, reader))?;
    }
    Some(value)
}

/// Reads the class, without which nothing else can be read, and the rest.
fn read_head<'a>(
    members: &Members<'a>,
    class: Option<&str>,
    reader: &mut Reader<'a>,
) -> Option<(Box<str>, Option<Head>)> {
    let text = |name: &'static str, reader: &mut Reader<'a>| -> Option<String> {
        reader.at(Step::member(name), |reader| match members.find(name) {
            Some(raw) => reader.on(raw, |reader| {
                let raw = value_of(raw, reader)?;
                String::read(raw, reader)
            }),
            None => reader.refuse(ProblemKind::Missing),
        })
    };
    let component_type = match class {
        Some(class) if members.find(COMPONENT_TYPE).is_none() => Some(class.to_owned()),
        _ => text(COMPONENT_TYPE, reader),
    };
    let id = text("id", reader);
    let name = text("name", reader);
    let description = match members.find("description") {
        Some(raw) if raw.get() != "null" => text("description", reader).map(Some),
        _ => Some(None),
    };
    let component_type: Box<str> = component_type?.into();
    let head = |component_type| {
        Some(Head {
            component_type,
            id: id?.into(),
            name: name?.into(),
            description: description?.map(Into::into),
        })
    };
    Some((component_type.clone(), head(component_type)))
}

/// A value, or the one that it refers to.
fn value_of<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<&'a RawValue> {
    if !reader.is_document() || !raw.get().starts_with('{') {
        return Some(raw);
    }
    match reader.object(raw)?.find(REFERENCE) {
        None => Some(raw),
        Some(reference) => match follow(reference, reader)? {
            Followed::Value(value) => Some(value),
            Followed::Component(_) => reader.refuse(ProblemKind::WrongType {
                expected: "a string",
            }),
        },
    }
}

/// Reads a value in which components may be.
pub(crate) fn read_value<'a>(
    raw: &'a RawValue,
    place: Place,
    reader: &mut Reader<'a>,
) -> Option<ComponentValue> {
    // Nothing in there means anything.
    if place == Place::Free(None) {
        return Some(ComponentValue::Json(Json::from_raw(raw)));
    }
    reader.on(raw, |reader| match raw.get().as_bytes().first() {
        Some(b'{' | b'[') if reader.is_too_deep() => reader.refuse(ProblemKind::TooDeep),
        Some(b'{') => {
            let members = reader.object(raw)?;
            if reader.is_document() {
                read_object_in(raw, members, place, reader)
            } else if is_component(&members, place) {
                read_nested(raw, members, place, reader)
            } else {
                read_map(raw, members, place, reader)
            }
        }
        Some(b'[') => read_list(raw, place, reader),
        _ => Some(ComponentValue::Json(Json::from_raw(raw))),
    })
}

/// Reads an object in a document.
fn read_object_in<'a>(
    raw: &'a RawValue,
    mut members: Members<'a>,
    place: Place,
    reader: &mut Reader<'a>,
) -> Option<ComponentValue> {
    let is_reference = members.find(REFERENCE).is_some();
    let is_component = members.find(COMPONENT_TYPE).is_some();
    let followed = match place {
        Place::OfComponentsOrTexts(class) if !is_reference && !is_component => {
            read_members(members, Some(class), reader).map(Followed::Component)?
        }
        Place::OfComponents | Place::OfComponentsOrTexts(_) => {
            if !is_reference && !is_component {
                if let Some(raw) = members.take(REFERENCED) {
                    list(raw, reader);
                }
                return reader.refuse(ProblemKind::WrongType {
                    expected: "a component",
                });
            }
            match read_object(members, reader)? {
                Followed::Value(value) if place.allows(value.get()) => Followed::Value(value),
                followed => Followed::Component(only_component(followed, reader)?),
            }
        }
        Place::Open if is_reference || is_component => read_object(members, reader)?,
        Place::Plain(_) | Place::PlainComponents(_) | Place::Free(_)
            if is_reference && place.refers() =>
        {
            let reference = members.find(REFERENCE)?;
            follow(reference, reader)?
        }
        _ => return read_map(raw, members, place, reader),
    };
    Some(match followed {
        Followed::Component(component) => ComponentValue::Component(component),
        Followed::Value(value) => ComponentValue::Json(Json::from_raw(value)),
    })
}

/// Whether an object in a dump is a component.
fn is_component(members: &Members<'_>, place: Place) -> bool {
    let is_text = |name: &str| {
        let value = members.find(name);
        value.is_some_and(|raw| raw.get().starts_with('"'))
    };
    match place {
        Place::OfComponents | Place::OfComponentsOrTexts(_) => {
            members.find(COMPONENT_TYPE).is_some()
        }
        Place::Open => [COMPONENT_TYPE, "id", "name"].into_iter().all(is_text),
        Place::Plain(_) | Place::PlainComponents(_) | Place::Free(_) => false,
    }
}

/// Reads an object in a dump that is a component. In an open place, one that has something in it that cannot be read
/// is the content of somebody, as what lacks a name is: it is kept, but for its secrets.
///
/// Only the outermost of such objects is read again then, so that no part of a text is read more than twice.
fn read_nested<'a>(
    raw: &'a RawValue,
    members: Members<'a>,
    place: Place,
    reader: &mut Reader<'a>,
) -> Option<ComponentValue> {
    if place != Place::Open || reader.is_trying {
        return read_members(members, None, reader).map(ComponentValue::Component);
    }
    let before = reader.changes;
    reader.is_trying = true;
    let component = reader.attempt(|reader| read_members(members, None, reader));
    reader.is_trying = false;
    if let Some(component) = component {
        return Some(ComponentValue::Component(component));
    }
    reader.changes = before;
    let members = reader.object(raw)?;
    read_map(raw, members, Place::Plain(None), reader)
}

/// Reads an object that is no component. If nothing in it has changed, its text is kept.
fn read_map<'a>(
    raw: &'a RawValue,
    mut members: Members<'a>,
    place: Place,
    reader: &mut Reader<'a>,
) -> Option<ComponentValue> {
    let before = reader.changes;
    let head = incomplete_head(&members, place);
    let mut pairs = Vec::new();
    let mut complete = true;
    for member in members.take_rest() {
        // A dump may take what stands here for a component, whose names are written without escapes.
        let is_escaped = matches!(member.name, Cow::Owned(_));
        reader.changes += usize::from(is_escaped && reader.is_document());
        let secret_of = head
            .as_ref()
            .filter(|(class, _)| classes::is_secret(class, &member.name));
        let value = if let Some((class, id)) = secret_of {
            let value = ComponentValue::Json(Json::from_raw(member.value));
            reader.changes += usize::from(!is_falsy(&value));
            Some(without_secret(class, id, &member.name, value))
        } else {
            let step = Step::Member(member.name.clone());
            let below = match &head {
                Some((class, _)) => place.of_content(class, &member.name),
                None => place.below(),
            };
            reader.at(step, |reader| read_value(member.value, below, reader))
        };
        match value {
            Some(value) => pairs.push((member.name.into(), value)),
            None => complete = false,
        }
    }
    if !complete {
        return None;
    }
    let plain = pairs.iter().all(|(_, value)| value.is_plain());
    Some(if !plain {
        ComponentValue::Map(pairs)
    } else if reader.changes == before {
        ComponentValue::Json(Json::from_raw(raw))
    } else {
        ComponentValue::Json(ComponentValue::Map(pairs).to_json())
    })
}

/// Reads an array. If nothing in it has changed, its text is kept.
fn read_list<'a>(
    raw: &'a RawValue,
    place: Place,
    reader: &mut Reader<'a>,
) -> Option<ComponentValue> {
    let before = reader.changes;
    let elements = reader.array(raw)?;
    let mut values = Vec::new();
    let mut complete = true;
    for (index, element) in elements.into_iter().enumerate() {
        let step = Step::Index(index);
        match reader.at(step, |reader| read_value(element, place.below(), reader)) {
            Some(value) => values.push(value),
            None => complete = false,
        }
    }
    if !complete {
        return None;
    }
    let plain = values.iter().all(ComponentValue::is_plain);
    Some(if !plain {
        ComponentValue::List(values)
    } else if reader.changes == before {
        ComponentValue::Json(Json::from_raw(raw))
    } else {
        ComponentValue::Json(ComponentValue::List(values).to_json())
    })
}

#[cfg(test)]
mod tests;
