//! The project's chores; run `cargo xtask help`.
//!
//! Everything that CI does is a step here, so that a person can run the same thing at a desk.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its standard streams"
)]

mod api;
mod ci;
mod command;
mod deny;
mod error;
mod examples;
mod features;
mod frameworks;
mod fuzz;
mod golden;
mod hosts;
mod loom;
mod miri;
mod mutants;
mod package;
mod page;
mod peers;
mod tidy;
mod weight;
mod workspace;

use std::process::ExitCode;

use crate::error::XtaskError;
use crate::workspace::{Built, Workspace, cargo};

const HELP: &str = "\
usage: cargo xtask <chore>

  help                          this text
  ci [--without STEP..]         all of the chores marked with *, in this order
  tidy                        * layers, sizes, headers, key literals and the other rules of the house
  fmt [--check]               * format, or say what is not formatted
  lint                        * clippy on every target, warnings are errors
  test [ARGS]                 * cargo test --workspace --locked (unit, integration and doc tests)
  programs                    * build every program and example as these tests are built
  doc                         * the documentation, warnings are errors
  features                    * every published crate alone: no default features, then each feature
  frameworks                    agents of rig and genai, captured unchanged, tools over MCP with rmcp, and a blueprint with a
                                credential of azure_identity, in a workspace of its own
  hosts [KIND]...             * programs that use TLS, with and without us: nothing may change for them
  api [--check]               * write the public API of each crate to docs/api, or say how it differs
  package                     * packages of the published crates, without a warning
  page [--pictures]           * the page of `agentspan serve` in Chromium, which is installed where it is missing;
       [--speed]                its pictures go to docs/images if asked; --speed tests a release build with 100,000
                                traces, and holds times
  platforms                   * the model builds for WebAssembly, and the facade for Windows and macOS
  weight [--crates|--command] * count the crates that users build; in ci, that is all. Then build programs of
                                ours and of a peer, and compare the time and the size, which takes minutes, and
                                weigh the command as it is installed
  msrv                        * published crates build with the declared minimum version of Rust
  golden [--check]            * rewrite the golden files, or say which of them would change
  examples                    * run every example, and check the spans that it writes
  conformance [--vectors DIR] * run recorded vectors of the reference packages; with --mutate, change a value in
    [--mutate ROUNDS]           what each case expects, and say whether that is seen; with --review,
    [--review]                  write down how our outcomes differ, for you to review; with --unreviewed,
    [--unreviewed]              list the differences of cases that nobody has reviewed
  deny                        * licences, sources, bans and duplicates of the dependencies
  deny --advisories             known vulnerabilities; fetches the advisory database
  peers agent365 [--profile P]* the reference package and ours over the same spans; P is v0.1, the
    [--inputs N] [--seed S]     default, v2 or v3, which also plays N inputs of scopes, baggage and hosting
  peers agentspec             * the reference package and ours over generated documents of Agent Spec;
    [--documents N] [--seed S]  3,000 of seed 0 by default
  peers rotel                   traces through rotel, a collector, in all renderings
  peers phoenix                 traces in Arize Phoenix, which takes minutes to install
  peers otlp                    traces in MLflow, which takes minutes to install
  peers serve                   live Python packages and a collector send into `agentspan serve`
  peers ingest [SPANS]          what `agentspan serve` takes for spans, beside Phoenix, and beside
    [--otelite PROGRAM          otelite if it is installed; takes minutes. Phoenix needs hours for
     [--without-phoenix]]       100,000 spans
  peers runtimes                runs of WayFlow and LangGraph, replayed, which take minutes to install
  bench [ARGS]                  the benchmarks, compared with peers
  faults [--only TEXT]          the fault matrix, a line for each fault and way into the library: docs/faults.md
    [--without DEFENCE|--prove] without a defence, or each in turn, so that the rows that need it differ
  soak [--minutes N] [--seed S] random schedules of faults, by default for a minute: docs/faults.md
    [--without DEFENCE]         without a defence
    --proof P [--spans N]       one large round: P is losses, tenants or dead
  isolation [--seconds N]       one tenant in trouble beside nine, and an outage, in real time: ten minutes
    [--outage SECONDS]
  liveness [--only TEXT]        flushes and shutdowns that wait in vain, from everywhere
    [--slack MILLISECONDS]
  loom [--quick]              * the queue's hand-off under every schedule with few preemptions (loom), and
    [--preemptions N]           random ones (shuttle); 3 preemptions by default, 2 and loom alone with --quick
  miri [CRATE]...               the unit tests of crates that need no network, interpreted, which takes minutes;
                                needs the nightly toolchain with miri
  mutants [AREA]...             breaks queue, lanes, grouping, masking and propagation in many small ways, which
                                tests must notice: docs/proofs.md; takes hours
  fuzz [TARGET]... [--quick]  * input that nobody thought of, for everything that reads input: 20 seconds for
    [--seconds N] [--merge]     each target by default; only the seeds with --quick; or more seeds with --merge
