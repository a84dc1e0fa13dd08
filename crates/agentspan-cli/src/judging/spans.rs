//! Judges the spans of a trace by the rules of Agent 365.

use std::collections::HashMap;
use std::sync::Arc;

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::{Finding, Judge, ObservedSpan, observed_spans};
use serde_json::{Value, json};

use super::found::{About, Found, Titles};
use crate::span::{Form, Span};

/// Whether OTLP spans are judged unchanged, or in the form in which an exporter would send them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// An exporter of Agent 365 writes them anew.
    ByAnExporter,
    /// The files are what is sent.
    AsItStands,
}

/// Judges the spans of one trace by the rules of Agent 365, and gives the findings, the worst
/// first. What an exporter writes anew is in the words of `package`.
pub(crate) fn findings(
    spans: &[Span],
    judge: &Judge<'_>,
    package: Profile,
    sending: Sending,
) -> Vec<Found> {
    let is_sent_so = |span: &Span| match span.form {
        Form::Agent365 => true,
        Form::Otlp => sending == Sending::AsItStands,
        Form::AgentSpec => false,
    };
    let values = spans.iter().map(|span| match is_sent_so(span) {
        true => span.value(),
        false => span.as_delivered(package),
    });
    let values: Vec<Value> = values.collect();
    let findings = if spans.iter().all(is_sent_so) {
        let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": values}]}]});
        judge.judge_trace(&observed_spans(&body))
    } else {
        let both = spans.iter().zip(&values);
        let observed: Vec<ObservedSpan<'_>> = both
            .filter_map(|(span, value)| span.observed(value))
            .collect();
        judge.judge_trace(&observed)
    };
    let by_id: HashMap<&str, &Span> = spans.iter().map(|span| (&*span.span_id, span)).collect();
    let titles = Titles::default();
    let found = findings.into_iter().filter_map(|finding| {
        let about = titles.of(finding.rule)?;
        Some(of_finding(&by_id, finding, about))
    });
    let mut found: Vec<Found> = found.collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.level));
    found
}

fn of_finding(spans: &HashMap<&str, &Span>, finding: Finding, about: Arc<About>) -> Found {
    let id = finding
        .span
        .as_ref()
        .map(|span| span.span_id.to_lowercase());
    let span = id.and_then(|id| spans.get(id.as_str()));
    Found {
        about,
        level: finding.level,
        attribute: finding.attribute,
        name: span.map(|span| span.name.clone()).unwrap_or_default(),
        place: span.and_then(|span| span.place.clone()),
        span: finding.span,
    }
}
