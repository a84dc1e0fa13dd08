//! `agentspan completions` and `agentspan man`.

use std::process::ExitCode;

use crate::run;

#[test]
fn each_shell_gets_completions_with_all_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = run(&["completions", shell]);
        assert_eq!(ran.code, ExitCode::SUCCESS, "{shell}");
        for command in ["check", "convert", "diff", "replay", "serve"] {
            assert!(ran.out.contains(command), "{shell} {command}");
        }
    }
}

#[test]
fn manual_pages_are_in_roff() {
    let ran = run(&["man"]);
    assert!(
        ran.out.contains(".TH agentspan 1") && ran.out.contains("agentspan\\-check(1)"),
        "{}",
        ran.out
    );
    let ran = run(&["man", "check"]);
    assert!(ran.out.contains("\\-\\-fail\\-on"), "{}", ran.out);
    assert_eq!(run(&["man", "nothing"]).code, ExitCode::from(2));
}
