//! Forks in the middle of something, for `tests/it/process_forks.rs`.
//!
//! `process_fork STORY FILE URL` tells one story. What a process exports or hears goes into the file as
//! `PID NAME` lines, or as requests to the URL; what it counts it prints as `PID COUNTS` lines.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "the test reads what processes say"
)]

mod stories;

use std::env;
use std::process::ExitCode;

use stories::{Failure, Place};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [story, file, url] = arguments.as_slice() else {
        eprintln!("process_fork STORY FILE URL");
        return ExitCode::FAILURE;
    };
    let place = Place {
        file: file.into(),
        url: url.clone(),
    };
    match tell(story, &place) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("process_fork: {error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                eprintln!("  {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn tell(story: &str, place: &Place) -> Result<(), Failure> {
    match story {
        "export-queue" => stories::export_queue(place, stories::AfterFork::Another),
        "export-queue-without-another" => stories::export_queue(place, stories::AfterFork::None),
        "export-queue-shut-down" => stories::export_queue_shut_down(place),
        "background-queue" => stories::background_queue(place),
        "background-queue-closed" => stories::background_queue_closed(place),
        "delivery" => stories::delivery(place),
        "facade" => stories::facade(place),
        "open-spans" => stories::open_spans(place),
        "ids" => stories::ids(),
        "busy" => stories::busy(place),
        other => Err(format!("no story {other}").into()),
    }
}
