//! Findings in SARIF 2.1.0: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use std::collections::BTreeMap;
use std::io::{self, Write};

use agentspan_model::agent365::contract::Level;
use serde_json::{Value, json};

use super::Verdict;
use crate::judging::{About, Found};
use crate::shown::shown_pretty_json;

pub(super) fn write(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let rules = verdict.found.iter().map(|found| &*found.about);
    let rules: BTreeMap<&str, &About> = rules.map(|about| (about.id, about)).collect();
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
    writeln!(out, "{}", shown_pretty_json(&json))
}

fn rule(rule: &About) -> Value {
    json!({
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.symptom},
        "fullDescription": {"text": rule.cause},
        "help": {"text": format!("{} Source: {}.", rule.remedy, rule.sources)},
        "defaultConfiguration": {"level": level(rule.level)},
    })
}

fn result(found: &Found) -> Value {
    let about = &found.about;
    let key = found.attribute.as_ref().map(|key| format!(" ({key})"));
    let (why, fix) = (about.cause, about.remedy);
    let text = format!("{why}{} {fix}", key.unwrap_or_default());
    let mut location = json!({});
    if let Some(place) = &found.place {
        let uri = place.path.to_string_lossy().replace('\\', "/");
        location["physicalLocation"] = json!({
            "artifactLocation": {"uri": uri},
            "region": {"startLine": place.line},
        });
    }
    if let Some(span) = &found.span {
        let name = format!("{}/{}", span.trace_id, span.span_id);
        location["logicalLocations"] = json!([{"name": found.name, "fullyQualifiedName": name}]);
    }
    json!({
        "ruleId": about.id,
        "level": level(found.level),
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
