//! Puts spans whose parents are not sent under their nearest ancestors that are.

use std::collections::HashMap;

use opentelemetry::trace::{Link, SpanContext, SpanId, TraceFlags, TraceState};
use opentelemetry_sdk::trace::SpanData;

use super::lineage::Lineage;
use super::parent::{Parent, key, parent};
use crate::receipt::SpanKey;

/// More ancestors that are not sent are not gone through: the span becomes a root. Spans that are each
/// other's ancestors have no end.
const MAX_ANCESTORS: usize = 256;

/// Changes the parents of the spans of a batch, except for those at the places `unsent`, in ascending
/// order, which are not sent. What is known of spans of other batches is in `lineage`.
///
/// A span with no ancestor in this process that is sent becomes a root: whether another process sends what
/// is above is not known. Each span that is changed links to the parent that it had.
pub(super) fn reparent(spans: &mut [SpanData], unsent: &[usize], lineage: Option<&Lineage>) {
    let in_batch = unsent.iter().filter_map(|index| spans.get(*index));
    let in_batch: HashMap<SpanKey, Parent> =
        in_batch.map(|span| (key(span), parent(span))).collect();
    let above_unsent = |span: &SpanKey| {
        let in_batch = in_batch.get(span).copied();
        in_batch.or_else(|| lineage?.above_unsent(span))
    };
    let mut unsent = unsent.iter().copied().peekable();
    for (index, span) in spans.iter_mut().enumerate() {
        if unsent.next_if_eq(&index).is_some() {
            continue;
        }
        let trace = span.span_context.trace_id();
        let mut place = parent(span);
        let mut passed = 0;
        while let Parent::Here(id) = place {
            let Some(above) = above_unsent(&(trace, id)) else {
                break;
            };
            passed += 1;
            place = match passed {
                MAX_ANCESTORS.. => Parent::Elsewhere,
                _ => above,
            };
        }
        if passed > 0 {
            move_to(span, place);
        }
    }
}

fn move_to(span: &mut SpanData, place: Parent) {
    let had = SpanContext::new(
        span.span_context.trace_id(),
        span.parent_span_id,
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    span.links.links.push(Link::new(had, Vec::new(), 0));
    span.parent_span_id = match place {
        Parent::Here(id) => id,
        Parent::Elsewhere => SpanId::INVALID,
    };
}
