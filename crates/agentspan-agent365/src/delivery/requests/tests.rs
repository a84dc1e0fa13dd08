//! Tests of what is kept until a request is over, by a clock of their own.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::SpanContext;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use proptest::prelude::*;

use super::*;
use crate::access_token::AccessToken;
use crate::encode::EncodedResource;
use crate::span_of_test;

const TRACE: u128 = 7;

/// A buffer, and what came out of it: for each departure the spans by token.
struct Bench {
    requests: Requests,
    began: Instant,
    seconds: u64,
    parents: HashMap<(TraceId, SpanId), Parent>,
    sent: Vec<Vec<(Option<String>, Vec<u64>)>>,
}

impl Bench {
    fn new(bounds: PerRequestExport) -> Self {
        Self {
            requests: Requests::new(bounds),
            began: Instant::now(),
            seconds: 0,
            parents: HashMap::new(),
            sent: Vec::new(),
        }
    }

    fn now(&self) -> Instant {
        self.began + Duration::from_secs(self.seconds)
    }

    fn start(&mut self, span: u64, parent: Parent, token: Option<&ExportToken>) {
        self.start_in(TRACE, span, parent, token);
    }

    fn start_in(&mut self, trace: u128, span: u64, parent: Parent, token: Option<&ExportToken>) {
        self.start_with(trace, span, parent, token.map(ExportToken::as_carried));
    }

    fn start_with(&mut self, trace: u128, span: u64, parent: Parent, token: Option<RequestToken>) {
        let (trace, span) = (TraceId::from(trace), SpanId::from(span));
        self.parents.insert((trace, span), parent);
        let sent = self.requests.start(self.now(), trace, span, parent, token);
        self.note(sent);
    }

    fn end(&mut self, span: u64) -> Option<DropReason> {
        self.end_in(TRACE, span)
    }

    fn end_in(&mut self, trace: u128, span: u64) -> Option<DropReason> {
        let (now, trace, id) = (self.now(), TraceId::from(trace), SpanId::from(span));
        let mut queued = queued(span);
        if let Some(Parent::Here(parent)) = self.parents.get(&(trace, id)) {
            queued.span.data.parent_span_id = *parent;
        }
        match self.requests.end(now, trace, id, || Some(queued)) {
            Ok(departure) => {
                self.note(departure);
                None
            }
            Err(reason) => Some(reason),
        }
    }

    /// Lets time pass.
    fn wait(&mut self, seconds: u64) {
        self.seconds += seconds;
        let due = self.requests.due(self.now());
        self.note(due);
    }

    fn note(&mut self, departures: impl IntoIterator<Item = Departure>) {
        for departure in departures {
            let batches = departure.into_batches().into_iter().map(|batch| {
                let token = batch.token.map(|token| token.current().as_str().to_owned());
                let ids = batch.spans.iter().map(|span| id(&span.span.data));
                (token, ids.collect())
            });
            self.sent.push(batches.collect());
        }
    }

    fn check_sent(&mut self, expected: &[&[(Option<&str>, &[u64])]]) {
        let expected: Vec<Vec<_>> = expected
            .iter()
            .map(|departure| {
                let batches = departure.iter();
                batches
                    .map(|(token, ids)| (token.map(str::to_owned), ids.to_vec()))
                    .collect()
            })
            .collect();
        assert_eq!(std::mem::take(&mut self.sent), expected);
    }

    /// Nothing is kept of anything.
    fn check_empty(&self) {
        let requests = &self.requests;
        assert!(requests.open.is_empty(), "{requests:?}");
        assert!(requests.within_bounds.is_empty(), "{requests:?}");
        assert_eq!(requests.surplus_spans, 0);
        assert!(requests.closed.is_empty(), "{requests:?}");
        assert!(requests.by_trace.is_empty(), "{requests:?}");
        assert!(requests.grace.is_empty(), "{requests:?}");
        assert_eq!(requests.next_deadline(), None);
    }
}

