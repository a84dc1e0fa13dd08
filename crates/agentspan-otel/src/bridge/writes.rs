//! The forms in which the bridge passes on an Agent Spec span.

use agentspan_model::agentspec::SpanDetails;
use agentspan_model::keys;
use opentelemetry::{KeyValue, StringValue};

/// How the record of a span leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writes {
    /// As attributes and events, for exporters that know nothing of records.
    Attributes,
    /// Beside the span, for span processors that
    /// [receive](agentspan_record::FinishedSpan::received) it.
    Records,
    /// Both ways.
    Both,
}

impl Writes {
    pub(super) fn attributes(self) -> bool {
        self != Self::Records
    }

    pub(super) fn records(self) -> bool {
        self != Self::Attributes
    }
}

/// Room for what baggage gives to a span when it ends.
const ATTRIBUTES: usize = 8;

/// All that a span says at its start whose record says the rest: which type it is.
pub(super) fn type_only(details: &SpanDetails) -> Vec<KeyValue> {
    let type_name = match details.known_type_name() {
        Some(known) => StringValue::from(known),
        None => StringValue::from(details.type_name().to_owned()),
    };
    let mut attributes = Vec::with_capacity(ATTRIBUTES);
    attributes.push(KeyValue::new(keys::AGENTSPEC_SPAN_TYPE, type_name));
    attributes
}
