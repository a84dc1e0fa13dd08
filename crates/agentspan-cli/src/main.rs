//! The command `agentspan`. The library beside it has the implementation.

use std::io::{stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    agentspan_cli::run(std::env::args_os(), &mut stdout(), &mut stderr())
}
