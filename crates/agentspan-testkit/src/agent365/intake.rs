//! Handles the spans of an accepted request.

use agentspan_model::agent365::contract::{
    Attribute, Judge, ObservedSpan, Operation, observed_spans,
};
use agentspan_model::keys;
use agentspan_model::mapping::normal::SourceValue;
use serde_json::{Map, Value, json};

use super::Settings;
use super::gate::Place;
use super::profile::{is_direct, is_first};
use crate::answer::Answer;
use crate::id::Id;
use crate::receipt::SINKS;
use crate::record::RecordedRequest;

/// A span as the service has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The tenant of the path, or of the span where the path names none.
    pub tenant: String,
    /// The agent of the path.
    pub agent: String,
    /// The name of the span.
    pub name: String,
    /// The id of the span.
    pub span_id: String,
    /// The mandatory attributes that it has not, so that columns are empty.
    pub missing: Vec<String>,
}

/// The answer to a request. Its spans become rows, unless they are dropped or not routed.
pub(super) fn take(
    settings: &Settings,
    place: &Place,
    request: &RecordedRequest,
    rows: &mut Vec<Row>,
) -> Answer {
    let body = request.json().unwrap_or_default();
    let mut results = Vec::new();
    let mut rejected = 0;
    for span in observed_spans(&body) {
        let tenant = text(&span, settings.profile.tenant_id_key());
        if !is_known(settings, place, &span, tenant) {
            rejected += 1;
            continue;
        }
        let tenant = place.tenant.as_deref().unwrap_or(tenant);
        let row = row(settings, place, tenant, &span);
        let fate = fate(settings, &span, &row);
        results.push(result(span.span_id(), fate));
        match fate {
            Fate::Sent => rows.push(row),
            // Without results, nothing else tells of it.
            Fate::Rejected(_) if !settings.has_results => rejected += 1,
            Fate::NotRouted | Fate::Rejected(_) => {}
        }
    }
    let message = match rejected {
        0 => "",
        _ => {
            "spans of no known operation, of another identity than the path's, or without what is mandatory"
        }
    };
    let mut answer = json!({
        "partialSuccess": {"rejectedSpans": rejected, "errorMessage": message},
    });
    let is_older = is_first(settings.profile) || !settings.has_results;
    match is_older {
        true if rejected == 0 => answer["partialSuccess"] = Value::Null,
        true => {}
        false => answer["results"] = results.into(),
    }
    Answer::json(&answer)
}

/// Whether the service takes the span, by its operation and its identity.
fn is_known(settings: &Settings, place: &Place, span: &ObservedSpan<'_>, tenant: &str) -> bool {
    let is_of_path = place.is_of_tenant(tenant).unwrap_or(!tenant.is_empty());
    let is_of_agent = place.is_of_agent(text(span, keys::GEN_AI_AGENT_ID));
    let operation = text(span, keys::GEN_AI_OPERATION_NAME);
    let is_operation = Operation::named(operation).is_some()
        // The first generation sends others, too: its documentation names none.
        || is_first(settings.profile);
    is_of_path && is_of_agent && is_operation
}

fn row(settings: &Settings, place: &Place, tenant: &str, span: &ObservedSpan<'_>) -> Row {
    let findings = Judge::new(settings.rule_set).judge_span(span);
    let has = |key: &str| span.attributes().any(|(found, _)| found == key);
    let missing = findings
        .into_iter()
        .filter_map(|finding| finding.attribute)
        .filter(|key| Attribute::with_key(key).is_some() && !has(key));
    Row {
        tenant: tenant.to_owned(),
        agent: place.agent.clone(),
        name: span.name().to_owned(),
        span_id: span.span_id().to_owned(),
        missing: missing.collect(),
    }
}

/// The fate of a span that is known.
#[derive(Clone, Copy)]
enum Fate {
    Sent,
    NotRouted,
    /// For this reason.
    Rejected(&'static str),
}

/// Senders without a package are held to the attribute reference: each value is a string, and what is mandatory is
/// there.
fn fate(settings: &Settings, span: &ObservedSpan<'_>, row: &Row) -> Fate {
    let is_text = |value: &SourceValue<'_>| matches!(value, SourceValue::Text(_));
    let has_other_kinds = || !span.attributes().all(|(_, value)| is_text(value));
    match () {
        () if settings.unlicensed.contains(&Id::new(&row.tenant)) => Fate::NotRouted,
        () if !is_direct(settings.profile) => Fate::Sent,
        () if has_other_kinds() => Fate::Rejected("attribute_not_a_string"),
        () if !row.missing.is_empty() => Fate::Rejected("attribute_missing"),
        () => Fate::Sent,
    }
}

fn result(span_id: &str, fate: Fate) -> Value {
    let said = match fate {
        Fate::Sent => json!({"status": "sent"}),
        Fate::NotRouted => json!({"status": "not_routed", "reason": "tenant_not_licensed"}),
        Fate::Rejected(reason) => json!({"status": "rejected", "reason": reason}),
    };
    let sinks: Map<_, _> = SINKS
        .map(|sink| (sink.to_owned(), said.clone()))
        .into_iter()
        .collect();
    json!({"spanId": span_id, "sinks": sinks})
}

fn text<'a>(span: &'a ObservedSpan<'_>, key: &str) -> &'a str {
    let mut attributes = span.attributes();
    match attributes.find(|(found, _)| *found == key) {
        Some((_, SourceValue::Text(text))) => text,
        _ => "",
    }
}
