//! Findings in sentences.

use std::io::{self, Write};

use agentspan_model::agent365::contract::Level;

use super::{Found, Verdict};
use crate::shown::{shown, shown_cut};

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
        "{}, {}, {} in {} spans of {} traces (agent365:{})",
        count(Level::Error, "error"),
        count(Level::Warning, "warning"),
        count(Level::Hint, "hint"),
        verdict.spans,
        verdict.traces,
        verdict.rule_set
    )
}

fn one(found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let finding = &found.finding;
    let name = found.rule.map(|rule| rule.name).unwrap_or_default();
    write!(out, "{} {} {name}", finding.level, finding.rule)?;
    if let Some(attribute) = &finding.attribute {
        write!(out, ": {}", shown(attribute))?;
    }
    writeln!(out)?;
    if let Some(span) = &finding.span {
        let (trace, id) = (shown_cut(&span.trace_id, 64), shown_cut(&span.span_id, 64));
        writeln!(
            out,
            "  span   {} ({trace}/{id})",
            shown_cut(&found.name, 100)
        )?;
    }
    if let Some(place) = &found.place {
        writeln!(out, "  at     {}:{}", place.path.display(), place.line)?;
    }
    if let Some(rule) = found.rule {
        writeln!(out, "  why    {} {}", rule.symptom, rule.cause)?;
    }
    writeln!(out, "  fix    {}", finding.remedy())?;
    writeln!(out, "  source {}", found.sources())
}
