//! The encoder against `serde_json`: a body says what a tree of values says that is built from the same
//! spans, value by value; a body that is cut or divided stays JSON and has each span exactly once.

#![no_main]

use std::time::{Duration, SystemTime};

use agentspan_agent365::{BodyEncoder, EncodedResource, Truncation};
use agentspan_model::agent365::Profile;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use serde_json::{Map, Value as Json, json};

/// The bytes of a span that `Profile::V2` allows.
const LIMIT: usize = 250 * 1024;

/// What `serde_json` may write a span's floats longer or shorter than the encoder.
const SLACK: usize = 8 * 1024;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Unstructured::new(bytes);
    let Ok(spans) = several(&mut input, 6, span) else {
        return;
    };
    let attributes = several(&mut input, 3, attribute).unwrap_or_default();
    let resource = Resource::builder_empty()
        .with_attributes(attributes)
        .build();
    let encoded = EncodedResource::from(&resource);
    let mut encoder = BodyEncoder::new(Profile::V0_1);
    let whole = encode(&mut encoder, &encoded, &spans);
    assert_eq!(
        whole["resourceSpans"][0]["resource"]["attributes"],
        object(&sorted(&resource))
    );
    check_scopes(&whole, &spans);

    // Divided at any place, each span is in exactly one body, and says there what it says in the whole.
    let at = input.int_in_range(0..=spans.len()).unwrap_or(0);
    let (first, second) = spans.split_at(at);
    for part in [first, second] {
        check_scopes(&encode(&mut encoder, &encoded, part), part);
    }
    for truncation in [Truncation::Marker, Truncation::Structured] {
        let mut encoder = BodyEncoder::new(Profile::V2).with_truncation(truncation);
        check_cut(&encode(&mut encoder, &encoded, &spans), &spans, truncation);
    }
});

fn encode(encoder: &mut BodyEncoder, resource: &EncodedResource, spans: &[SpanData]) -> Json {
    let mut body = Vec::new();
    encoder.encode(resource, spans, &mut body);
    serde_json::from_slice(&body).expect("a body is JSON")
}

/// The spans of a body by scopes, each with its scope.
fn scopes(body: &Json) -> Vec<(&Json, &Vec<Json>)> {
    let scopes = body["resourceSpans"][0]["scopeSpans"].as_array();
    let scopes = scopes.expect("scopes are a list").iter();
    scopes
        .map(|it| {
            (
                &it["scope"],
                it["spans"].as_array().expect("spans are a list"),
            )
        })
        .collect()
}

/// Checks that the scopes come in the order in which they first appear, and have all of their spans in order.
fn check_scopes(body: &Json, spans: &[SpanData]) {
    let mut expected: Vec<(Json, Vec<Json>)> = Vec::new();
    for span in spans {
        let scope = &span.instrumentation_scope;
        let scope = json!({"name": scope.name(), "version": scope.version()});
        match expected.iter_mut().find(|(it, _)| *it == scope) {
            Some((_, spans)) => spans.push(tree(span)),
            None => expected.push((scope, vec![tree(span)])),
        }
    }
    let expected = expected.iter().map(|(scope, spans)| (scope, spans));
    assert_eq!(scopes(body), expected.collect::<Vec<_>>());
}

/// Checks that each span is there once, that one which is short enough is as it was, and that one which is
/// not is, as far as its truncation promises.
fn check_cut(body: &Json, spans: &[SpanData], truncation: Truncation) {
    let written: Vec<&Json> = scopes(body).into_iter().flat_map(|(_, it)| it).collect();
    assert_eq!(written.len(), spans.len());
    for span in spans {
        let whole = tree(span);
        let same = written.iter().filter(|it| it["spanId"] == whole["spanId"]);
        let twins = spans
            .iter()
            .filter(|it| it.span_context.span_id() == span.span_context.span_id());
        assert_eq!(same.clone().count(), twins.count());
        if ascii_length(&whole) + SLACK <= LIMIT {
            assert!(
                same.clone().any(|it| **it == whole),
                "a short span is not cut"
            );
        } else if truncation == Truncation::Structured {
            assert!(same.clone().any(|it| ascii_length(it) <= LIMIT + SLACK));
        }
    }
}

/// As the limit counts it: all characters beyond ASCII escaped.
fn ascii_length(json: &Json) -> usize {
    let text = json.to_string();
    let cost = |c: char| match c {
        ' '..='~' => 1,
        c => 6 * c.len_utf16(),
    };
    text.chars().map(cost).sum()
}

