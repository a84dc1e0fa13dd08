//! Arrows between crates point down only, as the table in `ARCHITECTURE.md` says.
//!
//! The table is the data: a new dependency of a crate does not pass until the table names it.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::error::XtaskError;
use crate::workspace::{Package, Workspace, cargo};

/// The file that holds the table.
pub(super) const ARCHITECTURE: &str = "ARCHITECTURE.md";

const HEADING: &str = "## Layers";
const NO_DEPENDENT: &str = "xtask";
const TESTS_ONLY: &str = "agentspan-testkit";

/// What a crate may depend on. The test kit and programs may depend on anything.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    Anything,
    Only(BTreeSet<String>),
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    ours: Allowed,
    outside: Allowed,
    /// Crates that are absent from everything that this one is built from.
    never: BTreeSet<String>,
}

type Table = BTreeMap<String, Row>;

/// Compares the table with what cargo says.
pub(super) fn check(workspace: &Workspace, architecture: &str) -> Result<Vec<Finding>, XtaskError> {
    let table = table(architecture);
    let mut findings = check_declared(workspace.packages(), &table);
    for (name, row) in &table {
        let exists = workspace
            .packages()
            .iter()
            .any(|package| package.name == *name);
        if exists && !row.never.is_empty() {
            let built_from = built_from(workspace, name)?;
            findings.extend(check_absences(name, row, &built_from));
        }
    }
    Ok(findings)
}

/// Every crate that a crate is built from with all of its features, on every platform.
fn built_from(workspace: &Workspace, name: &str) -> Result<BTreeSet<String>, XtaskError> {
    let tree = cargo(workspace)
        .args(["tree", "--locked", "--package", name, "--all-features"])
        .args(["--edges", "normal,build", "--target", "all"])
        .args(["--prefix", "none", "--format", "{p}"])
        .read()?;
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    Ok(names
        .filter(|other| !other.is_empty())
        .map(str::to_owned)
        .collect())
}

fn check_absences(name: &str, row: &Row, built_from: &BTreeSet<String>) -> Vec<Finding> {
    let present = row.never.intersection(built_from);
    present
        .map(|other| {
            finding(format!(
                "{name} is built from {other}, which the table rules out"
            ))
        })
        .collect()
}

fn check_declared(packages: &[Package], table: &Table) -> Vec<Finding> {
    let ours: BTreeSet<&str> = packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut findings = Vec::new();
    for package in packages {
        let Some(row) = table.get(&package.name) else {
            findings.push(finding(format!(
                "the table has no row for {}",
                package.name
            )));
            continue;
        };
        for dependency in package.needed_dependencies() {
            let allowed = if ours.contains(dependency) {
                &row.ours
            } else {
                &row.outside
            };
            if !allowed.has(dependency) {
                let name = &package.name;
                findings.push(finding(format!(
                    "{name} depends on {dependency}, which the table does not name"
                )));
            }
            if dependency == TESTS_ONLY && package.is_published() {
                findings.push(finding(format!(
                    "{} is published and depends on {TESTS_ONLY}",
                    package.name
                )));
            }
        }
        if package
            .dependencies
            .iter()
            .any(|dependency| dependency.name == NO_DEPENDENT)
        {
            findings.push(finding(format!(
                "{} depends on {NO_DEPENDENT}",
                package.name
            )));
        }
    }
    let gone = table.keys().filter(|name| !ours.contains(name.as_str()));
    findings.extend(gone.map(|name| {
        finding(format!(
            "the table has a row for {name}, which does not exist"
        ))
    }));
    findings
}

fn finding(message: String) -> Finding {
    Finding::in_file(ARCHITECTURE, message)
}

impl Allowed {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::Only(names) => names.contains(name),
        }
    }

    /// Reads a cell: `any`, or names in backticks.
    fn of(cell: &str) -> Self {
        if cell.trim() == "any" {
            return Self::Anything;
        }
        Self::Only(names(cell))
    }
}

/// Reads the table under the heading.
fn table(architecture: &str) -> Table {
    let section = architecture
        .lines()
        .skip_while(|line| *line != HEADING)
        .skip(1);
    let section = section.take_while(|line| !line.starts_with("## "));
    section.filter_map(row).collect()
}

