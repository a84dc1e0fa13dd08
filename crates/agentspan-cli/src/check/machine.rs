//! Findings as one object of JSON.

use std::io::{self, Write};

use agentspan_model::agent365::contract::Level;
use serde_json::{Value, json};

use super::{Found, Verdict};

pub(super) fn write(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let findings: Vec<Value> = verdict.found.iter().map(Found::to_json).collect();
    let json = json!({
        "for": format!("agent365:{}", verdict.rule_set),
        "spans": verdict.spans,
        "traces": verdict.traces,
        "errors": verdict.count(Level::Error),
        "warnings": verdict.count(Level::Warning),
        "hints": verdict.count(Level::Hint),
        "findings": findings,
    });
    writeln!(out, "{json:#}")
}
