//! What the service answers, read with its types.

use agentspan_model::agent365::contract::{Answer, SinkStatus, SpanOutcome};
use serde_json::{Value, json};

fn read(answer: &Value) -> Answer {
    Answer::read(answer.to_string().as_bytes())
}

#[test]
fn each_span_has_its_outcome_and_its_reasons() {
    let answer = read(&json!({
        "results": [
            {"spanId": "00f067aa0ba902b1", "sinks": {"flashpoint": {"status": "sent"}, "esp": {"status": "SENT"}}},
            {"spanId": "00f067aa0ba902b2", "sinks": {"flashpoint": {"status": "sent"},
                "esp": {"status": "not_routed", "reason": "sink_disabled"}}},
            {"spanId": "00f067aa0ba902b3", "sinks": {"flashpoint": {"status": "sent"},
                "esp": {"status": "rejected", "reason": "bad_span"}}},
            {"spanId": "00F067AA0BA902B4", "sinks": {"esp": {"status": "not_routed", "reason": "tenant_not_licensed"}}},
            {"spanId": "00f067aa0ba902b5", "sinks": {"esp": {"status": "queued"}, "sentinel": {"status": "not_routed"}}},
            {"spanId": "00f067aa0ba902b6", "status": "rejected", "reason": "no"},
            {"spanId": "00f067aa0ba902b7", "sinks": {"esp": "sent"}},
            {"spanId": "00f067aa0ba902b8"}, {"spanId": 1}, null, {},
        ],
        "partialSuccess": {"rejectedSpans": 0, "errorMessage": ""},
    }));
    for (last, outcome, reasons) in [
        (1, SpanOutcome::Confirmed, &[][..]),
        (2, SpanOutcome::Confirmed, &["sink_disabled"]),
        (3, SpanOutcome::Rejected, &["bad_span"]),
        (4, SpanOutcome::NotRouted, &["tenant_not_licensed"]),
        (5, SpanOutcome::Unconfirmed, &[]),
        (6, SpanOutcome::Rejected, &["no"]),
        (7, SpanOutcome::Confirmed, &[]),
        (8, SpanOutcome::Unconfirmed, &[]),
        (9, SpanOutcome::Unconfirmed, &[]),
    ] {
        let id = format!("00f067aa0ba902b{last}");
        assert_eq!(answer.outcome(&id), outcome, "{id}");
        assert_eq!(answer.reasons(&id), reasons, "{id}");
    }
    let sink = &answer.results[4].sinks[0];
    assert_eq!(
        (sink.name.as_deref(), sink.status),
        (Some("esp"), SinkStatus::Unknown)
    );
    assert!(answer.is_whole);
}

#[test]
fn partial_success_is_read_in_all_its_forms() {
    let of = |partial: Value| {
        let partial = read(&json!({"partialSuccess": partial})).partial_success;
        partial.map(|partial| (partial.rejected_spans, partial.message))
    };
    assert_eq!(of(json!(null)), None);
    assert_eq!(of(json!("x")), None);
    assert_eq!(of(json!({})), Some((0, None)));
    assert_eq!(
        of(json!({"rejectedSpans": "3", "errorMessage": ""})),
        Some((3, None))
    );
    let said = Some("no operation".to_owned());
    assert_eq!(
        of(json!({"rejectedSpans": 2, "errorMessage": "no operation"})),
        Some((2, said))
    );
    assert_eq!(read(&json!({})).partial_success, None);
    assert_eq!(read(&json!([])), read(&json!(null)));
}

#[test]
fn an_answer_that_is_cut_off_confirms_nothing_and_rejects_what_it_names() {
    let whole = r#"{"results":[{"spanId":"00f067aa0ba902b1","sinks":{"a":{"status":"sent"}}},
        {"spanId":"00f067aa0ba902b2","sinks":{"a":{"status":"rejected","reason":"r"}}},{"spa"#;
    let answer = Answer::read(whole.as_bytes());
    assert!(!answer.is_whole);
    assert_eq!(answer.outcome("00f067aa0ba902b1"), SpanOutcome::Unconfirmed);
    assert_eq!(answer.outcome("00f067aa0ba902b2"), SpanOutcome::Rejected);
}
