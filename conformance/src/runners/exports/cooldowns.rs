//! `retry_v3.json`: exports of version 3 one after the other, while time passes and stops.
//!
//! Our delivery runs with a clock and a random source of the case. What waits in it is known by identity and
//! number of spans, and shown as the bodies that our encoder makes of them.

mod live;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::deviation::{has_no_queue, has_refused_domain, refuses_token, resolver_fails};
use super::requests::gated;
use super::run::{Gated, SentRequest, Whose};
use crate::export_input::{ExportInput, TokenCall};
use crate::reviewed::sha256;
use crate::{Allowance, Case, Failure, Json, Outcome, Runner, Tolerances, VectorSpan};

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
    /// What waits, in the order in which it came.
    queue: Vec<(Whose, String)>,
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
        "body_sha256": sha256(sent.body.as_bytes()),
    })
}

fn waiting((whose, body): &(Whose, String)) -> Value {
    let digest = sha256(body.as_bytes());
    json!([whose.tenant, whose.agent, whose.agentic_user, digest])
}

impl Runner for Cooldowns {
    fn file_stem(&self) -> &'static str {
        "retry_v3"
    }

    fn run(&self, case: &Case) -> Outcome {
        let input = Input::read(case)?;
        let run = live::run(&input)?;
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

    fn allowances(&self) -> Vec<Allowance> {
        macro_rules! allowance {
            ($name:literal, $holds:expr) => {
                Allowance {
                    name: $name,
                    applies: |case| Input::read(case).is_ok_and($holds),
                    places: &["**"],
                }
            };
        }
        vec![
            allowance!("domain_override_is_refused", |input| {
                has_refused_domain(&input.export)
            }),
            allowance!("token_is_refused", |input| { refuses_token(&input.export) }),
            allowance!("resolver_fails", |input| { resolver_fails(&input.export) }),
            allowance!("try_fails_without_a_queue", |input| {
                has_no_queue(&input.export)
            }),
            // A single step shows what a try makes of an answer.
            allowance!("spans_wait_for_their_identity", |input| {
                input.steps.len() > 1
            }),
        ]
    }
}
