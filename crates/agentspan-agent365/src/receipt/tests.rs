//! Every answer gives numbers that add up, and says what it says.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

fn ids(count: u64) -> Vec<SpanKey> {
    (1..=count).map(|id| key(1, id)).collect()
}

fn key(trace: u128, span: u64) -> SpanKey {
    (TraceId::from(trace), SpanId::from(span))
}

fn read(answer: &Json, spans: u64) -> Receipt {
    Receipt::read(answer.to_string().as_bytes(), &ids(spans), &Withheld::new())
}

/// Reads an answer to a request with three spans: how many are confirmed, unconfirmed, rejected and not
/// routed.
fn check(answer: &Json, expected: [usize; 4]) {
    let receipt = read(answer, 3);
    assert_eq!(numbers(&receipt), expected, "{answer}");
}

fn numbers(receipt: &Receipt) -> [usize; 4] {
    [
        receipt.confirmed,
        receipt.unconfirmed,
        receipt.rejected,
        receipt.not_routed,
    ]
}

fn shown(reasons: &mut Reasons) -> Vec<String> {
    let shown = reasons.take().into_iter();
    shown
        .map(|reason| format!("{}x {reason}", reason.spans))
        .collect()
}

fn result(span: u64, sinks: &Json) -> Json {
    json!({"spanId": SpanId::from(span).to_string(), "sinks": sinks})
}

#[test]
fn an_answer_that_says_nothing_confirms_nothing() {
    for answer in [
        json!(null),
        json!({}),
        json!([]),
        json!("sent"),
        json!({"partialSuccess": null}),
        json!({"partialSuccess": {"rejectedSpans": 0, "errorMessage": ""}}),
        json!({"results": []}),
        json!({"results": "sent"}),
        json!({"results": [null, 1, "x", [], {}, {"spanId": 1}, {"spanId": "xyz"}]}),
        json!({"results": [{"spanId": "0000000000000001"}]}),
        json!({"results": [{"spanId": "0000000000000001", "sinks": []}]}),
    ] {
        check(&answer, [0, 3, 0, 0]);
    }
    for broken in ["", "{", "<html>", "\u{0}", "{\"results\":[{\"spanId\""] {
        let receipt = Receipt::read(broken.as_bytes(), &ids(3), &Withheld::new());
        assert_eq!(numbers(&receipt), [0, 3, 0, 0], "{broken}");
    }
}

#[test]
fn partial_success_counts_the_rejected() {
    let partial = |rejected: Json| json!({"partialSuccess": {"rejectedSpans": rejected}});
    check(&partial(json!(1)), [0, 2, 1, 0]);
    check(&partial(json!("2")), [0, 1, 2, 0]);
    check(&partial(json!(" 2 ")), [0, 1, 2, 0]);
    check(&partial(json!(2.0)), [0, 1, 2, 0]);
    for all in [
        json!(3),
        json!(4),
        json!(u64::MAX),
        json!(1e300),
        json!("9".repeat(400)),
    ] {
        check(&partial(all), [0, 0, 3, 0]);
    }
    for none in [
        json!(-1),
        json!("-1"),
        json!("NaN"),
        json!("x"),
        json!([1]),
        json!(true),
    ] {
        check(&partial(none), [0, 3, 0, 0]);
    }
}

#[test]
fn a_result_says_it_of_its_span() {
    let sent = json!({"flashpoint": {"status": "sent"}, "esp": {"status": "sent"}});
    let rejected = json!({"flashpoint": {"status": "rejected", "reason": "bad_span"}});
    let not_routed = json!({"esp": {"status": "not_routed", "reason": "tenant_not_licensed"}});
    let answer =
        json!({"results": [result(1, &sent), result(2, &rejected), result(3, &not_routed)]});
    let mut receipt = read(&answer, 4);
    assert_eq!(numbers(&receipt), [1, 1, 1, 1]);
    assert_eq!(
        shown(&mut receipt.why_rejected),
        ["1x bad_span (flashpoint)"]
    );
    assert_eq!(
        shown(&mut receipt.why_not_routed),
        ["1x tenant_not_licensed (esp)"]
    );
    assert_eq!(shown(&mut receipt.notices), [""; 0]);
}

#[test]
fn a_status_may_stand_for_all_destinations() {
    let answer = json!({"results": [
        {"spanId": "0000000000000001", "status": "rejected", "reason": "no"},
        {"spanId": "0000000000000002", "status": "SENT"},
        {"spanId": "0000000000000003", "sinks": {"esp": "sent"}},
    ]});
    let mut receipt = read(&answer, 3);
    assert_eq!(numbers(&receipt), [2, 0, 1, 0]);
    assert_eq!(shown(&mut receipt.why_rejected), ["1x no"]);
}

