//! Reading of components: finds nested ones, follows references, drops secrets.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use serde_json::value::RawValue;

use super::{Component, ComponentValue, Inner, classes, document::check_slot, slots};
use crate::agentspec::{
    Json, ProblemKind,
    reader::{Members, ReadValue, Reader, Step},
};

/// How large the dump of a component may be, in bytes, before it is refused.
const MAX_SIZE: usize = 64 << 20;

const COMPONENT_TYPE: &str = "component_type";
const REFERENCE: &str = "$component_ref";
pub(super) const REFERENCED: &str = "$referenced_components";
const VERSION: &str = "agentspec_version";

/// The components of a document that others refer to, by id.
pub(crate) type References<'a> = HashMap<String, Referenced<'a>>;

/// A component that others refer to.
#[derive(Debug)]
pub(crate) enum Referenced<'a> {
    Unread(&'a RawValue),
    /// Its members are being read: a reference to it now means that it contains itself.
    Reading,
    /// Its problems have been reported.
    Unreadable,
    Read(Component),
}

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
        Self(Arc::new(Inner {
            size: sizes.fold(2, usize::saturating_add),
            component_type: head.component_type,
            id: head.id,
            name: head.name,
            description: head.description,
            members,
            dump: OnceLock::new(),
            outlines: super::outline::Outlines::default(),
        }))
    }
}

/// How sure it is that components stand in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A member of a class that we know, which holds components: what is none is a mistake.
    OfComponents,
    /// Anything. In a dump, an object is a component here if it has all that every component has; without,
    /// it may be the content of somebody who has other things called `component_type`. It is kept
    /// then, but for its secrets.
    Open,
}

/// What every component has.
pub(super) struct Head {
    pub(super) component_type: Box<str>,
    pub(super) id: Box<str>,
    pub(super) name: Box<str>,
    pub(super) description: Option<Box<str>>,
}

/// Replaces the value of a secret field by the reference's way to say that there is one. What Python
/// takes for false says nothing and stays.
fn without_secret(class: &str, id: &str, field: &str, value: ComponentValue) -> ComponentValue {
    if !classes::is_secret(class, field) || is_falsy(&value) {
        return value;
    }
    let reference = format!("{id}.{field}");
    ComponentValue::Json(Json::from(serde_json::json!({REFERENCE: reference})))
}

fn is_falsy(value: &ComponentValue) -> bool {
    let ComponentValue::Json(json) = value else {
        return false;
    };
    match json.as_str() {
        "null" | "false" | r#""""# | "{}" | "[]" => true,
        text => text.starts_with(['-', '0']) && text.parse() == Ok(0.0),
    }
}

/// Reads a component, nested ones included.
pub(crate) fn read_component<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Component> {
    let members = reader.object_that_is(raw, "a component")?;
    read_members(members, reader)
}

fn read_members<'a>(mut members: Members<'a>, reader: &mut Reader<'a>) -> Option<Component> {
    if reader.is_too_deep() {
        return reader.refuse(ProblemKind::TooDeep);
    }
    if reader.references.is_some() {
        members.take(VERSION);
        if let Some(raw) = members.take(REFERENCED) {
            add_referenced(raw, reader)?;
        }
    }
    let head = read_head(&members, reader)?;
    let mut values = Vec::new();
    let mut complete = true;
    for member in members.take_rest() {
        let is_opaque = slots::is_free(&head.component_type, &member.name)
            || classes::is_secret(&head.component_type, &member.name);
        let value = if is_opaque {
            Some(ComponentValue::Json(Json::from_raw(member.value)))
        } else {
            let place = match slots::expected(&head.component_type, &member.name) {
                Some(_) => Place::OfComponents,
                None => Place::Open,
            };
            let step = Step::Member(member.name.clone());
            reader.at(step, |reader| {
                let value = read_value(member.value, place, reader)?;
                if reader.references.is_some() {
                    check_slot(&head.component_type, &member.name, &value, reader)?;
                }
                Some(value)
            })
        };
        match value {
            Some(value) => values.push((member.name.into(), value)),
            None => complete = false,
        }
    }
    if !complete {
        return None;
    }
    let component = Component::assemble(head, values);
    if component.0.size > MAX_SIZE {
        return reader.refuse(ProblemKind::TooLarge);
    }
    Some(component)
}

fn read_head<'a>(members: &Members<'a>, reader: &mut Reader<'a>) -> Option<Head> {
    let text = |name: &'static str, reader: &mut Reader<'a>| -> Option<String> {
        reader.at(Step::member(name), |reader| match members.find(name) {
            Some(raw) => String::read(raw, reader),
            None => reader.refuse(ProblemKind::Missing),
        })
    };
    let component_type = text(COMPONENT_TYPE, reader);
    let id = text("id", reader);
    let name = text("name", reader);
    let description = match members.find("description") {
        Some(raw) if raw.get() != "null" => text("description", reader).map(Some),
        _ => Some(None),
    };
    Some(Head {
        component_type: component_type?.into(),
        id: id?.into(),
        name: name?.into(),
        description: description?.map(Into::into),
    })
}

