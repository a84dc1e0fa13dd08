//! A store that packs answers as one that does not, holds its bound, and does not pack the same again and again.

use std::path::Path;
use std::sync::Arc;

use agentspan_model::agentspec::MASK;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::place::Place;
use crate::span::{Form, Span};
use crate::store::{Fit, Store, Tally, Trace};

/// A span that comes.
#[derive(Clone, Debug)]
struct Step {
    trace: u8,
    span: u8,
    is_running: bool,
    is_error: bool,
    form: u8,
    /// How often its text is repeated.
    length: usize,
    word: u8,
    group: u8,
    line: Option<usize>,
    is_refused: bool,
}

prop_compose! {
    fn step()(
        (trace, span) in (0_u8..5, 0_u8..60),
        (is_running, is_error, is_refused) in any::<(bool, bool, bool)>(),
        form in 0_u8..3,
        length in prop_oneof![200 => 0_usize..20, 20 => 100_usize..600, 1 => 12_000_usize..13_000],
        word in 0_u8..20,
        group in 0_u8..4,
        line in proptest::option::of(1_usize..9),
    ) -> Step {
        Step { trace, span, is_running, is_error, form, length, word, group, line, is_refused }
    }
}

impl Step {
    fn span(&self, at: usize, store: &mut Store) -> Span {
        let text = format!("word{} Grüße \"{at}\" ", self.word).repeat(self.length);
        let end = if self.is_running { 0 } else { 2_000 + at };
        let attributes = json!({
            "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": at, "gen_ai.agent.name": format!("agent {}", self.group),
            "gen_ai.input.messages": json!([{"role": "user", "parts": [{"type": "text", "content": text}]}]).to_string(),
        });
        let json = json!({
            "traceId": format!("{:02x}", self.trace), "spanId": format!("{:02x}", self.span), "name": format!("chat {at}"),
            "parentSpanId": format!("{:02x}", self.span / 2), "startTimeUnixNano": (1_000 + at).to_string(),
            "endTimeUnixNano": end.to_string(), "attributes": attributes,
            "status": {"code": if self.is_error { 2 } else { 0 }},
            "events": [{"name": "an event", "timeUnixNano": (1_500 + at).to_string()}],
        });
        let resource = json!({"attributes": {"service.name": format!("service {}", self.group)}});
        let group = match self.group {
            0 => Arc::default(),
            _ => store.group(&resource, &json!({"name": "scope"})),
        };
        let form = [Form::Otlp, Form::Agent365, Form::AgentSpec][usize::from(self.form)];
        let mut span = Span::of_json(&json, Some(form), &group).unwrap();
        span.facts.is_refused = self.is_refused;
        if form == Form::AgentSpec {
            span.dump = Some(format!("{{\"{MASK}\":{at}}}").into());
            span.facts.is_masked = true;
        }
        span.place = self.line.map(|line| Place {
            path: Path::new(if self.group < 2 { "a" } else { "b" }).into(),
            line,
        });
        span
    }
}

/// All that a reader sees of a trace.
fn shown(trace: &Trace) -> Vec<String> {
    let spans = trace.spans();
    assert_eq!(spans.len(), trace.len());
    let mut shown = vec![
        trace.id().to_owned(),
        trace.row().to_json().to_string(),
        format!("{:?}", trace.judged()),
    ];
    for span in &*spans {
        let found = trace.span(&span.span_id).unwrap();
        assert_eq!(format!("{:?}", *found), format!("{span:?}"));
        assert_eq!(trace.is_refused(&span.span_id), Some(span.facts.is_refused));
        shown.push(format!("{span:?}"));
    }
    assert!(trace.span("no such span").is_none());
    for word in 0..20 {
        let word = format!("word{word} ");
        let has = |span: &Span| span.json.contains(&word);
        let found = trace.has_span(|texts| texts.may_have(&word), has);
        assert_eq!(found, spans.iter().any(has));
    }
    shown
}