fn id(span: &SpanData) -> u64 {
    u64::from_be_bytes(span.span_context.span_id().to_bytes())
}

fn queued(span: u64) -> QueuedSpan {
    let resource = EncodedResource::from(&Resource::builder_empty().build());
    let mut data = span_of_test::span(Vec::new());
    data.span_context = SpanContext::new(
        TraceId::from(TRACE),
        SpanId::from(span),
        opentelemetry::TraceFlags::SAMPLED,
        false,
        opentelemetry::trace::TraceState::default(),
    );
    QueuedSpan {
        span: data.into(),
        resource: Arc::new(resource),
        bytes: 1,
    }
}

fn below(parent: u64) -> Parent {
    Parent::Here(SpanId::from(parent))
}

fn token(text: &str) -> ExportToken {
    ExportToken::new(AccessToken::new(text).unwrap())
}

/// A grace of 10 seconds, an age of 100.
fn bounds() -> PerRequestExport {
    PerRequestExport::new()
        .with_grace(Duration::from_secs(10))
        .with_max_age(Duration::from_secs(100))
}

#[test]
fn the_defaults_are_those_of_the_reference_for_node() {
    let bounds = PerRequestExport::new();
    assert_eq!((bounds.max_requests, bounds.max_spans), (1_000, 5_000));
    assert_eq!(bounds.grace, Duration::from_millis(250));
    assert_eq!(bounds.max_age, Duration::from_secs(1_800));
}

#[test]
fn a_request_is_sent_when_its_root_and_all_below_have_ended() {
    let mut bench = Bench::new(bounds());
    bench.start(1, Parent::Elsewhere, Some(&token("t")));
    bench.start(2, below(1), None);
    bench.start(3, below(2), None);
    assert_eq!(bench.end(2), None);
    assert_eq!(bench.end(1), None);
    bench.check_sent(&[]);
    // Its parent has ended, and it belongs to the request all the same.
    bench.start(4, below(2), None);
    assert_eq!(bench.end(3), None);
    bench.check_sent(&[]);
    assert_eq!(bench.end(4), None);
    bench.check_sent(&[&[(Some("t"), &[2, 1, 3, 4])]]);
    bench.check_empty();
}

#[test]
fn requests_of_one_trace_are_apart() {
    let mut bench = Bench::new(bounds());
    bench.start(1, Parent::Elsewhere, Some(&token("one")));
    bench.start(2, Parent::Elsewhere, Some(&token("two")));
    bench.start(3, below(1), None);
    bench.start(4, below(2), None);
    for span in [4, 2] {
        assert_eq!(bench.end(span), None);
    }
    bench.check_sent(&[&[(Some("two"), &[4, 2])]]);
    for span in [1, 3] {
        assert_eq!(bench.end(span), None);
    }
    bench.check_sent(&[&[(Some("one"), &[1, 3])]]);
    bench.check_empty();
}

#[test]
fn a_parent_that_is_unknown_makes_a_root() {
    let mut bench = Bench::new(bounds());
    bench.start(2, below(1), Some(&token("t")));
    assert_eq!(bench.end(2), None);
    bench.check_sent(&[&[(Some("t"), &[2])]]);
    bench.check_empty();
}

#[test]
fn the_first_token_of_a_request_is_that_of_the_spans_without() {
    let mut bench = Bench::new(bounds());
    bench.start(1, Parent::Elsewhere, None);
    bench.start(2, below(1), Some(&token("first")));
    bench.start(3, below(1), Some(&token("second")));
    bench.start(4, below(1), None);
    for span in [4, 3, 2, 1] {
        assert_eq!(bench.end(span), None);
    }
    bench.check_sent(&[&[(Some("first"), &[4, 2, 1]), (Some("second"), &[3])]]);
}

