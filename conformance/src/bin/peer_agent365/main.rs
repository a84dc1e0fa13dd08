//! Runs the reference package of Agent 365 and our crates side by side and compares what arrives.
//!
//! `cargo xtask peers agent365` installs the package and starts this program with the interpreter, the
//! driver and the generation of the contract. Both sides speak TLS to a loopback service of their own, which plays the same answers to
//! both. There are three parts: exports of given spans, where everything must be equal; scenarios of
//! scopes through the whole pipelines, where ids, times and stack traces are another run's; and turns of
//! conversations, of which the baggage must be equal.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its standard streams"
)]

mod arrived;
mod async_scopes;
mod batches;
mod exports;
mod generation;
mod random;
mod reference;
mod scopes;
mod side_by_side;
mod turns;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use crate::generation::Generation;
use crate::side_by_side::Peers;

/// How many batches are made from seeds.
const BATCHES: u64 = 80;

/// How many turns of conversations are made from seeds.
const TURNS: u64 = 4_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let known = match arguments.as_slice() {
        [python, driver, name] => {
            Generation::named(name).map(|generation| (python, driver, generation))
        }
        _ => None,
    };
    let Some((python, driver, generation)) = known else {
        eprintln!("usage: peer_agent365 <python> <driver> v0.1|v2|v3; cargo xtask peers does it");
        return ExitCode::FAILURE;
    };
    match compare(Path::new(python), Path::new(driver), generation) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("peer_agent365: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Compares everything and returns how many cases differ.
fn compare(python: &Path, driver: &Path, generation: Generation) -> Result<usize, Box<dyn Error>> {
    let mut peers = Peers::start(python, driver, generation)?;
    for file in generation.files {
        peers.exports_of_vectors(file)?;
    }
    peers.exports_of_batches(0..BATCHES)?;
    peers.scenarios(&driver.with_file_name(generation.scenarios))?;
    if generation.has_turns {
        peers.turns(0..TURNS)?;
    }
    Ok(peers.conclude())
}
