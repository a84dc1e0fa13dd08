//! The tables of `docs/mapping.md` that say what each generation writes of scopes.

use std::fmt::Write as _;

use agentspan_model::agent365::mapping::Recorded;
use agentspan_model::agent365::{
    ExecuteToolCallResult, GuardrailDecision, GuardrailFinding, InputMessages, Profile, Response,
};
use serde_json::Map;

use super::{Closure, Facts, Shown, facts, facts_at_port, shown, value};

const COLUMNS: [(&str, Profile); 4] = [
    ("`V0_1`", Profile::V0_1),
    ("`V2`", Profile::V2),
    ("`V3`", Profile::V3),
    ("`Direct`", Profile::Direct),
];

const SCOPES: [&str; 5] = [
    "`InvokeAgentScope`",
    "`ExecuteToolScope`",
    "`InferenceScope`",
    "`OutputScope`",
    "`ApplyGuardrailScope`",
];

const INTRODUCTION: &str = "
## Scopes of Agent 365

These tables show the attributes that each profile writes, and their forms, for a scope with all possible values. The rows are in the order
in which `V3` writes them; keys of other profiles alone follow. Over OTLP/JSON, `Direct` sends every value as a string.
";

/// The form of a value, which [`value_text`](crate::value_text::value_text) names first.
fn form(value: &str) -> &'static str {
    let (name, _) = value.split_once('(').unwrap_or((value, ""));
    match name {
        "Str" | "Static" => "text",
        "I64" => "integer",
        "F64" => "float",
        "Bool" => "boolean",
        "StrList" => "list",
        "DecimalText" => "integer as text",
        "JsonArrayText" | "JsonArrayOfStrs" | "JsonObjectText" | "InputMessages"
        | "OutputMessages" => "JSON text",
        _ => "other",
    }
}

/// One row for each key, in the order of the newest generation that writes it. Facts of servers at port 443 show less.
fn table(title: &str, of: impl Fn(&Facts, Profile) -> Shown) -> String {
    let (any_port, usual_port) = (facts_at_port(8443), facts());
    let columns = COLUMNS.map(|(_, profile)| of(&any_port, profile));
    let usual = COLUMNS.map(|(_, profile)| of(&usual_port, profile));
    let mut keys: Vec<&'static str> = Vec::new();
    for column in columns.iter().rev().skip(1).chain(columns.last()) {
        for (key, _) in column {
            if !keys.contains(key) {
                keys.push(key);
            }
        }
    }
    let mut table = format!("\n### {title}\n\n| Attribute |");
    for (name, _) in COLUMNS {
        write!(table, " {name} |").unwrap();
    }
    table.push_str("\n|---|---|---|---|---|\n");
    for key in keys {
        write!(table, "| `{key}` |").unwrap();
        for (column, usual) in columns.iter().zip(&usual) {
            let form = value(column, key).map_or("–", form);
            let unless = match form != "–" && value(usual, key).is_none() {
                true => ", unless 443",
                false => "",
            };
            write!(table, " {form}{unless} |").unwrap();
        }
        table.push('\n');
    }
    table
}

fn recorded(facts: &Facts, profile: Profile) -> Shown {
    let typed = ExecuteToolCallResult::new();
    let messages = InputMessages::from("question");
    let response = Response::from("answer");
    let object = Map::new();
    let all = [
        Recorded::ResponseParameters(&facts.response_parameters),
        Recorded::Response(&response),
        Recorded::ToolResult("r"),
        Recorded::ToolResultObject(&object),
        Recorded::TypedToolResult(&typed),
        Recorded::InputTokens(1),
        Recorded::OutputTokens(2),
        Recorded::CacheReadInputTokens(3),
        Recorded::CacheWriteInputTokens(4),
        Recorded::ResponseModel("m"),
        Recorded::ThoughtProcess("hm"),
        Recorded::Decision {
            decision: &GuardrailDecision::Deny,
            reason: Some("r"),
        },
        Recorded::GuardrailInput(&messages),
        Recorded::GuardrailOutput("o"),
    ];
    shown(|v| {
        for one in all {
            one.visit_attributes(profile, &mut Closure(v));
        }
    })
}

/// A finding that says everything that one can.
pub(crate) fn whole_finding() -> GuardrailFinding {
    GuardrailFinding::new("pii", "high")
        .with_policy_decision("deny")
        .with_policy_id("p")
        .with_policy_name("n")
        .with_policy_version("v")
        .with_risk_score(0.5)
        .with_risk_metadata(["k"])
}

fn finding(_: &Facts, profile: Profile) -> Shown {
    let finding = whole_finding();
    shown(|v| finding.visit_attributes(profile, &mut Closure(v)))
}

/// All of them.
pub(crate) fn tables() -> String {
    let mut text = INTRODUCTION.to_owned();
    for (at, name) in SCOPES.into_iter().enumerate() {
        let of_scope = |facts: &Facts, profile| facts.scopes(profile).into_iter().nth(at).unwrap();
        text.push_str(&table(name, of_scope));
    }
    text.push_str(&table("Recorded while a scope is open", recorded));
    let name = GuardrailFinding::event_name(Profile::V3).unwrap();
    text.push_str(&table(&format!("The event `{name}`"), finding));
    text
}

#[test]
fn each_form_of_a_value_has_a_word() {
    assert!(!tables().contains("| other |"), "{}", tables());
}
