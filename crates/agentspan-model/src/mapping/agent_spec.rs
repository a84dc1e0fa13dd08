//! Agent Spec itself as attributes, so that nothing is lost: what is under `agentspec`.

use std::borrow::Cow;

use super::members::{self, Member, Shape};
use super::{AgentSpecFields, Exchange, SpanInTrace};
use crate::agentspec::{Component, Detail, Disclosure, Event, EventForm, JsonObject, Span};
use crate::attribute::AttributeValue::{Bool, F64, I64, Static, Str};
use crate::attribute::KeyVisitor;
use crate::json_writer::to_json;
use crate::keys;

mod member_walk;

use member_walk::{Value, walk};

/// The members that all spans and events have: they are written under keys of their own, or are no
/// attributes.
const COMMON: &[&str] = &[
    "id",
    "name",
    "description",
    "start_time",
    "end_time",
    "timestamp",
    "events",
    "metadata",
    "type",
];

/// The only member of an object that stands for the component of the span.
pub(super) const COMPONENT_REF: &str = "$component_ref";

pub(super) fn visit_span(
    in_trace: &SpanInTrace<'_>,
    fields: AgentSpecFields,
    disclosure: Disclosure,
    visitor: &mut dyn KeyVisitor,
) {
    let span = in_trace.span;
    let known = span.details.known_type_name();
    visitor.visit_key(
        keys::AGENTSPEC_SPAN_TYPE.into(),
        known.map_or(Str(span.type_name()), Static),
    );
    let mut optional = |key: &'static str, text: Option<&str>| {
        if let Some(text) = text {
            visitor.visit_key(key.into(), Str(text));
        }
    };
    optional(keys::AGENTSPEC_SPAN_ID, Some(span.id.as_str()));
    let parent_id = in_trace.parent_id.map(|id| id.as_str());
    optional(keys::AGENTSPEC_SPAN_PARENT_ID, parent_id);
    let parent_component_id = in_trace.parent_component_id;
    optional(
        keys::AGENTSPEC_SPAN_PARENT_COMPONENT_ID,
        parent_component_id,
    );
    let trace_id = in_trace.trace_id.map(|id| id.as_str());
    optional(keys::AGENTSPEC_TRACE_ID, trace_id);
    optional(keys::AGENTSPEC_TRACE_NAME, in_trace.trace_name);
    let name = Some(&*span.name).filter(|name| *name != span.type_name());
    optional(keys::AGENTSPEC_SPAN_NAME, name);
    let description = Some(span.description.as_str()).filter(|text| !text.is_empty());
    optional(keys::AGENTSPEC_SPAN_DESCRIPTION, description);
    if fields == AgentSpecFields::Identifying {
        return;
    }
    if disclosure == Disclosure::Clear && Exchange::is_shown_by(span) {
        let mut optional = |key: &'static str, text: Option<&str>| {
            if let Some(text) = text {
                visitor.visit_key(key.into(), Str(text));
            }
        };
        optional(keys::AGENTSPEC_FIRST_INPUT, in_trace.first_input);
        optional(keys::AGENTSPEC_LAST_OUTPUT, in_trace.last_output);
    }
    visit_metadata(keys::AGENTSPEC_SPAN_METADATA, &span.metadata, visitor);
    let detail = detail(disclosure);
    let members = members::of_span(span.type_name()).unwrap_or_default();
    if let Some(component) = span.details.component() {
        visit_component(members, component.outline(detail).dump(), visitor);
    }
    let dump = span.dump(disclosure).with_detail(detail);
    visit_members(&dump.with_events(EventForm::Omitted), members, visitor);
}

pub(super) fn visit_event(
    event: &Event,
    span: &Span,
    fields: AgentSpecFields,
    disclosure: Disclosure,
    visitor: &mut dyn KeyVisitor,
) {
    let type_name = event.type_name();
    let known = event.details.known_type_name();
    if let Some(shown) = known.map(Static).or(type_name.map(Str)) {
        visitor.visit_key(keys::AGENTSPEC_EVENT_TYPE.into(), shown);
    }
    let mut optional = |key: &'static str, text: Option<&str>| {
        if let Some(text) = text {
            visitor.visit_key(key.into(), Str(text));
        }
    };
    optional(keys::AGENTSPEC_EVENT_ID, Some(event.id.as_str()));
    let name = Some(&*event.name).filter(|name| *name != type_name.unwrap_or_default());
    optional(keys::AGENTSPEC_EVENT_NAME, name);
    let description = Some(event.description.as_str()).filter(|text| !text.is_empty());
    optional(keys::AGENTSPEC_EVENT_DESCRIPTION, description);
    if fields == AgentSpecFields::Identifying {
        return;
    }
    visit_metadata(keys::AGENTSPEC_EVENT_METADATA, &event.metadata, visitor);
    let detail = detail(disclosure);
    let members = type_name.and_then(members::of_event).unwrap_or_default();
    if let Some(component) = members::component_of(&event.details) {
        if span.details.component() == Some(component) {
            visit_component(members, &reference(component), visitor);
        } else {
            visit_component(members, component.outline(detail).dump(), visitor);
        }
    }
    visit_members(
        &event.dump(disclosure).with_detail(detail),
        members,
        visitor,
    );
}

