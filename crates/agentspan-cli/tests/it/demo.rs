//! `agentspan demo`.

use std::process::ExitCode;

use crate::run;

#[test]
fn the_demonstration_shows_the_agent_its_tools_and_the_one_that_failed() {
    let ran = run(&["demo", "--once"]);
    assert_eq!(ran.code, ExitCode::SUCCESS, "{}", ran.errors);
    let begins = |begin: &str| {
        ran.out
            .lines()
            .filter(|line| line.starts_with(begin))
            .count()
    };
    assert_eq!(begins("└─ invoke_agent Librarian  "), 1, "{}", ran.out);
    assert_eq!(begins("   ├─ execute_tool count_files  "), 1, "{}", ran.out);
    assert!(ran.out.contains("execute_tool read_file"), "{}", ran.out);
    assert!(
        ran.out.contains("6 spans") && ran.out.contains("542 → 109 tokens  1 error"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("refused"), "{}", ran.out);
    // The page is gone with the command.
    assert!(
        ran.out.contains("\nAnswer of the agent: ") && !ran.out.contains("The page"),
        "{}",
        ran.out
    );
}