fn row(line: &str) -> Option<(String, Row)> {
    let cells: Vec<&str> = line
        .strip_prefix('|')?
        .strip_suffix('|')?
        .split('|')
        .collect();
    let [name, ours, outside, never] = cells.as_slice() else {
        return None;
    };
    let row = Row {
        ours: Allowed::of(ours),
        outside: Allowed::of(outside),
        never: names(never),
    };
    Some((names(name).into_iter().next()?, row))
}

/// The words in backticks.
fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
# Architecture

| `other` | `table` | of | something |

## Layers

| Crate | Ours | Outside | Never |
|---|---|---|---|
| `model` | – | `serde` | `tokio`, clocks |
| `facade` | `model` | – | – |
| `agentspan-testkit` (unpublished) | any | any | – |

## Invariants

| `late` | – | – | – |
";

    fn packages(json: &str) -> Vec<Package> {
        serde_json::from_str(json).unwrap()
    }

    fn package(name: &str, publish: &str, dependencies: &[(&str, &str)]) -> String {
        let dependencies: Vec<String> = dependencies
            .iter()
            .map(|(name, kind)| format!(r#"{{"name": "{name}", "kind": {kind}}}"#))
            .collect();
        format!(
            r#"{{"name": "{name}", "publish": {publish}, "features": {{}}, "targets": [], "dependencies": [{}]}}"#,
            dependencies.join(",")
        )
    }

    /// Checks the three crates of the table, with `model`'s dependencies given.
    fn check_model(dependencies: &[(&str, &str)], messages: &[&str]) {
        let json = format!(
            "[{}, {}, {}]",
            package("model", "null", dependencies),
            package("facade", "null", &[("model", "null")]),
            package(
                "agentspan-testkit",
                "[]",
                &[("facade", "null"), ("hyper", "null")]
            ),
        );
        let findings = check_declared(&packages(&json), &table(TABLE));
        let found: Vec<&str> = findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(found, messages);
    }

    #[test]
    fn the_table_under_the_heading_is_read() {
        let table = table(TABLE);
        assert_eq!(
            table.keys().collect::<Vec<_>>(),
            ["agentspan-testkit", "facade", "model"]
        );
        assert_eq!(table["model"].never, BTreeSet::from(["tokio".to_owned()]));
        assert_eq!(table["agentspan-testkit"].ours, Allowed::Anything);
    }

    #[test]
    fn dependencies_of_the_table_and_of_tests_are_fine() {
        check_model(
            &[
                ("serde", "null"),
                ("proptest", "\"dev\""),
                ("agentspan-testkit", "\"dev\""),
            ],
            &[],
        );
    }

    #[test]
    fn an_arrow_that_the_table_does_not_name_is_found() {
        check_model(
            &[("facade", "null")],
            &["model depends on facade, which the table does not name"],
        );
        check_model(
            &[("cc", "\"build\"")],
            &["model depends on cc, which the table does not name"],
        );
    }

    #[test]
    fn a_published_crate_that_needs_the_test_kit_is_found() {
        check_model(
            &[("agentspan-testkit", "null")],
            &[
                "model depends on agentspan-testkit, which the table does not name",
                "model is published and depends on agentspan-testkit",
            ],
        );
    }

    #[test]
    fn nobody_depends_on_the_chores() {
        check_model(&[("xtask", "\"dev\"")], &["model depends on xtask"]);
    }

    #[test]
    fn crates_and_rows_without_each_other_are_found() {
        let json = format!("[{}]", package("new", "null", &[]));
        let findings = check_declared(&packages(&json), &table(TABLE));
        assert_eq!(findings.len(), 4);
        assert_eq!(findings[0].message, "the table has no row for new");
        assert_eq!(
            findings[3].message,
            "the table has a row for model, which does not exist"
        );
    }

    #[test]
    fn a_forbidden_crate_far_below_is_found() {
        let row = &table(TABLE)["model"];
        let built_from = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(
            check_absences("model", row, &built_from(&["serde", "itoa"])),
            []
        );
        let findings = check_absences("model", row, &built_from(&["serde", "tokio"]));
        assert_eq!(
            findings[0].message,
            "model is built from tokio, which the table rules out"
        );
    }
}
