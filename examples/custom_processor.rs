//! Your own span processor: it adds up the time that each tool takes.
//!
//! Needs only `agentspan-processor`. In a real program, an agent runtime starts the spans; here, a
//! recording is replayed.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agentspan_processor::model::agentspec::{Recording, SpanDetails};
use agentspan_processor::replay::Replay;
use agentspan_processor::{HookError, Span, SpanProcessor};

const RECORDING: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../conformance/vectors/agentspec_real_run.jsonl"
);

/// Adds up the time that each tool takes.
#[derive(Debug, Default)]
struct ToolTimes(Mutex<BTreeMap<String, Duration>>);

impl SpanProcessor for ToolTimes {
    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        let times = span.start_time().zip(span.end_time());
        if let (SpanDetails::ToolExecutionSpan(details), Some((start, end))) =
            (span.details(), times)
        {
            let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *times.entry(details.tool.name().to_owned()).or_default() += end.since(start);
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let times = Arc::new(ToolTimes::default());
    let mut replay = Replay::new(times.clone());
    for hook in Recording::new(BufReader::new(File::open(RECORDING)?)) {
        replay.play(hook?)?;
    }
    let summary = replay.finish();

    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{} hook calls replayed\n\ntime in tools:",
        summary.hooks
    )?;
    for (tool, time) in &*times.0.lock().unwrap_or_else(PoisonError::into_inner) {
        writeln!(out, "{tool}: {time:?}")?;
    }
    Ok(())
}
