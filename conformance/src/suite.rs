//! Runs the files of a directory.

use std::any::Any;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::case::VectorFile;
use crate::compare::differences;
use crate::deviations::{BoundRule, DeviationsError};
use crate::mutation::{self, Fate, Mutations};
use crate::report::{CaseFailure, FileReport, FileResult, Report};
use crate::{Case, Deviations, Json, Runner};

/// The directory of the vectors that the project ships.
pub const SHIPPED_VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors");

/// Runners with the rules that apply to them.
#[expect(missing_debug_implementations, reason = "runners have none")]
pub struct Suite {
    runners: Vec<(Box<dyn Runner>, Vec<BoundRule>)>,
}

impl Suite {
    /// Pairs runners with rules.
    ///
    /// # Errors
    ///
    /// [`DeviationsError`] if a rule has no predicate, a predicate no rule, or a file no runner.
    pub fn new(
        runners: Vec<Box<dyn Runner>>,
        deviations: &Deviations,
    ) -> Result<Self, DeviationsError> {
        let known: Vec<_> = runners.iter().map(|runner| runner.file_stem()).collect();
        deviations.check_files(&known)?;
        let runners = runners
            .into_iter()
            .map(|runner| {
                let rules = deviations.bind(&*runner)?;
                Ok((runner, rules))
            })
            .collect::<Result<_, DeviationsError>>()?;
        Ok(Self { runners })
    }

    /// Runs every `.json` and `.jsonl` file of `directory` that has a runner, in order of their names.
    ///
    /// Each line of a `.jsonl` file is a case, whose input and expected outcome are the line itself, unless its
    /// runner reads it otherwise.
    /// Files without a runner are listed, if they hold JSON at all.
    ///
    /// # Errors
    ///
    /// [`SuiteError::Directory`] if the directory cannot be listed. A file that cannot be read is a
    /// failure in the report.
    pub fn run(&self, directory: &Path) -> Result<Report, SuiteError> {
        let mut report = Report::default();
        for path in vector_files(directory).map_err(|source| SuiteError::Directory {
            directory: directory.into(),
            source,
        })? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let result = match fs::read_to_string(&path) {
                Ok(text) => self.run_file(&path, &text),
                Err(error) => FileResult::Unreadable(error.to_string()),
            };
            report.files.push(FileReport {
                name: name.into_owned(),
                result,
            });
        }
        Ok(report)
    }

    /// Changes one scalar in what each case expects, in so many rounds each another one, and says of which
    /// changes the comparison took notice.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_mutated(&self, directory: &Path, rounds: usize) -> Result<Mutations, SuiteError> {
        let mut mutations = Mutations::default();
        for path in vector_files(directory).map_err(|source| SuiteError::Directory {
            directory: directory.into(),
            source,
        })? {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let Ok(Cases {
                runner,
                rules,
                cases,
            }) = self.cases(&path, &text)
            else {
                continue;
            };
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let file = mutations.files.entry(name.into_owned()).or_default();
            for (index, case) in cases.iter().enumerate() {
                let Ok(case) = serde_json::from_str::<Case>(case.get()) else {
                    continue;
                };
                let scalars = mutation::scalars(&case.expected);
                for round in 0..rounds.min(scalars) {
                    // A step that has no divisor in common with most numbers meets all places in turn.
                    let number = (index * 31 + round * 7919) % scalars;
                    file.add(&case.name, fate(runner, rules, &case, number));
                }
            }
        }
        Ok(mutations)
    }

    fn run_file(&self, path: &Path, text: &str) -> FileResult {
        let Cases {
            runner,
            rules,
            cases,
        } = match self.cases(path, text) {
            Ok(cases) => cases,
            Err(result) => return result,
        };
        let mut result = FileResult::ran();
        for (index, case) in cases.iter().enumerate() {
            result.add(judge(runner, rules, index, case));
        }
        result
    }

    /// The cases of a file with what runs them, or what else is to be said of the file.
    fn cases(&self, path: &Path, text: &str) -> Result<Cases<'_>, FileResult> {
        let runner = self.runners.iter().find(|(runner, _)| {
            path.file_stem()
                .is_some_and(|stem| stem == runner.file_stem())
        });
        let Some((runner, rules)) = runner else {
            return Err(match values(text) {
                Ok(0) => FileResult::Unreadable("the file is empty".into()),
                Ok(_) => FileResult::NoRunner,
                Err(error) => FileResult::Unreadable(error.to_string()),
            });
        };
        let cases = if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            runner.line_cases(text)
        } else {
            serde_json::from_str(text).map(|file: VectorFile| file.cases)
        };
        let cases = cases.map_err(|error| FileResult::Unreadable(error.to_string()))?;
        if cases.is_empty() {
            return Err(FileResult::Unreadable("the file has no cases".into()));
        }
        Ok(Cases {
            runner: &**runner,
            rules,
            cases,
        })
    }
}

