//! `cargo xtask mutants`: breaks the core in many small ways, one at a time, and looks whether a test notices.

mod areas;
mod list;
mod outcomes;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use self::areas::{AREAS, Area, Judge};
use self::list::List;
use self::outcomes::{Mutant, Outcomes};
use crate::command::Program;
use crate::error::XtaskError;
use crate::loom;
use crate::workspace::Workspace;

/// The version of cargo-mutants that is installed when it is missing.
const VERSION: &str = "27.1.0";

/// The mutants that no test notices, each with a reason.
const LIST: &str = "proofs/mutants.toml";

/// What cargo-mutants says when tests missed mutants, and when tests did not end.
const MISSED: i32 = 2;
const DID_NOT_END: i32 = 3;

/// Tests the mutants of the areas that `arguments` name, or of all.
///
/// # Errors
///
/// An argument is no area, the tests fail without a mutant, or the survivors are not those of the list.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<(), XtaskError> {
    let areas = parse(arguments)?;
    let list = List::read(&workspace.root().join(LIST))?;
    let program = workspace.installed("cargo-mutants", VERSION)?;
    let mut differences = 0;
    for area in areas {
        let survivors = survivors(workspace, &program, area)?;
        let lines = list.differences(area, &survivors);
        lines.iter().for_each(|line| println!("{line}"));
        differences += lines.len();
    }
    if differences > 0 {
        return Err(XtaskError::Mutants { differences });
    }
    Ok(())
}

fn parse(arguments: &[&str]) -> Result<Vec<&'static Area>, XtaskError> {
    if arguments.is_empty() {
        return Ok(AREAS.iter().collect());
    }
    let named = |name: &&str| AREAS.iter().find(|area| area.name == *name);
    let areas: Option<_> = arguments.iter().map(named).collect();
    areas.ok_or_else(|| XtaskError::Usage {
        given: format!("mutants {}", arguments.join(" ")),
    })
}

/// The mutants of an area that none of its judges notices. Each judge sees what those before it have missed.
fn survivors(
    workspace: &Workspace,
    program: &Path,
    area: &Area,
) -> Result<Vec<Mutant>, XtaskError> {
    let mut missed: Option<Vec<Mutant>> = None;
    for (number, judge) in area.judges.iter().enumerate() {
        if missed.as_ref().is_some_and(Vec::is_empty) {
            break;
        }
        println!("{}: {}", area.name, judge.description);
        let output = workspace
            .target_directory()
            .join("mutants")
            .join(format!("{}-{number}", area.name));
        let outcomes = judged(workspace, program, area, judge, missed.as_deref(), &output)?;
        for mutant in outcomes.hung() {
            println!("a test did not end: {mutant}");
        }
        println!("{}: {}", area.name, outcomes.summary());
        let now: BTreeSet<Mutant> = outcomes.missed().collect();
        missed = Some(match missed {
            None => now.into_iter().collect(),
            // The filter by name does not apply to all kinds of mutants.
            Some(before) => before.into_iter().filter(|one| now.contains(one)).collect(),
        });
    }
    Ok(missed.unwrap_or_default())
}

/// Runs one judge over the mutants of `area`, or over those `only`.
fn judged(
    workspace: &Workspace,
    program: &Path,
    area: &Area,
    judge: &Judge,
    only: Option<&[Mutant]>,
    output: &Path,
) -> Result<Outcomes, XtaskError> {
    forget(output)?;
    fs::create_dir_all(output).map_err(|source| XtaskError::File {
        path: output.to_owned(),
        source,
    })?;
    let command = Program::new(program, workspace.root(), "delete it and run this again")
        .args(["mutants", "--no-config", "--colors=never"])
        .args(["--gitignore=true", "--jobs=1"])
        .args(["--output".as_ref(), output.as_os_str()])
        .args(
            area.packages()
                .iter()
                .map(|name| format!("--package={name}")),
        )
        .args(area.files().map(|file| format!("--file={file}")))
        .args(only.into_iter().flatten().map(Mutant::filter))
        .args(
            judge
                .packages
                .iter()
                .map(|name| format!("--test-package={name}")),
        )
        .args(["--cargo-arg=--locked"])
        .args(
            judge
                .targets
                .iter()
                .map(|target| format!("--cargo-arg={target}")),
        )
        // A mutant differs in a place: to compile all of its crate again takes four times as long.
        .env("CARGO_INCREMENTAL", "1")
        .env("CARGO_PROFILE_DEV_DEBUG", "none")
        // That a test fails is enough.
        .env("RUST_BACKTRACE", "0")
        .env("PROPTEST_CASES", judge.cases)
        .env("PROPTEST_MAX_SHRINK_ITERS", "0");
    let (command, directory) = match judge.checker {
        Some(checker) => {
            let command = command.args(["--profile=release"]);
            (loom::with_settings(command, checker, loom::QUICK), checker)
        }
        None => (command, "build"),
    };
    command
        // Each copy of the sources is built here, so that what they depend on is built once.
        .env(
            "CARGO_TARGET_DIR",
            workspace.target_directory().join("mutants").join(directory),
        )
        .args(["--", "--"])
        .args(judge.tests)
        .run_and_allow(&[MISSED, DID_NOT_END])?;
    Outcomes::read(&output.join("mutants.out").join("outcomes.json"))
}

/// Removes what an earlier run has left.
fn forget(directory: &Path) -> Result<(), XtaskError> {
    if !directory.exists() {
        return Ok(());
    }
    fs::remove_dir_all(directory).map_err(|source| XtaskError::File {
        path: directory.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_found_by_name_and_all_are_meant_without_one() {
        assert_eq!(parse(&[]).unwrap().len(), AREAS.len());
        let named: Vec<_> = parse(&["lanes", "queue"]).unwrap();
        let names: Vec<_> = named.iter().map(|area| area.name).collect();
        assert_eq!(names, ["lanes", "queue"]);
        let error = parse(&["queue", "nothing"]).unwrap_err();
        assert!(matches!(error, XtaskError::Usage { .. }));
    }
}
