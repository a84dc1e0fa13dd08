//! `agentspan diff`: compares two runs, aligned by their steps.

mod aligned;
mod change;

use std::borrow::Cow;
use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::command_error::{CommandError, Outcome};
use crate::row::milliseconds;
use crate::show;
use crate::shown::{counted, shown_cut, shown_json};
use crate::span::Span;
use crate::store::{Store, Trace};
use crate::tree::duration;

use aligned::{Aligned, aligned};

/// The options of `diff`.
#[derive(Debug)]
pub(crate) struct DiffRequest {
    pub(crate) before: PathBuf,
    pub(crate) after: PathBuf,
    /// The beginnings of the ids of the traces, if the files have several.
    pub(crate) traces: [Option<String>; 2],
    pub(crate) is_json: bool,
    pub(crate) has_contents: bool,
}

pub(crate) fn run(
    request: DiffRequest,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let (before, unreadable) = show::read(vec![request.before.clone()], errors)?;
    let (after, more) = show::read(vec![request.after.clone()], errors)?;
    let [of_before, of_after] = &request.traces;
    let (of_before, of_after) = (ids(&before, of_before)?, ids(&after, of_after)?);
    let mut is_same = of_before.len() == of_after.len();
    let pairs = of_before.len().max(of_after.len());
    for place in 0..pairs {
        let ids = [of_before.get(place), of_after.get(place)];
        let (a, b) = (spans(&before, ids[0]), spans(&after, ids[1]));
        let rows = aligned(&a, &b);
        is_same &= rows.iter().all(Aligned::is_same);
        let titles = ids.map(|id| id.map_or("none", String::as_str));
        if request.is_json {
            let rows: Vec<Value> = rows.iter().map(to_json).collect();
            let json = json!({"before": ids[0], "after": ids[1], "spans": rows});
            writeln!(out, "{}", shown_json(&json))?;
        } else {
            let [a, b] = titles.map(|title| shown_cut(title, 64));
            writeln!(out, "− trace {a}\n+ trace {b}")?;
            for row in &rows {
                line(row, request.has_contents, out)?;
            }
            sums(&rows, out)?;
        }
    }
    match (unreadable + more, is_same) {
        (0, true) => Ok(Outcome::Fine),
        (0, false) => Ok(Outcome::Found),
        (lines, _) => Err(CommandError::Lines(lines)),
    }
}

fn spans<'a>(store: &'a Store, id: Option<&String>) -> Cow<'a, [Span]> {
    let trace = id.and_then(|id| store.trace(id));
    trace.map_or(Cow::Borrowed(&[]), Trace::spans)
}

/// The ids of the traces that begin so, those that came first first.
fn ids(store: &Store, wanted: &Option<String>) -> Result<Vec<String>, CommandError> {
    let traces = show::wanted(store, wanted.as_deref())?.into_iter();
    Ok(traces.map(|trace| trace.id().to_owned()).collect())
}

fn line(row: &Aligned<'_>, has_contents: bool, out: &mut dyn Write) -> std::io::Result<()> {
    let Some(span) = row.after.or(row.before) else {
        return Ok(());
    };
    let mark = match (row.before, row.after) {
        (Some(_), None) => '−',
        (None, Some(_)) => '+',
        _ if !row.is_changed() => ' ',
        _ => '≠',
    };
    let indent = "  ".repeat(row.depth.min(64));
    write!(out, "{mark} {indent}{}", shown_cut(&span.name, 200))?;
    for change in &row.changes {
        write!(out, "  {}", change.shown(has_contents))?;
    }
    let lengths = row.durations();
    match lengths {
        (Some(before), Some(after)) if differs(before, after) => {
            writeln!(out, "  {} → {}", duration(before), duration(after))
        }
        (Some(length), None) | (None | Some(_), Some(length)) => {
            writeln!(out, "  {}", duration(length))
        }
        (None, None) => writeln!(out),
    }
}

/// Shorter differences are chance.
fn differs(before: u64, after: u64) -> bool {
    before.abs_diff(after) >= 100_000_000
}

fn sums(rows: &[Aligned<'_>], out: &mut dyn Write) -> std::io::Result<()> {
    let count = |keep: fn(&Aligned<'_>) -> bool| rows.iter().filter(|row| keep(row)).count();
    let added = count(|row| row.before.is_none());
    let missing = count(|row| row.after.is_none());
    let changed = count(|row| row.is_changed());
    writeln!(
        out,
        "{added} added, {missing} missing, {changed} changed of {}",
        counted(rows.len(), "step")
    )
}

fn to_json(row: &Aligned<'_>) -> Value {
    let id = |span: Option<&Span>| span.map(|span| span.span_id.clone());
    let name = row.after.or(row.before).map(|span| span.name.clone());
    let (before, after) = row.durations();
    let differences = row.changes.iter().filter(|change| change.is_difference());
    let changes: serde_json::Map<_, _> = differences
        .map(|change| (change.what.to_owned(), json!([change.before, change.after])))
        .collect();
    let masked = row.changes.iter().filter(|change| !change.is_difference());
    let masked: Vec<&str> = masked.map(|change| change.what).collect();
    json!({
        "name": name,
        "depth": row.depth,
        "before": id(row.before),
        "after": id(row.after),
        "changes": changes,
        "masked": masked,
        "durations": [before.map(milliseconds), after.map(milliseconds)],
    })
}
