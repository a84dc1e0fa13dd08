//! The inputs and outcomes of the W3C's suite for Baggage (`w3c/baggage`, `test/test_baggage.py`, at
//! 9af80f4), sent through [`Propagation`].

use agentspan_otel::{BaggageBuilder, Propagation};
use opentelemetry::Context;
use opentelemetry::baggage::{BaggageExt, BaggageMetadata};

/// Percent-encoded as Python's `quote` does it: `\t "';=asdf!@#$%^&*()`.
const ENCODED: &str = "%09%20%22%27%3B%3Dasdf%21%40%23%24%25%5E%26%2A%28%29";
const DECODED: &str = "\t \"';=asdf!@#$%^&*()";

fn receive(header: &str) -> Context {
    Propagation::new().extract_headers(&Context::new(), [("baggage", header)])
}

/// Keys, values and properties of a header, sorted by key.
fn entries(header: &str) -> Vec<[String; 3]> {
    let context = receive(header);
    let entries = context.baggage().iter();
    let mut entries: Vec<_> = entries
        .map(|(key, (value, properties))| {
            [
                key.to_string(),
                value.to_string(),
                properties.as_str().to_owned(),
            ]
        })
        .collect();
    entries.sort();
    entries
}

#[track_caller]
fn check(header: &str, expected: &[[&str; 3]]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|entry| entry.map(str::to_owned))
        .collect();
    assert_eq!(entries(header), expected, "{header:?}");
}

/// What is sent on of a header when all of it may leave.
fn sent_on(header: &str) -> String {
    let context = receive(header);
    let mut keys: Vec<String> = context
        .baggage()
        .iter()
        .map(|(k, _)| k.to_string())
        .collect();
    keys.sort();
    let sent = Propagation::new()
        .with_allowed_baggage(keys)
        .to_headers(&context);
    let values = sent.into_iter().map(|(_, value)| value);
    values.collect()
}

#[test]
fn an_entry_has_a_key_a_value_and_properties() {
    check("SomeKey=SomeValue", &[["SomeKey", "SomeValue", ""]]);
    check("SomeKey=", &[["SomeKey", "", ""]]);
    check(
        "SomeKey=SomeValue;SomeProp",
        &[["SomeKey", "SomeValue", "SomeProp"]],
    );
    check(
        "SomeKey=SomeValue;SomeProp;SecondProp=PropValue",
        &[["SomeKey", "SomeValue", "SomeProp;SecondProp=PropValue"]],
    );
    check(
        "SomeKey=SomeValue;SomePropKey=SomePropValue",
        &[["SomeKey", "SomeValue", "SomePropKey=SomePropValue"]],
    );
    let same = "SomeProp;SomeProp=PropValue;SomeProp=AnotherPropValue";
    check(
        &format!("SomeKey=SomeValue;{same}"),
        &[["SomeKey", "SomeValue", same]],
    );
}

#[test]
fn several_entries_are_divided_by_commas() {
    check(
        "SomeKey=SomeValue;SomeProp,SomeKey2=SomeValue2;ValueProp=PropVal",
        &[
            ["SomeKey", "SomeValue", "SomeProp"],
            ["SomeKey2", "SomeValue2", "ValueProp=PropVal"],
        ],
    );
    check(
        "SomeKey=SomeValue;SomePropKey=SomePropValue,SomeKey2=SomeValue2;SomePropKey2=SomePropValue2",
        &[
            ["SomeKey", "SomeValue", "SomePropKey=SomePropValue"],
            ["SomeKey2", "SomeValue2", "SomePropKey2=SomePropValue2"],
        ],
    );
}

#[test]
fn white_space_around_the_parts_does_not_count() {
    check(
        "SomeKey \t = \t SomeValue \t ",
        &[["SomeKey", "SomeValue", ""]],
    );
    check(
        "SomeKey \t = \t SomeValue \t ; \t SomeProp \t ; \t SecondProp \t = \t PropValue",
        &[["SomeKey", "SomeValue", "SomeProp;SecondProp=PropValue"]],
    );
    check(
        "SomeKey \t = \t SomeValue \t ; \t SomeProp \t , \t SomeKey2 \t = \t SomeValue2 \t ; \t ValueProp \t = \t PropVal",
        &[
            ["SomeKey", "SomeValue", "SomeProp"],
            ["SomeKey2", "SomeValue2", "ValueProp=PropVal"],
        ],
    );
    check(
        "SomeKey \t = \t SomeValue \t ; \t SomePropKey=SomePropValue \t , \t SomeKey2 \t = \t SomeValue2 \t ; \t SomePropKey2 \t = \t SomePropValue2",
        &[
            ["SomeKey", "SomeValue", "SomePropKey=SomePropValue"],
            ["SomeKey2", "SomeValue2", "SomePropKey2=SomePropValue2"],
        ],
    );
}

