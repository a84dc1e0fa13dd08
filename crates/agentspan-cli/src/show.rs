//! `agentspan show`: prints the traces of files as trees.

use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;

use crate::answers;
use crate::command_error::{CommandError, Outcome};
use crate::ingest::Files;
use crate::shown::shown_json;
use crate::store::{Store, Trace};
use crate::tree::Tree;

/// How many bytes of spans a command that ends may hold.
pub(crate) const FILE_BYTES: usize = 1 << 30;

/// The options of `show`.
#[derive(Debug)]
pub(crate) struct ShowRequest {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) has_contents: bool,
    pub(crate) is_json: bool,
    /// The beginning of an id.
    pub(crate) trace: Option<String>,
}

pub(crate) fn run(
    request: ShowRequest,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let (store, unreadable) = read(request.files, errors)?;
    let wanted = wanted(&store, request.trace.as_deref())?;
    for (place, trace) in wanted.into_iter().enumerate() {
        let row = trace.row();
        if request.is_json {
            let mut json = answers::trace(row, trace);
            if request.has_contents {
                let spans = trace.spans();
                let contents = spans
                    .iter()
                    .map(|span| (span.span_id.clone(), answers::span(row, span)));
                json["contents"] = Value::Object(contents.collect());
                json["raw"] = answers::raw(trace);
            }
            writeln!(out, "{}", shown_json(&json))?;
        } else {
            if place > 0 {
                writeln!(out)?;
            }
            Tree::new(row, &trace.spans())
                .with_contents(request.has_contents)
                .write(out)?;
        }
    }
    match unreadable {
        0 => Ok(Outcome::Fine),
        lines => Err(CommandError::Lines(lines)),
    }
}

/// The traces whose ids begin so, those that came first first.
///
/// # Errors
///
/// There are none, although some were asked for.
pub(crate) fn wanted<'a>(
    store: &'a Store,
    prefix: Option<&str>,
) -> Result<Vec<&'a Trace>, CommandError> {
    let wanted = prefix.unwrap_or_default().to_lowercase();
    let traces = store.traces();
    let found: Vec<&Trace> = traces
        .filter(|trace| trace.id().starts_with(&wanted))
        .collect();
    match prefix {
        Some(prefix) if found.is_empty() => Err(CommandError::NoTrace(prefix.to_owned())),
        _ => Ok(found),
    }
}

/// Reads files to their ends. Lines that cannot be read are told, and counted.
pub(crate) fn read(
    paths: Vec<PathBuf>,
    errors: &mut dyn Write,
) -> Result<(Store, usize), CommandError> {
    read_files(&mut Files::new(paths), errors)
}

/// As [`read`].
pub(crate) fn read_files(
    files: &mut Files,
    errors: &mut dyn Write,
) -> Result<(Store, usize), CommandError> {
    let mut store = Store::new(FILE_BYTES);
    let read = files.read(&mut store);
    read.map_err(CommandError::Files)?;
    files.finish(&mut store);
    let unreadable = files.tell_problems(errors)?;
    let lost = store.lost();
    if lost.spans > 0 {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        let (spans, traces) = (lost.spans, lost.traces);
        let (of_spans, of_traces) = (plural(spans), plural(traces));
        writeln!(
            errors,
            "dropped {spans} span{of_spans} of {traces} trace{of_traces} that did not fit in memory"
        )?;
    }
    if store.len() == 0 && unreadable == 0 && lost.spans == 0 {
        files.tell_emptiness(errors)?;
    }
    Ok((store, unreadable))
}
