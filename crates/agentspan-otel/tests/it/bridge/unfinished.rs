//! Runs as they really happen: ids that come twice, and spans that nobody ends (faults F1 and F3).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use agentspan_model::agentspec::{ExceptionRaised, Recording, SpanDetails};
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_processor::Span;
use agentspan_processor::replay::{Replay, ReplaySummary};
use opentelemetry::trace::{SpanId, Status};
use opentelemetry_sdk::trace::SpanData;

use super::watched::{Watched, text};

const REPEATED_ID: &str = include_str!("../../recordings/repeated_id.jsonl");
const NEVER_ENDED: &str = include_str!("../../recordings/never_ended.jsonl");

/// Replays a recording with all renderings, and gives the spans as they are.
fn replayed(recording: &str) -> (ReplaySummary, Watched) {
    let mapping = |rendering| Mapping::new(rendering);
    let renderings = [Rendering::GenAi, Rendering::OpenInference].map(mapping);
    let watched = Watched::with_mappings(ContentCapture::NoContent, renderings);
    let mut replay = Replay::new(watched.processor());
    for hook in Recording::new(recording.as_bytes()) {
        replay.play(hook.unwrap()).unwrap();
    }
    (replay.finish(), watched)
}

/// Milliseconds of the run: all recordings here begin at one time.
fn at(time: SystemTime) -> u128 {
    let began = SystemTime::UNIX_EPOCH + Duration::from_secs(1_765_000_000);
    time.duration_since(began).unwrap().as_millis()
}

fn times(span: &SpanData) -> (u128, u128) {
    (at(span.start_time), at(span.end_time))
}

fn is_unfinished(span: &SpanData) -> bool {
    text(span, "agentspec.unfinished").as_deref() == Some("true")
}

#[test]
fn f1_a_second_span_with_the_id_of_an_open_one_is_a_span_of_its_own() {
    let (summary, watched) = replayed(REPEATED_ID);
    assert_eq!((summary.open_spans, summary.repeated_ids), (1, 1));
    assert_eq!(watched.bridge.open_spans(), 0);
    let mut all = vec![&watched.live];
    all.extend(&watched.rendered);
    for spans in all {
        let (agent, tool) = (spans.named("agent"), spans.named("tool"));
        let root = spans
            .spans()
            .into_iter()
            .find(|span| !matches!(&*span.name, "agent" | "tool"));
        let root = root.unwrap();
        assert_eq!(spans.spans().len(), 3);
        assert_eq!(root.parent_span_id, SpanId::INVALID);
        assert_eq!(agent.parent_span_id, root.span_context.span_id());
        assert_eq!(tool.parent_span_id, agent.span_context.span_id());
        assert_ne!(tool.span_context.span_id(), agent.span_context.span_id());
        // The last that is known of the agent is the end of its tool.
        assert_eq!(times(&agent), (1, 3));
        assert_eq!(times(&tool), (2, 3));
        assert_eq!(times(&root), (0, 4));
        assert!(is_unfinished(&agent) && !is_unfinished(&tool) && !is_unfinished(&root));
    }
}

#[test]
fn f1_each_line_is_about_the_span_whose_name_and_start_it_repeats() {
    // The end of the agent comes after that of the tool, and with an event before it.
    let mut lines: Vec<String> = REPEATED_ID.lines().map(str::to_owned).collect();
    let start = &lines[2];
    let event = start
        .replace("on_start", "on_event")
        .replace("\"parent_id\": ", "\"event\": {\"id\": \"e\", \"timestamp\": 1765000000003500000, \"type\": \"Event\"}, \"parent_id\": ");
    let end = start
        .replace("on_start", "on_end")
        .replace("\"end_time\": null", "\"end_time\": 1765000000003600000");
    lines.insert(5, event);
    lines.insert(6, end);
    let (summary, watched) = replayed(&lines.join("\n"));
    assert_eq!((summary.open_spans, summary.repeated_ids), (0, 1));
    assert_eq!(watched.bridge.late_events(), 0);
    let agent = watched.live.named("agent");
    assert_eq!(times(&agent), (1, 3));
    assert_eq!(agent.events.events[0].name, "Event");
    assert!(watched.live.named("tool").events.events.is_empty());
    assert!(!is_unfinished(&agent));
}

#[test]
fn f1_a_span_that_names_itself_and_nobody_else_as_its_parent_has_none() {
    let id = |of| format!("\"id\": \"{of}\"");
    let other = "44444444-4444-4444-8444-444444444444";
    let lines: Vec<String> = REPEATED_ID
        .lines()
        .map(|line| match line.contains("\"tool\"") {
            // The tool has an id of its own, and so has its parent, which is itself.
            true => line.replace("33333333-3333-4333-8333-333333333333", other),
            false => line.to_owned(),
        })
        .collect();
    assert!(lines[3].contains(&id(other)));
    let (summary, watched) = replayed(&lines.join("\n"));
    assert_eq!(summary.repeated_ids, 0);
    let tool = watched.live.named("tool");
    assert_eq!(tool.parent_span_id, SpanId::INVALID);
}

#[test]
fn f3_spans_that_nobody_ends_are_exported_with_the_last_time_that_is_known() {
    let (summary, watched) = replayed(NEVER_ENDED);
    assert_eq!((summary.open_spans, summary.repeated_ids), (1, 0));
    let call = watched.live.named("llm call that fails");
    let root = watched
        .live
        .spans()
        .into_iter()
        .find(|span| span.parent_span_id == SpanId::INVALID);
    assert_eq!(call.parent_span_id, root.unwrap().span_context.span_id());
    assert_eq!(times(&call), (1, 1));
    assert!(is_unfinished(&call));
    for rendered in &watched.rendered {
        assert!(is_unfinished(&rendered.named("llm call that fails")));
    }
}

