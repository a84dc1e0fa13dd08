//! The findings in a trace, for the exporter of one generation.

use std::collections::{BTreeMap, HashMap, HashSet};

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::{Judge, Level};
use agentspan_model::keys;
use serde_json::{Value, json};

use super::found::Found;
use super::spans::{Sending, findings};
use crate::span::Span;

/// The findings in one trace.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// The findings, each once.
    pub(crate) findings: Vec<Value>,
    /// Which of them each span has.
    pub(crate) of_spans: BTreeMap<String, Vec<usize>>,
    /// The spans of other operations, of which Agent 365 gets nothing.
    pub(crate) unsent: Vec<String>,
}

impl Judged {
    /// Judges the spans of one trace. `is_refused` tells of one span whether the service, or the
    /// exporter of the generation, would not take it.
    pub(crate) fn of(spans: &[Span], package: Profile, is_refused: impl Fn(&Span) -> bool) -> Self {
        let mut judged = Self::default();
        let mut places = HashMap::new();
        if !spans.iter().any(|span| span.is_judged(package)) {
            return judged;
        }
        // Nothing else is documented of the keys of the first generation.
        let is_first = package.tenant_id_key() == keys::TENANT_ID;
        let judge = match is_first {
            true => Judge::of_package(package),
            false => Judge::default(),
        };
        let refused = spans.iter().filter(|span| is_refused(span));
        let refused: HashSet<&str> = refused.map(|span| span.span_id.as_str()).collect();
        if !is_first {
            judged.unsent = unsent(spans, package, &refused);
        }
        let meant = spans.iter().filter(|span| span.is_judged(package));
        let meant: HashSet<&str> = meant.map(|span| span.span_id.as_str()).collect();
        for found in findings(spans, &judge, package, Sending::ByAnExporter) {
            let Some(span) = found.span.as_ref() else {
                continue;
            };
            let span_id = span.span_id.to_lowercase();
            if !meant.contains(span_id.as_str()) {
                continue;
            }
            let is_refused = refused.contains(span_id.as_str());
            let what = (
                found.about.id,
                found.level,
                found.attribute.clone(),
                is_refused,
            );
            let findings = &mut judged.findings;
            let place = *places.entry(what).or_insert_with(|| {
                findings.push(finding_json(&found, is_refused));
                findings.len() - 1
            });
            judged.of_spans.entry(span_id).or_default().push(place);
        }
        judged
    }
}

/// The spans that ended, and that no exporter of a generation sends, since they are of other operations.
fn unsent(spans: &[Span], package: Profile, refused: &HashSet<&str>) -> Vec<String> {
    let is_unsent = |span: &&Span| {
        span.end.is_some()
            && span.is_of_generation(package)
            && !refused.contains(span.span_id.as_str())
            && span
                .observed(&span.as_delivered(package))
                .is_some_and(|span| !span.is_sent())
    };
    let unsent = spans.iter().filter(is_unsent);
    unsent.map(|span| span.span_id.clone()).collect()
}

fn finding_json(found: &Found, is_refused: bool) -> Value {
    // By the attribute reference a span may lack much that the service takes nevertheless.
    let level = match (found.level, is_refused) {
        (Level::Error, true) => "error",
        (Level::Error | Level::Warning, _) => "warning",
        _ => "hint",
    };
    json!({
        "level": level,
        "rule": found.about.id,
        "name": found.about.name,
        "why": found.about.cause,
        "fix": found.about.remedy,
        "source": found.about.sources,
        "attribute": found.attribute,
    })
}
