//! Writes findings as one JSON object.

use std::io::{self, Write};

use agentspan_model::agent365::contract::Level;
use serde_json::{Value, json};

use super::Verdict;
use crate::judging::Found;
use crate::shown::shown_pretty_json;

pub(super) fn write(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let findings: Vec<Value> = verdict.found.iter().map(Found::to_json).collect();
    let json = json!({
        "for": verdict.judged_for(),
        "spans": verdict.spans,
        "traces": verdict.traces,
        "errors": verdict.count(Level::Error),
        "warnings": verdict.count(Level::Warning),
        "hints": verdict.count(Level::Hint),
        "findings": findings,
    });
    writeln!(out, "{}", shown_pretty_json(&json))
}
