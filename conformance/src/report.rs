//! What a run found, and how it is written.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::compare::Difference;

/// How much of a line with JSON in it is shown.
const SHOWN_CHARS: usize = 600;
/// How many lines are shown for a case.
const SHOWN_DETAILS: usize = 12;

/// What a run of a directory found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// One entry per file, in order of their names.
    pub files: Vec<FileReport>,
}

/// What was found in one file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileReport {
    /// The file's name.
    pub name: String,
    /// What was found.
    pub result: FileResult,
}

/// What was found in one file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FileResult {
    /// Nobody runs this file yet.
    NoRunner,
    /// The file is not what it should be.
    Unreadable(String),
    /// The cases were run.
    Ran {
        /// Cases in which we do as the reference.
        passed: usize,
        /// By rule, the cases in which we do as that rule says. A case may count for more than one.
        deviations: BTreeMap<String, usize>,
        /// Cases in which we do as a rule says.
        deviates: usize,
        /// Those of them whose differences nobody has reviewed.
        unreviewed: Vec<Unreviewed>,
        /// The others.
        failures: Vec<CaseFailure>,
    },
}

/// A case in which we differ in places where a rule allows it, and nobody has reviewed how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unreviewed {
    /// The name of the case.
    pub case: String,
    /// The differences, each with the rule that allows it.
    pub differences: Vec<(String, Difference)>,
}

/// A case in which we do neither as the reference nor as a rule says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CaseFailure {
    /// The name of the case.
    pub case: String,
    /// What is wrong, a line each.
    pub details: Vec<String>,
}

/// What came of one case.
pub(crate) enum Verdict {
    Passed,
    /// The rules that applied, and the differences if nobody has reviewed them.
    Deviates {
        rules: Vec<String>,
        unreviewed: Option<Unreviewed>,
    },
    Failed(CaseFailure),
}

/// Numbers over all files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Cases in which we do as the reference, or as a rule says.
    pub passed: usize,
    /// Those of them in which we do as a rule says.
    pub deviates: usize,
    /// All other cases, and files that cannot be read.
    pub failed: usize,
}

impl Report {
    /// Numbers over all files.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for file in &self.files {
            match &file.result {
                FileResult::NoRunner => {}
                FileResult::Unreadable(_) => totals.failed += 1,
                FileResult::Ran {
                    passed,
                    deviates,
                    failures,
                    ..
                } => {
                    totals.passed += passed + deviates;
                    totals.deviates += deviates;
                    totals.failed += failures.len();
                }
            }
        }
        totals
    }

    /// Whether something was run, and nothing failed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        let totals = self.totals();
        totals.failed == 0 && totals.passed > 0
    }

    /// Writes a line per file, the details of failures, and the totals; the last line is
    /// `N passed, N failed`.
    ///
    /// # Errors
    ///
    /// Whatever `out` answers.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut by_rule = BTreeMap::<&str, usize>::new();
        for FileReport { name, result } in &self.files {
            match result {
                FileResult::NoRunner => writeln!(out, "{name}: no runner yet")?,
                FileResult::Unreadable(why) => writeln!(out, "{name}: cannot be run: {why}")?,
                FileResult::Ran {
                    passed,
                    deviations,
                    deviates,
                    unreviewed,
                    failures,
                } => {
                    let failed = failures.len();
                    writeln!(
                        out,
                        "{name}: {passed} passed, {failed} failed, {deviates} deviates"
                    )?;
                    if !unreviewed.is_empty() {
                        let number = unreviewed.len();
                        writeln!(out, "  {number} with differences that are not reviewed")?;
                    }
                    for failure in failures {
                        failure.write(out)?;
                    }
                    for (rule, cases) in deviations {
                        *by_rule.entry(rule).or_default() += cases;
                    }
                }
            }
        }
        for (rule, cases) in by_rule {
            writeln!(out, "rule {rule}: {cases} cases")?;
        }
        let Totals {
            passed,
            deviates,
            failed,
        } = self.totals();
        if passed + failed == 0 {
            writeln!(out, "nothing was run")?;
        }
        writeln!(out, "{deviates} of the passed cases deviate by rule")?;
        writeln!(out, "{passed} passed, {failed} failed")
    }
}

impl Report {
    /// Writes the differences that nobody has reviewed, a line each, for somebody to do so.
    ///
    /// # Errors
    ///
    /// Whatever `out` answers.
    pub fn write_unreviewed(&self, out: &mut impl Write) -> io::Result<()> {
        for FileReport { name, result } in &self.files {
            let FileResult::Ran { unreviewed, .. } = result else {
                continue;
            };
            for Unreviewed { case, differences } in unreviewed {
                for (rule, difference) in differences {
                    let line = difference.to_string().replace('\n', " ");
                    writeln!(out, "not reviewed: {rule}: {name}: {case}: {line}")?;
                }
            }
        }
        Ok(())
    }
}

impl FileResult {
    pub(crate) fn ran() -> Self {
        Self::Ran {
            passed: 0,
            deviations: BTreeMap::new(),
            deviates: 0,
            unreviewed: Vec::new(),
            failures: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, verdict: Verdict) {
        let Self::Ran {
            passed,
            deviations,
            deviates,
            unreviewed,
            failures,
        } = self
        else {
            return;
        };
        match verdict {
            Verdict::Passed => *passed += 1,
            Verdict::Failed(failure) => failures.push(failure),
            Verdict::Deviates {
                rules,
                unreviewed: differs,
            } => {
                *deviates += 1;
                unreviewed.extend(differs);
                for rule in rules {
                    *deviations.entry(rule).or_default() += 1;
                }
            }
        }
    }
}

impl CaseFailure {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "  failed: {}", self.case)?;
        for detail in self.details.iter().take(SHOWN_DETAILS) {
            // A panic's text has lines, and so might other causes: the totals stay the last line.
            let detail = detail.replace('\n', " ");
            match detail.char_indices().nth(SHOWN_CHARS) {
                Some((end, _)) => writeln!(out, "    {}…", &detail[..end])?,
                None => writeln!(out, "    {detail}")?,
            }
        }
        if let Some(more) = self.details.len().checked_sub(SHOWN_DETAILS + 1) {
            writeln!(out, "    and {} more", more + 1)?;
        }
        Ok(())
    }
}
