//! Which scripts may meet a defect that the reference has and we have not.

use super::script::{Op, Script, Step};
use crate::{Allowance, Case};

macro_rules! allowances {
    ($($name:literal => $may_meet:expr,)*) => {
        &[$(Allowance {
            name: $name,
            applies: |case| may_meet(case, $may_meet),
            // What follows a defect depends on it.
            places: &["**"],
        },)*]
    };
}

pub(super) const ALLOWANCES: &[Allowance] = allowances!(
    "failed_start_leaves_a_trace_active" => |script, _| {
        script.raises("startup", None) || script.raises("on_start", None)
    },
    "failed_end_of_root_leaves_a_trace_active" => |script, _| script.raises("on_end", None),
    "failed_event_keeps_a_span_open" => |script, _| script.raises("on_event", Some("ExceptionRaised")),
    "span_ends_twice" => |_, acts| any(acts, |act, before| {
        act.is(Kind::Span, Does::End)
            && before.iter().any(|other| other.does == Does::End && other.is_same(act))
    }),
    "span_ends_before_it_starts" => |_, acts| any(acts, |act, before| {
        act.is(Kind::Span, Does::End) && !has_started(act, before)
    }),
    "span_ends_out_of_order" => |_, acts| any(acts, |act, before| {
        act.is(Kind::Span, Does::End) && open(before).last() != Some(&(act.kind, act.name))
            || act.is(Kind::Span, Does::End) && !started_here(act, before)
    }),
    "span_starts_twice" => |_, acts| any(acts, |act, before| {
        act.is(Kind::Span, Does::Start) && has_started(act, before)
    }),
    "trace_is_used_again" => |_, acts| any(acts, |act, before| {
        act.is(Kind::Trace, Does::Start) && has_started(act, before)
    }),
    "trace_ends_elsewhere" => |_, acts| any(acts, |act, before| {
        act.is(Kind::Trace, Does::End) && !started_here(act, before)
    }),
    "trace_ends_without_being_active" => |_, acts| any(acts, |act, before| {
        act.is(Kind::Trace, Does::End)
            && !open(before).contains(&(act.kind, act.name))
    }),
    "root_span_ends_where_it_is_not_current" => |_, acts| any(acts, |act, before| {
        act.is(Kind::Trace, Does::End) && open(before).last() != Some(&(act.kind, act.name))
    }),
);

fn may_meet(case: &Case, holds: fn(&Script, &[Act<'_>]) -> bool) -> bool {
    case.input().is_ok_and(|script: Script| {
        let mut acts = Vec::new();
        collect(&script.steps, &mut Vec::new(), &mut acts);
        holds(&script, &acts)
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Trace,
    Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Start,
    End,
}

/// A span or a trace starts or ends, if nothing fails.
#[derive(Debug, PartialEq, Eq)]
struct Act<'a> {
    kind: Kind,
    name: &'a str,
    does: Does,
    /// The threads and tasks that it is in.
    place: Vec<usize>,
}

impl Act<'_> {
    fn is(&self, kind: Kind, does: Does) -> bool {
        (self.kind, self.does) == (kind, does)
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.kind, self.name) == (other.kind, other.name)
    }
}

fn collect<'a>(steps: &'a [Step], place: &mut Vec<usize>, acts: &mut Vec<Act<'a>>) {
    for (index, step) in steps.iter().enumerate() {
        let (kind, name) = match step.op {
            Op::WithTrace | Op::TraceStart | Op::TraceEnd => (Kind::Trace, step.trace()),
            _ => (Kind::Span, step.span()),
        };
        let act = |does, place: &[usize]| Act {
            kind,
            name,
            does,
            place: place.to_vec(),
        };
        let begins = [Op::WithTrace, Op::TraceStart, Op::WithSpan, Op::SpanStart];
        if begins.contains(&step.op) {
            acts.push(act(Does::Start, place));
        }
        let is_apart = [Op::InThread, Op::InTask].contains(&step.op);
        if is_apart {
            place.push(index);
        }
        collect(&step.steps, place, acts);
        if is_apart {
            place.pop();
        }
        let ends = [Op::WithTrace, Op::TraceEnd, Op::WithSpan, Op::SpanEnd];
        if ends.contains(&step.op) {
            acts.push(act(Does::End, place));
        }
    }
}

/// Whether it holds for an act and those before it.
fn any(acts: &[Act<'_>], holds: impl Fn(&Act<'_>, &[Act<'_>]) -> bool) -> bool {
    let mut acts_with_those_before = (0..acts.len()).map(|at| (&acts[at], &acts[..at]));
    acts_with_those_before.any(|(act, before)| holds(act, before))
}

fn has_started(act: &Act<'_>, before: &[Act<'_>]) -> bool {
    let mut starts = before.iter().filter(|other| other.does == Does::Start);
    starts.any(|other| other.is_same(act))
}

fn started_here(act: &Act<'_>, before: &[Act<'_>]) -> bool {
    let mut starts = before.iter().filter(|other| other.does == Does::Start);
    starts.any(|other| other.is_same(act) && other.place == act.place)
}

/// The spans and traces that have not ended, the innermost last.
fn open<'a>(acts: &[Act<'a>]) -> Vec<(Kind, &'a str)> {
    let mut open = Vec::new();
    for act in acts {
        match act.does {
            Does::Start => open.push((act.kind, act.name)),
            Does::End => open.retain(|other| *other != (act.kind, act.name)),
        }
    }
    open
}