fn check_same(packed: &mut Store, plain: &mut Store) {
    assert_eq!(packed.last_change(), plain.last_change());
    assert_eq!(packed.lost(), plain.lost());
    let of = |store: &Store| -> Vec<_> { store.traces().map(shown).collect() };
    assert_eq!(of(packed), of(plain));
    let changes = |store: &Store| -> Vec<_> {
        let changes = store.changed_after(0, usize::MAX);
        changes
            .map(|(number, trace)| (number, trace.id().to_owned()))
            .collect()
    };
    assert_eq!(changes(packed), changes(plain));
    assert_eq!(packed.tally(), plain.tally());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_store_that_packs_answers_as_one_that_does_not(
        steps in vec(step(), 1..250),
        loose in 0_usize..20,
    ) {
        let mut packed = Store::new(1 << 28).with_packing_beyond(loose);
        let mut plain = Store::new(1 << 28);
        for (at, step) in steps.iter().enumerate() {
            let (first, second) = (step.span(at, &mut packed), step.span(at, &mut plain));
            prop_assert_eq!(packed.insert(first), plain.insert(second));
            if at == 120 {
                check_same(&mut packed, &mut plain);
            }
        }
        check_same(&mut packed, &mut plain);
        check_sums(&packed);
        prop_assert!(packed.size.loose <= loose);
    }

    #[test]
    fn the_bound_holds_whatever_comes_and_all_losses_count(
        steps in vec(step(), 1..250),
        loose in 0_usize..20,
        kilobytes in 20_usize..2_000,
    ) {
        let mut store = Store::new(kilobytes << 10).with_packing_beyond(loose);
        for (at, step) in steps.iter().enumerate() {
            let span = step.span(at, &mut store);
            let (id, trace) = (span.span_id.clone(), span.trace_id.clone());
            let has = |store: &Store| store.trace(&trace).is_some_and(|trace| trace.span(&id).is_some());
            let (was_there, before) = (has(&store), held(&store));
            let lost = store.lost().spans;
            let fit = store.insert(span);
            check_sums(&store);
            let came = usize::from(!was_there || fit == Fit::TooLarge);
            let gone = usize::try_from(store.lost().spans - lost).unwrap();
            prop_assert_eq!(held(&store) + gone, before + came);
        }
        let mut fresh = Tally::default();
        store.traces().for_each(|trace| fresh.add(trace.row()));
        prop_assert_eq!(store.tally(), &fresh);
    }
}

#[test]
fn what_cannot_be_unpacked_counts_once_and_costs_no_other_span() {
    let mut store = Store::new(1 << 20).with_packing_beyond(0);
    let span = |id: &str| {
        let json = json!({"traceId": "a", "spanId": id, "name": "chat"});
        Span::of_json(&json, None, &Arc::default()).unwrap()
    };
    store.insert(span("1"));
    store
        .traces
        .values_mut()
        .for_each(|trace| trace.break_packs());
    store.insert(span("2"));
    let trace = store.trace("a").unwrap();
    for _ in 0..2 {
        let ids: Vec<_> = trace
            .spans()
            .iter()
            .map(|span| span.span_id.clone())
            .collect();
        assert_eq!(ids, ["2"]);
        assert!(trace.span("1").is_none() && trace.span("2").is_some());
        assert_eq!(store.lost().spans, 1);
    }
    // Packs that are broken are not merged with others, and a span that comes again is there again.
    for id in ["3", "4", "5", "1"] {
        assert_eq!(store.insert(span(id)), Fit::Kept);
    }
    assert_eq!(store.trace("a").unwrap().spans().len(), 5);
    check_sums(&store);
}

#[test]
fn dictionaries_count_as_long_as_a_pack_has_them() {
    let mut store = Store::new(1 << 28).with_packing();
    let span = |trace: usize| {
        let json =
            json!({"traceId": format!("{trace}"), "spanId": "1", "name": "chat".repeat(1_000)});
        Span::of_json(&json, None, &Arc::default()).unwrap()
    };
    for trace in 0..700 {
        store.insert(span(trace));
    }
    let bytes = |store: &Store| store.bytes() - store.size.bytes;
    assert!(
        (8_000..100_000).contains(&bytes(&store)),
        "{}",
        bytes(&store)
    );
    store.make_room(usize::MAX, &[]);
    assert_eq!(store.len(), 0);
    // The next pack would have the last one.
    assert_eq!(bytes(&store), 8 << 10);
}

pub(super) fn held(store: &Store) -> usize {
    store.traces().map(Trace::len).sum()
}

