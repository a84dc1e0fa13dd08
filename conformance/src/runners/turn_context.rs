//! `turn_context.json`: baggage pairs of a turn of a conversation.

use agentspan_otel::BaggageBuilder;
use agentspan_otel::turn_context::turn_context_pairs;
use serde_json::{Value, json};

use crate::{Allowance, Case, Outcome, Runner};

pub(super) struct TurnContext;

impl Runner for TurnContext {
    fn file_stem(&self) -> &'static str {
        "turn_context"
    }

    fn run(&self, case: &Case) -> Outcome {
        let input: Value = case.input()?;
        let builder = BaggageBuilder::new().with_turn_context_json(&input).build();
        Ok(json!({
            "raised": null,
            "pairs": turn_context_pairs(&input),
            "builder_pairs": builder.pairs().collect::<Vec<_>>(),
        })
        .into())
    }

    fn allowances(&self) -> Vec<Allowance> {
        vec![Allowance {
            name: "channel_data_is_not_strict_json",
            applies: |case| channel_data(case).is_some_and(|text| is_only_json_to_python(&text)),
            places: &["pairs", "builder_pairs"],
        }]
    }
}

fn channel_data(case: &Case) -> Option<String> {
    let input: Value = case.input().ok()?;
    let data = input.get("activity")?.get("channel_data")?;
    data.as_str().map(str::to_owned)
}

/// Python also reads `NaN`, `Infinity` and `-Infinity`.
fn is_only_json_to_python(text: &str) -> bool {
    let strict = text
        .replace("-Infinity", "0")
        .replace("Infinity", "0")
        .replace("NaN", "0");
    serde_json::from_str::<Value>(text).is_err() && serde_json::from_str::<Value>(&strict).is_ok()
}