/// The detail that is shown of components: prompts and settings are content there as everywhere.
fn detail(disclosure: Disclosure) -> Detail {
    match disclosure {
        Disclosure::Clear => Detail::Complete,
        Disclosure::Masked => Detail::Described,
    }
}

/// Gives the JSON of one member of an event, in clear, if the event has it and it is not null.
pub(super) fn visit_member(event: &Event, member: &str, found: &mut dyn FnMut(&str)) {
    walk(
        &event.dump(Disclosure::Clear),
        &|name| name == member,
        &mut |_, value| match value {
            Value::Text(text) => found(&to_json(text)),
            Value::Json("null") => {}
            Value::Json(json) => found(json),
        },
    );
}

fn reference(component: &Component) -> String {
    let id = to_json(component.id());
    // The name of the member needs no escapes.
    ["{\"", COMPONENT_REF, "\":", id.as_str(), "}"].concat()
}

fn visit_metadata(key: &'static str, metadata: &JsonObject, visitor: &mut dyn KeyVisitor) {
    if !metadata.is_empty() {
        visitor.visit_key(key.into(), Str(metadata.as_str()));
    }
}

fn visit_component(members: &[Member], text: &str, visitor: &mut dyn KeyVisitor) {
    let member = members
        .iter()
        .find(|member| member.shape == Shape::Component);
    if let Some(member) = member {
        visitor.visit_key(member.key.into(), Str(text));
    }
}

/// Shows the members that are special to the type, and all that are not known in one object.
fn visit_members<T: serde::Serialize>(dump: &T, members: &[Member], visitor: &mut dyn KeyVisitor) {
    let known = |name: &str| members.iter().find(|member| member.name == name);
    let is_wanted = |name: &str| {
        let is_component = || known(name).is_some_and(|m| m.shape == Shape::Component);
        !COMMON.contains(&name) && !is_component()
    };
    let mut unknown = String::new();
    walk(
        dump,
        &is_wanted,
        &mut |name, value| match (known(name), value) {
            (Some(member), Value::Text(text)) => visitor.visit_key(member.key.into(), Str(text)),
            (Some(member), Value::Json(json)) => visit_value(member.key, json, visitor),
            (None, value) => {
                unknown.push(if unknown.is_empty() { '{' } else { ',' });
                unknown.push_str(&to_json(name));
                unknown.push(':');
                match value {
                    Value::Text(text) => unknown.push_str(&to_json(text)),
                    Value::Json(json) => unknown.push_str(json),
                }
            }
        },
    );
    if !unknown.is_empty() {
        unknown.push('}');
        visitor.visit_key(keys::AGENTSPEC_UNKNOWN.into(), Str(&unknown));
    }
}

/// Null is an absent attribute, texts and numbers are themselves, all else is the text of its JSON.
fn visit_value(key: &'static str, json: &str, visitor: &mut dyn KeyVisitor) {
    let key = key.into();
    match json.as_bytes().first() {
        Some(b'n') => {}
        Some(b't') => visitor.visit_key(key, Bool(true)),
        Some(b'f') => visitor.visit_key(key, Bool(false)),
        Some(b'"') => visitor.visit_key(key, Str(&text_of(json))),
        Some(b'{' | b'[') | None => visitor.visit_key(key, Str(json)),
        Some(_) => match (json.parse(), json.parse()) {
            (Ok(whole), _) => visitor.visit_key(key, I64(whole)),
            (Err(_), Ok(real)) => visitor.visit_key(key, F64(real)),
            (Err(_), Err(_)) => visitor.visit_key(key, Str(json)),
        },
    }
}

/// The text that a JSON string stands for.
fn text_of(json: &str) -> Cow<'_, str> {
    let inner = json.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        _ => Cow::Owned(serde_json::from_str(json).unwrap_or_default()),
    }
}
