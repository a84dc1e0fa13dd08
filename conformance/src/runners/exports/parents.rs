//! Which parents version 2 changes: those that are of operations which it does not send.

use agentspan_model::agent365::Profile;

use super::model::is_sent_operation;
use crate::VectorSpan;
use crate::export_input::ExportInput;
use crate::vector_span::{VectorLink, VectorParent};

/// Whether a span that is sent gets another parent.
pub(super) fn changes_parents(input: &ExportInput, profile: Profile) -> bool {
    let mut spans = input.rust_spans();
    let parents = |spans: &[VectorSpan]| {
        let parents = spans.iter().map(|span| span.parent.as_ref());
        let ids = parents.map(|parent| parent.map(|parent| parent.span_id.clone()));
        ids.collect::<Vec<_>>()
    };
    let before = parents(&spans);
    change_parents(&mut spans, profile);
    parents(&spans) != before
}

/// Puts each span that is sent under its nearest ancestor of the batch that is, or makes it a root, with a
/// link to the parent that it had.
pub(super) fn change_parents(spans: &mut [VectorSpan], profile: Profile) {
    if profile == Profile::V0_1 {
        return;
    }
    let unsent: Vec<VectorSpan> = spans
        .iter()
        .filter(|span| !is_sent_operation(span))
        .cloned()
        .collect();
    for span in spans.iter_mut().filter(|span| is_sent_operation(span)) {
        let mut place = local(span.parent.as_ref(), &span.trace_id);
        let mut passed = 0;
        while let Some(parent) = place.clone() {
            let found = unsent
                .iter()
                .rev()
                .find(|other| other.trace_id == span.trace_id && other.span_id == parent.span_id);
            let Some(found) = found else {
                break;
            };
            passed += 1;
            // They may be each other's parents.
            place =
                local(found.parent.as_ref(), &found.trace_id).filter(|_| passed <= unsent.len());
        }
        let Some(had) = span.parent.take_if(|_| passed > 0) else {
            continue;
        };
        span.links.push(VectorLink {
            trace_id: span.trace_id.clone(),
            span_id: had.span_id,
            attributes: None,
        });
        span.parent = place;
    }
}

/// The parent, if it is in this process.
fn local(parent: Option<&VectorParent>, trace_id: &str) -> Option<VectorParent> {
    let parent = parent.filter(|parent| !parent.is_remote && !is_zero(&parent.span_id))?;
    Some(VectorParent {
        trace_id: trace_id.to_owned(),
        ..parent.clone()
    })
}

fn is_zero(id: &str) -> bool {
    id.bytes().all(|digit| digit == b'0')
}
