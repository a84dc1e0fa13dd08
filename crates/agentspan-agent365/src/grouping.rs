//! Which spans belong to whom.

use std::sync::Arc;

use agentspan_model::keys;
use hashbrown::HashMap;
use opentelemetry::Value;
use opentelemetry_sdk::trace::SpanData;

use crate::destination::{Destinations, Recipient, Recipients};
use crate::export_error::RefusedIdentityError;
use crate::report::{FirstSpan, RefusedIdentity};

/// The spans of a batch by identity, in order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct Grouping {
    pub(crate) groups: Vec<Group>,
    pub(crate) refused: Vec<RefusedIdentity>,
    pub(crate) no_identity: usize,
    /// The ids that these spans lack, each combination once.
    pub(crate) missing: Vec<MissingIds>,
    /// The places of spans of operations that the profile does not send.
    pub(crate) other_operations: Vec<usize>,
    /// For each span the next one of the same group. A list through the spans costs one allocation
    /// per batch, where a list per group would cost several per identity.
    next: Vec<usize>,
}

/// The spans of one identity.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) recipient: Arc<Recipient>,
    pub(crate) len: usize,
    first: usize,
    last: usize,
}

/// The ids that a span does not name, of which it needs both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MissingIds {
    pub(crate) tenant: bool,
    pub(crate) agent: bool,
}

/// Stands for "no further span".
const END: usize = usize::MAX;

/// Where the spans of a pair of ids go.
#[derive(Clone, Copy)]
enum Place {
    Group(usize),
    Refused(usize),
}

/// The identity that the attributes of a span name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named<'a> {
    /// The profile does not send spans of the operation that the span names, or of none.
    OtherOperation,
    /// One of them is missing or blank.
    Nobody(MissingIds),
    /// Both are there, and one is not a string.
    NotText,
    Pair(&'a str, &'a str),
}

impl Group {
    /// The place of the first span in the batch.
    pub(crate) fn first(&self) -> usize {
        self.first
    }
}