/// pyagentspec keeps spans that nobody ended on its stack: the next trace names them as parents.
#[test]
fn f3_what_a_trace_left_open_is_no_parent_in_the_next_trace() {
    let parent = "33333333-3333-4333-8333-333333333333";
    let next = NEVER_ENDED
        .replace("17650000000", "17650000050")
        .replace("11111111-", "44444444-")
        .replace("22222222-", "55555555-")
        .replace("33333333-", "66666666-")
        .replace("RootSpan\", \"desc", "next root\", \"desc")
        .replace(
            "\"parent_id\": null",
            &format!("\"parent_id\": \"{parent}\""),
        );
    let (summary, watched) = replayed(&format!("{NEVER_ENDED}\n{next}"));
    assert_eq!((summary.open_spans, summary.repeated_ids), (2, 0));
    let spans = watched.live.spans();
    assert_eq!(spans.len(), 4);
    let root = watched.live.named("next root");
    assert_eq!(root.parent_span_id, SpanId::INVALID);
    let trace = root.span_context.trace_id();
    let inside = |span: &&SpanData| span.span_context.trace_id() == trace;
    assert_eq!(spans.iter().filter(inside).count(), 2);
    // What is known of the first trace ends with it.
    let first = spans.iter().filter(|span| !inside(span));
    assert!(first.map(times).all(|(_, end)| end <= 4));
}

#[test]
fn f3_an_unfinished_span_keeps_its_exception_and_knows_what_happened_in_it() {
    let mut lines: Vec<String> = NEVER_ENDED.lines().map(str::to_owned).collect();
    let raised = lines[2]
        .replace("on_start", "on_event")
        .replace("\"parent_id\": ", "\"event\": {\"id\": \"e\", \"timestamp\": 1765000000003000000, \"type\": \"ExceptionRaised\", \"exception_type\": \"BadRequest\", \"exception_message\": \"no\", \"exception_stacktrace\": \"\"}, \"parent_id\": ");
    lines.insert(3, raised);
    let (_, watched) = replayed(&lines.join("\n"));
    let call = watched.live.named("llm call that fails");
    assert_eq!(times(&call), (1, 3));
    assert!(matches!(call.status, Status::Error { .. }));
    assert_eq!(call.events.events[0].name, "exception");
}

#[test]
fn f3_a_replay_that_is_dropped_ends_what_is_open() {
    let watched = Watched::new(ContentCapture::NoContent);
    let mut replay = Replay::new(watched.processor());
    for hook in Recording::new(NEVER_ENDED.as_bytes()).take(3) {
        replay.play(hook.unwrap()).unwrap();
    }
    drop(replay);
    // Children first.
    let spans = watched.live.spans();
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["llm call that fails", "RootSpan"]);
    assert!(spans.iter().all(is_unfinished));
}

#[test]
fn f3_a_live_span_that_is_leaked_is_exported_when_the_bridge_ends() {
    let watched = Watched::new(ContentCapture::NoContent);
    let trace = watched.trace();
    let inner = {
        let outer = Span::builder(SpanDetails::Plain).with_name("outer");
        let outer = outer.start_detached().unwrap();
        let inner = Span::builder(SpanDetails::Plain).with_name("inner");
        let inner = inner.with_parent(&outer).start_detached().unwrap();
        inner
            .add_event(ExceptionRaised::new("Timeout", "too late"))
            .unwrap();
        std::mem::forget(outer);
        Arc::new(inner)
    };
    let kept = Arc::clone(&inner);
    std::mem::forget(inner);
    trace.end().unwrap();
    assert_eq!(watched.bridge.end_open_spans(), 2);
    let (outer, inner) = (watched.live.named("outer"), watched.live.named("inner"));
    assert!(is_unfinished(&outer) && is_unfinished(&inner));
    assert!(matches!(inner.status, Status::Error { .. }));
    assert!(inner.end_time <= outer.end_time);
    // Ending it now changes nothing.
    Span::end(&kept).unwrap();
    assert_eq!(watched.live.spans().len(), 3);
}

#[test]
fn two_live_spans_of_one_id_have_ids_and_children_of_their_own() {
    let watched = Watched::new(ContentCapture::NoContent);
    let trace = watched.trace();
    let span = |name: &'static str| Span::builder(SpanDetails::Plain).with_name(name);
    let first = span("first").with_id("same").start_detached().unwrap();
    let second = span("second").with_id("same").with_parent(&first);
    let second = second.start_detached().unwrap();
    let of_first = span("of first").with_parent(&first).start_detached();
    of_first.unwrap().end().unwrap();
    first.end().unwrap();
    let third = span("third").with_id("same").with_parent(&second);
    third.start_detached().unwrap().end().unwrap();
    second.end().unwrap();
    let fourth = span("fourth").with_id("same").start_detached();
    fourth.unwrap().end().unwrap();
    trace.end().unwrap();
    let id = |name| watched.live.named(name).span_context.span_id();
    let parent = |name| watched.live.named(name).parent_span_id;
    let ids = ["first", "second", "third", "fourth"].map(id);
    let distinct: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), 4);
    assert_eq!(parent("second"), id("first"));
    assert_eq!(parent("of first"), id("first"));
    assert_eq!(parent("third"), id("second"));
}