#[test]
fn destinations_that_disagree() {
    let of = |sinks: &Json| json!({"results": [result(1, sinks)]});
    let mixed =
        json!({"a": {"status": "sent"}, "b": {"status": "not_routed", "reason": "sink_disabled"}});
    let mut receipt = read(&of(&mixed), 1);
    assert_eq!(numbers(&receipt), [1, 0, 0, 0]);
    assert_eq!(shown(&mut receipt.notices), ["1x sink_disabled (b)"]);
    let mixed = json!({"a": {"status": "sent"}, "b": {"status": "rejected", "reason": "r"}});
    assert_eq!(numbers(&read(&of(&mixed), 1)), [0, 0, 1, 0]);
    let mixed = json!({"a": {"status": "queued"}, "b": {"status": "not_routed"}});
    assert_eq!(numbers(&read(&of(&mixed), 1)), [0, 1, 0, 0]);
    let unknown =
        json!({"a": {"status": "queued", "reason": "later"}, "b": {"status": 1}, "c": {}});
    let mut receipt = read(&of(&unknown), 1);
    assert_eq!(numbers(&receipt), [0, 1, 0, 0]);
    assert_eq!(shown(&mut receipt.notices), ["1x later (a)"]);
}

#[test]
fn results_of_spans_that_were_not_sent_count_nothing() {
    let rejected = json!({"a": {"status": "rejected", "reason": "r"}});
    let answer = json!({"results": [result(7, &rejected), result(8, &rejected)]});
    let mut receipt = read(&answer, 3);
    assert_eq!(numbers(&receipt), [0, 3, 0, 0]);
    assert_eq!(shown(&mut receipt.why_rejected), [""; 0]);
}

#[test]
fn spans_with_one_id_share_its_results() {
    let rejected = json!({"a": {"status": "rejected", "reason": "r"}});
    let sent = json!({"a": {"status": "sent"}});
    let answer = json!({"results": [result(1, &sent), result(1, &rejected)]}).to_string();
    let spans = [1, 1, 2].map(|span| key(1, span));
    let mut receipt = Receipt::read(answer.as_bytes(), &spans, &Withheld::new());
    assert_eq!(numbers(&receipt), [0, 1, 2, 0]);
    assert_eq!(shown(&mut receipt.why_rejected), ["2x r (a)"]);
}

/// Reads an answer to a request with three spans, two of them with the id 1 in the traces 1 and 2.
fn check_two_traces(results: &Json, expected: [usize; 4]) -> Receipt {
    let answer = json!({ "results": results }).to_string();
    let spans = [key(1, 1), key(2, 1), key(1, 2)];
    let receipt = Receipt::read(answer.as_bytes(), &spans, &Withheld::new());
    assert_eq!(numbers(&receipt), expected, "{answer}");
    receipt
}

#[test]
fn a_result_of_an_id_that_two_traces_have_is_of_neither() {
    let rejected = json!({"a": {"status": "rejected", "reason": "r"}});
    let sent = json!({"a": {"status": "sent"}});
    let results = json!([result(1, &rejected), result(1, &sent), result(2, &sent)]);
    let mut receipt = check_two_traces(&results, [1, 2, 0, 0]);
    assert_eq!(shown(&mut receipt.notices), ["1x r (a)"]);
}

#[test]
fn a_result_that_names_its_trace_is_of_a_span_in_it() {
    let of = |trace: u128, span, status: &str| {
        let mut result = result(span, &json!({"a": {"status": status}}));
        result["traceId"] = json!(TraceId::from(trace).to_string());
        result
    };
    let results = [of(1, 1, "sent"), of(2, 1, "rejected"), of(3, 2, "rejected")];
    check_two_traces(&json!(results), [1, 1, 1, 0]);
    let mut no_trace = of(1, 2, "sent");
    no_trace["traceId"] = json!("none");
    check_two_traces(&json!([no_trace]), [1, 2, 0, 0]);
}

