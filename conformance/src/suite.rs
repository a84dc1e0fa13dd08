//! Runs the files of a directory.

use std::any::Any;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::case::VectorFile;
use crate::compare::{Difference, differences};
use crate::deviations::{BoundRule, Code, DeviationsError};
use crate::mutation::{self, Fate, Mutations};
use crate::report::{CaseFailure, FileReport, FileResult, Report, Unreviewed, Verdict};
use crate::reviewed::{Reviewed, written};
use crate::{Case, Deviations, Json, Runner};

/// The directory of the vectors that the project ships.
pub const SHIPPED_VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors");

/// Runners with the rules that apply to them.
#[expect(missing_debug_implementations, reason = "runners have none")]
pub struct Suite {
    runners: Vec<Bound>,
    reviewed: Reviewed,
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
        Ok(Self {
            runners,
            reviewed: deviations.reviewed.clone(),
        })
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
            let Ok(Cases { runner, cases }) = self.cases(&path, &text) else {
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
                    file.add(&case.name, self.fate(runner, &case, number));
                }
            }
        }
        Ok(mutations)
    }

    /// Adds the differences of the cases of a directory, for somebody to review.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn review(&self, directory: &Path, reviewed: &mut Reviewed) -> Result<(), SuiteError> {
        for path in vector_files(directory).map_err(|source| SuiteError::Directory {
            directory: directory.into(),
            source,
        })? {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let Ok(Cases { runner, cases, .. }) = self.cases(&path, &text) else {
                continue;
            };
            for case in cases {
                let Ok(case) = serde_json::from_str::<Case>(case.get()) else {
                    continue;
                };
                let judged = catch_unwind(AssertUnwindSafe(|| self.judge(runner, &case)));
                if let Ok(Ok(judged)) = judged {
                    if judged.other.is_empty() {
                        reviewed.add(runner.0.file_stem(), &case, &judged.differences());
                    }
                }
            }
        }
        Ok(())
    }

    fn run_file(&self, path: &Path, text: &str) -> FileResult {
        let Cases { runner, cases } = match self.cases(path, text) {
            Ok(cases) => cases,
            Err(result) => return result,
        };
        let mut result = FileResult::ran();
        for (index, case) in cases.iter().enumerate() {
            result.add(self.verdict_on_text(runner, index, case));
        }
        result
    }

    /// The cases of a file with what runs them, or what else is to be said of the file.
    fn cases(&self, path: &Path, text: &str) -> Result<Cases<'_>, FileResult> {
        let runner = self.runners.iter().find(|(runner, _)| {
            path.file_stem()
                .is_some_and(|stem| stem == runner.file_stem())
        });
        let Some(runner) = runner else {
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
            runner.0.line_cases(text)
        } else {
            serde_json::from_str(text).map(|file: VectorFile| file.cases)
        };
        let cases = cases.map_err(|error| FileResult::Unreadable(error.to_string()))?;
        if cases.is_empty() {
            return Err(FileResult::Unreadable("the file has no cases".into()));
        }
        Ok(Cases { runner, cases })
    }

    /// What becomes of a case of which one expected scalar is changed.
    fn fate(&self, runner: &Bound, case: &Case, number: usize) -> Fate {
        let tolerances = runner.0.tolerances();
        let Some((expected, path)) = mutation::changed(&case.expected, number, &tolerances) else {
            return Fate::Tolerated;
        };
        let [mut before, mut after] = [case.expected.clone(), expected.clone()];
        let are_read = [&mut before, &mut after].map(|outcome| runner.0.normalize(outcome).is_ok());
        if are_read == [true; 2] && differences(&before, &after, &tolerances).is_empty() {
            return Fate::Tolerated;
        }
        let mut case = case.clone();
        case.expected = expected;
        match self.verdict(runner, case) {
            Verdict::Failed(_) => Fate::Seen,
            Verdict::Deviates { .. } => Fate::Replaced,
            Verdict::Passed => Fate::Unseen(path),
        }
    }

    fn verdict_on_text(&self, runner: &Bound, index: usize, case: &RawValue) -> Verdict {
        match serde_json::from_str(case.get()) {
            Ok(case) => self.verdict(runner, case),
            Err(error) => Verdict::Failed(CaseFailure {
                case: format!("number {index}"),
                details: vec![format!("the case cannot be read: {error}")],
            }),
        }
    }

    fn verdict(&self, runner: &Bound, case: Case) -> Verdict {
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge(runner, &case)));
        let judged =
            judged.unwrap_or_else(|panic| Err(vec![format!("panicked: {}", panic_text(&*panic))]));
        let judged = judged.and_then(|judged| {
            let reviewed = self.reviewed.of(runner.0.file_stem(), &case);
            judged.verdict(&case.name, reviewed)
        });
        judged.unwrap_or_else(|details| {
            Verdict::Failed(CaseFailure {
                case: case.name,
                details,
            })
        })
    }

    fn judge(&self, (runner, rules): &Bound, case: &Case) -> Result<Judged, Vec<String>> {
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
            let Code::Rewrites(predicate) = rule.code else {
                continue;
            };
            if !(predicate.applies)(case) {
                continue;
            }
            let before = expected.clone();
            (predicate.instead)(case, &mut expected);
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
        let mut other = differences(&expected, &found, &tolerances);
        let mut allowed = Vec::new();
        for rule in rules {
            let Code::Allows(allowance) = rule.code else {
                continue;
            };
            if other.is_empty() || !(allowance.applies)(case) {
                continue;
            }
            let (within, without): (Vec<_>, Vec<_>) = other
                .into_iter()
                .partition(|difference| difference.is_within(allowance.places));
            other = without;
            if !within.is_empty() {
                applied.push(rule.id.clone());
                allowed.extend(within.into_iter().map(|one| (rule.id.clone(), one)));
            }
        }
        Ok(Judged {
            rules: applied,
            allowed,
            other,
            is_reference: differences(&reference, &found, &tolerances).is_empty(),
        })
    }
}