/// The bound holds, and what counts is what the traces have.
pub(super) fn check_sums(store: &Store) {
    assert!(store.bytes() <= store.limit());
    let sizes = store.traces().map(Trace::counted);
    let sums = sizes.fold((0, 0, 0), |sums, size| {
        (
            sums.0 + size.bytes,
            sums.1 + size.loose,
            sums.2 + size.loose_bytes,
        )
    });
    let size = store.size;
    assert_eq!(sums, (size.bytes, size.loose, size.loose_bytes));
}

/// Inserts spans of these traces with these ids, and says how often each was packed, and how many bytes each takes.
fn check_work(of: impl Iterator<Item = (u64, u64)>) -> (u64, usize) {
    let mut store = Store::new(1 << 28).with_packing();
    let mut count = 0;
    for (trace, span) in of {
        let json = json!({
            "traceId": format!("{trace:032x}"), "spanId": format!("{span:016x}"), "name": "a step of an agent",
            "startTimeUnixNano": (1_000 + span).to_string(), "endTimeUnixNano": "9000",
        });
        let span = Span::of_json(&json, None, &Arc::default()).unwrap();
        assert_eq!(store.insert(span), Fit::Kept);
        count += 1;
    }
    let spans = held(&store);
    let packed = store.packer.as_ref().unwrap().packed();
    assert!(packed >= spans as u64 - 512);
    (packed.div_ceil(count), store.bytes() / spans)
}

#[test]
fn the_work_of_packing_grows_with_the_number_of_spans_in_whatever_order_they_come() {
    const COUNT: u64 = 1_000;
    let mixed = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    // One trace; traces one after the other; many at once; few at once; and in no order.
    let (work, fresh) = check_work((0..4 * COUNT).map(|at| (1, at)));
    assert_eq!(work, 1);
    assert_eq!(check_work((0..COUNT).map(|at| (at / 10, at))).0, 1);
    let (work, bytes) = check_work((0..COUNT * 4).map(|at| (at % 100, at)));
    assert!((2..=4).contains(&work) && bytes < 400, "{work} {bytes}");
    assert!(check_work((0..COUNT).map(|at| (at % 5, at))).0 <= 2);
    assert!(check_work((0..COUNT).map(|at| (mixed(at) % 50, at))).0 <= 4);
    // A large trace, and one span after the other of it that comes late, between others.
    let late = (0..COUNT).map(|at| (if at % 70 == 0 { 1 } else { at }, at));
    assert!(check_work((0..COUNT).map(|at| (1, at)).chain(late)).0 <= 2);
    // All spans again, in the same order, and in another.
    let twice = (0..2 * COUNT).map(|at| (1, at % COUNT));
    assert!(check_work(twice).0 <= 2);
    let again = (0..7 * COUNT).map(|at| (1, mixed(at) % COUNT));
    let (work, bytes) = check_work((0..COUNT).map(|at| (1, at)).chain(again));
    assert!(work <= 4 && bytes < 3 * fresh, "{work} {bytes} {fresh}");
}

#[test]
fn packed_spans_take_a_part_of_what_they_took() {
    let (_, bytes) = check_work((0..10_000).map(|at| (at / 10, at)));
    let loose = Step {
        trace: 0,
        span: 0,
        is_running: false,
        is_error: false,
        form: 0,
        length: 0,
        word: 0,
        group: 0,
        line: None,
        is_refused: false,
    };
    let loose = loose.span(0, &mut Store::new(0)).bytes();
    assert!(bytes * 4 < loose, "{bytes} of {loose}");
}

#[test]
fn t24_a_trace_is_bounded_by_what_it_takes_when_it_is_read() {
    // What compresses well must not take more memory than there is when somebody reads it.
    let limit = 4 << 20;
    let mut store = Store::new(limit).with_packing();
    let span = |at: u64| {
        let json = json!({"traceId": "a", "spanId": format!("{at}"), "name": "x".repeat(100_000)});
        Span::of_json(&json, None, &Arc::default()).unwrap()
    };
    let fits = (0..100)
        .filter(|at| store.insert(span(*at)) == Fit::Kept)
        .count();
    let spans = store.trace("a").unwrap().spans();
    assert!(spans.iter().map(Span::bytes).sum::<usize>() <= limit);
    assert!(
        (15..=20).contains(&fits) && store.lost().spans == 100 - fits as u64,
        "{fits}"
    );
}
