//! `retry_v3.json`: exports of version 3 one after the other, while time passes and stops.
//!
//! Our delivery runs with a clock and a random source of the case. What waits in it is known by identity and
//! number of spans; where both are those of the model, its bodies stand for them until they are sent.

mod live;
mod rules;

use std::collections::BTreeMap;

use agentspan_model::agent365::Profile;
use serde::Deserialize;
use serde_json::{Value, json};

use super::deviation::Deviation;
use super::model::{Gated, SentRequest, Whose};
use super::requests::{gated, sha256};
use crate::compare::differences;
use crate::export_input::{ExportInput, TokenCall};
use crate::{Case, Failure, Json, Outcome, Predicate, Runner, Tolerances, VectorSpan};

/// Runs the file.
pub(in crate::runners) struct Cooldowns;

/// What is done, and with what.
struct Input {
    /// Without spans.
    export: ExportInput,
    spans: BTreeMap<String, VectorSpan>,
    /// What the random source says; the last for ever.
    random: Vec<f64>,
    steps: Vec<Step>,
}

#[derive(Clone, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Step {
    Export {
        spans: Vec<String>,
    },
    Advance {
        seconds: f64,
    },
    /// The reference sends what waits for another try. Ours does that by itself.
    Replay,
    Shutdown,
}

#[derive(Deserialize)]
struct Span {
    r#ref: String,
    span: VectorSpan,
}

/// What came of a step.
#[derive(Debug, Default)]
struct Done {
    /// Of an export.
    success: Option<bool>,
    posts: Vec<SentRequest>,
    token_calls: Vec<TokenCall>,
    /// What waits: whose, bodies if they are known, and how many spans.
    queue: Vec<(Whose, Option<String>, usize)>,
    gate: Vec<Gated>,
}

/// What came of all.
#[derive(Debug, Default)]
struct Run {
    steps: Vec<Done>,
    random_calls: usize,
}

