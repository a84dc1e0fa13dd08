//! `framework_spans.jsonl`: spans of other people's instrumentations, and what really happened meanwhile.
//!
//! A case is a scenario of a source: its spans go through the normal form, and every fact of the scenario that the
//! spans contain must be found there, in its place and with its type. `not_in_spans` names those that they do not
//! contain. It was made by looking for the text of each value, so that it cannot tell of values
//! that occur anywhere: truth
//! values, small numbers, and the words `role`, `type` and so on. Such a fact may be absent, but nothing else may
//! stand in its place.
//!
//! Then the spans are written in each vocabulary, and every fact must be found in what each destination gets.

mod asked;
mod found;
mod python_text;
mod spans;

use std::collections::BTreeMap;

use agentspan_model::agent365::Profile;
use agentspan_model::mapping::Rendering;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use self::asked::{Fact, facts};
use self::found::Found;
use self::python_text::{has_part_of_id, is_kept};
use self::spans::RecordedSpan;
use crate::{Allowance, Case, Json, Outcome, Runner};

pub(super) struct FrameworkSpans;

/// What a destination may ask for.
const RENDERINGS: [Rendering; 5] = [
    Rendering::GenAi,
    Rendering::GenAiV0_1,
    Rendering::OpenInference,
    Rendering::Agent365(Profile::V0_1),
    Rendering::Agent365(Profile::V2),
];

/// A line of the file.
#[derive(Deserialize)]
struct Line {
    source: String,
    scenario: String,
    span: Option<Box<RawValue>>,
    facts: Option<Value>,
    #[serde(default)]
    not_in_spans: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Scenario {
    spans: Vec<RecordedSpan>,
    facts: Value,
    not_in_spans: Vec<String>,
}

impl Runner for FrameworkSpans {
    fn file_stem(&self) -> &'static str {
        "framework_spans"
    }

    fn line_cases(&self, text: &str) -> Result<Vec<Box<RawValue>>, serde_json::Error> {
        let mut spans: BTreeMap<(String, String), Vec<Box<RawValue>>> = BTreeMap::new();
        let mut told = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let line: Line = serde_json::from_str(line)?;
            let key = (line.source, line.scenario);
            if let Some(span) = line.span {
                spans.entry(key).or_default().push(span);
            } else if let Some(facts) = line.facts {
                told.push((key, facts, line.not_in_spans));
            }
        }
        let cases = told.into_iter().map(|(key, told, not_in_spans)| {
            let spans = spans.remove(&key).unwrap_or_default();
            let asked = facts(&told, &not_in_spans);
            let expected: BTreeMap<_, _> =
                asked.iter().map(|fact| (fact.path(), "found")).collect();
            serde_json::value::to_raw_value(&json!({
                "name": format!("{}/{}", key.0, key.1),
                "input": {"spans": spans, "facts": told, "not_in_spans": not_in_spans},
                "expected": expected,
            }))
        });
        cases.collect()
    }

    fn run(&self, case: &Case) -> Outcome {
        let scenario: Scenario = case.input()?;
        let found = Found::in_spans(&scenario.spans);
        let asked = facts(&scenario.facts, &scenario.not_in_spans);
        let outcomes = asked
            .iter()
            .map(|fact| (fact.path(), outcome(fact, &found)));
        let mut outcomes: BTreeMap<String, String> = outcomes.collect();
        for rendering in RENDERINGS {
            let spans = scenario.spans.iter().map(|span| span.rendered(rendering));
            let found = Found::in_spans(&spans.collect::<Vec<_>>());
            let shown = asked.iter().filter(|fact| is_shown(fact, rendering));
            for fact in shown {
                let again = outcome(fact, &found);
                let before = outcomes.entry(fact.path()).or_default();
                if *before != again && !before.contains("in the words of") {
                    *before = format!("{before}, and in the words of {rendering:?} {again}");
                }
            }
        }
        Ok(Json::of(&outcomes)?)
    }

    fn allowances(&self) -> Vec<Allowance> {
        vec![
            Allowance {
                name: "said_in_a_text_of_python_only",
                applies: |case| case.input().is_ok_and(|scenario| is_kept(&scenario)),
                places: &["**"],
            },
            Allowance {
                name: "id_that_is_a_part_of_another",
                applies: |case| case.input().is_ok_and(|scenario| has_part_of_id(&scenario)),
                places: &["*"],
            },
        ]
    }
}

/// Whether a vocabulary has a place for a fact.
fn is_shown(fact: &Fact, rendering: Rendering) -> bool {
    // Agents have no id in the first release of the GenAI conventions.
    if rendering == Rendering::GenAiV0_1 && fact.is_in("agent") && fact.name() == "id" {
        return false;
    }
    // What the provider calls an error has a place in no vocabulary.
    if fact.is_in("error") && fact.name() == "code" {
        return false;
    }
    // The first generation has texts in the place of messages, also of those that ask for tools.
    let mut of_messages = ["input", "output", "tools"].into_iter();
    let is_of_message = of_messages.any(|member| fact.is_in(member));
    !(is_of_message && rendering == Rendering::Agent365(Profile::V0_1))
}

fn outcome(fact: &Fact, found: &Found) -> String {
    let there = found.at(fact);
    match there {
        Some(value) if fact.agrees_with(value) => "found".into(),
        _ if found.has_elsewhere(fact) => "found".into(),
        None if fact.is_told_by_absence() => "found".into(),
        _ if found.has_in_python_text(fact) => python_text::KEPT.into(),
        Some(value) => format!("is {} instead of {}", value, fact.value),
        None => format!("missing: {}", fact.value),
    }
}
