//! `agentspan completions` and `agentspan man`.

use std::ffi::OsString;
use std::io::{self, Write};
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

/// A disk without space.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("no space left"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_output_that_cannot_be_written_is_told() {
    let bash = ["agentspan", "completions", "bash"];
    let manual = ["agentspan", "man", "check"];
    for arguments in [bash, manual] {
        let mut errors = Vec::new();
        let code = agentspan_cli::run(arguments.map(OsString::from), &mut Full, &mut errors);
        assert_eq!(code, ExitCode::from(2), "{arguments:?}");
        let errors = String::from_utf8(errors).unwrap();
        assert!(errors.contains("no space left"), "{errors}");
    }
}
