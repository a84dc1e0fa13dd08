//! Directories of vectors made for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use conformance::report::Report;
use conformance::{Case, Deviations, Outcome, Predicate, Runner, Suite};

/// A directory that goes when the test ends.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("conformance-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn with(self, name: &str, text: &str) -> Self {
        fs::write(self.0.join(name), text).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A vector file with the given cases.
pub(crate) fn file(cases: &[&str]) -> String {
    let cases = cases.join(",");
    format!(r#"{{"reference":"r","what":"w","generated_with":{{}},"cases":[{cases}]}}"#)
}

/// A runner for `echo.json` that answers with the input.
pub(crate) struct Echo(pub(crate) &'static [Predicate]);

impl Runner for Echo {
    fn file_stem(&self) -> &'static str {
        "echo"
    }

    fn run(&self, case: &Case) -> Outcome {
        let answer = case.input_json()?;
        assert_ne!(answer.as_str(), Some("panic"), "asked to");
        Ok(answer)
    }

    fn predicates(&self) -> &'static [Predicate] {
        self.0
    }
}

/// What running `echo.json` with these cases gives.
pub(crate) fn echo(predicates: &'static [Predicate], rules: &str, cases: &[&str]) -> Report {
    let directory = Scratch::new().with("echo.json", &file(cases));
    let rules = Deviations::parse(rules).unwrap();
    let suite = Suite::new(vec![Box::new(Echo(predicates))], &rules).unwrap();
    suite.run(directory.path()).unwrap()
}

/// The report as it is printed.
pub(crate) fn printed(report: &Report) -> String {
    let mut out = Vec::new();
    report.write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}
