//! `agentspan check`: what Agent 365 would refuse, and why.

mod github;
mod human;
mod machine;
mod sarif;

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;

use agentspan_model::agent365::contract::{
    Finding, Judge, Level, Rule, RuleId, RuleSet, observed_spans,
};
use serde_json::{Value, json};

use crate::command_error::{CommandError, Outcome};
use crate::ingest::Place;
use crate::reading::Reading;
use crate::show;
use crate::span::{Form, Span};
use crate::store::{Store, Trace};

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Sentences.
    Human,
    /// One object of JSON.
    Json,
    /// SARIF 2.1.0, which code scanners write.
    Sarif,
    /// Commands of a GitHub workflow, which become annotations.
    GitHub,
}

impl Format {
    pub(crate) const NAMES: [&'static str; 4] = ["human", "json", "sarif", "github"];

    pub(crate) fn named(name: &str) -> Self {
        match name {
            "json" => Self::Json,
            "sarif" => Self::Sarif,
            "github" => Self::GitHub,
            _ => Self::Human,
        }
    }
}

/// Whether spans of OTLP are judged as they stand, or as an exporter would send them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// An exporter of Agent 365 writes them anew.
    ByAnExporter,
    /// The files are what is sent.
    AsItStands,
}

/// What to check.
#[derive(Debug)]
pub(crate) struct CheckRequest {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) rule_set: RuleSet,
    pub(crate) format: Format,
    /// The mildest level that makes the command fail.
    pub(crate) fail_on: Level,
    pub(crate) sending: Sending,
}

/// A finding with what is known of its span.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) finding: Finding,
    pub(crate) rule: Option<&'static Rule>,
    pub(crate) name: String,
    pub(crate) place: Option<Place>,
}

/// What was found in all files.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) rule_set: RuleSet,
    pub(crate) found: Vec<Found>,
    pub(crate) spans: usize,
    pub(crate) traces: usize,
}

impl Verdict {
    pub(crate) fn count(&self, level: Level) -> usize {
        let found = self.found.iter();
        found.filter(|found| found.finding.level == level).count()
    }
}

impl Found {
    /// The sources of the rule, in one text.
    pub(crate) fn sources(&self) -> String {
        let sources = self.rule.map(|rule| rule.sources).unwrap_or_default();
        let titles: Vec<_> = sources.iter().map(|source| source.title()).collect();
        titles.join("; ")
    }

    pub(crate) fn to_json(&self) -> Value {
        let finding = &self.finding;
        let mut json = json!({
            "level": finding.level.name(),
            "rule": finding.rule.as_str(),
            "name": self.rule.map(|rule| rule.name),
            "symptom": self.rule.map(|rule| rule.symptom),
            "why": self.rule.map(|rule| rule.cause),
            "fix": finding.remedy(),
            "source": self.sources(),
            "attribute": finding.attribute,
        });
        if let Some(span) = &finding.span {
            json["trace"] = span.trace_id.as_str().into();
            json["span"] = span.span_id.as_str().into();
            json["spanName"] = self.name.as_str().into();
        }
        if let Some(place) = &self.place {
            json["file"] = place.path.to_string_lossy().into();
            json["line"] = place.line.into();
        }
        json
    }
}

pub(crate) fn run(
    request: CheckRequest,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let (store, unreadable) = show::read(request.files, errors)?;
    let verdict = judge(&store, request.rule_set, request.sending);
    match request.format {
        Format::Human => human::write(&verdict, out)?,
        Format::Json => machine::write(&verdict, out)?,
        Format::Sarif => sarif::write(&verdict, out)?,
        Format::GitHub => github::write(&verdict, out)?,
    }
    if unreadable > 0 {
        return Err(CommandError::Lines(unreadable));
    }
    let mut found = verdict.found.iter();
    Ok(
        match found.any(|found| found.finding.level >= request.fail_on) {
            true => Outcome::Found,
            false => Outcome::Fine,
        },
    )
}

fn judge(store: &Store, rule_set: RuleSet, sending: Sending) -> Verdict {
    let mut verdict = Verdict {
        rule_set,
        found: Vec::new(),
        spans: 0,
        traces: 0,
    };
    for trace in store.traces() {
        verdict.traces += 1;
        verdict.spans += trace.spans().len();
        verdict.found.extend(findings(trace, rule_set, sending));
    }
    verdict
}

/// What is wrong in one trace, the worst first within a span.
pub(crate) fn findings(trace: &Trace, rule_set: RuleSet, sending: Sending) -> Vec<Found> {
    let judge = Judge::new(rule_set);
    let is_sent_so = |span: &Span| match span.form {
        Form::Agent365 => true,
        Form::Otlp => sending == Sending::AsItStands,
        Form::AgentSpec => false,
    };
    let findings = if trace.spans().iter().all(is_sent_so) {
        let spans: Vec<Value> = trace.spans().iter().map(Span::value).collect();
        let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
        judge.judge_trace(&observed_spans(&body))
    } else {
        let readings = trace
            .spans()
            .iter()
            .map(|span| (span, Reading::of(&span.value())));
        let readings: Vec<_> = readings.collect();
        let observed = readings
            .iter()
            .map(|(span, reading)| span.observed(reading));
        judge.judge_trace(&observed.collect::<Vec<_>>())
    };
    // Finding a rule by its id takes a look at all of them.
    let rules: HashMap<RuleId, &'static Rule> = Rule::all().map(|rule| (rule.id, rule)).collect();
    let found = findings.into_iter().map(|finding| {
        let id = finding
            .span
            .as_ref()
            .map(|span| span.span_id.to_lowercase());
        let span = id.and_then(|id| trace.span(&id));
        Found {
            rule: rules.get(&finding.rule).copied(),
            name: span.map(|span| span.name.clone()).unwrap_or_default(),
            place: span.and_then(|span| span.place.clone()),
            finding,
        }
    });
    let mut found: Vec<Found> = found.collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.finding.level));
    found
}
