//! `agentspan check`: finds spans that Agent 365 would refuse, and explains why.

mod github;
mod human;
mod machine;
mod sarif;

use std::io::Write;
use std::path::PathBuf;

use agentspan_model::agent365::contract::Level;
use agentspan_model::conventions::judge_gen_ai;

pub(crate) use human::Amount;

use crate::command_error::{CommandError, Outcome};
use crate::ingest::Files;
use crate::judging::{Found, RequestJudge, Rules, Sending, findings};
use crate::show;
use crate::span::Span;
use crate::store::Store;

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

/// The options of `check`.
#[derive(Debug)]
pub(crate) struct CheckRequest {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) rules: Vec<Rules>,
    pub(crate) format: Format,
    /// The lowest level that makes the command fail.
    pub(crate) fail_on: Level,
    pub(crate) sending: Sending,
    pub(crate) amount: Amount,
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
        Format::Human => human::write(&verdict, request.amount, out)?,
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
        verdict.spans += trace.len();
        for rules in rules {
            match rules {
                Rules::GenAi => verdict.found.extend(breaches(&trace.spans())),
                // Recordings and requests are judged while they are read.
                rules => {
                    let judge = rules.judge();
                    let found = judge
                        .map(|judge| findings(&trace.spans(), &judge, rules.package(), sending));
                    verdict.found.extend(found.into_iter().flatten());
                }
            }
        }
    }
    verdict
}

/// Judges one trace by the GenAI conventions.
fn breaches(spans: &[Span]) -> impl Iterator<Item = Found> {
    spans.iter().flat_map(|span| {
        let breaches = judge_gen_ai(&span.value()).into_iter();
        breaches.map(|breach| Found::of_breach(breach, &span.name, span.place.clone()))
    })
}