/// T3: a token of JSON that `serde_json` refuses, anywhere.
#[test]
fn a_token_that_cannot_be_read_hides_no_result() {
    let answer = |reason: &[u8], number: &str| {
        let parts: [&[u8]; 5] = [
            br#"{"results":[{"spanId":"0000000000000001","sinks":{"a":{"status":"rejected","reason":""#,
            reason,
            br#""},"cost":"#,
            number.as_bytes(),
            br#"}},{"spanId":"0000000000000002","sinks":{"a":{"status":"sent"}}}]}"#,
        ];
        parts.concat()
    };
    for (reason, number, expected) in [
        (&b"r"[..], "1e999", "1x r (a)"),
        (b"r", "NaN", "1x r (a)"),
        (b"\\ud800", "1", "1x \u{fffd} (a)"),
        (b"caf\xe9", "1", "1x caf\u{fffd} (a)"),
        (b"a\0b", "1", r"1x a\0b (a)"),
    ] {
        let answer = answer(reason, number);
        let with_mark = ["\u{feff}".as_bytes(), &answer].concat();
        for answer in [answer, with_mark] {
            let mut receipt = Receipt::read(&answer, &ids(3), &Withheld::new());
            assert_eq!(numbers(&receipt), [1, 1, 1, 0], "{}", answer.escape_ascii());
            assert_eq!(shown(&mut receipt.why_rejected), [expected]);
        }
    }
    let partial = r#"{"partialSuccess":{"rejectedSpans":1e999,"errorMessage":"all"}}"#;
    let receipt = Receipt::read(partial.as_bytes(), &ids(3), &Withheld::new());
    assert_eq!(numbers(&receipt), [0, 0, 3, 0]);
}

#[test]
fn an_answer_that_is_cut_off_rejects_and_confirms_nothing() {
    let whole = concat!(
        r#"{"results":["#,
        r#"{"spanId":"0000000000000001","sinks":{"a":{"status":"rejected","reason":"r"}}},"#,
        r#"{"spanId":"0000000000000002","sinks":{"a":{"status":"sent"}}},"#,
        r#"{"spanId":"0000000000000003","sinks":{"a":{"status":"not_routed"}}}]}"#,
    );
    for cut in 0..whole.len() {
        let cut = &whole[..cut];
        let mut receipt = Receipt::read(cut.as_bytes(), &ids(3), &Withheld::new());
        let rejected = usize::from(cut.contains(r#""rejected"#));
        assert_eq!(numbers(&receipt), [0, 3 - rejected, rejected, 0], "{cut}");
        let reasons = usize::from(cut.contains(r#""reason":"r"#));
        assert_eq!(shown(&mut receipt.why_rejected).len(), reasons, "{cut}");
    }
}

#[test]
fn both_forms_together_count_no_span_twice() {
    let sent = json!({"a": {"status": "sent"}});
    let rejected = json!({"a": {"status": "rejected"}});
    let with = |results: &[Json], rejected: u64| {
        let partial = json!({"rejectedSpans": rejected, "errorMessage": "some are wrong"});
        json!({"results": results, "partialSuccess": partial})
    };
    let one = [result(1, &rejected), result(2, &sent)];
    check(&with(&one, 1), [1, 1, 1, 0]);
    check(&with(&one, 2), [1, 0, 2, 0]);
    check(&with(&one, 3), [0, 0, 3, 0]);
    let mut receipt = read(&with(&one, 2), 3);
    assert_eq!(shown(&mut receipt.why_rejected), ["2x some are wrong"]);
    let mut receipt = read(&with(&one, 0), 3);
    assert_eq!(numbers(&receipt), [1, 1, 1, 0]);
    assert_eq!(shown(&mut receipt.notices), ["0x some are wrong"]);
}

fn any_json() -> impl Strategy<Value = Json> {
    let word = prop_oneof![
        Just("sent"),
        Just("rejected"),
        Just("not_routed"),
        Just("0000000000000001"),
        Just("0000000000000002"),
        Just("-3"),
        Just("2")
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        word.prop_map(Json::from),
    ];
    let key = prop_oneof![
        Just("results"),
        Just("spanId"),
        Just("sinks"),
        Just("status"),
        Just("reason"),
        Just("partialSuccess"),
        Just("rejectedSpans"),
        Just("errorMessage"),
        Just("a"),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            proptest::collection::vec((key.clone(), inner), 0..6).prop_map(|members| members
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect()),
        ]
    })
}

fn any_answer() -> impl Strategy<Value = Json> {
    let result = (0_u64..6, any_json(), any_json()).prop_map(|(span, sinks, status)| {
        let mut result = result(span, &sinks);
        if !status.is_null() {
            result["status"] = status;
        }
        result
    });
    let results = proptest::collection::vec(result, 0..8);
    let results = prop_oneof![4 => results.prop_map(Json::from), 1 => any_json()];
    let answer = (results, any_json(), any_json()).prop_map(|(results, rejected, message)| {
        let partial = json!({"rejectedSpans": rejected, "errorMessage": message});
        json!({"results": results, "partialSuccess": partial})
    });
    prop_oneof![4 => answer, 1 => any_json()]
}

proptest! {
    #[test]
    fn the_numbers_add_up_whatever_the_answer_says(answer in any_answer(), spans in 0_u64..5) {
        let receipt = read(&answer, spans);
        prop_assert_eq!(numbers(&receipt).iter().sum::<usize>() as u64, spans);
    }
}
