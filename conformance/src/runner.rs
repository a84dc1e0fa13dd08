//! What a vector file needs to be run.

use serde_json::value::RawValue;

use crate::{Allowance, Case, Json, Predicate, Tolerances};

/// Does with one vector file's inputs what the reference did.
///
/// # How to add one
///
/// 1. Make `src/runners/FILE_STEM.rs` with a unit struct that implements this trait.
/// 2. In `run`, read `case.input::<YourInput>()?`, do it with our crates, and return
///    `Ok(Json::of(&YourExpected { … })?)`, with the members of `expected` in the file's order.
/// 3. List it in `src/runners.rs`, and its file in `vectors/README.md`.
/// 4. Where we deviate, add an [`Allowance`] to `allowances` and a rule to `deviations.toml`, run
///    `cargo run -p conformance -- --review`, and review the change of `reviewed.json`.
/// 5. `cargo run -p conformance` shows each difference with its path.
///
/// A runner decides nothing by a case's name and compares nothing itself.
pub trait Runner {
    /// The vector file's name without `.json` or `.jsonl`.
    fn file_stem(&self) -> &'static str;

    /// Does what the case says, and returns what came out in the form of `expected`.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the input is not understood, or something went wrong that `expected` has no
    /// form for. The case fails. A panic counts as the same.
    fn run(&self, case: &Case) -> Outcome;

    /// The cases of a `.jsonl` file, each as a case of a `.json` file is written. Unless a runner says otherwise, each
    /// line is one, whose input and expected outcome are the line itself.
    ///
    /// # Errors
    ///
    /// [`serde_json::Error`] if a line is not what the runner reads.
    fn line_cases(&self, text: &str) -> Result<Vec<Box<RawValue>>, serde_json::Error> {
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.trim().is_empty());
        lines
            .map(|(index, line)| {
                let name = index + 1;
                RawValue::from_string(format!(
                    r#"{{"name":"line {name}","input":{line},"expected":{line}}}"#
                ))
            })
            .collect()
    }

    /// Brings an outcome in the form in which it is compared; the reference's and ours alike, and
    /// before a rule rewrites it. For files that hold JSON as text, whose members would otherwise be
    /// compared letter by letter. Changes nothing, unless a runner says otherwise.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the outcome has not the form that it should. The case fails.
    fn normalize(&self, _outcome: &mut Json) -> Result<(), Failure> {
        Ok(())
    }

    /// What the comparison overlooks. Nothing, unless a runner says otherwise.
    fn tolerances(&self) -> Tolerances {
        Tolerances::default()
    }

    /// The deviations that this file's cases may meet and that are rewritten; each needs a rule in
    /// `deviations.toml`.
    fn predicates(&self) -> &'static [Predicate] {
        &[]
    }

    /// The other deviations that this file's cases may meet; each needs a rule in `deviations.toml`.
    fn allowances(&self) -> Vec<Allowance> {
        Vec::new()
    }
}

/// What a runner makes of a case: what we did, in the form of `expected`.
pub type Outcome = Result<Json, Failure>;

/// Why a runner has no answer to a case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The input, or what we made of it, is not what the runner reads as JSON.
    #[error("the runner does not understand the JSON: {0}")]
    Input(#[from] serde_json::Error),
    /// The input has fields that the runner does not read.
    #[error("the runner does not know these input fields: {0}")]
    Overlooked(String),
    /// Our crates did something that the form of `expected` has no place for.
    #[error("{0}")]
    Other(String),
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Other(text)
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Self::Other(text.into())
    }
}
