//! `cargo xtask fuzz`: what reads input from outside gets input that nobody thought of.

use std::fs;
use std::path::Path;

use crate::command::Program;
use crate::error::XtaskError;
use crate::workspace::Workspace;

/// How long each target runs unless something else is asked for.
const SECONDS: &str = "60";

const INSTALL: &str = "install it with `cargo install cargo-fuzz --locked`, and its compiler with \
                       `rustup toolchain install nightly --profile minimal`";

/// Runs the targets that `arguments` name, all of them by default, one after the other.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<(), XtaskError> {
    let (targets, seconds) = parse(arguments)?;
    let directory = workspace.root().join("fuzz");
    Program::new("cargo-fuzz", &directory, INSTALL)
        .args(["--version"])
        .run()?;
    let all = names_in(&directory.join("fuzz_targets"))?;
    for target in if targets.is_empty() { all } else { targets } {
        // Found inputs go to the first directory.
        let corpus = directory.join("corpus").join(&target);
        make(&corpus)?;
        let mut inputs = vec![corpus];
        let seeds = directory.join("seeds").join(&target);
        inputs.extend(seeds.is_dir().then_some(seeds));
        // There is no unsafe code whose addresses a sanitizer could check.
        Program::new("rustup", &directory, "get it from https://rustup.rs")
            .args(["run", "nightly", "cargo", "fuzz", "run"])
            .args(["--sanitizer", "none", target.as_str()])
            .args(inputs)
            .args(["--", "-timeout=10"])
            .args([format!("-dict={}", directory.join("tokens.dict").display())])
            .args([format!("-max_total_time={seconds}")])
            .run()?;
    }
    Ok(())
}

/// The targets and the seconds that a command line asks for.
fn parse(arguments: &[&str]) -> Result<(Vec<String>, String), XtaskError> {
    let usage = || XtaskError::Usage {
        given: format!("fuzz {}", arguments.join(" ")),
    };
    let mut targets = Vec::new();
    let mut seconds = SECONDS.to_owned();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--seconds" => {
                let given = rest.next().ok_or_else(usage)?;
                let number: u32 = given.parse().map_err(|_| usage())?;
                seconds = number.to_string();
            }
            option if option.starts_with('-') => return Err(usage()),
            target => targets.push(target.to_owned()),
        }
    }
    Ok((targets, seconds))
}

/// The names of the targets, each of which is a file.
fn names_in(directory: &Path) -> Result<Vec<String>, XtaskError> {
    let failed = |source| XtaskError::File {
        path: directory.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_stem().map(|name| name.to_string_lossy());
        names.extend(name.map(|name| name.into_owned()));
    }
    names.sort_unstable();
    Ok(names)
}

fn make(directory: &Path) -> Result<(), XtaskError> {
    fs::create_dir_all(directory).map_err(|source| XtaskError::File {
        path: directory.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_seconds_come_in_any_order() {
        let expected = (
            vec!["body".to_owned(), "identity".to_owned()],
            "5".to_owned(),
        );
        assert_eq!(
            parse(&["body", "--seconds", "5", "identity"]).unwrap(),
            expected
        );
        assert_eq!(parse(&[]).unwrap(), (Vec::new(), SECONDS.to_owned()));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for arguments in [&["--seconds"][..], &["--seconds", "soon"], &["--fast"]] {
            let error = parse(arguments).unwrap_err();
            assert!(matches!(error, XtaskError::Usage { .. }), "{arguments:?}");
        }
    }
}
