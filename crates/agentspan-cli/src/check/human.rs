//! Writes findings as sentences.

use std::collections::HashMap;
use std::io::{self, Write};

use agentspan_model::agent365::contract::Level;

use super::Verdict;
use crate::judging::Found;
use crate::shown::{counted, shown_cut, shown_path};

/// How many spans of one finding are named.
const PLACES: usize = 3;

/// How many spans of each finding are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    /// The first few.
    Some,
    All,
}

pub(super) fn write(verdict: &Verdict, amount: Amount, out: &mut dyn Write) -> io::Result<()> {
    for group in groups(&verdict.found) {
        let shown = match amount {
            Amount::All => usize::MAX,
            Amount::Some => PLACES,
        };
        several(&group, shown, out)?;
        writeln!(out)?;
    }
    let count = |level: Level, word: &str| counted(verdict.count(level), word);
    writeln!(
        out,
        "{}, {}, {} in {} of {} ({})",
        count(Level::Error, "error"),
        count(Level::Warning, "warning"),
        count(Level::Hint, "hint"),
        counted(verdict.spans, "span"),
        counted(verdict.traces, "trace"),
        verdict.judged_for()
    )
}

/// The findings of one rule about one attribute, in the order in which the first of them were found.
fn groups(found: &[Found]) -> Vec<Vec<&Found>> {
    let mut groups: Vec<Vec<&Found>> = Vec::new();
    let mut places = HashMap::new();
    for found in found {
        let key = (
            found.about.id,
            found.level.name(),
            found.attribute.as_deref(),
        );
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(found),
            None => groups.push(vec![found]),
        }
    }
    groups
}

/// Findings of one rule, with the places of the first ones.
fn several(group: &[&Found], shown: usize, out: &mut dyn Write) -> io::Result<()> {
    let Some(found) = group.first() else {
        return Ok(());
    };
    let about = &found.about;
    write!(out, "{} {} {}", found.level, about.id, about.name)?;
    if let Some(attribute) = &found.attribute {
        write!(out, ": {}", shown_cut(attribute, 200))?;
    }
    match group.len() {
        1 => writeln!(out)?,
        count => writeln!(out, " ({count} times)")?,
    }
    for found in group.iter().take(shown) {
        place(found, out)?;
    }
    if group.len() > shown {
        writeln!(out, "  and {} more: --all shows them", group.len() - shown)?;
    }
    writeln!(out, "  why    {} {}", about.symptom, about.cause)?;
    writeln!(out, "  fix    {}", about.remedy)?;
    writeln!(out, "  source {}", about.sources)
}

fn place(found: &Found, out: &mut dyn Write) -> io::Result<()> {
    if let Some(span) = &found.span {
        let (trace, id) = (shown_cut(&span.trace_id, 64), shown_cut(&span.span_id, 64));
        let name = shown_cut(&found.name, 100);
        writeln!(out, "  span   {name} ({trace}/{id})")?;
    }
    if let Some(place) = &found.place {
        writeln!(out, "  at     {}:{}", shown_path(&place.path), place.line)?;
    }
    Ok(())
}
