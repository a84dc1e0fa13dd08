//! Writes findings as sentences.

use std::io::{self, Write};

use agentspan_model::agent365::contract::Level;

use super::Verdict;
use crate::judging::Found;
use crate::shown::{shown_cut, shown_path};

pub(super) fn write(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    for found in &verdict.found {
        one(found, out)?;
        writeln!(out)?;
    }
    let count = |level: Level, word: &str| {
        let count = verdict.count(level);
        format!("{count} {word}{}", if count == 1 { "" } else { "s" })
    };
    writeln!(
        out,
        "{}, {}, {} in {} spans of {} traces ({})",
        count(Level::Error, "error"),
        count(Level::Warning, "warning"),
        count(Level::Hint, "hint"),
        verdict.spans,
        verdict.traces,
        verdict.judged_for()
    )
}

fn one(found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let about = &found.about;
    write!(out, "{} {} {}", found.level, about.id, about.name)?;
    if let Some(attribute) = &found.attribute {
        write!(out, ": {}", shown_cut(attribute, 200))?;
    }
    writeln!(out)?;
    if let Some(span) = &found.span {
        let (trace, id) = (shown_cut(&span.trace_id, 64), shown_cut(&span.span_id, 64));
        let name = shown_cut(&found.name, 100);
        writeln!(out, "  span   {name} ({trace}/{id})")?;
    }
    if let Some(place) = &found.place {
        writeln!(out, "  at     {}:{}", shown_path(&place.path), place.line)?;
    }
    writeln!(out, "  why    {} {}", about.symptom, about.cause)?;
    writeln!(out, "  fix    {}", about.remedy)?;
    writeln!(out, "  source {}", about.sources)
}
