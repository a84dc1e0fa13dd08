//! Tests that need a process of their own: its environment, or its log.
//!
//! The environment of a process cannot be changed safely while it runs, and it has one subscriber: a test starts
//! itself once more.

use std::process::Command;

/// Set in a process that a test started.
const STARTED_BY_TEST: &str = "AGENTSPAN_STARTED_BY_TEST";

#[expect(clippy::disallowed_methods, reason = "this is no setting")]
pub(crate) fn is_started_by_test() -> bool {
    std::env::var_os(STARTED_BY_TEST).is_some()
}

/// What the test that started this process says.
#[expect(clippy::disallowed_methods, reason = "this is no setting")]
pub(crate) fn said(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// Whether the test of this name passes in a process with these variables.
pub(crate) fn passes(name: &str, variables: &[(&str, &str)]) -> bool {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--quiet"])
        .env(STARTED_BY_TEST, "1")
        .envs(variables.iter().copied())
        .status();
    status.unwrap().success()
}
