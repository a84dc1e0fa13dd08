//! `agentspan check`: finds spans that Agent 365 would refuse, and explains why.

mod github;
mod human;
mod machine;
mod requests;
mod sarif;

use std::collections::HashMap;
use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::{
    Finding, Judge, Level, ObservedSpan, Rule, RuleId, RuleSet, SpanIds, observed_spans,
};
use agentspan_model::conventions::{Breach, ConventionRule, judge_gen_ai};
use serde_json::{Value, json};

use crate::command_error::{CommandError, Outcome};
use crate::ingest::{Files, Place};
use crate::show;
use crate::span::{Form, Span};
use crate::store::{Store, Trace};

pub(crate) use requests::{Request, RequestJudge, recorded_body};

/// The applied rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// What Agent 365 documents.
    Agent365(RuleSet),
    /// What the exporter of a generation sends.
    Package(Profile),
    /// The GenAI conventions.
    GenAi,
    /// Agent Spec Tracing, for recordings.
    AgentSpec,
}

impl Rules {
    /// All names.
    pub(crate) fn names() -> String {
        let sets = RuleSet::ALL.map(Self::Agent365).map(|set| set.to_string());
        let mut names = sets.to_vec();
        names.extend(Profile::ALL.map(|profile| Self::Package(profile).to_string()));
        names.extend([Self::GenAi, Self::AgentSpec].map(|rules| rules.to_string()));
        names.join(", ")
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "agent365" => Some(Self::Agent365(RuleSet::default())),
            "genai" => Some(Self::GenAi),
            "agentspec" => Some(Self::AgentSpec),
            _ => {
                let name = name.strip_prefix("agent365:")?;
                let of_package = || Profile::named(name).map(Self::Package);
                RuleSet::named(name).map(Self::Agent365).or_else(of_package)
            }
        }
    }

    /// Who judges by them, if they are rules of Agent 365.
    pub(crate) fn judge(self) -> Option<Judge<'static>> {
        match self {
            Self::Agent365(set) => Some(Judge::new(set)),
            Self::Package(profile) => Some(Judge::of_package(profile)),
            Self::GenAi | Self::AgentSpec => None,
        }
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent365(set) => write!(f, "agent365:{set}"),
            Self::Package(profile) => write!(f, "agent365:{}", profile.name()),
            Self::GenAi => f.write_str("genai"),
            Self::AgentSpec => f.write_str("agentspec"),
        }
    }
}

/// The output format of findings.
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

/// Whether OTLP spans are judged unchanged, or in the form in which an exporter would send them.
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
    pub(crate) rules: Vec<Rules>,
    pub(crate) format: Format,
    /// The lowest level that makes the command fail.
    pub(crate) fail_on: Level,
    pub(crate) sending: Sending,
}

/// A rule that a span breaks, and where.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) about: Arc<About>,
    pub(crate) level: Level,
    /// As the sender wrote the ids.
    pub(crate) span: Option<SpanIds>,
    /// The attribute, or the event, that is wrong or missing.
    pub(crate) attribute: Option<String>,
    pub(crate) name: String,
    pub(crate) place: Option<Place>,
}

/// What is said of a rule, whoever made it.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) level: Level,
    pub(crate) symptom: &'static str,
    pub(crate) cause: &'static str,
    pub(crate) remedy: &'static str,
    pub(crate) sources: String,
}

impl From<&Rule> for About {
    fn from(rule: &Rule) -> Self {
        let titles: Vec<_> = rule.sources.iter().map(|source| source.title()).collect();
        Self {
            id: rule.id.as_str(),
            name: rule.name,
            level: rule.level,
            symptom: rule.symptom,
            cause: rule.cause,
            remedy: rule.remedy,
            sources: titles.join("; "),
        }
    }
}

impl From<&ConventionRule> for About {
    fn from(rule: &ConventionRule) -> Self {
        Self {
            id: rule.id,
            name: rule.name,
            level: rule.level,
            symptom: rule.symptom,
            cause: rule.cause,
            remedy: rule.remedy,
            sources: rule.source.to_owned(),
        }
    }
}

/// What is said of the rules of Agent 365. Finding one by its id takes a look at all of them.
#[derive(Debug)]
pub(crate) struct Titles(HashMap<RuleId, Arc<About>>);

impl Default for Titles {
    fn default() -> Self {
        let all = Rule::all().map(|rule| (rule.id, Arc::new(rule.into())));
        Self(all.collect())
    }
}

impl Titles {
    pub(crate) fn of(&self, rule: RuleId) -> Option<Arc<About>> {
        self.0.get(&rule).cloned()
    }
}

/// The findings of all files.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) rules: Vec<Rules>,
    pub(crate) found: Vec<Found>,
    pub(crate) spans: usize,
    pub(crate) traces: usize,
}

