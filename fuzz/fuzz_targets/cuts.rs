//! Spans about as long as a span may be: what is cut stays JSON, keeps its limit, and is there once.

#![no_main]

use agentspan_agent365::SpanLimits;
use agentspan_agent365::conformance::{chunk_by_bytes, estimated_span_bytes};
use agentspan_agent365::encode::{BodyEncoder, EncodedResource, Truncation};
use agentspan_model::agent365::Profile;
use fuzz::body::{check_cut, encode};
use fuzz::spans::{several, span};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

/// As long as the texts of a span are together, in bytes: some more than the limit of 250 KiB.
const LONGEST: usize = 300 * 1024;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Unstructured::new(bytes);
    let Ok(spans) = several(&mut input, 3, long_span) else {
        return;
    };
    let resource = EncodedResource::from(&Resource::builder_empty().build());
    for truncation in [Truncation::Marker, Truncation::Structured] {
        let mut encoder = BodyEncoder::new(Profile::V2).with_truncation(truncation);
        check_cut(&encode(&mut encoder, &resource, &spans), &spans, truncation);
    }
    let limit = input.int_in_range(0..=900_000).unwrap_or(0);
    check_chunks(&spans, limit);
    for span in spans {
        check_limits(&mut input, span);
    }
});

/// A span with texts that make it about as long as it may be.
fn long_span(input: &mut Unstructured<'_>) -> Result<SpanData> {
    let mut span = span(input)?;
    let mut left = LONGEST;
    let texts = several(input, 4, |input| {
        let key = *input.choose(&["gen_ai.input.messages", "gen_ai.output.messages", "a", "é"])?;
        let piece = match input.int_in_range(0..=4)? {
            0 => "plain".to_owned(),
            1 => "\u{1}".to_owned(),
            2 => "天".to_owned(),
            3 => r#"{"role":"user","parts":[{"type":"text","content":"x"}]},"#.to_owned(),
            _ => input.arbitrary()?,
        };
        let bytes = match input.ratio(1, 2)? {
            // Near the limit.
            true => input.int_in_range(249 * 1024..=251 * 1024)?,
            false => input.int_in_range(0..=LONGEST)?,
        };
        let times = bytes / piece.len().max(1);
        let text = match input.arbitrary()? {
            true => format!("[{}null]", piece.repeat(times)),
            false => piece.repeat(times),
        };
        Ok(KeyValue::new(key, text))
    })?;
    for text in texts {
        let length = text.value.as_str().len();
        if length <= left {
            left -= length;
            span.attributes.push(text);
        }
    }
    Ok(span)
}

/// Checks that each span is in exactly one request, and that a request of several spans keeps its limit.
fn check_chunks(spans: &[SpanData], limit: u64) {
    let sizes: Vec<u64> = spans
        .iter()
        .map(|span| estimated_span_bytes(Profile::V2, span))
        .collect();
    let mut next = 0;
    for chunk in chunk_by_bytes(&sizes, limit) {
        assert_eq!(chunk.start, next);
        let spans = &sizes[chunk.clone()];
        assert!(!spans.is_empty());
        assert!(spans.len() == 1 || spans.iter().sum::<u64>() <= limit);
        next = chunk.end;
    }
    assert_eq!(next, sizes.len());
}

/// Checks that what was cut to limits is within them, and that ids are not cut.
fn check_limits(input: &mut Unstructured<'_>, mut span: SpanData) {
    let value = input.int_in_range(0..=4_000).unwrap_or(0);
    let total = input.int_in_range(10_000..=400_000).unwrap_or(10_000);
    let limits = SpanLimits::default()
        .with_content_bytes(2 * value)
        .with_value_bytes(value)
        .with_attributes(input.int_in_range(0..=8).unwrap_or(0))
        .with_span_bytes(total);
    let (id, name) = (span.span_context.span_id(), span.name.clone());
    limits.apply(&mut span);
    assert_eq!(span.span_context.span_id(), id);
    assert!(span.name.len() <= name.len().max(value));
    let once = format!("{span:?}");
    assert_eq!(limits.apply(&mut span), None, "what was cut fits");
    assert_eq!(format!("{span:?}"), once);
}