/// Reads a value in which components may be.
pub(crate) fn read_value<'a>(
    raw: &'a RawValue,
    place: Place,
    reader: &mut Reader<'a>,
) -> Option<ComponentValue> {
    if reader.is_too_deep() {
        return reader.refuse(ProblemKind::TooDeep);
    }
    match raw.get().as_bytes().first() {
        Some(b'{') => {
            let members = reader.object(raw)?;
            if let (Some(reference), true) = (members.find(REFERENCE), reader.references.is_some())
            {
                follow(reference, reader).map(ComponentValue::Component)
            } else if is_component(&members, place, reader) {
                read_members(members, reader).map(ComponentValue::Component)
            } else {
                read_map(raw, members, place, reader)
            }
        }
        Some(b'[') => read_list(raw, place, reader),
        _ => Some(ComponentValue::Json(Json::from_raw(raw))),
    }
}

fn is_component(members: &Members<'_>, place: Place, reader: &Reader<'_>) -> bool {
    let is_text = |name: &str| {
        let value = members.find(name);
        value.is_some_and(|raw| raw.get().starts_with('"'))
    };
    match place {
        // Nobody has checked a document, and what it says may still hold secrets.
        Place::Open if reader.references.is_none() => {
            [COMPONENT_TYPE, "id", "name"].into_iter().all(is_text)
        }
        _ => members.find(COMPONENT_TYPE).is_some(),
    }
}

/// The class and the id of an object that lacks something of a component, for its secrets. `None` if it
/// neither says a class nor stands where components stand.
fn incomplete_head(members: &Members<'_>, place: Place) -> Option<(String, String)> {
    let text = |name: &str| -> Option<String> {
        let value = members.find(name)?;
        serde_json::from_str(value.get()).ok()
    };
    let class = match place {
        Place::Open => text(COMPONENT_TYPE)?,
        Place::OfComponents => text(COMPONENT_TYPE).unwrap_or_default(),
    };
    let id = text("id").unwrap_or_else(|| class.clone());
    Some((class, id))
}

/// Reads an object that is no component. Without components or secrets in it, its text is kept.
fn read_map<'a>(
    raw: &'a RawValue,
    mut members: Members<'a>,
    place: Place,
    reader: &mut Reader<'a>,
) -> Option<ComponentValue> {
    let head = incomplete_head(&members, place);
    let mut pairs = Vec::new();
    let mut plain = true;
    for member in members.take_rest() {
        let secret_of = head
            .as_ref()
            .filter(|(class, _)| classes::is_secret(class, &member.name));
        let value = if let Some((class, id)) = secret_of {
            let value = ComponentValue::Json(Json::from_raw(member.value));
            plain &= is_falsy(&value);
            without_secret(class, id, &member.name, value)
        } else {
            let step = Step::Member(member.name.clone());
            reader.at(step, |reader| read_value(member.value, place, reader))?
        };
        plain &= matches!(value, ComponentValue::Json(_));
        pairs.push((member.name.into(), value));
    }
    Some(if plain {
        ComponentValue::Json(Json::from_raw(raw))
    } else {
        ComponentValue::Map(pairs)
    })
}

/// Reads an array. Without components in it, its text is kept.
fn read_list<'a>(
    raw: &'a RawValue,
    place: Place,
    reader: &mut Reader<'a>,
) -> Option<ComponentValue> {
    let mut values = Vec::new();
    for (index, element) in reader.array(raw)?.into_iter().enumerate() {
        let step = Step::Index(index);
        values.push(reader.at(step, |reader| read_value(element, place, reader))?);
    }
    let plain = values
        .iter()
        .all(|value| matches!(value, ComponentValue::Json(_)));
    Some(if plain {
        ComponentValue::Json(Json::from_raw(raw))
    } else {
        ComponentValue::List(values)
    })
}

/// Notes the components that a component lets others refer to.
pub(super) fn add_referenced<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<()> {
    let mut members = reader.at(Step::member(REFERENCED), |reader| reader.object(raw))?;
    let references = reader.references.get_or_insert_default();
    for member in members.take_rest() {
        let referenced = Referenced::Unread(member.value);
        references
            .entry(member.name.into_owned())
            .or_insert(referenced);
    }
    Some(())
}

/// The component that a reference leads to.
fn follow<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Component> {
    let id = reader.at(Step::member(REFERENCE), |reader| String::read(raw, reader))?;
    resolve(id, reader)
}

/// The component with an id, read at the first time and shared from then on.
pub(super) fn resolve<'a>(id: String, reader: &mut Reader<'a>) -> Option<Component> {
    let references = reader.references.get_or_insert_default();
    match references.get_mut(&id) {
        None => reader.refuse(ProblemKind::MissingReference { reference: id }),
        Some(Referenced::Read(component)) => Some(component.clone()),
        Some(Referenced::Unreadable) => None,
        Some(Referenced::Reading) => {
            reader.refuse(ProblemKind::CircularReference { reference: id })
        }
        Some(place @ Referenced::Unread(_)) => {
            let Referenced::Unread(raw) = std::mem::replace(place, Referenced::Reading) else {
                return None;
            };
            let component = read_component(raw, reader);
            let result = component.clone();
            let result = result.map_or(Referenced::Unreadable, Referenced::Read);
            reader.references.get_or_insert_default().insert(id, result);
            component
        }
    }
}

#[cfg(test)]
mod tests;
