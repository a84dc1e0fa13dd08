//! Writes spans of any source as requests to Agent 365, in the flat form of its packages or in the
//! form for senders without a package.

use std::collections::HashSet;

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::Wire;
use agentspan_model::attribute::{AttributeValue, Key};
use agentspan_model::keys;
use agentspan_model::mapping::Rendering;
use serde_json::{Map, Value, json};

use super::otlp::KINDS;
use super::profile::wire;
use super::standard;
use crate::ingest::plain;
use crate::reading::{Attributes, Reading, attributes, number};
use crate::span::{Form, Span};

/// The tenant and the agent to which spans belong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) tenant: Option<String>,
    pub(crate) agent: Option<String>,
}

/// How requests are written.
#[derive(Clone, Debug)]
pub(crate) struct Writing {
    /// The generation whose attributes spans of other conventions get.
    pub(crate) profile: Profile,
    /// The identity of the spans that name none.
    pub(crate) identity: Identity,
}

/// One request for each identity. Spans keep the identity that they name; others get the given one.
pub(crate) fn bodies(spans: &[&Span], writing: &Writing) -> Vec<Value> {
    let mut requests: Vec<(Identity, Vec<(&Span, Value)>)> = Vec::new();
    for span in spans {
        let (identity, json) = of_span(span, writing);
        match requests.iter_mut().find(|(found, _)| *found == identity) {
            Some((_, spans)) => spans.push((span, json)),
            None => requests.push((identity, vec![(span, json)])),
        }
    }
    let bodies = requests.into_iter().map(|(_, spans)| body(spans));
    match wire(writing.profile) {
        Wire::Standard => bodies.map(standard::body).collect(),
        Wire::Flat => bodies.collect(),
    }
}

fn body(spans: Vec<(&Span, Value)>) -> Value {
    let first = spans.first().map(|(span, _)| &span.group);
    let of_group = |found: Option<&Value>| object(&attributes(found));
    let resource = first.and_then(|group| group.resource.get("attributes"));
    let member = |name: &str| first.and_then(|group| group.scope.get(name)).cloned();
    let scope = json!({"name": member("name"), "version": member("version")});
    let spans: Vec<Value> = spans.into_iter().map(|(_, json)| json).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": of_group(resource)},
        "scopeSpans": [{"scope": scope, "spans": spans}],
    }]})
}

fn of_span(span: &Span, writing: &Writing) -> (Identity, Value) {
    let json = span.value();
    let reading = Reading::of(&json);
    let given = &writing.identity;
    let tenant_key = tenant_key(&reading, writing.profile);
    let mut attributes = object(&in_words_of_agent365(&reading, writing.profile));
    let named = |key: &str| {
        let id = attributes.get(key).and_then(Value::as_str);
        id.filter(|id| !id.trim().is_empty()).map(str::to_owned)
    };
    let (tenant, agent) = (named(tenant_key), named(keys::GEN_AI_AGENT_ID));
    // Without a tenant, the agent has an id of other conventions.
    let identity = match tenant {
        Some(_) => Identity {
            agent: agent.or_else(|| given.agent.clone()),
            tenant,
        },
        None => Identity {
            tenant: given.tenant.clone(),
            agent: given.agent.clone().or(agent),
        },
    };
    for (key, id) in [
        (tenant_key, &identity.tenant),
        (keys::GEN_AI_AGENT_ID, &identity.agent),
    ] {
        if let Some(id) = id {
            attributes.insert(key.to_owned(), id.as_str().into());
        }
    }
    if span.form == Form::Agent365 {
        let mut json = json;
        json["attributes"] = Value::Object(attributes);
        return (identity, json);
    }
    let events = json.get("events").and_then(Value::as_array);
    let events = events.into_iter().flatten().map(|event| {
        let attributes = self::attributes(event.get("attributes"));
        json!({
            "timeUnixNano": event.get("timeUnixNano").and_then(number),
            "name": event.get("name"),
            "attributes": object(&attributes),
        })
    });
    let links = reading.links.iter().map(|link| {
        json!({"traceId": link.trace_id, "spanId": link.span_id, "attributes": object(&link.attributes)})
    });
    let (events, links): (Vec<Value>, Vec<Value>) = (events.collect(), links.collect());
    let json = json!({
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "name": span.name,
        "kind": kind(json.get("kind")),
        "startTimeUnixNano": span.start,
        "endTimeUnixNano": span.end,
        "attributes": attributes,
        "events": Some(events).filter(|events| !events.is_empty()),
        "links": Some(links).filter(|links| !links.is_empty()),
        "status": {"code": reading.status.to_uppercase(), "message": reading.description},
    });
    (identity, json)
}

/// Renders the attributes that Agent 365 knows in its own keys, and keeps the rest as it is. Leaves
/// out attributes that only Agent Spec has, as the Agent 365 exporter does.
fn in_words_of_agent365(reading: &Reading, profile: Profile) -> Attributes {
    if generation_of(reading).is_some() {
        return reading.attributes.clone();
    }
    let mut words = Attributes::new();
    let normal = reading.normal();
    if let Some(normal) = &normal {
        let mut visitor = |key: Key, value: AttributeValue<'_>| words.push(plain(key, value));
        normal.visit(Rendering::Agent365(profile), &mut visitor);
    }
    let said: HashSet<String> = words.iter().map(|(key, _)| key.clone()).collect();
    let is_left = |key: &str| {
        let is_read = normal.as_ref().is_some_and(|normal| normal.has_read(key));
        !is_read && !said.contains(key) && namespace(key) != namespace(keys::AGENTSPEC_SPAN_TYPE)
    };
    let rest = reading.attributes.iter().filter(|(key, _)| is_left(key));
    words.extend(rest.cloned());
    words
}

/// The key of the tenant of a span that is in words of Agent 365 already, of any generation.
fn generation_of(reading: &Reading) -> Option<&'static str> {
    let mut keys = [keys::MICROSOFT_TENANT_ID, keys::TENANT_ID].into_iter();
    keys.find(|key| reading.text(key).is_some())
}

/// Where the span has its tenant, or gets one. Spans of another generation keep their words.
fn tenant_key(reading: &Reading, profile: Profile) -> &'static str {
    generation_of(reading).unwrap_or_else(|| profile.tenant_id_key())
}

/// The part of a key before its first dot.
fn namespace(key: &str) -> &str {
    key.split('.').next().unwrap_or_default()
}

/// Attributes as an object.
fn object(attributes: &Attributes) -> Map<String, Value> {
    attributes.iter().cloned().collect()
}

fn kind(kind: Option<&Value>) -> &'static str {
    let of_number = |number: u64| KINDS.get(usize::try_from(number).ok()?).copied();
    let of_name = |name: &str| KINDS.into_iter().find(|known| name.ends_with(known));
    let known = match kind {
        Some(Value::Number(number)) => number.as_u64().and_then(of_number),
        Some(Value::String(name)) => of_name(name),
        _ => None,
    };
    known.unwrap_or("UNSPECIFIED")
}