impl Input {
    fn read(case: &Case) -> Result<Self, Failure> {
        let mut input: Value = case.input()?;
        let mut take = |name: &str| input.as_object_mut().and_then(|it| it.remove(name));
        let spans: Vec<Span> = serde_json::from_value(take("spans").unwrap_or_default())?;
        let random = serde_json::from_value(take("random").unwrap_or_default())?;
        let steps = serde_json::from_value(take("steps").unwrap_or_default())?;
        input["spans"] = json!([]);
        Ok(Self {
            export: serde_json::from_value(input)?,
            spans: spans.into_iter().map(|one| (one.r#ref, one.span)).collect(),
            random,
            steps,
        })
    }

    /// The export of these spans.
    fn of(&self, spans: &[String]) -> ExportInput {
        let spans = spans.iter().filter_map(|name| self.spans.get(name));
        let mut export = self.export.clone();
        export.spans = spans.cloned().collect();
        export
    }

    fn random(&self, call: usize) -> f64 {
        let random = self.random.get(call).or(self.random.last());
        random.copied().unwrap_or_default()
    }

    fn write(&self, run: &Run) -> Json {
        let mut is_shut_down = false;
        let steps = self.steps.iter().zip(&run.steps).map(|(step, done)| {
            let mut shown = json!({});
            match step {
                Step::Export { .. } => {
                    let success = done.success == Some(true);
                    shown["result"] = if success { "SUCCESS" } else { "FAILURE" }.into();
                }
                Step::Replay => shown["more_at_once"] = Value::Null,
                Step::Shutdown => is_shut_down = true,
                Step::Advance { .. } => {}
            }
            shown["posts"] = done.posts.iter().map(post).collect();
            shown["token_resolver_calls"] = self.export.show_calls(&done.token_calls);
            if !is_shut_down {
                shown["queue"] = done.queue.iter().map(waiting).collect();
            }
            shown["gate"] = done.gate.iter().map(gated).collect();
            shown
        });
        let steps: Vec<_> = steps.collect();
        json!({"steps": steps, "random_calls": run.random_calls}).into()
    }
}

fn post(sent: &SentRequest) -> Value {
    json!({
        "url": format!("https://{}{}", sent.host, sent.target),
        "authorization": sent.authorization,
        "body_sha256": sha256(&sent.body),
    })
}

fn waiting((whose, body, spans): &(Whose, Option<String>, usize)) -> Value {
    let body = body
        .as_deref()
        .map_or_else(|| format!("{spans} spans"), sha256);
    json!([whose.tenant, whose.agent, whose.agentic_user, body])
}

impl Runner for Cooldowns {
    fn file_stem(&self) -> &'static str {
        "retry_v3"
    }

    fn run(&self, case: &Case) -> Outcome {
        let input = Input::read(case)?;
        let mut run = live::run(&input)?;
        let model = rules::run(&input);
        for (done, model) in run.steps.iter_mut().zip(&model.steps) {
            done.take_bodies(model);
        }
        Ok(input.write(&run))
    }

    fn tolerances(&self) -> Tolerances {
        Tolerances {
            unordered: &["steps.*.gate"],
            ignored: &[],
        }
    }

    /// Numbers of seconds are compared in whole microseconds: both add them up in floats.
    fn normalize(&self, outcome: &mut Json) -> Result<(), Failure> {
        let steps = outcome.member_mut("steps");
        for step in steps.and_then(Json::as_array_mut).into_iter().flatten() {
            let gate = step.member_mut("gate");
            for gate in gate.and_then(Json::as_array_mut).into_iter().flatten() {
                if let Some(blocked) = gate.member_mut("blocked_seconds") {
                    if let Ok(seconds) = blocked.to_string().parse::<f64>() {
                        *blocked = Json::of(&((seconds * 1e6).round() + 0.0))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn predicates(&self) -> &'static [Predicate] {
        &[
            Predicate {
                name: "domain_override_is_refused",
                applies: |case| applies(case, Some(Deviation::RefusedDomain)),
                instead,
            },
            Predicate {
                name: "token_is_refused",
                applies: |case| applies(case, Some(Deviation::TokenIsRefused)),
                instead,
            },
            Predicate {
                name: "resolver_fails",
                applies: |case| applies(case, Some(Deviation::ResolverFails)),
                instead,
            },
            Predicate {
                name: "try_fails_without_a_queue",
                applies: |case| applies(case, Some(Deviation::FailsWithoutQueue)),
                instead,
            },
            Predicate {
                name: "spans_wait_for_their_identity",
                applies: |case| applies(case, None),
                instead,
            },
        ]
    }
}

/// The deviations of an input beside that what waits goes by itself.
const OTHERS: [Deviation; 4] = [
    Deviation::RefusedDomain,
    Deviation::TokenIsRefused,
    Deviation::ResolverFails,
    Deviation::FailsWithoutQueue,
];

/// Whether the deviation is the first that the case has; `None` stands for the last.
fn applies(case: &Case, wanted: Option<Deviation>) -> bool {
    let Ok(input) = Input::read(case) else {
        return false;
    };
    let mut others = OTHERS.into_iter();
    let first = others.find(|other| other.is_in(&input.export, Profile::V3));
    // A single step shows what a try makes of an answer, and that has no rule.
    if first != wanted || (wanted.is_none() && input.steps.len() < 2) {
        return false;
    }
    let (mut expected, mut ours) = (case.expected.clone(), input.write(&rules::run(&input)));
    let readable =
        Cooldowns.normalize(&mut expected).is_ok() && Cooldowns.normalize(&mut ours).is_ok();
    readable && !differences(&expected, &ours, &Cooldowns.tolerances()).is_empty()
}

fn instead(case: &Case, expected: &mut Json) {
    if let Ok(input) = Input::read(case) {
        let mut ours = input.write(&rules::run(&input));
        if Cooldowns.normalize(&mut ours).is_ok() {
            *expected = ours;
        }
    }
}

impl Done {
    /// Takes the bodies of the model where they are equal as JSON, or stand for as many spans.
    fn take_bodies(&mut self, model: &Self) {
        for (sent, model) in self.posts.iter_mut().zip(&model.posts) {
            super::body::take_equal_body(sent, model);
        }
        let queue = std::mem::take(&mut self.queue);
        for (whose, body, spans) in queue {
            let of_it = model.queue.iter().filter(|(other, ..)| *other == whose);
            let known: usize = of_it.clone().map(|(.., spans)| spans).sum();
            match known == spans {
                true => self.queue.extend(of_it.cloned()),
                false => self.queue.push((whose, body, spans)),
            }
        }
        // Identities take turns in the reference's one list.
        let place = |one: &(Whose, Option<String>, usize)| {
            let mut places = model.queue.iter();
            places.position(|other| other.0 == one.0 && other.1 == one.1)
        };
        self.queue.sort_by_key(place);
    }
}