#[test]
fn a_value_may_hold_equals_signs() {
    check(
        "SomeKey=SomeValue=equals",
        &[["SomeKey", "SomeValue=equals", ""]],
    );
}

#[test]
fn values_are_decoded_and_encoded_again() {
    check(&format!("SomeKey={ENCODED}"), &[["SomeKey", DECODED, ""]]);
    check(
        &format!("SomeKey \t = \t {ENCODED} \t "),
        &[["SomeKey", DECODED, ""]],
    );
    // What need not be encoded may stay as it is.
    assert_eq!(
        sent_on(&format!("SomeKey={ENCODED}")),
        "SomeKey=%09%20%22'%3B=asdf!@#$%25^&*()"
    );
}

#[test]
fn properties_are_sent_on_as_they_came() {
    for header in [
        format!("SomeKey=SomeValue;SomePropKey={ENCODED}"),
        // Nothing is decoded into a key and a value.
        "SomeKey=SomeValue;ValueProp%20%09%20%3D%20%09%20PropVal".to_owned(),
    ] {
        assert_eq!(sent_on(&header), header);
    }
}

#[test]
fn sixty_four_entries_and_8192_bytes_go_on() {
    let many: Vec<String> = (0..64).map(|n| format!("key{n}=value")).collect();
    assert_eq!(sent_on(&many.join(",")).split(',').count(), 64);

    let long = format!("a={}", "0123456789".repeat(819));
    assert_eq!(long.len(), 8192);
    assert_eq!(sent_on(&long), long);
}

#[test]
fn an_entry_that_is_none_by_the_grammar_is_left_out_and_the_others_stay() {
    for broken in [
        "no token=1",
        "=1",
        "key",
        "key(=1",
        "k\u{e9}y=1",
        "key=a b",
        "key=\"a\"",
        "key=a\\b",
        "key=\u{e9}",
        "key=a\r\nx-evil: 1",
        "key=\u{1}",
        "key=1;no token",
        "key=1;property=a b",
        "key=1;=x",
        "key=1;",
        "\u{a0}key=1",
    ] {
        check(
            &format!("first=1,{broken},last=2"),
            &[["first", "1", ""], ["last", "2", ""]],
        );
    }
}

#[test]
fn of_a_key_that_is_there_twice_the_last_counts() {
    // As in OpenTelemetry's own propagators, and in its rule for conflicts: the new pair takes precedence.
    check("a=1,b=2,a=3;p", &[["a", "3", "p"], ["b", "2", ""]]);
    let context = Propagation::new()
        .extract_headers(&Context::new(), [("baggage", "a=1"), ("baggage", "a=2")]);
    assert_eq!(context.baggage().get("a").map(|v| v.as_str()), Some("2"));

    // It also does among 64, and what this process has stays in any case.
    let own = BaggageBuilder::new().with_pairs([("a", "own")]).build();
    let own = own.to_context(&Context::new());
    let context = Propagation::new().extract_headers(&own, [("baggage", "a=1,a=2")]);
    assert_eq!(context.baggage().get("a").map(|v| v.as_str()), Some("own"));
}

#[test]
fn properties_that_are_none_do_not_leave() {
    let key = "correlation.id";
    for (properties, expected) in [
        ("a;b=c", "correlation.id=1;a;b=c"),
        (" a ; b = c ", "correlation.id=1;a;b=c"),
        ("a\r\nx-evil: 1", "correlation.id=1"),
        ("a;no token;b", "correlation.id=1;a;b"),
        ("a,evil=2", "correlation.id=1"),
        (";=;", "correlation.id=1"),
        ("p=\u{e9}", "correlation.id=1"),
    ] {
        let mut baggage = opentelemetry::baggage::Baggage::new();
        baggage.insert_with_metadata(key, "1", BaggageMetadata::from(properties));
        let context = Context::new().with_baggage(baggage);
        let sent = Propagation::new().to_headers(&context);
        assert_eq!(sent, [("baggage".to_owned(), expected.to_owned())]);
    }
}

#[test]
fn a_key_that_is_allowed_twice_leaves_once() {
    let context = BaggageBuilder::new().with_correlation_id("1").build();
    let sent = Propagation::new()
        .with_allowed_baggage(["correlation.id", "correlation.id"])
        .to_headers(&context.to_context(&Context::new()));
    let expected = "correlation.id=1".to_owned();
    assert_eq!(sent, [("baggage".to_owned(), expected)]);
}