#[test]
fn a_span_from_which_the_token_is_withheld_does_not_get_that_of_the_request() {
    let mut bench = Bench::new(bounds());
    bench.start(1, Parent::Elsewhere, Some(&token("t")));
    bench.start_with(TRACE, 2, below(1), Some(RequestToken::withheld()));
    for span in [2, 1] {
        assert_eq!(bench.end(span), None);
    }
    bench.check_sent(&[&[(None, &[2]), (Some("t"), &[1])]]);
    // Nor is it the token of a request.
    let mut bench = Bench::new(bounds());
    bench.start_with(TRACE, 1, Parent::Elsewhere, Some(RequestToken::withheld()));
    bench.start(2, below(1), Some(&token("t")));
    bench.start(3, below(1), None);
    for span in [3, 2, 1] {
        assert_eq!(bench.end(span), None);
    }
    bench.check_sent(&[&[(Some("t"), &[3, 2]), (None, &[1])]]);
}

#[test]
fn what_ends_after_the_grace_is_lost() {
    let mut bench = Bench::new(bounds());
    bench.start(1, Parent::Elsewhere, None);
    bench.start(2, below(1), None);
    bench.start(3, below(1), None);
    assert_eq!(bench.end(1), None);
    let until = bench.now() + Duration::from_secs(10);
    assert_eq!(bench.requests.next_deadline(), Some(until));
    bench.wait(9);
    assert_eq!(bench.end(2), None);
    bench.check_sent(&[]);
    bench.wait(1);
    bench.check_sent(&[&[(None, &[1, 2])]]);
    assert_eq!(bench.end(3), Some(DropReason::RequestOver));
    bench.check_empty();
}

#[test]
fn a_request_that_is_too_old_is_sent_as_it_is() {
    let mut bench = Bench::new(bounds());
    bench.start(1, Parent::Elsewhere, Some(&token("t")));
    bench.start(2, below(1), None);
    assert_eq!(bench.end(2), None);
    bench.wait(99);
    bench.check_sent(&[]);
    bench.wait(1);
    bench.check_sent(&[&[(Some("t"), &[2])]]);
    assert_eq!(bench.end(1), Some(DropReason::RequestTimedOut));
    bench.check_empty();
}

#[test]
fn f9_one_request_too_many_sends_what_is_settled_of_the_oldest_which_goes_on() {
    let mut bench = Bench::new(bounds().with_max_requests(2));
    for trace in [1, 2] {
        bench.start_in(trace, 1, Parent::Elsewhere, Some(&token("t")));
        bench.start_in(trace, 2, below(1), None);
        assert_eq!(bench.end_in(trace, 2), None);
    }
    bench.start_in(1, 3, below(1), None);
    bench.start_in(1, 4, below(3), None);
    bench.start_in(1, 5, below(4), None);
    for span in [4, 5] {
        assert_eq!(bench.end_in(1, span), None);
    }
    bench.start_in(3, 1, Parent::Elsewhere, None);
    bench.check_sent(&[&[(Some("t"), &[2])]]);
    // It is no request of its own.
    bench.start_in(1, 6, below(3), None);
    bench.check_sent(&[]);
    for span in [6, 3, 1] {
        assert_eq!(bench.end_in(1, span), None);
    }
    bench.check_sent(&[&[(Some("t"), &[4, 5, 6, 3, 1])]]);
    assert_eq!(bench.end_in(2, 1), None);
    assert_eq!(bench.end_in(3, 1), None);
    bench.check_sent(&[&[(Some("t"), &[2, 1])], &[(None, &[1])]]);
    bench.check_empty();
}

#[test]
fn f9_a_request_that_was_sent_early_ends_as_others_do() {
    let mut bench = Bench::new(bounds().with_max_requests(1));
    for trace in [1, 2] {
        bench.start_in(trace, 1, Parent::Elsewhere, None);
        bench.start_in(trace, 2, below(1), None);
    }
    assert_eq!(bench.end_in(1, 1), None);
    bench.wait(10);
    bench.check_sent(&[&[(None, &[1])]]);
    assert_eq!(bench.end_in(1, 2), Some(DropReason::RequestOver));
    bench.start_in(3, 1, Parent::Elsewhere, None);
    bench.wait(90);
    assert_eq!(bench.end_in(2, 1), Some(DropReason::RequestTimedOut));
    assert_eq!(bench.end_in(2, 2), Some(DropReason::RequestTimedOut));
}

