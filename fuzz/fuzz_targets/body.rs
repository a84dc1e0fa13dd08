//! Finished spans with any names, attributes, events and times: their body is JSON with all of them.

#![no_main]

use std::time::{Duration, SystemTime};

use agentspan_agent365::{BodyEncoder, EncodedResource};
use agentspan_model::agent365::Profile;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use opentelemetry::trace::{
    Event, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

fuzz_target!(|bytes: &[u8]| {
    let mut input = Unstructured::new(bytes);
    let Ok(spans) = several(&mut input, span) else {
        return;
    };
    let attributes = several(&mut input, attribute).unwrap_or_default();
    let resource = Resource::builder_empty()
        .with_attributes(attributes)
        .build();
    let resource = EncodedResource::from(&resource);
    for profile in [Profile::V0_1, Profile::V2] {
        let mut encoder = BodyEncoder::new(profile);
        let mut body = Vec::new();
        encoder.encode(&resource, &spans, &mut body);
        let json: serde_json::Value = serde_json::from_slice(&body).expect("a body is JSON");
        let scopes = json["resourceSpans"][0]["scopeSpans"].as_array();
        let written = scopes
            .into_iter()
            .flatten()
            .map(|scope| scope["spans"].as_array().map_or(0, Vec::len));
        assert_eq!(written.sum::<usize>(), spans.len());

        let mut again = Vec::new();
        encoder.encode(&resource, &spans, &mut again);
        assert_eq!(
            body, again,
            "an encoder keeps nothing of what it encoded before"
        );
    }
});

fn several<'a, T>(
    input: &mut Unstructured<'a>,
    one: impl Fn(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = input.int_in_range(0..=4)?;
    (0..count).map(|_| one(input)).collect()
}

fn span(input: &mut Unstructured<'_>) -> Result<SpanData> {
    let mut events = SpanEvents::default();
    events.events = several(input, |input| {
        let name: String = input.arbitrary()?;
        Ok(Event::new(
            name,
            time(input)?,
            several(input, attribute)?,
            0,
        ))
    })?;
    let name: String = input.arbitrary()?;
    let scope = InstrumentationScope::builder(input.arbitrary::<String>()?);
    let scope = match input.arbitrary::<Option<String>>()? {
        Some(version) => scope.with_version(version),
        None => scope,
    };
    Ok(SpanData {
        span_context: SpanContext::new(
            TraceId::from(input.arbitrary::<u128>()?),
            SpanId::from(input.arbitrary::<u64>()?),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: SpanId::from(input.arbitrary::<u64>()?),
        parent_span_is_remote: input.arbitrary()?,
        span_kind: input
            .choose(&[
                SpanKind::Client,
                SpanKind::Server,
                SpanKind::Producer,
                SpanKind::Consumer,
                SpanKind::Internal,
            ])?
            .clone(),
        name: name.into(),
        start_time: time(input)?,
        end_time: time(input)?,
        attributes: several(input, attribute)?,
        dropped_attributes_count: input.arbitrary()?,
        events,
        links: SpanLinks::default(),
        status: match input.int_in_range(0..=2)? {
            0 => Status::Unset,
            1 => Status::Ok,
            _ => Status::error(input.arbitrary::<String>()?),
        },
        instrumentation_scope: scope.build(),
    })
}

/// Before and after the epoch.
fn time(input: &mut Unstructured<'_>) -> Result<SystemTime> {
    let from_epoch = Duration::from_nanos(input.arbitrary()?);
    let time = match input.arbitrary()? {
        true => SystemTime::UNIX_EPOCH.checked_sub(from_epoch),
        false => SystemTime::UNIX_EPOCH.checked_add(from_epoch),
    };
    Ok(time.unwrap_or(SystemTime::UNIX_EPOCH))
}

fn attribute(input: &mut Unstructured<'_>) -> Result<KeyValue> {
    let key: String = input.arbitrary()?;
    let value = match input.int_in_range(0..=7)? {
        0 => Value::Bool(input.arbitrary()?),
        1 => Value::I64(input.arbitrary()?),
        2 => Value::F64(input.arbitrary()?),
        3 => Value::String(input.arbitrary::<String>()?.into()),
        4 => Value::Array(Array::Bool(input.arbitrary()?)),
        5 => Value::Array(Array::I64(input.arbitrary()?)),
        6 => Value::Array(Array::F64(input.arbitrary()?)),
        _ => {
            let texts: Vec<String> = input.arbitrary()?;
            let texts = texts.into_iter().map(StringValue::from);
            Value::Array(Array::String(texts.collect()))
        }
    };
    Ok(KeyValue::new(key, value))
}
