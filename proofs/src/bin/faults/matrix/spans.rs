//! F25, F26 and contents: spans that are a fault themselves.

use std::time::Duration;

use agentspan_model::keys;
use opentelemetry::KeyValue;

use crate::defence::Defence::{Limits, Masking};
use crate::front::{AGENT365, OTLP, WIRE};
use crate::row::Row;
use crate::stage::{Pipeline, Settings, Stage};
use crate::wire::Wire;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Wire {
            attributes: |number| match number {
                0 => vec![KeyValue::new(
                    keys::GEN_AI_OUTPUT_MESSAGES,
                    "x".repeat(16 << 20),
                )],
                _ => Vec::new(),
            },
            most_memory_mib: 96,
            ..Wire::new()
        }
        .checking(one_is_cut)
        .row("F25", "a text of 16 MiB", AGENT365, &[Limits]),
        Wire {
            attributes: |_| {
                vec![KeyValue::new(
                    keys::GEN_AI_OUTPUT_MESSAGES,
                    "[".repeat(100_000),
                )]
            },
            settings: Settings {
                // The service looks for each span in what is long.
                timeout: Duration::from_secs(5),
                ..Settings::new()
            },
            most_memory_mib: 96,
            ..Wire::new()
        }
        .row("F25", "JSON of depth 100,000", WIRE, &[])
        .because("nothing looks into it on its way"),
        Wire {
            attributes: |_| {
                vec![
                    KeyValue::new("nan", f64::NAN),
                    KeyValue::new("infinite", f64::NEG_INFINITY),
                    KeyValue::new("least", i64::MIN),
                    KeyValue::new("text", "\0\u{202e}\u{1b}[31m\u{ffff}\"\\"),
                ]
            },
            ..Wire::new()
        }
        .checking(bodies_are_json)
        .row(
            "F26",
            "numbers and texts that JSON has no words for",
            WIRE,
            &[],
        )
        .because("the encoders have no other way to write them"),
        Wire::new().row("T14", "prompts to a masked destination", OTLP, &[Masking]),
    ]
}

fn one_is_cut(stage: &Stage) -> Vec<String> {
    let cut = match &stage.pipeline {
        Pipeline::Delivery(delivery) => delivery.stats().cuts.spans,
        Pipeline::Queue(..) => 0,
    };
    match cut {
        1 => Vec::new(),
        cut => vec![format!("{cut} spans were cut")],
    }
}

pub(super) fn bodies_are_json(stage: &Stage) -> Vec<String> {
    let Pipeline::Delivery(_) = &stage.pipeline else {
        return Vec::new();
    };
    let requests = stage.service.as_ref().map(|service| service.requests());
    let errors = requests.iter().flatten().map(|request| request.json());
    let errors = errors.filter_map(Result::err);
    errors.map(|error| error.to_string()).collect()
}
