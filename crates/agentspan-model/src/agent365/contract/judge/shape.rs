//! Whether ids, times and the forms of fields are as they must be.

use super::super::observed::{FieldForm, ObservedSpan, Wire};
use super::super::rule::RuleId;
use super::Findings;

/// In nanoseconds since the Unix epoch: March 1973. A time before it is in another unit, since nobody
/// traced agents then.
const FIRST_TIME: u64 = 100_000_000_000_000_000;

pub(super) fn check(span: &ObservedSpan<'_>, findings: &mut Findings) {
    let ids_are_whole = is_id(span.trace_id, 32)
        && is_id(span.span_id, 16)
        && span.parent.is_none_or(|parent| is_id(parent, 16));
    if !ids_are_whole {
        findings.add(RuleId::R25, span);
    }
    let times_are_possible = match (span.start, span.end) {
        (Some(start), Some(end)) => (FIRST_TIME..=end).contains(&start),
        _ => false,
    };
    if !times_are_possible {
        findings.add(RuleId::R28, span);
    }
    let wrong = match span.wire {
        Some(Wire::Standard) => Some(FieldForm::Name),
        Some(Wire::Flat) => Some(FieldForm::Number),
        None => None,
    };
    if wrong.is_some() && [span.kind, span.status].contains(&wrong) {
        findings.add(RuleId::R26, span);
    }
}

/// Whether a text is an id of so many hexadecimal digits, in lower case and not zero.
fn is_id(text: &str, digits: usize) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == digits && text.bytes().all(is_digit) && text.bytes().any(|byte| byte != b'0')
}
