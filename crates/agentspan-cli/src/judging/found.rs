//! A rule that a span breaks.

use std::collections::HashMap;
use std::sync::Arc;

use agentspan_model::agent365::contract::{Level, Rule, RuleId, SpanIds};
use agentspan_model::conventions::{Breach, ConventionRule};
use serde_json::{Value, json};

use crate::place::Place;

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

/// The description of a rule of any source.
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

/// The descriptions of the Agent 365 rules, by id.
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
