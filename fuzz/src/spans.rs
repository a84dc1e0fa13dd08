//! Finished spans with any names, attributes, events and times, made of the bytes of a fuzzer.

use std::time::{Duration, SystemTime};

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

/// As many as the input says, at most `most`.
///
/// # Errors
///
/// The input is used up.
pub fn several<'a, T>(
    input: &mut Unstructured<'a>,
    most: usize,
    one: impl Fn(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = input.int_in_range(0..=most)?;
    (0..count).map(|_| one(input)).collect()
}

/// A span.
///
/// # Errors
///
/// The input is used up.
pub fn span(input: &mut Unstructured<'_>) -> Result<SpanData> {
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

/// An attribute of any kind.
///
/// # Errors
///
/// The input is used up.
pub fn attribute(input: &mut Unstructured<'_>) -> Result<KeyValue> {
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