#[test]
fn f9_what_goes_on_beside_the_bounds_is_bounded_and_so_is_what_is_known_of_closed_requests() {
    let mut bench = Bench::new(bounds().with_max_requests(2));
    bench.requests.max_surplus_spans = 5;
    for trace in 0..100 {
        bench.start_in(trace, 1, Parent::Elsewhere, None);
    }
    let numbers = |requests: &Requests| {
        let within = requests.within_bounds.len();
        (
            requests.open.len(),
            within,
            requests.surplus_spans,
            requests.closed.len(),
        )
    };
    assert_eq!(numbers(&bench.requests), (7, 2, 5, 2));
    assert_eq!(bench.requests.by_trace.len(), 9);
    assert_eq!(bench.end_in(0, 1), Some(DropReason::RequestOver));
    assert_eq!(bench.end_in(92, 1), Some(DropReason::RequestEvicted));
    // Spans of a surplus request count, too.
    assert_eq!(bench.end_in(93, 1), None);
    bench.start_in(94, 2, below(1), None);
    assert_eq!(numbers(&bench.requests), (6, 2, 5, 1));
    bench.start_in(94, 3, below(1), None);
    assert_eq!(numbers(&bench.requests), (5, 2, 3, 2));
    assert_eq!(bench.end_in(94, 3), Some(DropReason::RequestEvicted));
    assert_eq!(bench.end_in(95, 1), None);
}

#[test]
fn spans_beyond_the_bound_of_a_request_are_lost_with_what_is_below() {
    let mut bench = Bench::new(bounds().with_max_spans(2));
    bench.start(1, Parent::Elsewhere, None);
    bench.start(2, below(1), None);
    bench.start(3, below(1), None);
    bench.start(4, below(3), None);
    assert_eq!(bench.end(4), Some(DropReason::RequestSpanLimit));
    assert_eq!(bench.end(2), None);
    assert_eq!(bench.end(1), None);
    bench.check_sent(&[&[(None, &[2, 1])]]);
    assert_eq!(bench.end(3), Some(DropReason::RequestSpanLimit));
    bench.check_empty();
}

#[test]
fn a_flush_takes_what_has_ended_and_the_request_goes_on() {
    let mut bench = Bench::new(bounds());
    bench.start(1, Parent::Elsewhere, Some(&token("t")));
    bench.start(2, below(1), None);
    assert_eq!(bench.end(2), None);
    let ended = bench.requests.take_ended();
    bench.note(ended);
    bench.check_sent(&[&[(Some("t"), &[2])]]);
    assert_eq!(bench.end(1), None);
    bench.check_sent(&[&[(Some("t"), &[1])]]);
    bench.check_empty();
}

#[test]
fn after_the_end_nothing_is_taken() {
    let mut bench = Bench::new(bounds());
    bench.start(1, Parent::Elsewhere, None);
    bench.start(2, below(1), None);
    assert_eq!(bench.end(2), None);
    let ended = bench.requests.shut();
    bench.note(ended);
    bench.check_sent(&[&[(None, &[2])]]);
    bench.start(3, below(1), None);
    assert_eq!(bench.end(1), Some(DropReason::AfterShutdown));
    assert_eq!(bench.end(3), Some(DropReason::AfterShutdown));
    bench.check_empty();
}

/// An event that happens to a buffer.
#[derive(Clone, Debug)]
enum Step {
    Start {
        below: Option<usize>,
        has_token: bool,
    },
    End(usize),
    Wait(u64),
    Flush,
}

/// Which spans descend from which roots, and which were started with a token.
#[derive(Debug, Default)]
struct Families {
    root: HashMap<u64, u64>,
    with_token: HashSet<u64>,
}

