//! T3: one token that `serde_json` refuses hides nothing but itself.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn check(text: impl AsRef<[u8]>, expected: &Value) {
    let read = ReceivedJson::read(text.as_ref());
    assert_eq!(&read.value, expected);
    assert!(read.is_whole, "{expected}");
}

fn check_not_whole(text: impl AsRef<[u8]>, expected: &Value) {
    let read = ReceivedJson::read(text.as_ref());
    assert_eq!(&read.value, expected);
    assert!(!read.is_whole, "{expected}");
}

#[test]
fn json_is_read_as_serde_json_reads_it() {
    for value in [
        json!(null),
        json!(1.5),
        json!("x"),
        json!({"a": [1, {"b": "c\n\u{1f600}"}]}),
    ] {
        check(value.to_string(), &value);
    }
}

#[test]
fn a_token_that_is_refused_costs_its_own_place_only() {
    let with = |token: &str| format!("{{\"a\": [true, {token}], \"b\": {{\"c\": -1.5}}}}");
    let expected = |value: Value| json!({"a": [true, value], "b": {"c": -1.5}});
    for (token, value) in [
        ("1e999", json!(f64::MAX)),
        ("-1e999", json!(f64::MIN)),
        ("Infinity", json!(f64::MAX)),
        ("NaN", json!(null)),
        ("None", json!(null)),
        ("undefined", json!(null)),
        ("01", json!(1.0)),
        ("+1", json!(1.0)),
        (r#""\ud800""#, json!("\u{fffd}")),
        (r#""\ud800\u0041""#, json!("\u{fffd}A")),
        (r#""\ud83d\ude00\x\u12""#, json!("😀x\u{fffd}12")),
        ("\"a\u{0}\nb\"", json!("a\u{0}\nb")),
    ] {
        check(with(token), &expected(value));
    }
    let latin = with("\"caf\u{0}\"").replace('\u{0}', "#").into_bytes();
    let latin: Vec<u8> = latin
        .into_iter()
        .map(|byte| if byte == b'#' { 0xe9 } else { byte })
        .collect();
    check(latin, &expected(json!("caf\u{fffd}")));
    check(format!("\u{feff}{}", with("0")), &expected(json!(0)));
    check(
        format!("\u{feff}{}\0", with("1e999")),
        &expected(json!(f64::MAX)),
    );
    check(r#"{"a": [1, 2,], "b": 3,}"#, &json!({"a": [1, 2], "b": 3}));
    check(r#"[{"a": 1e999}[2]]"#, &json!([{"a": f64::MAX}, [2]]));
}

#[test]
fn what_is_cut_off_is_read_as_far_as_it_goes() {
    check_not_whole(
        r#"{"results": [{"a": "b"}, {"a": "c"#,
        &json!({"results": [{"a": "b"}, {"a": "c"}]}),
    );
    check_not_whole(r#"{"rejectedSpans": 12"#, &json!({"rejectedSpans": null}));
    check_not_whole(r#"{"rejectedSpans":"#, &json!({"rejectedSpans": null}));
    check_not_whole(r#"{"rejected"#, &json!({}));
    check_not_whole(r#"["\"#, &json!([""]));
    check_not_whole(r#"["\u00"#, &json!(["\u{fffd}00"]));
    check_not_whole("", &json!(null));
    check_not_whole("{", &json!({}));
}

#[test]
fn brackets_that_do_not_match_hide_little() {
    check_not_whole(
        r#"{"a": [{"b": 1], "c": 2}"#,
        &json!({"a": [{"b": 1}], "c": 2}),
    );
    check_not_whole(
        r#"{"a": [{"b": 1}, "c": 2}"#,
        &json!({"a": [{"b": 1}, "c", null, 2]}),
    );
    check_not_whole(r#"{"a" 1, {"b": 2}, "c": 3}"#, &json!({"c": 3}));
    check_not_whole(r#"{"a": }"#, &json!({"a": null}));
    check_not_whole(r#"{"a": 1} {"a": 2}"#, &json!({"a": 1}));
    for text in ["<html>", "<html>no</html>", "nope", "}", "]", ",", ":"] {
        check_not_whole(text, &json!(null));
    }
}

#[test]
fn what_is_nested_too_deep_is_passed_over() {
    let deep = |levels: usize| format!("{}\"]}}\"{}", "[".repeat(levels), "]".repeat(levels));
    for levels in [200, 100_000] {
        let text = format!("{{\"a\": {}, \"b\": 1e999}}", deep(levels));
        let read = ReceivedJson::read(text.as_bytes());
        assert!(read.is_whole);
        assert_eq!(read.value["b"], json!(f64::MAX));
    }
    assert!(!ReceivedJson::read("[".repeat(100_000).as_bytes()).is_whole);
    let mixed = "{\"a\":[".repeat(50_000);
    assert!(!ReceivedJson::read(mixed.as_bytes()).is_whole);
}

#[test]
fn a_count_is_a_number_or_a_text() {
    for (value, count) in [
        (json!(3), 3),
        (json!("3"), 3),
        (json!(" 3 "), 3),
        (json!(3.0), 3),
        (json!(1e300), u64::MAX),
        (json!("1e999"), u64::MAX),
        (json!(-1), 0),
        (json!("-1"), 0),
        (json!("NaN"), 0),
        (json!("many"), 0),
        (json!([3]), 0),
        (json!(null), 0),
    ] {
        assert_eq!(span_count(&value), count, "{value}");
    }
}

/// JSON, or what is nearly JSON.
fn tokens() -> impl Strategy<Value = Vec<u8>> {
    let tokens: [&[u8]; 17] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b"\\",
        b"\\u",
        b"\\ud800",
        b":",
        b",",
        b"\"a\"",
        b"\"a\":",
        b"1e999",
        b"null",
        b" ",
        b"\xe9",
        b"\xc3\xa9",
    ];
    let token = proptest::sample::select(tokens.map(<[u8]>::to_vec).to_vec());
    proptest::collection::vec(token, 0..60).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn anything_is_read(text in prop_oneof![tokens(), any::<Vec<u8>>()]) {
        let read = ReceivedJson::read(&text);
        if let Ok(value) = serde_json::from_slice::<Value>(&text) {
            prop_assert_eq!(read.value, value);
            prop_assert!(read.is_whole);
        }
    }

    #[test]
    fn a_beginning_is_never_whole(
        texts in proptest::collection::vec((".{0,5}", any::<i32>()), 1..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let items = texts.into_iter().map(|(text, number)| json!({"t": text, "n": [number]}));
        let whole = json!({"a": items.collect::<Value>()}).to_string().into_bytes();
        let cut = cut.index(whole.len());
        let read = ReceivedJson::read(&whole[..cut]);
        prop_assert!(!read.is_whole);
    }
}
