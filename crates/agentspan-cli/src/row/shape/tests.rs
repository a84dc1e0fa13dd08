//! Shapes of short runs and of long ones.

use std::sync::Arc;

use serde_json::json;

use super::{BARS, Bar, of};
use crate::facts::Kind;
use crate::span::Span;

const SECOND: u64 = 1_000_000_000;

fn span(operation: &str, from: u64, to: u64, is_error: bool) -> Span {
    let json = json!({
        "traceId": "a", "spanId": format!("{from}"), "name": operation,
        "startTimeUnixNano": (SECOND + from).to_string(), "endTimeUnixNano": (SECOND + to).to_string(),
        "attributes": {"gen_ai.operation.name": operation, "gen_ai.tool.name": "t"},
        "status": {"code": if is_error { 2 } else { 0 }},
    });
    Span::of_json(&json, None, &Arc::default()).unwrap()
}

fn shape(spans: &[Span], end: u64) -> Box<[Bar]> {
    let spans: Vec<&Span> = spans.iter().collect();
    of(&spans, SECOND, SECOND + end)
}

#[test]
fn a_short_run_shows_its_longest_spans_where_they_are() {
    let spans = [
        span("invoke_agent", 0, 1_000, false),
        span("chat", 100, 300, false),
        span("execute_tool", 500, 600, true),
    ];
    let bars = shape(&spans, 1_000);
    let bars: Vec<_> = bars
        .iter()
        .map(|bar| (bar.from, bar.width, bar.kind.name(), bar.is_error))
        .collect();
    assert_eq!(
        bars,
        [
            (0, 1_000, "agent", false),
            (100, 200, "llm", false),
            (500, 100, "tool", true)
        ]
    );
}

#[test]
fn a_long_run_shows_when_it_was_busy_with_what() {
    let mut spans = vec![span("invoke_agent", 0, 27_000, false)];
    // Calls of models in the first third, tools in the last one, each of them far too short to be seen.
    for at in 0..900 {
        spans.push(span("chat", at * 10, at * 10 + 9, false));
    }
    for at in 0..450 {
        let from = 18_000 + at * 20;
        spans.push(span("execute_tool", from, from + 4, at == 100));
    }
    let bars = shape(&spans, 27_000);
    assert!(bars.len() <= BARS);
    assert_eq!((bars[0].kind.name(), bars[0].width), ("agent", 1_000));
    let (models, tools): (Vec<&Bar>, Vec<&Bar>) = bars[1..].iter().partition(|bar| bar.from < 600);
    assert_eq!((models.len(), tools.len()), (9, 9));
    assert!(
        models
            .iter()
            .all(|bar| bar.kind == Kind::Llm && bar.width == 37)
    );
    // They were busy for a fifth of the time.
    assert!(
        tools
            .iter()
            .all(|bar| bar.kind == Kind::Tool && (7..=9).contains(&bar.width))
    );
    let failed: Vec<u16> = tools
        .iter()
        .filter(|bar| bar.is_error)
        .map(|bar| bar.from)
        .collect();
    assert_eq!(failed, [740]);
}