impl Families {
    fn add(&mut self, span: u64, parent: Option<u64>, has_token: bool) {
        let root = parent.map_or(span, |parent| self.root[&parent]);
        self.root.insert(span, root);
        if has_token {
            self.with_token.insert(span);
        }
    }

    /// Whether `span` may be sent with the token of the span `token`: its own if it has one, or else one
    /// of its request, which holds one family at most.
    fn allow(&self, span: u64, token: Option<u64>) -> bool {
        if self.with_token.contains(&span) {
            return token == Some(span);
        }
        token.is_none_or(|token| self.root[&token] == self.root[&span])
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (proptest::option::weighted(0.7, 0..40_usize), any::<bool>())
            .prop_map(|(below, has_token)| Step::Start { below, has_token }),
        5 => (0..40_usize).prop_map(Step::End),
        1 => (1..15_u64).prop_map(Step::Wait),
        1 => Just(Step::Flush),
    ]
}

proptest! {
    #[test]
    fn every_span_is_sent_once_with_its_own_token_or_lost_for_a_reason(
        steps in proptest::collection::vec(step(), 0..120),
        max_requests in 1..4_usize,
        max_spans in 1..6_usize,
        max_surplus in 0..12_usize,
    ) {
        let bounds = bounds().with_max_requests(max_requests).with_max_spans(max_spans);
        let mut bench = Bench::new(bounds);
        bench.requests.max_surplus_spans = max_surplus;
        let mut running: Vec<u64> = Vec::new();
        let mut families = Families::default();
        let mut ended = 0;
        let mut lost = 0;
        let mut next = 0;
        for step in steps {
            match step {
                Step::Start { below: parent, has_token } => {
                    next += 1;
                    let parent = parent.and_then(|at| running.get(at)).copied();
                    families.add(next, parent, has_token);
                    let token = has_token.then(|| token(&next.to_string()));
                    bench.start(next, parent.map_or(Parent::Elsewhere, below), token.as_ref());
                    running.push(next);
                }
                Step::End(at) if at < running.len() => {
                    ended += 1;
                    lost += usize::from(bench.end(running.remove(at)).is_some());
                }
                Step::End(_) => {}
                Step::Wait(seconds) => bench.wait(seconds),
                Step::Flush => {
                    let taken = bench.requests.take_ended();
                    bench.note(taken);
                }
            }
            prop_assert!(bench.requests.within_bounds.len() <= max_requests);
            prop_assert!(bench.requests.surplus_spans <= max_surplus);
            let open = bench.requests.open.iter();
            let surplus = open.filter(|(number, _)| !bench.requests.within_bounds.contains(number));
            let surplus: usize = surplus.map(|(_, request)| request.members.len()).sum();
            prop_assert_eq!(surplus, bench.requests.surplus_spans);
            prop_assert!(bench.requests.closed.len() <= max_requests);
            let members = |request: &Request| request.members.len() <= max_spans;
            prop_assert!(bench.requests.open.values().all(members));
        }
        for span in running {
            ended += 1;
            lost += usize::from(bench.end(span).is_some());
        }
        // Whoever still waits is waited for no longer.
        bench.wait(1_000);
        prop_assert!(bench.requests.open.is_empty());
        prop_assert_eq!(bench.requests.next_deadline(), None);
        let sent: Vec<u64> = bench.sent.iter().flatten().flat_map(|(_, ids)| ids.clone()).collect();
        let mut unique = sent.clone();
        unique.sort_unstable();
        unique.dedup();
        prop_assert_eq!(unique.len(), sent.len());
        prop_assert_eq!(sent.len() + lost, ended);
        for (token, ids) in bench.sent.iter().flatten() {
            // Tokens are named after the span that was started with them.
            let token = token.as_ref().map(|token| token.parse().unwrap());
            for id in ids {
                prop_assert!(families.allow(*id, token), "{id} with {token:?}: {families:?}");
            }
        }
    }
}