impl Grouping {
    /// Groups `spans`. An identity that is refused costs its own spans and no others.
    pub(crate) fn of(spans: &[SpanData], recipients: &mut Recipients) -> Self {
        let mut grouping = Self::default();
        grouping.next.resize(spans.len(), END);
        let mut places: HashMap<(&str, &str), Place> = HashMap::new();
        let mut not_text = None;
        let mut previous: Option<(Named<'_>, Place)> = None;
        for (index, span) in spans.iter().enumerate() {
            let named = named(span, &recipients.destinations);
            // Spans of one identity tend to come together, and then nothing has to be hashed.
            let known = previous.filter(|(same, _)| *same == named);
            let place = match (named, known) {
                (Named::OtherOperation, _) => {
                    grouping.other_operations.push(index);
                    continue;
                }
                (Named::Nobody(missing), _) => {
                    grouping.no_identity += 1;
                    if !grouping.missing.contains(&missing) {
                        grouping.missing.push(missing);
                    }
                    continue;
                }
                (_, Some((_, place))) => place,
                (Named::NotText, None) => *not_text
                    .get_or_insert_with(|| grouping.refuse(RefusedIdentityError::NotText, span)),
                (Named::Pair(tenant, agent), None) => *places
                    .entry((tenant, agent))
                    .or_insert_with(|| grouping.open(recipients.of(tenant, agent), span)),
            };
            previous = Some((named, place));
            grouping.add(place, index);
        }
        if let Some(key) = recipients.destinations.wire.agentic_user {
            grouping.tell_users_apart(key, spans, recipients);
        }
        grouping
    }

    /// The agent of a group acts as the user of its first span.
    fn tell_users_apart(&mut self, key: &str, spans: &[SpanData], recipients: &mut Recipients) {
        for group in &mut self.groups {
            let attributes = spans.get(group.first).map(|span| span.attributes.iter());
            let mut attributes = attributes.into_iter().flatten().rev();
            let user = attributes.find(|attribute| attribute.key.as_str() == key);
            let Some(Value::String(user)) = user.map(|attribute| &attribute.value) else {
                continue;
            };
            // The identity was not refused, and so it is not now.
            if let Ok(recipient) = recipients.with_user(&group.recipient, user.as_str()) {
                group.recipient = recipient;
            }
        }
    }

    /// The spans of `group`, in order.
    pub(crate) fn spans_of<'a>(
        &'a self,
        group: &Group,
        spans: &'a [SpanData],
    ) -> impl Iterator<Item = &'a SpanData> {
        self.places_of(group).map_while(|index| spans.get(index))
    }

    /// Where the spans of a group are in the batch, in order.
    pub(crate) fn places_of(&self, group: &Group) -> impl Iterator<Item = usize> {
        let next = |index: &usize| self.next.get(*index).copied();
        std::iter::successors(Some(group.first), next).take(group.len)
    }

    /// The spans of each group, in order. They are moved out of `spans`, whose memory stays there
    /// unless all go to one group.
    pub(crate) fn split(&self, spans: &mut Vec<SpanData>) -> Vec<Vec<SpanData>> {
        if let [group] = &*self.groups {
            if group.len == spans.len() {
                return vec![std::mem::take(spans)];
            }
        }
        let mut owners = vec![END; spans.len()];
        for (number, group) in self.groups.iter().enumerate() {
            let mut index = group.first;
            while let Some(owner) = owners.get_mut(index) {
                *owner = number;
                index = self.next.get(index).copied().unwrap_or(END);
            }
        }
        let lengths = self.groups.iter().map(|group| group.len);
        let mut parts: Vec<Vec<SpanData>> = lengths.map(Vec::with_capacity).collect();
        for (span, owner) in spans.drain(..).zip(owners) {
            if let Some(part) = parts.get_mut(owner) {
                part.push(span);
            }
        }
        parts
    }

    fn open(
        &mut self,
        recipient: Result<Arc<Recipient>, RefusedIdentityError>,
        first: &SpanData,
    ) -> Place {
        match recipient {
            Ok(recipient) => {
                self.groups.push(Group {
                    recipient,
                    len: 0,
                    first: END,
                    last: END,
                });
                Place::Group(self.groups.len() - 1)
            }
            Err(error) => self.refuse(error, first),
        }
    }

    fn refuse(&mut self, error: RefusedIdentityError, first: &SpanData) -> Place {
        self.refused.push(RefusedIdentity {
            spans: 0,
            error,
            first: FirstSpan::of(first),
        });
        Place::Refused(self.refused.len() - 1)
    }

    fn add(&mut self, place: Place, index: usize) {
        match place {
            Place::Group(at) => {
                let Some(group) = self.groups.get_mut(at) else {
                    return;
                };
                match self.next.get_mut(group.last) {
                    Some(next) => *next = index,
                    None => group.first = index,
                }
                group.last = index;
                group.len += 1;
            }
            Place::Refused(at) => {
                if let Some(refused) = self.refused.get_mut(at) {
                    refused.spans += 1;
                }
            }
        }
    }
}

/// Whom `span` names. The SDK keeps every attribute that was set: the last one of a key counts.
fn named<'a>(span: &'a SpanData, destinations: &Destinations) -> Named<'a> {
    let (wire, tenant_key) = (destinations.wire, destinations.tenant_key);
    let (mut tenant, mut agent, mut operation) = (None, None, None);
    let mut fallback = None;
    for attribute in span.attributes.iter().rev() {
        let key = attribute.key.as_str();
        let found = if key == tenant_key {
            &mut tenant
        } else if key == keys::GEN_AI_AGENT_ID {
            &mut agent
        } else if wire.operations.is_some() && key == keys::GEN_AI_OPERATION_NAME {
            &mut operation
        } else if Some(key) == destinations.agent_fallback {
            &mut fallback
        } else {
            continue;
        };
        found.get_or_insert(&attribute.value);
        let is_filtered = wire.operations.is_none() || operation.is_some();
        if tenant.is_some() && agent.is_some() && is_filtered {
            break;
        }
    }
    if !wire.sends(operation) {
        return Named::OtherOperation;
    }
    let named = |id: Option<&'a Value>| id.filter(|value| !is_blank(value));
    match (named(tenant), named(agent.or(fallback))) {
        (Some(Value::String(tenant)), Some(Value::String(agent))) => {
            Named::Pair(tenant.as_str(), agent.as_str())
        }
        (Some(_), Some(_)) => Named::NotText,
        (tenant, agent) => Named::Nobody(MissingIds {
            tenant: tenant.is_none(),
            agent: agent.is_none(),
        }),
    }
}

fn is_blank(value: &Value) -> bool {
    matches!(value, Value::String(text) if text.as_str().chars().all(char::is_whitespace))
}

#[cfg(test)]
mod tests;
