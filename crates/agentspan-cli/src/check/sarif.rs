//! Findings in SARIF 2.1.0: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use std::collections::BTreeMap;
use std::io::{self, Write};

use agentspan_model::agent365::contract::{Level, Rule};
use serde_json::{Value, json};

use super::{Found, Verdict};

pub(super) fn write(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let rules = verdict.found.iter().filter_map(|found| found.rule);
    let rules: BTreeMap<&str, &Rule> = rules.map(|rule| (rule.id.as_str(), rule)).collect();
    let rules: Vec<Value> = rules.into_values().map(rule).collect();
    let results: Vec<Value> = verdict.found.iter().map(result).collect();
    let json = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "agentspan",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    });
    writeln!(out, "{json:#}")
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.id.as_str(),
        "name": rule.name,
        "shortDescription": {"text": rule.symptom},
        "fullDescription": {"text": rule.cause},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": level(rule.level)},
    })
}

fn result(found: &Found) -> Value {
    let finding = &found.finding;
    let about = finding.attribute.as_ref().map(|key| format!(" ({key})"));
    let why = found.rule.map(|rule| rule.cause).unwrap_or_default();
    let text = format!("{why}{} {}", about.unwrap_or_default(), finding.remedy());
    let mut location = json!({});
    if let Some(place) = &found.place {
        let uri = place.path.to_string_lossy().replace('\\', "/");
        location["physicalLocation"] = json!({
            "artifactLocation": {"uri": uri},
            "region": {"startLine": place.line},
        });
    }
    if let Some(span) = &finding.span {
        let name = format!("{}/{}", span.trace_id, span.span_id);
        location["logicalLocations"] = json!([{"name": found.name, "fullyQualifiedName": name}]);
    }
    json!({
        "ruleId": finding.rule.as_str(),
        "level": level(finding.level),
        "message": {"text": text},
        "locations": [location],
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        _ => "note",
    }
}
