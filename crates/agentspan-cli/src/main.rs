//! The command `agentspan`. What it does is in the library beside it.

use std::io::{stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    agentspan_cli::run(std::env::args_os(), &mut stdout(), &mut stderr())
}
