//! Whatever a span holds, its body is what the model says, and can be read back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agentspan_agent365::encode::{BodyEncoder, EncodedResource};
use agentspan_model::agent365::Profile;
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::any_span::{attributes, plain_span, span};
use crate::body_model::{float, model};

fn encode(resource: &Resource, spans: &[SpanData]) -> String {
    let mut body = Vec::new();
    BodyEncoder::new(Profile::V0_1).encode(&EncodedResource::from(resource), spans, &mut body);
    String::from_utf8(body).expect("a body is UTF-8")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_body_says_what_the_spans_hold(
        attributes in attributes(0..8),
        spans in vec(span(), 0..8),
    ) {
        let resource = Resource::builder_empty().with_attributes(attributes).build();
        let body = encode(&resource, &spans);
        let expected = model(&resource, &spans);
        prop_assert_eq!(&body, &expected.to_string());
        let read: Json = serde_json::from_str(&body).expect("a body is JSON");
        prop_assert_eq!(read.to_string(), body);
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn a_float_is_read_back_with_the_same_bits(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        let mut one = plain_span();
        one.attributes.push(KeyValue::new("number", number));
        let body = encode(&Resource::builder_empty().build(), &[one]);
        let read: Json = serde_json::from_str(&body).expect("a body is JSON");
        let value = &read["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"]["number"];
        if number.is_finite() {
            prop_assert!(value.is_f64(), "{} stays a float", value);
            prop_assert_eq!(value.as_f64().map(f64::to_bits), Some(bits));
        } else {
            prop_assert_eq!(value, &float(number));
        }
    }
}

#[test]
fn floats_that_json_has_no_number_for_are_text() {
    check_value(f64::NAN.into(), r#""NaN""#);
    check_value((-f64::NAN).into(), r#""NaN""#);
    check_value(f64::INFINITY.into(), r#""Infinity""#);
    check_value(f64::NEG_INFINITY.into(), r#""-Infinity""#);
    let array = vec![1.0, f64::NAN];
    check_value(Value::Array(Array::F64(array)), r#"[1.0,"NaN"]"#);
}

#[test]
fn a_float_without_a_fraction_stays_a_float() {
    check_value(2.0.into(), "2.0");
    check_value((-0.0).into(), "-0.0");
    check_value(1e16.into(), "1e+16");
    check_value(1e300.into(), "1e+300");
    check_value(2.into(), "2");
}

#[test]
fn an_array_keeps_its_type_and_may_be_empty() {
    check_value(Value::Array(vec![true, false].into()), "[true,false]");
    check_value(
        Value::Array(vec![i64::MIN, 0].into()),
        "[-9223372036854775808,0]",
    );
    let texts: Vec<StringValue> = vec!["a\"b".into(), "".into()];
    check_value(Value::Array(texts.into()), r#"["a\"b",""]"#);
    check_value(Value::Array(Vec::<bool>::new().into()), "[]");
}

#[track_caller]
fn check_value(value: Value, expected: &str) {
    let mut one = plain_span();
    one.attributes.push(KeyValue::new("key", value));
    let body = encode(&Resource::builder_empty().build(), &[one]);
    let found = format!(r#""attributes":{{"key":{expected}}}"#);
    assert!(body.contains(&found), "{found} is in {body}");
}

#[test]
fn times_outside_of_the_wire_s_range_are_its_bounds_and_unset_times_null() {
    check_times(UNIX_EPOCH, "null");
    check_times(UNIX_EPOCH + Duration::from_nanos(1), "1");
    check_times(UNIX_EPOCH - Duration::from_nanos(1), "0");
    check_times(
        UNIX_EPOCH + Duration::from_nanos(u64::MAX),
        "18446744073709551615",
    );
    check_times(
        UNIX_EPOCH + Duration::from_nanos(u64::MAX) + Duration::from_nanos(1),
        "18446744073709551615",
    );
    check_times(
        UNIX_EPOCH + Duration::from_secs(1 << 60),
        "18446744073709551615",
    );
}

#[track_caller]
fn check_times(time: SystemTime, expected: &str) {
    let mut one = plain_span();
    one.start_time = time;
    one.end_time = time;
    let body = encode(&Resource::builder_empty().build(), &[one]);
    let found = format!(r#""startTimeUnixNano":{expected},"endTimeUnixNano":{expected},"#);
    assert!(body.contains(&found), "{found} is in {body}");
}

#[test]
fn a_body_is_appended_to_what_the_buffer_holds() {
    let mut body = b"before".to_vec();
    let resource = EncodedResource::from(&Resource::builder_empty().build());
    BodyEncoder::new(Profile::V0_1).encode(&resource, &[plain_span()], &mut body);
    assert!(body.starts_with(br#"before{"resourceSpans":"#));
}

#[test]
fn spans_may_be_given_by_reference() {
    let resource = EncodedResource::from(&Resource::builder_empty().build());
    let one = plain_span();
    let (mut owned, mut borrowed) = (Vec::new(), Vec::new());
    let mut encoder = BodyEncoder::new(Profile::V0_1);
    encoder.encode(&resource, &[&one, &one], &mut borrowed);
    encoder.encode(&resource, &[one.clone(), one], &mut owned);
    assert_eq!(owned, borrowed);
}