fn tree(span: &SpanData) -> Json {
    let (code, message) = match &span.status {
        Status::Unset => ("UNSET", ""),
        Status::Ok => ("OK", ""),
        Status::Error { description } => ("ERROR", &**description),
    };
    let parent = (span.parent_span_id != SpanId::INVALID).then(|| span.parent_span_id.to_string());
    let set = |time| (time != SystemTime::UNIX_EPOCH).then(|| nanos(time));
    let events = span.events.iter().map(|event| {
        json!({
            "timeUnixNano": nanos(event.timestamp),
            "name": event.name,
            "attributes": object(&event.attributes),
        })
    });
    let links = span.links.iter().map(|link| {
        json!({
            "traceId": link.span_context.trace_id().to_string(),
            "spanId": link.span_context.span_id().to_string(),
            "attributes": object(&link.attributes),
        })
    });
    json!({
        "traceId": span.span_context.trace_id().to_string(),
        "spanId": span.span_context.span_id().to_string(),
        "parentSpanId": parent,
        "name": span.name,
        "kind": format!("{:?}", span.span_kind).to_uppercase(),
        "startTimeUnixNano": set(span.start_time),
        "endTimeUnixNano": set(span.end_time),
        "attributes": object(&span.attributes),
        "events": list(events),
        "links": list(links),
        "status": {"code": code, "message": message},
    })
}

fn list(items: impl Iterator<Item = Json>) -> Json {
    let items: Vec<_> = items.collect();
    match items.is_empty() {
        true => Json::Null,
        false => Json::Array(items),
    }
}

/// The last attribute of a key counts, and an empty key does not.
fn object(attributes: &[KeyValue]) -> Json {
    let named = attributes.iter().filter(|it| !it.key.as_str().is_empty());
    let members: Map<_, _> = named
        .map(|it| (it.key.to_string(), value(&it.value)))
        .collect();
    match members.is_empty() {
        true => Json::Null,
        false => Json::Object(members),
    }
}

fn sorted(resource: &Resource) -> Vec<KeyValue> {
    let attributes = resource.iter();
    attributes
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
        .collect()
}

fn value(value: &Value) -> Json {
    match value {
        Value::String(text) => text.as_str().into(),
        Value::I64(number) => (*number).into(),
        Value::F64(number) => float(*number),
        Value::Bool(flag) => (*flag).into(),
        Value::Array(Array::String(items)) => items.iter().map(|it| it.as_str()).collect(),
        Value::Array(Array::I64(items)) => items.iter().copied().collect(),
        Value::Array(Array::F64(items)) => items.iter().copied().map(float).collect(),
        Value::Array(Array::Bool(items)) => items.iter().copied().collect(),
        other => panic!("a new kind of value: {other:?}"),
    }
}

