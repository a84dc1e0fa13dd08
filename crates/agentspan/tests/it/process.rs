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

/// Runs the test of this name in a process with these variables, where it must pass.
pub(crate) fn must_pass(name: &str, variables: &[(&str, &str)]) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(STARTED_BY_TEST, "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    // A name that no test has would succeed as well.
    let is_passed = output.status.success() && shown.contains(" 1 passed");
    assert!(is_passed, "{name} with {variables:?}:\n{shown}{errors}");
}

/// Whether the test of this name, which calls this, has its process for itself. If not, it runs
/// in a process of its own, where it must pass.
///
/// For tests whose scopes must record: the scopes of a process have one switch, and tests beside
/// them turn it off.
pub(crate) fn has_its_own(name: &str) -> bool {
    if !is_started_by_test() {
        must_pass(name, &[]);
    }
    is_started_by_test()
}
