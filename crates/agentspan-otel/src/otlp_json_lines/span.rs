//! A span in OTLP's JSON form.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status, TraceId};
use opentelemetry_sdk::trace::SpanData;
use serde::Serialize;

use super::any_value::{Attributes, ScopeAttributes, Text};

/// `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK`: whether the parent is remote is known.
const KNOWS_WHETHER_REMOTE: u32 = 0x100;
/// `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK`: it is.
const IS_REMOTE: u32 = 0x200;

/// As [`trace.proto`](https://github.com/open-telemetry/opentelemetry-proto/blob/v1.7.0/opentelemetry/proto/trace/v1/trace.proto)
/// has it. What has its default value is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OtlpSpan<'a> {
    trace_id: Text<TraceId>,
    span_id: Text<SpanId>,
    #[serde(skip_serializing_if = "String::is_empty")]
    trace_state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<Text<SpanId>>,
    flags: u32,
    name: &'a str,
    kind: u8,
    start_time_unix_nano: Text<u64>,
    end_time_unix_nano: Text<u64>,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: Attributes<'a>,
    #[serde(skip_serializing_if = "is_zero")]
    dropped_attributes_count: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<OtlpEvent<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    dropped_events_count: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<OtlpLink<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    dropped_links_count: u32,
    status: OtlpStatus<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OtlpEvent<'a> {
    time_unix_nano: Text<u64>,
    name: &'a str,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: Attributes<'a>,
    #[serde(skip_serializing_if = "is_zero")]
    dropped_attributes_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OtlpLink<'a> {
    trace_id: Text<TraceId>,
    span_id: Text<SpanId>,
    #[serde(skip_serializing_if = "String::is_empty")]
    trace_state: String,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: Attributes<'a>,
    #[serde(skip_serializing_if = "is_zero")]
    dropped_attributes_count: u32,
    flags: u32,
}

#[derive(Serialize)]
struct OtlpStatus<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    code: u32,
}

/// The scope of spans: who made them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OtlpScope<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "ScopeAttributes::is_empty")]
    attributes: ScopeAttributes<'a>,
}

impl<'a> OtlpSpan<'a> {
    pub(super) fn of(span: &'a SpanData) -> Self {
        let context = &span.span_context;
        let has_parent = span.parent_span_id != SpanId::INVALID;
        Self {
            trace_id: Text(context.trace_id()),
            span_id: Text(context.span_id()),
            trace_state: context.trace_state().header(),
            parent_span_id: has_parent.then_some(Text(span.parent_span_id)),
            flags: flags(context, span.parent_span_is_remote),
            name: &span.name,
            kind: kind(&span.span_kind),
            start_time_unix_nano: nanos(span.start_time),
            end_time_unix_nano: nanos(span.end_time),
            attributes: Attributes(&span.attributes),
            dropped_attributes_count: span.dropped_attributes_count,
            events: span.events.events.iter().map(OtlpEvent::of).collect(),
            dropped_events_count: span.events.dropped_count,
            links: span.links.links.iter().map(OtlpLink::of).collect(),
            dropped_links_count: span.links.dropped_count,
            status: OtlpStatus::of(&span.status),
        }
    }
}

impl<'a> OtlpEvent<'a> {
    fn of(event: &'a Event) -> Self {
        Self {
            time_unix_nano: nanos(event.timestamp),
            name: &event.name,
            attributes: Attributes(&event.attributes),
            dropped_attributes_count: event.dropped_attributes_count,
        }
    }
}

impl<'a> OtlpLink<'a> {
    fn of(link: &'a Link) -> Self {
        let context = &link.span_context;
        Self {
            trace_id: Text(context.trace_id()),
            span_id: Text(context.span_id()),
            trace_state: context.trace_state().header(),
            attributes: Attributes(&link.attributes),
            dropped_attributes_count: link.dropped_attributes_count,
            flags: flags(context, context.is_remote()),
        }
    }
}

impl<'a> OtlpStatus<'a> {
    fn of(status: &'a Status) -> Self {
        let (code, message) = match status {
            Status::Unset => (0, ""),
            Status::Ok => (1, ""),
            Status::Error { description } => (2, &**description),
        };
        Self { message, code }
    }
}

impl<'a> OtlpScope<'a> {
    pub(super) fn of(scope: &'a InstrumentationScope) -> Self {
        Self {
            name: scope.name(),
            version: scope.version(),
            attributes: ScopeAttributes(scope),
        }
    }
}

fn kind(kind: &SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn flags(context: &SpanContext, is_remote: bool) -> u32 {
    let remote = if is_remote { IS_REMOTE } else { 0 };
    u32::from(context.trace_flags().to_u8()) | KNOWS_WHETHER_REMOTE | remote
}

/// A time before 1970 is written as 1970.
fn nanos(time: SystemTime) -> Text<u64> {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Text(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
