//! The list of the mutants that no test notices, and why.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::areas::Area;
use super::outcomes::Mutant;
use crate::error::XtaskError;

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    #[serde(default)]
    survivors: Vec<Survivors>,
}

/// Mutants of one file that survive for one reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Survivors {
    file: String,
    /// Their changes. One that is there twice is made in two places of the function.
    mutants: Vec<String>,
    reason: String,
}

/// How often the file and the change are in the list, and among the survivors.
type Counts<'a> = BTreeMap<(&'a str, &'a str), (usize, usize)>;

impl List {
    pub(super) fn read(path: &Path) -> Result<Self, XtaskError> {
        let text = fs::read_to_string(path).map_err(|source| XtaskError::File {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|source| XtaskError::Content {
            path: path.to_owned(),
            source,
        })
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let list: Self = toml::from_str(text)?;
        match list
            .survivors
            .iter()
            .find(|one| one.reason.trim().is_empty())
        {
            Some(one) => Err(format!("no reason for {:?}", one.mutants).into()),
            None => Ok(list),
        }
    }

    /// What the list and the survivors of `area` do not have in common, a line each.
    pub(super) fn differences(&self, area: &Area, survivors: &[Mutant]) -> Vec<String> {
        let mut counts = Counts::new();
        for one in self.survivors.iter().filter(|one| area.has(&one.file)) {
            for change in &one.mutants {
                counts.entry((&one.file, change)).or_default().0 += 1;
            }
        }
        for mutant in survivors {
            counts.entry((&mutant.file, mutant.change())).or_default().1 += 1;
        }
        let mut lines = Vec::new();
        for ((file, change), (listed, found)) in counts {
            let difference = match listed.cmp(&found) {
                std::cmp::Ordering::Equal => continue,
                std::cmp::Ordering::Less => "SURVIVES without a reason in the list",
                std::cmp::Ordering::Greater => "in the list, but does not survive",
            };
            lines.push(format!(
                "{difference} ({listed} listed, {found} found): {file}: {change}"
            ));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::super::areas::AREAS;
    use super::*;

    const TEXT: &str = r#"
        [[survivors]]
        file = "crates/agentspan-queue/src/queue.rs"
        mutants = ["replace > with >= in f", "replace > with >= in f", "delete ! in g"]
        reason = "for the test"
    "#;

    fn survivor(change: &str, line: usize) -> Mutant {
        let file = "crates/agentspan-queue/src/queue.rs";
        let text = format!(r#"{{ "file": "{file}", "name": "{file}:{line}:1: {change}" }}"#);
        serde_json::from_str(&text).unwrap()
    }

    fn differences(survivors: &[Mutant]) -> Vec<String> {
        List::parse(TEXT).unwrap().differences(&AREAS[0], survivors)
    }

    #[test]
    fn survivors_with_a_reason_pass_wherever_they_are_in_the_file() {
        let more = "replace > with >= in f";
        let survivors = [
            survivor("delete ! in g", 1),
            survivor(more, 2),
            survivor(more, 70),
        ];
        assert_eq!(differences(&survivors), Vec::<String>::new());
    }

    #[test]
    fn a_survivor_without_a_reason_and_a_reason_without_a_survivor_are_told() {
        let more = "replace > with >= in f";
        let survivors = [survivor(more, 2), survivor("delete ! in h", 3)];
        let file = "crates/agentspan-queue/src/queue.rs";
        let gone = "in the list, but does not survive";
        assert_eq!(
            differences(&survivors),
            [
                format!("{gone} (1 listed, 0 found): {file}: delete ! in g"),
                format!(
                    "SURVIVES without a reason in the list (0 listed, 1 found): {file}: delete ! in h"
                ),
                format!("{gone} (2 listed, 1 found): {file}: {more}"),
            ]
        );
    }

    #[test]
    fn what_is_not_of_the_area_is_not_compared() {
        let list = List::parse(TEXT).unwrap();
        assert_eq!(list.differences(&AREAS[1], &[]), Vec::<String>::new());
    }

    #[test]
    fn a_line_without_a_reason_is_refused() {
        let error = List::parse(&TEXT.replace("for the test", " ")).unwrap_err();
        assert!(error.to_string().starts_with("no reason for"), "{error}");
    }

    #[test]
    fn each_line_of_the_list_is_of_an_area_and_of_a_function_that_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let list = List::read(&root.join(super::super::LIST)).unwrap();
        for one in &list.survivors {
            assert!(AREAS.iter().any(|area| area.has(&one.file)), "{}", one.file);
            let code = fs::read_to_string(root.join(&one.file)).unwrap();
            for change in &one.mutants {
                let function = function_of(change).unwrap_or_default();
                assert!(code.contains(&format!("fn {function}")), "{change}");
            }
        }
    }

    /// The name of the function that is changed, without its type and its generics.
    ///
    /// `None` for a constant.
    fn function_of(change: &str) -> Option<&str> {
        let path = match change.rsplit_once(" in ") {
            Some((_, path)) => path,
            None => {
                let rest = change.strip_prefix("replace ")?;
                let end = rest.find(" -> ").or_else(|| rest.find(" with "))?;
                &rest[..end]
            }
        };
        let name = path.rsplit("::").next()?;
        name.starts_with(char::is_alphabetic).then_some(name)
    }
}
