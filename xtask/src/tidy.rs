//! `cargo xtask tidy`: the rules of the house that no compiler and no lint checks.
//!
//! Each rule is a function from sources to findings, in a file of its own.

mod file_names;
mod headers;
mod key_literals;
mod layers;
mod lints_table;
mod lock_files;
mod log_lines;
mod machine_paths;
mod profiles;
mod sizes;
mod source;
mod test_hygiene;
mod threats;
mod todos;
mod tree;

use std::fmt;

use crate::error::XtaskError;
use crate::tidy::tree::Tree;
use crate::workspace::Workspace;

/// A broken rule and where it is broken.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// Counted from 1; `None` when the whole file is meant.
    line: Option<usize>,
    message: String,
}

impl Finding {
    fn in_file(path: &str, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line: None,
            message: message.into(),
        }
    }

    fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line: Some(line),
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

/// Checks every rule and prints what is broken.
pub(crate) fn run(workspace: &Workspace) -> Result<(), XtaskError> {
    let (tree, mut findings) = Tree::read(workspace)?;
    let architecture = tree.text(layers::ARCHITECTURE).unwrap_or_default();
    findings.extend(layers::check(workspace, architecture)?);
    findings.extend(sizes::check_architecture(architecture));
    findings.extend(lock_files::check(workspace)?);
    let security = tree.text(threats::SECURITY).unwrap_or_default();
    findings.extend(threats::check(security, tree.sources()));
    let keys = key_literals::Keys::of(tree.sources());
    for source in tree.sources() {
        findings.extend(headers::check(source));
        findings.extend(sizes::check(source));
        findings.extend(keys.check(source));
        findings.extend(profiles::check(source));
        findings.extend(log_lines::check(source));
        findings.extend(test_hygiene::check(source));
    }
    for (path, text) in tree.texts() {
        findings.extend(file_names::check(path));
        findings.extend(lints_table::check(path, text));
        findings.extend(machine_paths::check(path, text));
        findings.extend(todos::check(path, text));
    }
    for finding in &findings {
        eprintln!("{finding}");
    }
    println!(
        "{} files, {} of Rust, {} findings",
        tree.texts().count(),
        tree.sources().len(),
        findings.len()
    );
    if findings.is_empty() {
        return Ok(());
    }
    Err(XtaskError::Tidy {
        count: findings.len(),
    })
}
