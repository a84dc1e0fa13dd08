//! The benchmarks over the turn, `cargo xtask bench`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let children = bench::Children::new(
        env!("CARGO_BIN_EXE_bench-allocations"),
        env!("CARGO_BIN_EXE_bench-child"),
        env!("CARGO_BIN_EXE_bench-start"),
    );
    bench::exit_code(bench::run(
        &arguments,
        &children,
        &mut std::io::stdout().lock(),
    ))
}