impl Verdict {
    pub(crate) fn count(&self, level: Level) -> usize {
        let found = self.found.iter();
        found.filter(|found| found.level == level).count()
    }

    /// The names of the rules that were applied.
    pub(crate) fn judged_for(&self) -> String {
        let names: Vec<String> = self.rules.iter().map(Rules::to_string).collect();
        names.join(", ")
    }
}

impl Found {
    /// A breach of a convention, of a span with this name.
    pub(crate) fn of_breach(breach: Breach, name: &str, place: Option<Place>) -> Self {
        Self {
            level: breach.rule.level,
            about: Arc::new(breach.rule.into()),
            span: Some(breach.span),
            attribute: breach.attribute,
            name: name.to_owned(),
            place,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let about = &self.about;
        let mut json = json!({
            "level": self.level.name(),
            "rule": about.id,
            "name": about.name,
            "symptom": about.symptom,
            "why": about.cause,
            "fix": about.remedy,
            "source": about.sources,
            "attribute": self.attribute,
        });
        if let Some(span) = &self.span {
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
    let mut files = Files::new(request.files)
        .with_request_judge(RequestJudge::new(&request.rules, request.sending));
    if request.rules.contains(&Rules::AgentSpec) {
        files = files.with_judge();
    }
    let (store, unreadable) = show::read_files(&mut files, errors)?;
    let mut verdict = judge(&store, &request.rules, request.sending);
    verdict.found.extend(files.take_found());
    match request.format {
        Format::Human => human::write(&verdict, out)?,
        Format::Json => machine::write(&verdict, out)?,
        Format::Sarif => sarif::write(&verdict, out)?,
        Format::GitHub => github::write(&verdict, out)?,
    }
    if unreadable > 0 {
        return Err(CommandError::Lines(unreadable));
    }
    if verdict.spans == 0 && verdict.found.is_empty() {
        return Err(CommandError::Nothing);
    }
    let mut found = verdict.found.iter();
    Ok(match found.any(|found| found.level >= request.fail_on) {
        true => Outcome::Found,
        false => Outcome::Fine,
    })
}

fn judge(store: &Store, rules: &[Rules], sending: Sending) -> Verdict {
    let mut verdict = Verdict {
        rules: rules.to_vec(),
        found: Vec::new(),
        spans: 0,
        traces: 0,
    };
    for trace in store.traces() {
        verdict.traces += 1;
        verdict.spans += trace.spans().len();
        for rules in rules {
            match rules {
                Rules::GenAi => verdict.found.extend(breaches(trace)),
                // Recordings and requests are judged while they are read.
                rules => {
                    let judge = rules.judge();
                    let found = judge.map(|judge| findings(trace, &judge, sending));
                    verdict.found.extend(found.into_iter().flatten());
                }
            }
        }
    }
    verdict
}

/// What is wrong in one trace by the GenAI conventions.
fn breaches(trace: &Trace) -> impl Iterator<Item = Found> {
    trace.spans().iter().flat_map(|span| {
        let breaches = judge_gen_ai(&span.value()).into_iter();
        breaches.map(|breach| Found::of_breach(breach, &span.name, span.place.clone()))
    })
}

/// What is wrong in one trace by Agent 365, the worst first.
pub(crate) fn findings(trace: &Trace, judge: &Judge<'_>, sending: Sending) -> Vec<Found> {
    let is_sent_so = |span: &Span| match span.form {
        Form::Agent365 => true,
        Form::Otlp => sending == Sending::AsItStands,
        Form::AgentSpec => false,
    };
    let values: Vec<Value> = trace.spans().iter().map(Span::value).collect();
    let findings = if trace.spans().iter().all(is_sent_so) {
        let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": values}]}]});
        judge.judge_trace(&observed_spans(&body))
    } else {
        let spans = trace.spans().iter().zip(&values);
        let observed: Vec<ObservedSpan<'_>> = spans
            .filter_map(|(span, value)| span.observed(value))
            .collect();
        judge.judge_trace(&observed)
    };
    let titles = Titles::default();
    let found = findings.into_iter().filter_map(|finding| {
        let about = titles.of(finding.rule)?;
        Some(of_finding(trace, finding, about))
    });
    let mut found: Vec<Found> = found.collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.level));
    found
}

fn of_finding(trace: &Trace, finding: Finding, about: Arc<About>) -> Found {
    let id = finding
        .span
        .as_ref()
        .map(|span| span.span_id.to_lowercase());
    let span = id.and_then(|id| trace.span(&id));
    Found {
        about,
        level: finding.level,
        attribute: finding.attribute,
        name: span.map(|span| span.name.clone()).unwrap_or_default(),
        place: span.and_then(|span| span.place.clone()),
        span: finding.span,
    }
}
