//! Serves as the sink of the spans, or runs one contender for a profiler.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    bench::exit_code(bench::run_child(&arguments, &mut std::io::stdout().lock()))
}