fn float(number: f64) -> Json {
    if number.is_nan() {
        "NaN".into()
    } else if number.is_infinite() {
        let text = if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        text.into()
    } else {
        number.into()
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

fn several<'a, T>(
    input: &mut Unstructured<'a>,
    most: usize,
    one: impl Fn(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = input.int_in_range(0..=most)?;
    (0..count).map(|_| one(input)).collect()
}

fn span(input: &mut Unstructured<'_>) -> Result<SpanData> {
    let mut events = SpanEvents::default();
    events.events = several(input, 3, |input| {
        let (name, time) = (text(input)?, time(input)?);
        Ok(Event::new(name, time, several(input, 3, attribute)?, 0))
    })?;
    let mut links = SpanLinks::default();
    links.links = several(input, 2, |input| {
        let context = context(input)?;
        Ok(Link::new(context, several(input, 3, attribute)?, 0))
    })?;
    // Few names, so that spans share scopes.
    let scope = InstrumentationScope::builder(*input.choose(&["", "a", "\"b\\"])?);
    let scope = match input.choose(&[None, Some(""), Some("1\n")])? {
        Some(version) => scope.with_version(*version),
        None => scope,
    };
    let kinds = [
        SpanKind::Client,
        SpanKind::Server,
        SpanKind::Producer,
        SpanKind::Consumer,
        SpanKind::Internal,
    ];
    let mut attributes = several(input, 12, attribute)?;
    // Very many attributes are looked at in another way than few.
    if input.ratio(1, 16)? {
        let many = 0..input.int_in_range(60..=200)?;
        attributes.extend(many.map(|n| KeyValue::new(format!("key {}", n % 90), n)));
    }
    Ok(SpanData {
        span_context: context(input)?,
        parent_span_id: SpanId::from(input.arbitrary::<u64>()?),
        parent_span_is_remote: false,
        span_kind: input.choose(&kinds)?.clone(),
        name: text(input)?.into(),
        start_time: time(input)?,
        end_time: time(input)?,
        attributes,
        dropped_attributes_count: 0,
        events,
        links,
        status: match input.int_in_range(0..=2)? {
            0 => Status::Unset,
            1 => Status::Ok,
            _ => Status::error(text(input)?),
        },
        instrumentation_scope: scope.build(),
    })
}

fn context(input: &mut Unstructured<'_>) -> Result<SpanContext> {
    Ok(SpanContext::new(
        TraceId::from(input.arbitrary::<u128>()?),
        SpanId::from(input.arbitrary::<u64>()?),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    ))
}

/// Before and after the epoch, and beyond what 64 bits of nanoseconds can say.
fn time(input: &mut Unstructured<'_>) -> Result<SystemTime> {
    let from_epoch = match input.int_in_range(0..=3)? {
        0 => Duration::from_secs(input.arbitrary::<u64>()? >> 8),
        _ => Duration::from_nanos(input.arbitrary()?),
    };
    let time = match input.ratio(1, 4)? {
        true => SystemTime::UNIX_EPOCH.checked_sub(from_epoch),
        false => SystemTime::UNIX_EPOCH.checked_add(from_epoch),
    };
    Ok(time.unwrap_or(SystemTime::UNIX_EPOCH))
}

/// Any text, or one with something special at any place of a block, or a long one.
fn text(input: &mut Unstructured<'_>) -> Result<String> {
    const SPECIAL: &[&str] = &[
        "\"",
        "\\",
        "\n",
        "\t",
        "\u{0}",
        "\u{1f}",
        "\u{7f}",
        "\u{80}",
        "é",
        "天",
        "🦀",
        "\u{2028}",
        "</",
        "{\"a\":[1,null]}",
    ];
    Ok(match input.int_in_range(0..=3)? {
        0 => input.arbitrary()?,
        1 => {
            let pieces = several(input, 8, |input| {
                let plain = "x".repeat(input.int_in_range(0..=70)?);
                Ok(plain + input.choose(SPECIAL)?)
            })?;
            pieces.concat()
        }
        2 => (*input.choose(SPECIAL)?).repeat(input.int_in_range(0..=300)?),
        // Long enough for a span to be cut, seldom.
        _ if input.ratio(1, 32)? => {
            let piece: String = input.arbitrary()?;
            (piece + "\"{long}\n").repeat(input.int_in_range(1..=40_000)?)
        }
        _ => "plain".repeat(input.int_in_range(0..=20)?),
    })
}

fn attribute(input: &mut Unstructured<'_>) -> Result<KeyValue> {
    // Few keys, so that they come again.
    let key = match input.ratio(1, 2)? {
        true => (*input.choose(&["", "a", "b", "gen_ai.input.messages", "\"\n"])?).to_owned(),
        false => text(input)?,
    };
    let value = match input.int_in_range(0..=8)? {
        0 => Value::Bool(input.arbitrary()?),
        1 => Value::I64(integer(input)?),
        2 => Value::F64(real(input)?),
        3..=5 => Value::String(text(input)?.into()),
        6 => Value::Array(Array::I64(several(input, 4, integer)?)),
        7 => Value::Array(Array::F64(several(input, 4, real)?)),
        _ => {
            let texts = several(input, 4, text)?.into_iter();
            Value::Array(Array::String(texts.map(StringValue::from).collect()))
        }
    };
    Ok(KeyValue::new(key, value))
}

fn integer(input: &mut Unstructured<'_>) -> Result<i64> {
    match input.ratio(1, 2)? {
        true => Ok(*input.choose(&[i64::MIN, i64::MAX, 0, -1, 1 << 53])?),
        false => input.arbitrary(),
    }
}

fn real(input: &mut Unstructured<'_>) -> Result<f64> {
    let special = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        1e308,
        f64::MIN_POSITIVE,
        5e-324,
        1e16,
    ];
    match input.ratio(1, 2)? {
        true => Ok(*input.choose(&special)?),
        false => Ok(f64::from_bits(input.arbitrary()?)),
    }
}