/// The cases of a file, and what runs them.
struct Cases<'a> {
    runner: &'a dyn Runner,
    rules: &'a [BoundRule],
    cases: Vec<Box<RawValue>>,
}

/// What came of one case.
pub(crate) enum Verdict {
    Passed,
    /// The rules that applied.
    Deviates(Vec<String>),
    Failed(CaseFailure),
}

/// What becomes of a case of which one expected scalar is changed.
fn fate(runner: &dyn Runner, rules: &[BoundRule], case: &Case, number: usize) -> Fate {
    let tolerances = runner.tolerances();
    let Some((expected, path)) = mutation::changed(&case.expected, number, &tolerances) else {
        return Fate::Tolerated;
    };
    let [mut before, mut after] = [case.expected.clone(), expected.clone()];
    let are_read = [&mut before, &mut after].map(|outcome| runner.normalize(outcome).is_ok());
    if are_read == [true; 2] && differences(&before, &after, &tolerances).is_empty() {
        return Fate::Tolerated;
    }
    let mut case = case.clone();
    case.expected = expected;
    match judge_contained(runner, rules, case) {
        Verdict::Failed(_) => Fate::Seen,
        Verdict::Deviates(_) => Fate::Replaced,
        Verdict::Passed => Fate::Unseen(path),
    }
}

fn judge(runner: &dyn Runner, rules: &[BoundRule], index: usize, case: &RawValue) -> Verdict {
    let case: Case = match serde_json::from_str(case.get()) {
        Ok(case) => case,
        Err(error) => {
            return Verdict::Failed(CaseFailure {
                case: format!("number {index}"),
                details: vec![format!("the case cannot be read: {error}")],
            });
        }
    };
    judge_contained(runner, rules, case)
}

fn judge_contained(runner: &dyn Runner, rules: &[BoundRule], case: Case) -> Verdict {
    match catch_unwind(AssertUnwindSafe(|| judge_case(runner, rules, &case))) {
        Ok(Ok(applied)) if applied.is_empty() => Verdict::Passed,
        Ok(Ok(applied)) => Verdict::Deviates(applied),
        Ok(Err(details)) => Verdict::Failed(CaseFailure {
            case: case.name,
            details,
        }),
        Err(panic) => Verdict::Failed(CaseFailure {
            case: case.name,
            details: vec![format!("panicked: {}", panic_text(&*panic))],
        }),
    }
}

/// The ids of the rules that applied, or what is wrong.
fn judge_case(
    runner: &dyn Runner,
    rules: &[BoundRule],
    case: &Case,
) -> Result<Vec<String>, Vec<String>> {
    let tolerances = runner.tolerances();
    let normalized = |mut outcome: Json| {
        runner
            .normalize(&mut outcome)
            .map_err(|failure| vec![failure.to_string()])?;
        Ok::<_, Vec<String>>(outcome)
    };
    let reference = normalized(case.expected.clone())?;
    let mut expected = reference.clone();
    let mut applied = Vec::new();
    for rule in rules {
        if !(rule.predicate.applies)(case) {
            continue;
        }
        let before = expected.clone();
        (rule.predicate.instead)(case, &mut expected);
        if differences(&before, &expected, &tolerances).is_empty() {
            return Err(vec![format!(
                "rule {} applies, and asks for nothing else than was expected without it",
                rule.id
            )]);
        }
        applied.push(rule.id.clone());
    }
    let found = runner
        .run(case)
        .map_err(|failure| vec![failure.to_string()])?;
    let found = normalized(found)?;
    let differences_from = |expected| -> Vec<String> {
        differences(expected, &found, &tolerances)
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    let mut details = differences_from(&expected);
    if details.is_empty() {
        return Ok(applied);
    }
    if !applied.is_empty() {
        let rules = applied.join(" and ");
        details.insert(
            0,
            if differences_from(&reference).is_empty() {
                format!("rule {rules} applies, but we do as the reference does")
            } else {
                format!("rule {rules} applies, but we do something else")
            },
        );
    }
    Err(details)
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("with a value that is no text")
}

/// The number of JSON values in a text: one in a `.json` file, one per line in a `.jsonl` file.
fn values(text: &str) -> Result<usize, serde_json::Error> {
    let mut count = 0;
    for value in serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>() {
        value?;
        count += 1;
    }
    Ok(count)
}

fn vector_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let is_json = path
            .extension()
            .is_some_and(|extension| extension == "json" || extension == "jsonl");
        if is_json && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Why a directory cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// The directory is missing or cannot be listed. Check the argument of `--vectors`.
    #[error("cannot list {}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
}
