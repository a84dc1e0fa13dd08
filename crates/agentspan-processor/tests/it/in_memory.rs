//! Trees of spans in tests, and on the console.

use std::sync::Arc;
use std::time::Duration;

use agentspan_model::agentspec::{EventDetails, SpanDetails, Timestamp};
use agentspan_processor::clock::ManualClock;
use agentspan_processor::console_tree::Colours;
use agentspan_processor::span::OpenSpan;
use agentspan_processor::{ConsoleTree, InMemory, Span, Trace};

use crate::recorder::{EVENT, span};
use crate::recordings::Bytes;

fn program(trace: agentspan_processor::trace::TraceBuilder) {
    let trace = trace.start().unwrap();
    let a = span("a").start().unwrap();
    a.add_event(EVENT).unwrap();
    a.add_complete_event(a.new_event(EventDetails::Plain).with_name("named"))
        .unwrap();
    span("b").start().unwrap().end().unwrap();
    Span::builder(SpanDetails::Plain)
        .start()
        .unwrap()
        .end()
        .unwrap();
    a.end().unwrap();
    span("c").start().unwrap().end().unwrap();
    trace.end().unwrap();
}

#[test]
fn a_tree_shows_names_types_and_events() {
    let memory = InMemory::new();
    program(Trace::builder().with_processor(memory.clone()));
    let tree = "RootSpan\n├─ a (Span)\n│  · Event\n│  · named (Event)\n│  ├─ b (Span)\n│  └─ Span\n└─ c (Span)\n";
    assert_eq!(memory.tree(), tree);
    memory.expect_tree(tree).unwrap();
    memory
        .expect_tree(
            "
            RootSpan
            ├─ a (Span)
            │  ├─ b (Span)
            │  └─ Span
            └─ c (Span)
            ",
        )
        .unwrap();
    assert_eq!(memory.traces(), (1, 1));
    assert_eq!(memory.span("a").unwrap().span.events.len(), 2);
    memory.clear();
    assert_eq!(memory.tree(), "");
}

#[test]
fn a_wrong_expectation_shows_both_trees() {
    let memory = InMemory::new();
    let trace = Trace::builder()
        .with_processor(memory.clone())
        .start()
        .unwrap();
    assert_eq!(memory.open_spans(), ["RootSpan"]);
    let error = memory.expect_tree("RootSpan\n└─ a").unwrap_err();
    assert_eq!(error.expected, "RootSpan\n└─ a\n");
    assert_eq!(error.found, "RootSpan [open]\n");
    assert_eq!(
        format!("{error:?}"),
        "the spans are not the expected tree\nexpected:\nRootSpan\n└─ a\n\nfound:\nRootSpan [open]\n"
    );
    trace.end().unwrap();
    memory.expect_tree("RootSpan [open]").unwrap_err();
}

fn on_console(colours: Colours) -> String {
    let bytes = Bytes::default();
    let console = ConsoleTree::to_writer(bytes.clone()).with_colours(colours);
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_nanos(0)));
    let trace = Trace::builder()
        .with_processor(console)
        .with_clock(clock.clone())
        .start()
        .unwrap();
    let a = span("a\u{1b}[2J\u{202e}\u{2028}\u{2029}\u{200e}\u{200f}\u{61c}\u{2066}")
        .start()
        .unwrap();
    a.add_event(EVENT).unwrap();
    clock.advance(Duration::from_millis(1_500));
    a.end().unwrap();
    trace.end().unwrap();
    bytes.text()
}

#[test]
fn the_console_shows_what_happens_indented_and_without_foreign_control_characters() {
    assert_eq!(
        on_console(Colours::Off),
        "▶ RootSpan\n  ▶ a[2J (Span)\n    · Event\n  ■ a[2J 1.500s\n■ RootSpan 1.500s\n"
    );
}

#[test]
fn colours_are_shown_only_if_they_are_on() {
    let coloured = on_console(Colours::On);
    assert!(coloured.starts_with("\u{1b}[36m▶ RootSpan\u{1b}[0m\n"));
    assert!(!on_console(Colours::Off).contains('\u{1b}'));
}

/// A chain of spans, each in the one before it, which all stay open.
fn nested(trace: agentspan_processor::trace::TraceBuilder, depth: usize) -> (Trace, Vec<OpenSpan>) {
    let trace = trace.start().unwrap();
    let mut spans: Vec<OpenSpan> = Vec::with_capacity(depth);
    for _ in 0..depth {
        let parent: &Span = spans.last().map_or(trace.root(), |span| span);
        let next = span("s").with_parent(parent).start_detached().unwrap();
        spans.push(next);
    }
    let handle = trace.trace().clone();
    trace.end().unwrap();
    (handle, spans)
}

#[test]
fn a14_console_tree_shows_any_depth_and_indents_no_further_than_64_levels() {
    // The width of a format is 16 bits: twice this depth does not fit in.
    const DEPTH: usize = 40_000;
    let bytes = Bytes::default();
    let console = ConsoleTree::to_writer(bytes.clone());
    let (trace, spans) = nested(Trace::builder().with_processor(console), DEPTH);
    drop(spans);
    assert_eq!(trace.hook_failures(), 0);
    let text = bytes.text();
    let margin = |line: &str| line.len() - line.trim_start().len();
    let starts: Vec<usize> = text
        .lines()
        .filter(|line| line.contains('▶'))
        .map(margin)
        .collect();
    assert_eq!(starts.len(), DEPTH + 1);
    for (depth, margin) in starts.into_iter().enumerate() {
        assert_eq!(margin, 2 * depth.min(64));
    }
}

#[test]
fn a14_the_text_of_a_deep_tree_grows_with_its_spans_and_not_with_their_square() {
    const DEPTH: usize = 20_000;
    let memory = InMemory::new();
    let (_, spans) = nested(Trace::builder().with_processor(memory.clone()), DEPTH);
    assert_eq!(memory.open_spans().len(), DEPTH);
    // The oldest first.
    for span in spans {
        span.end().unwrap();
    }
    assert!(memory.open_spans().is_empty());
    let tree = memory.tree();
    assert_eq!(tree.lines().count(), DEPTH + 1);
    assert!(tree.lines().all(|line| line.chars().count() < 64 * 3 + 20));
}

#[test]
fn of_two_spans_with_one_id_each_hears_its_own() {
    let memory = InMemory::new();
    let trace = Trace::builder()
        .with_processor(memory.clone())
        .start()
        .unwrap();
    let first = span("first").with_id("same").start().unwrap();
    let second = span("second").with_id("same").start().unwrap();
    second.add_event(EVENT).unwrap();
    second.end().unwrap();
    first.end().unwrap();
    trace.end().unwrap();
    let events = |name| memory.span(name).unwrap().span.events.len();
    assert_eq!([events("first"), events("second")], [0, 1]);
    assert!(memory.open_spans().is_empty());
}

#[test]
fn f1_the_children_of_spans_with_one_id_are_drawn_under_the_last_before_them() {
    let memory = InMemory::new();
    let trace = Trace::builder()
        .with_processor(memory.clone())
        .start()
        .unwrap();
    let names = ["one", "two", "three"];
    let same = |name| span(name).with_id("same").start().unwrap();
    let open = names.map(same);
    span("child").start().unwrap().end().unwrap();
    for span in open.into_iter().rev() {
        span.end().unwrap();
    }
    trace.end().unwrap();
    memory
        .expect_tree(
            "RootSpan
             └─ one (Span)
                └─ two (Span)
                   └─ three (Span)
                      └─ child (Span)",
        )
        .unwrap();
}
