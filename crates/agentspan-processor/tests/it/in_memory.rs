//! Trees of spans in tests, and on the console.

use std::sync::Arc;
use std::time::Duration;

use agentspan_model::agentspec::{EventDetails, SpanDetails, Timestamp};
use agentspan_processor::{Colours, ConsoleTree, InMemory, ManualClock, Span, Trace};

use crate::recorder::{EVENT, span};
use crate::recordings::Bytes;

fn program(trace: agentspan_processor::TraceBuilder) {
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
    let a = span("a\u{1b}[2J").start().unwrap();
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