";

fn main() -> ExitCode {
    if let Some(code) = api::as_rustdoc() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {}", error::report(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), XtaskError> {
    let (chore, rest) = match arguments.split_first() {
        None => ("help", &[][..]),
        Some((chore, rest)) => (chore.as_str(), rest),
    };
    if matches!(chore, "help" | "--help" | "-h") {
        print!("{HELP}");
        return Ok(());
    }
    let workspace = Workspace::load()?;
    chore_named(chore, rest, &workspace)
}

/// Runs one chore. `ci` comes back here for each of its steps.
fn chore_named(chore: &str, rest: &[String], workspace: &Workspace) -> Result<(), XtaskError> {
    let options: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (chore, options.as_slice()) {
        ("ci", []) => ci::run(workspace, &[]),
        ("ci", ["--without", steps @ ..]) => ci::run(workspace, steps),
        ("tidy", []) => tidy::run(workspace),
        ("fmt", []) => cargo(workspace).args(["fmt", "--all"]).run(),
        ("fmt", ["--check"]) => cargo(workspace).args(["fmt", "--all", "--check"]).run(),
        ("lint", []) => cargo(workspace)
            .args(["clippy", "--workspace", "--all-targets", "--locked"])
            .args(["--", "--deny", "warnings"])
            .run(),
        ("test", _) => cargo(workspace)
            .args(["test", "--workspace", "--locked"])
            .args(&options)
            .run(),
        ("programs", []) => workspace.build_programs(),
        ("doc", []) => cargo(workspace)
            .args(["doc", "--workspace", "--no-deps", "--locked"])
            .env("RUSTDOCFLAGS", "--deny warnings")
            .run(),
        ("features", []) => features::run(workspace),
        ("frameworks", []) => frameworks::run(workspace),
        ("api", []) => api::update(workspace),
        ("api", ["--check"]) => api::check(workspace),
        ("package", []) => package::run(workspace),
        ("page", []) => page::run(workspace, page::Pictures::Discard),
        ("page", ["--speed"]) => page::run_for_speed(workspace),
        ("page", ["--pictures"]) => page::run(workspace, page::Pictures::Keep),
        ("platforms", []) => features::platforms(workspace),
        ("weight", []) => weight::run(workspace),
        ("weight", ["--crates"]) => weight::crates(workspace),
        ("weight", ["--command"]) => weight::command(workspace),
        ("miri", _) => miri::run(workspace, &options),
        ("hosts", _) => hosts::run(workspace, &options),
        ("msrv", []) => features::minimum_version(workspace),
        ("golden", []) => golden::update(workspace),
        ("golden", ["--check"]) => golden::check(workspace),
        ("examples", []) => examples::run(workspace),
        ("conformance", _) => workspace
            .program("conformance", Built::Binary("conformance"))?
            .args(&options)
            .run(),
        ("deny", []) => deny::check(workspace),
        ("deny", ["--advisories"]) => deny::advisories(workspace),
        ("bench", _) => cargo(workspace)
            .args(["bench", "--locked", "--package", "bench", "--"])
            .args(&options)
            .run(),
        ("faults", _) => cargo(workspace)
            .args(["run", "--quiet", "--locked", "--package", "proofs"])
            .args(["--bin", "faults", "--"])
            .args(&options)
            .run(),
        ("soak" | "isolation" | "liveness", _) => cargo(workspace)
            .args(["run", "--release", "--quiet", "--locked"])
            .args(["--package", "proofs", "--bin", "faults", "--", chore])
            .args(&options)
            // Of the library, not of a program that is installed.
            .env("CARGO_PROFILE_RELEASE_LTO", "false")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            // Each round has threads of its own, for which glibc would keep more and more arenas.
            .env("MALLOC_ARENA_MAX", "2")
            .run(),
        ("loom", _) => loom::run(workspace, &options),
        ("mutants", _) => mutants::run(workspace, &options),
        ("fuzz", _) => fuzz::run(workspace, &options),
        ("peers", ["serve"]) => peers::serve(workspace),
        ("peers", ["agent365", options @ ..]) => peers::agent365(workspace, options),
        ("peers", ["agentspec", options @ ..]) => peers::agentspec(workspace, options),
        ("peers", ["phoenix"]) => peers::phoenix(workspace),
        ("peers", ["ingest", options @ ..]) => peers::ingest(workspace, options),
        ("peers", ["otlp"]) => peers::otlp(workspace),
        ("peers", ["rotel"]) => peers::rotel(workspace),
        ("peers", ["runtimes"]) => peers::runtimes(workspace),
        _ => Err(XtaskError::Usage {
            given: std::iter::once(chore)
                .chain(options)
                .collect::<Vec<_>>()
                .join(" "),
        }),
    }
}