/// A runner with its rules.
type Bound = (Box<dyn Runner>, Vec<BoundRule>);

/// The cases of a file, and what runs them.
struct Cases<'a> {
    runner: &'a Bound,
    cases: Vec<Box<RawValue>>,
}

/// How an outcome of ours compares with the reference's.
struct Judged {
    /// The rules that applied.
    rules: Vec<String>,
    /// The differences that they allow, each with its rule.
    allowed: Vec<(String, Difference)>,
    /// All other differences.
    other: Vec<Difference>,
    /// Whether we did as the reference did.
    is_reference: bool,
}

impl Judged {
    /// The differences that a rule allows.
    fn differences(&self) -> Vec<Difference> {
        let allowed = self.allowed.iter();
        allowed.map(|(_, difference)| difference.clone()).collect()
    }

    /// The verdict, or what is wrong.
    fn verdict(self, case: &str, reviewed: Option<&[[String; 3]]>) -> Result<Verdict, Vec<String>> {
        if !self.other.is_empty() {
            let mut details: Vec<_> = self.other.iter().map(ToString::to_string).collect();
            if !self.rules.is_empty() {
                let rules = self.rules.join(" and ");
                details.insert(
                    0,
                    if self.is_reference {
                        format!("rule {rules} applies, but we do as the reference does")
                    } else {
                        format!("rule {rules} applies, but we do something else")
                    },
                );
            }
            return Err(details);
        }
        let found = written(&self.differences());
        if let Some(reviewed) = reviewed.filter(|reviewed| *reviewed != found) {
            let row = |[path, expected, found]: &[String; 3]| {
                format!("{path}: expected {expected}, found {found}")
            };
            let gone = reviewed.iter().filter(|known| !found.contains(known));
            let new = found.iter().filter(|new| !reviewed.contains(new));
            let gone = gone.map(|known| format!("reviewed, and not so: {}", row(known)));
            let new = new.map(|new| format!("so, and not reviewed: {}", row(new)));
            return Err(gone.chain(new).collect());
        }
        Ok(match self.rules.is_empty() {
            true => Verdict::Passed,
            false => Verdict::Deviates {
                unreviewed: (reviewed.is_none() && !self.allowed.is_empty()).then(|| Unreviewed {
                    case: case.to_owned(),
                    differences: self.allowed,
                }),
                rules: self.rules,
            },
        })
    }
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
