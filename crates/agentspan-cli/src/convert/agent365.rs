//! Writes spans of any source as requests to Agent 365, in the flat form of its packages or in the
//! form for senders without a package.

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::Wire;
use agentspan_model::keys;
use serde_json::{Map, Value, json};

use super::otlp::KINDS;
use super::profile::wire;
use super::standard;
use crate::delivered::{delivered, object};
use crate::reading::{Reading, attributes, number};
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
    let written = Written::of(span, &reading, writing.profile);
    let (tenant_key, mut attributes) = (written.tenant_key, written.attributes);
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

/// The attributes of a span in words of Agent 365.
struct Written {
    attributes: Map<String, Value>,
    /// Where the span has its tenant, or gets one.
    tenant_key: &'static str,
}

impl Written {
    /// A span that is in words of Agent 365 keeps them, also those of another generation if it was
    /// sent so. All others get the words of the profile, with the tenant that they name.
    fn of(span: &Span, reading: &Reading, profile: Profile) -> Self {
        let profile_key = profile.tenant_id_key();
        let named = [profile_key, keys::MICROSOFT_TENANT_ID, keys::TENANT_ID].into_iter();
        let named = named
            .filter_map(|key| Some((key, reading.text(key)?)))
            .next();
        if let (Form::Agent365, Some((tenant_key, _))) = (span.form, named) {
            let attributes = object(&reading.attributes);
            return Self {
                attributes,
                tenant_key,
            };
        }
        let mut attributes = object(&delivered(reading, &span.group, profile));
        if let Some((key, tenant)) = named.filter(|(key, _)| *key != profile_key) {
            attributes.remove(key);
            attributes.insert(profile_key.to_owned(), tenant.into());
        }
        Self {
            attributes,
            tenant_key: profile_key,
        }
    }
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
