//! `cargo xtask fuzz`: what reads input from outside gets input that nobody thought of.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use crate::command::{Program, Running};
use crate::error::XtaskError;
use crate::workspace::{Workspace, cargo};

/// How long each target runs unless something else is asked for.
const SECONDS: &str = "20";

/// What makes a compiler count which code an input reaches. Unlike the sanitizers, that needs no nightly compiler;
/// there is no unsafe code whose addresses a sanitizer could check.
const FLAGS: &str = "--cfg fuzzing \
                     -Cpasses=sancov-module \
                     -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                     -Cllvm-args=-sanitizer-coverage-pc-table \
                     -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Targets whose input becomes spans, which need long inputs from the beginning.
const OF_SPANS: [&str; 3] = ["cuts", "encoder", "otlp_json_lines"];

/// What is longer is not kept among the seeds.
const LONGEST_SEED: u32 = 2_048;

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    /// All of them if there is none.
    targets: Vec<String>,
    seconds: String,
    /// Only put what was found before among the seeds.
    is_merge: bool,
    /// For the checks of every change: only the seeds, so that whether they pass depends on the change alone.
    is_quick: bool,
}

/// Builds the targets, and runs those that `arguments` name, as many at a time as there are processors.
///
/// # Errors
///
/// The arguments are not understood, the targets do not build, or one of them finds something: its output says
/// where the input is.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<(), XtaskError> {
    let request = parse(arguments)?;
    let directory = workspace.root().join("fuzz");
    let programs = build(workspace, request.is_quick)?;
    let targets = match request.targets.is_empty() {
        true => names_in(&directory.join("fuzz_targets"))?,
        false => request.targets.clone(),
    };
    let at_a_time = thread::available_parallelism().map_or(1, usize::from);
    let mut outcome = Ok(());
    for targets in targets.chunks(at_a_time) {
        let started = targets
            .iter()
            .map(|target| Ok((target, start(&request, target, &directory, &programs)?)));
        let started: Vec<_> = started.collect::<Result<_, XtaskError>>()?;
        // Also after one has found something, so that one run tells everything.
        for (target, running) in started {
            match running.wait_quietly() {
                Ok(()) => println!("{target:<20} found nothing"),
                Err(error) => {
                    println!("{target:<20} FOUND SOMETHING");
                    outcome = Err(error);
                }
            }
        }
    }
    outcome
}

/// Returns the directory of the programs.
fn build(workspace: &Workspace, is_quick: bool) -> Result<PathBuf, XtaskError> {
    let build = cargo(workspace)
        .args(["build", "--quiet", "--locked", "--bins"])
        .args(["--manifest-path", "fuzz/Cargo.toml"]);
    let target_directory = workspace.target_directory();
    if is_quick {
        // Nothing has to be counted where seeds are only read, so most is built already, for the tests.
        build.env("CARGO_TARGET_DIR", target_directory).run()?;
        return Ok(target_directory.join("debug"));
    }
    let compiler = Program::new("rustc", workspace.root(), "get it from https://rustup.rs");
    let version = compiler.args(["--version", "--verbose"]).read()?;
    let mut lines = version.lines();
    let host = lines.find_map(|line| line.strip_prefix("host: "));
    let host = host.unwrap_or_default();
    let target_directory = target_directory.join("fuzz");
    build
        // With a target, the flags are not for build scripts and macros.
        .args(["--release", "--target", host])
        .env("CARGO_TARGET_DIR", &target_directory)
        .env("RUSTFLAGS", FLAGS)
        .run()?;
    Ok(target_directory.join(host).join("release"))
}

/// Starts one target.
fn start(
    request: &Request,
    target: &str,
    directory: &Path,
    programs: &Path,
) -> Result<Running, XtaskError> {
    // Found inputs go to the first directory.
    let corpus = directory.join("corpus").join(target);
    let seeds = directory.join("seeds").join(target);
    let artifacts = directory.join("artifacts").join(target);
    for made in [&corpus, &seeds, &artifacts] {
        make(made)?;
    }
    let program = programs.join(format!("{target}{}", std::env::consts::EXE_SUFFIX));
    let program = Program::new(
        program,
        directory,
        "a file in fuzz/fuzz_targets has its name",
    )
    .args([
        format!("-artifact_prefix={}/", artifacts.display()),
        format!("-dict={}", directory.join("tokens.dict").display()),
        "-timeout=60".to_owned(),
    ]);
    let program = match request.is_merge {
        true => program
            .args([
                "-set_cover_merge=1".to_owned(),
                format!("-max_len={LONGEST_SEED}"),
            ])
            .args([seeds, corpus]),
        false if request.is_quick => program.args(["-runs=0"]).args([seeds]),
        false => program
            .args(OF_SPANS.contains(&target).then_some("-len_control=0"))
            .args([format!("-max_total_time={}", request.seconds)])
            .args([corpus, seeds]),
    };
    program.start(programs.join(format!("{target}.log")))
}

fn parse(arguments: &[&str]) -> Result<Request, XtaskError> {
    let usage = || XtaskError::Usage {
        given: format!("fuzz {}", arguments.join(" ")),
    };
    let mut request = Request {
        targets: Vec::new(),
        seconds: SECONDS.to_owned(),
        is_merge: false,
        is_quick: false,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--seconds" => {
                let given = rest.next().ok_or_else(usage)?;
                let number: u32 = given.parse().map_err(|_| usage())?;
                request.seconds = number.to_string();
            }
            "--merge" => request.is_merge = true,
            "--quick" => request.is_quick = true,
            option if option.starts_with('-') => return Err(usage()),
            target => request.targets.push(target.to_owned()),
        }
    }
    Ok(request)
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
        let expected = Request {
            targets: vec!["encoder".to_owned(), "identity".to_owned()],
            seconds: "5".to_owned(),
            is_merge: false,
            is_quick: false,
        };
        assert_eq!(
            parse(&["encoder", "--seconds", "5", "identity"]).unwrap(),
            expected
        );
        let merge = parse(&["--merge"]).unwrap();
        assert!(merge.is_merge && merge.targets.is_empty());
        assert_eq!(merge.seconds, SECONDS);
        let quick = parse(&["--quick"]).unwrap();
        assert!(quick.is_quick && quick.targets.is_empty());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for arguments in [&["--seconds"][..], &["--seconds", "soon"], &["--fast"]] {
            let error = parse(arguments).unwrap_err();
            assert!(matches!(error, XtaskError::Usage { .. }), "{arguments:?}");
        }
    }
}
