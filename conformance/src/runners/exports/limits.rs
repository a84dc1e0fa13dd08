//! How version 2 and later bound spans and bodies, told from the rules and not from the exporter.

use agentspan_model::agent365::Profile;

use super::body::{body, object, value};
use super::model::{groups, path};
use super::settings::{Domain, trimmed};
use crate::VectorSpan;
use crate::export_input::ExportInput;
use crate::typed_value::{TypedPairs, TypedValue, after_calls};

/// How long a span may be in ASCII.
const MAX_SPAN_BYTES: usize = 250 * 1024;

/// The bodies in which the spans of one identity go.
pub(super) fn bodies(input: &ExportInput, spans: &[&VectorSpan], profile: Profile) -> Vec<String> {
    if profile == Profile::V0_1 {
        return vec![body(spans)];
    }
    let limit = limit(input);
    let spans = prepared(spans);
    let mut bodies = Vec::new();
    for chunk in chunks(&spans, limit, profile) {
        halve(&chunk, limit, &mut bodies);
    }
    bodies
}

/// The spans as they are sent: cut, and with the resource of the first, whichever body they go in.
fn prepared(spans: &[&VectorSpan]) -> Vec<VectorSpan> {
    let mut prepared: Vec<_> = spans.iter().map(|span| truncated(span)).collect();
    if let Some(first) = spans.first() {
        for span in &mut prepared {
            span.resource.clone_from(&first.resource);
        }
    }
    prepared
}

/// Whether the reference would send a body with several spans that is longer than the limit.
pub(super) fn has_long_chunk(input: &ExportInput, profile: Profile) -> bool {
    let spans = input.rust_spans();
    let limit = limit(input);
    profile != Profile::V0_1
        && groups(input, &spans, profile, &mut true)
            .iter()
            .any(|group| {
                let spans = prepared(&group.spans);
                chunks(&spans, limit, profile)
                    .iter()
                    .any(|chunk| chunk.len() > 1 && body(chunk).len() > limit)
            })
}

/// Whether a domain override has a slash at its end, which the reference puts before that of the path.
pub(in crate::runners) fn has_slash_at_end(text: &str) -> bool {
    matches!(Domain::of(Some(text)), Domain::Other { .. }) && trimmed(text).ends_with('/')
}

/// The URL that is posted to with this override, if that is one.
pub(in crate::runners) fn url_at(
    endpoint: &str,
    agent: &str,
    tenant: &str,
    use_s2s_endpoint: bool,
    profile: Profile,
) -> Option<String> {
    match Domain::of(Some(endpoint)) {
        Domain::Other {
            authority,
            base_path,
        } => Some(format!(
            "https://{authority}{}",
            path(base_path, agent, tenant, use_s2s_endpoint, profile)
        )),
        Domain::Usual | Domain::Refused => None,
    }
}

/// Whether we refuse a domain override that the reference takes.
pub(in crate::runners) fn is_refused_domain(text: &str) -> bool {
    Domain::of(Some(text)) == Domain::Refused
}

/// The length of JSON in which everything beyond printable ASCII is escaped.
pub(in crate::runners) fn ascii_length(json: &str) -> usize {
    let length = |c: char| match c {
        ' '..='~' => 1,
        c => 6 * c.len_utf16(),
    };
    json.chars().map(length).sum()
}

fn limit(input: &ExportInput) -> usize {
    let limit = input.max_payload_bytes.unwrap_or(900_000);
    usize::try_from(limit).unwrap_or_default()
}

fn chunks(spans: &[VectorSpan], limit: usize, profile: Profile) -> Vec<Vec<&VectorSpan>> {
    let mut chunks: Vec<Vec<&VectorSpan>> = Vec::new();
    let mut room = 0;
    for span in spans {
        let size = estimate(span, profile);
        match chunks.last_mut() {
            Some(chunk) if size <= room => {
                chunk.push(span);
                room -= size;
            }
            _ => {
                chunks.push(vec![span]);
                room = limit.saturating_sub(size);
            }
        }
    }
    chunks
}

fn halve(spans: &[&VectorSpan], limit: usize, bodies: &mut Vec<String>) {
    let body = body(spans);
    if body.len() > limit && spans.len() > 1 {
        let (first, second) = spans.split_at(spans.len() / 2);
        halve(first, limit, bodies);
        halve(second, limit, bodies);
    } else {
        bodies.push(body);
    }
}

pub(in crate::runners) fn estimate(span: &VectorSpan, profile: Profile) -> usize {
    let estimate_pairs = |pairs| estimate_pairs(pairs, profile);
    let events = span
        .events
        .iter()
        .map(|event| 200 + event.name.len() + event.attributes.as_ref().map_or(0, &estimate_pairs));
    2_000 + span.name.len() + estimate_pairs(&span.attributes) + events.sum::<usize>()
}

fn estimate_pairs(pairs: &TypedPairs, profile: Profile) -> usize {
    let kept = after_calls(pairs);
    let sizes = kept
        .iter()
        .map(|(key, typed)| 80 + key.len() + estimate_value(typed, profile));
    sizes.sum()
}

pub(in crate::runners) fn estimate_value(typed: &TypedValue, profile: Profile) -> usize {
    let text = |text: &String| match profile {
        Profile::V3 => 40 + (text.len() as f64 * 1.1) as usize,
        _ => 40 + text.len(),
    };
    match typed {
        TypedValue::String(one) => text(one),
        TypedValue::StringArray(items) => 60 + items.iter().map(text).sum::<usize>(),
        TypedValue::BoolArray(items) => 60 + 50 * items.len(),
        TypedValue::IntArray(items) => 60 + 50 * items.len(),
        TypedValue::DoubleArray(items) => 60 + 50 * items.len(),
        TypedValue::Array(items) => 60 + 50 * items.len(),
        _ => 40,
    }
}

/// What stands for the values that are cut.
const MARKER: &str = "TRUNCATED";

/// The span with markers for its largest values, but for those that are shorter than the marker.
pub(in crate::runners) fn truncated(span: &VectorSpan) -> VectorSpan {
    let mut span = span.clone();
    if ascii_length(&object(&span)) <= MAX_SPAN_BYTES {
        return span;
    }
    span.attributes = after_calls(&span.attributes);
    for (at, size) in largest_first(&span.attributes) {
        if size < MARKER.len() + 2 {
            break;
        }
        span.attributes[at].1 = TypedValue::String(MARKER.to_owned());
        if ascii_length(&object(&span)) <= MAX_SPAN_BYTES {
            break;
        }
    }
    span
}

/// Whether the reference would put markers in the place of shorter values.
pub(in crate::runners) fn has_marker_that_lengthens(span: &VectorSpan) -> bool {
    let cut = truncated(span);
    let is_short = |(_, size): (usize, usize)| size < MARKER.len() + 2;
    ascii_length(&object(&cut)) > MAX_SPAN_BYTES
        && largest_first(&cut.attributes).into_iter().any(is_short)
}

/// The places and sizes of values, the largest first, and of equal ones the first.
fn largest_first(attributes: &TypedPairs) -> Vec<(usize, usize)> {
    let sizes = attributes
        .iter()
        .map(|(_, typed)| ascii_length(&value(typed)));
    let mut largest: Vec<_> = sizes.enumerate().collect();
    largest.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    largest
}
