//! The results of cargo-mutants, as it writes them into `outcomes.json`.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::error::XtaskError;

/// The results of one run.
#[derive(Debug, Deserialize)]
pub(super) struct Outcomes {
    outcomes: Vec<Outcome>,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    scenario: Scenario,
    summary: Summary,
}

#[derive(Debug, Deserialize)]
enum Scenario {
    /// The tests without a mutant.
    Baseline,
    Mutant(Mutant),
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
enum Summary {
    Success,
    CaughtMutant,
    MissedMutant,
    Unviable,
    Failure,
    Timeout,
}

/// One change of the code.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mutant {
    pub(super) file: String,
    /// File, line, column, and the change.
    name: String,
}

impl Mutant {
    /// The change and the function in which it is, without the place, which other changes of the file move.
    pub(super) fn change(&self) -> &str {
        let place = self.name.strip_prefix(&self.file).unwrap_or(&self.name);
        place.split_once(": ").map_or(place, |(_, change)| change)
    }

    /// The option that selects it.
    pub(super) fn filter(&self) -> String {
        let mut filter = "--re=^".to_owned();
        for c in self.name.chars() {
            if r"\.+*?()|[]{}^$#&-~".contains(c) {
                filter.push('\\');
            }
            filter.push(c);
        }
        filter.push('$');
        filter
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Outcomes {
    pub(super) fn read(path: &Path) -> Result<Self, XtaskError> {
        let text = fs::read_to_string(path).map_err(|source| XtaskError::File {
            path: path.to_owned(),
            source,
        })?;
        serde_json::from_str(&text).map_err(|source| XtaskError::Content {
            path: path.to_owned(),
            source: source.into(),
        })
    }

    /// The mutants with which all tests pass.
    pub(super) fn missed(self) -> impl Iterator<Item = Mutant> {
        let missed = self.outcomes.into_iter();
        let missed = missed.filter(|outcome| outcome.summary == Summary::MissedMutant);
        missed.filter_map(|outcome| match outcome.scenario {
            Scenario::Mutant(mutant) => Some(mutant),
            Scenario::Baseline => None,
        })
    }

    /// The mutants with which a test did not end, which is a way to notice them.
    pub(super) fn hung(&self) -> impl Iterator<Item = &Mutant> {
        let hung = self.outcomes.iter();
        let hung = hung.filter(|outcome| outcome.summary == Summary::Timeout);
        hung.filter_map(|outcome| match &outcome.scenario {
            Scenario::Mutant(mutant) => Some(mutant),
            Scenario::Baseline => None,
        })
    }

    /// How many mutants met which fate.
    pub(super) fn summary(&self) -> String {
        let count = |wanted| {
            let mutants = self.outcomes.iter();
            let mutants = mutants.filter(|one| matches!(one.scenario, Scenario::Mutant(_)));
            mutants.filter(|one| one.summary == wanted).count()
        };
        format!(
            "{} noticed by a test that fails, {} by one that does not end, {} do not compile, {} missed",
            count(Summary::CaughtMutant),
            count(Summary::Timeout),
            count(Summary::Unviable),
            count(Summary::MissedMutant),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As cargo-mutants 27.1.0 writes it, without what is not read here.
    const TEXT: &str = r#"{
        "outcomes": [
            { "scenario": "Baseline", "summary": "Success", "log_path": "log/baseline.log" },
            {
                "scenario": { "Mutant": {
                    "name": "src/a.rs:7:9: replace <impl Debug for A<T>>::fmt -> fmt::Result with Ok(())",
                    "package": "a", "file": "src/a.rs", "replacement": "Ok(())", "genre": "FnValue"
                } },
                "summary": "MissedMutant"
            },
            {
                "scenario": { "Mutant": { "name": "src/a.rs:9:1: delete ! in f", "file": "src/a.rs" } },
                "summary": "Timeout"
            },
            {
                "scenario": { "Mutant": { "name": "src/a.rs:9:5: delete - in f", "file": "src/a.rs" } },
                "summary": "CaughtMutant"
            }
        ],
        "missed": 1
    }"#;

    fn outcomes() -> Outcomes {
        serde_json::from_str(TEXT).unwrap()
    }

    #[test]
    fn a_mutant_is_named_by_its_change_wherever_it_is_in_the_file() {
        let missed: Vec<_> = outcomes().missed().collect();
        let changes: Vec<_> = missed.iter().map(Mutant::change).collect();
        let expected = "replace <impl Debug for A<T>>::fmt -> fmt::Result with Ok(())";
        assert_eq!(changes, [expected]);
        assert_eq!(missed[0].file, "src/a.rs");
    }

    #[test]
    fn a_test_that_does_not_end_has_noticed_the_mutant() {
        let outcomes = outcomes();
        let hung: Vec<_> = outcomes.hung().map(Mutant::change).collect();
        assert_eq!(hung, ["delete ! in f"]);
        let expected = "1 noticed by a test that fails, 1 by one that does not end, 0 do not compile, 1 missed";
        assert_eq!(outcomes.summary(), expected);
    }

    #[test]
    fn a_filter_matches_its_mutant_only() {
        let mutant = Mutant {
            file: "a.rs".to_owned(),
            name: "a.rs:1:2: replace <impl A for B<T>>::é -> (u8) with (*1)".to_owned(),
        };
        let expected = r"--re=^a\.rs:1:2: replace <impl A for B<T>>::é \-> \(u8\) with \(\*1\)$";
        assert_eq!(mutant.filter(), expected);
    }
}
