//! JSON Lines and replay.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan_model::agentspec::{Disclosure, ExceptionRaised, HookCall, RecordedHook, Recording};
use agentspan_processor::json_lines::Rotation;
use agentspan_processor::replay::{Pace, Replay};
use agentspan_processor::span_processor::Hook;
use agentspan_processor::trace::TraceBuilder;
use agentspan_processor::{ErrorPolicy, InMemory, JsonLines, Trace, TraceError};
use futures_executor::block_on;

use crate::recorder::{EVENT, Recorder, span};

/// A writer that keeps what it is given.
#[derive(Clone, Default)]
pub(crate) struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Bytes {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A directory of its own that is removed afterwards.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("agentspan-processor-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("trace.jsonl")
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let name = |entry: io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string();
        let mut names: Vec<String> = entries.map(|entry| name(entry).unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn program(trace: TraceBuilder) {
    let trace = trace.with_name("T").with_id("trace-1").start().unwrap();
    let a = span("a").start().unwrap();
    a.add_event(EVENT).unwrap();
    a.add_event(ExceptionRaised::new("E", "message")).unwrap();
    span("b").start().unwrap().end().unwrap();
    a.end().unwrap();
    trace.end().unwrap();
}

fn hooks(text: &str) -> Vec<RecordedHook> {
    Recording::new(text.as_bytes())
        .map(Result::unwrap)
        .collect()
}

fn recorded() -> String {
    let bytes = Bytes::default();
    program(Trace::builder().with_processor(JsonLines::to_writer(bytes.clone())));
    bytes.text()
}

fn read(path: &Path) -> Vec<RecordedHook> {
    JsonLines::read(path).unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_hook_is_a_line_and_says_which_form_was_called() {
    let text = recorded();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 10);
    assert_eq!(
        lines[0],
        r#"{"hook":"startup","async":false,"trace":{"id":"trace-1","name":"T"}}"#
    );
    assert_eq!(
        lines[9],
        r#"{"hook":"shutdown","async":false,"trace":null}"#
    );

    let bytes = Bytes::default();
    let trace = Trace::builder().with_processor(JsonLines::to_writer(bytes.clone()));
    block_on(trace.run(|_| async { Ok::<_, TraceError>(()) })).unwrap();
    assert!(hooks(&bytes.text()).iter().all(|hook| hook.is_async));
}

#[test]
fn lines_of_events_leave_out_the_others_and_the_end_has_all() {
    for hook in hooks(&recorded()) {
        match hook.call {
            HookCall::OnEvent(on, _) => assert_eq!(on.span.events, []),
            HookCall::OnEnd(on) if on.span.name == "a" => assert_eq!(on.span.events.len(), 2),
            _ => {}
        }
    }
}

#[test]
fn a_file_is_appended_to_even_if_its_last_line_was_cut_off() {
    let directory = Directory::new();
    let path = directory.file();
    program(Trace::builder().with_processor(JsonLines::create(&path).unwrap()));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 20]).unwrap();
    assert_eq!(read(&path).len(), 9);
    program(Trace::builder().with_processor(JsonLines::append(&path).unwrap()));
    let results: Vec<_> = JsonLines::read(&path).unwrap().collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 19);
    let error = results[9].as_ref().unwrap_err();
    assert_eq!(error.line, 10);
}

#[test]
fn a_full_file_is_put_aside_and_read_with_the_others() {
    let directory = Directory::new();
    let path = directory.file();
    let rotation = Rotation::at_bytes(600, 100);
    program(Trace::builder().with_processor(JsonLines::rotating(&path, rotation).unwrap()));
    let names = directory.names();
    assert!(names.len() > 2, "{names:?}");
    for name in &names {
        let text = std::fs::read_to_string(directory.0.join(name)).unwrap();
        assert!(text.len() <= 600 || text.lines().count() == 1, "{name}");
        assert!(text.ends_with('\n'));
    }
    let calls: Vec<_> = read(&path).into_iter().map(|hook| hook.call).collect();
    assert_eq!(calls.len(), 10);
    assert_eq!(
        (&calls[0], &calls[9]),
        (&HookCall::Startup, &HookCall::Shutdown)
    );
}

#[test]
fn only_as_many_files_are_kept_as_were_asked_for() {
    let directory = Directory::new();
    let rotation = Rotation::at_bytes(1, 2);
    let recorder = JsonLines::rotating(directory.file(), rotation).unwrap();
    program(Trace::builder().with_processor(recorder));
    assert_eq!(
        directory.names(),
        ["trace.jsonl", "trace.jsonl.1", "trace.jsonl.2"]
    );
    assert_eq!(read(&directory.file()).len(), 3);
}

/// Fails after some bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_fails_fails_the_hook_and_not_the_program() {
    let trace = Trace::builder().with_processor(JsonLines::to_writer(Full(500)));
    let trace = trace.start().unwrap();
    let handle = trace.trace().clone();
    (0..5).for_each(|_| span("a").start().unwrap().end().unwrap());
    trace.end().unwrap();
    assert!(handle.hook_failures() > 3);
}

/// Starts a span in each call, as a writer may that is traced itself.
struct Traced(Bytes);

impl Write for Traced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.0.text().contains("of the writer") {
            span("of the writer").start().unwrap().end().unwrap();
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_may_start_spans_itself() {
    let bytes = Bytes::default();
    let trace = Trace::builder().with_processor(JsonLines::to_writer(Traced(bytes.clone())));
    trace.start().unwrap().end().unwrap();
    assert!(hooks(&bytes.text()).len() >= 6);
}

fn replay(
    hooks: Vec<RecordedHook>,
    target: impl agentspan_processor::SpanProcessor + 'static,
) -> agentspan_processor::replay::ReplaySummary {
    let mut replay = Replay::new(target);
    for hook in hooks {
        replay.play(hook).unwrap();
    }
    replay.finish()
}

#[test]
fn a_replayed_recording_is_the_recording_again() {
    let text = recorded();
    let bytes = Bytes::default();
    let summary = replay(hooks(&text), JsonLines::to_writer(bytes.clone()));
    assert_eq!((summary.hooks, summary.open_spans), (10, 0));
    // Nobody knows the trace in `startup`, because a replay makes none active.
    let mut expected: Vec<&str> = text.lines().collect();
    expected[0] = r#"{"hook":"startup","async":false,"trace":null}"#;
    assert_eq!(bytes.text().lines().collect::<Vec<_>>(), expected);
}

const REAL_RUN: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../conformance/vectors/agentspec_real_run.jsonl"
));

#[test]
fn recordings_of_the_reference_are_replayed_in_order_with_their_ids_and_times() {
    let recorder = Recorder::new();
    let memory = InMemory::new().with_disclosure(Disclosure::Clear);
    let original = hooks(REAL_RUN);
    replay(original.clone(), recorder.clone());
    let names = |call: &HookCall| match call {
        HookCall::Startup => "startup ".to_owned(),
        HookCall::OnStart(on) => format!("on_start {}", on.span.name),
        HookCall::OnEvent(on, event) => format!("on_event {}/{}", on.span.name, event.name),
        HookCall::OnEnd(on) => format!("on_end {}", on.span.name),
        HookCall::Shutdown => "shutdown ".to_owned(),
    };
    let expected: Vec<_> = original.iter().map(|hook| names(&hook.call)).collect();
    let calls = recorder.calls();
    let calls: Vec<_> = calls
        .iter()
        .map(|call| call.trim_end_matches(" 0"))
        .collect();
    assert_eq!(calls, expected);

    // Ids are those of one run only.
    let one_run = original
        .iter()
        .filter(|hook| hook.run.as_deref() == Some("llm_node_flow"));
    let one_run: Vec<_> = one_run.cloned().collect();
    let summary = replay(one_run.clone(), memory.clone());
    assert_eq!((summary.open_spans, summary.hook_failures), (0, 0));
    let spans = memory.spans();
    for hook in &one_run {
        match &hook.call {
            HookCall::OnEnd(on) => {
                let found = spans
                    .iter()
                    .find(|span| span.span.id == on.span.id)
                    .unwrap();
                assert_eq!(found.parent_id, on.parent_id);
                assert_eq!(found.span.start_time, on.span.start_time);
                assert_eq!(found.span.end_time, on.span.end_time);
                assert_eq!(found.span.details, on.span.details);
                let ids = |events: &[Arc<agentspan_model::agentspec::Event>]| -> Vec<_> {
                    events
                        .iter()
                        .map(|event| (event.id.clone(), event.timestamp))
                        .collect()
                };
                assert_eq!(ids(&found.span.events), ids(&on.span.events));
            }
            HookCall::OnEvent(on, event) => {
                let found = spans
                    .iter()
                    .find(|span| span.span.id == on.span.id)
                    .unwrap();
                assert!(found.span.events.iter().any(|kept| **kept == *event));
            }
            _ => {}
        }
    }
}

#[test]
fn a_replay_calls_asynchronous_hooks_if_it_is_awaited() {
    let recorder = Recorder::new();
    let mut replay = Replay::new(recorder.clone());
    for hook in hooks(&recorded()) {
        block_on(replay.play_async(hook)).unwrap();
    }
    assert_eq!(recorder.calls().len(), 10);
    assert_eq!(recorder.count("on_event.await a/"), 2);
}

#[test]
fn a_replay_that_propagates_stops_where_a_hook_fails() {
    let mut replay =
        Replay::new(Recorder::failing(Hook::OnEnd, "b")).with_error_policy(ErrorPolicy::Propagate);
    let results: Vec<bool> = hooks(&recorded())
        .into_iter()
        .map(|hook| replay.play(hook).is_ok())
        .collect();
    assert_eq!(results.iter().filter(|ok| !**ok).count(), 1);
    assert_eq!(replay.finish().hook_failures, 1);
}

#[test]
fn what_a_recording_leaves_out_is_made_up_for() {
    let recorder = Recorder::new();
    let memory = InMemory::new();
    let part: Vec<_> = hooks(&recorded())
        .into_iter()
        .filter(|hook| match &hook.call {
            HookCall::OnStart(on) => on.span.name != "a" && on.span.name != "RootSpan",
            HookCall::OnEnd(on) => on.span.name != "b",
            HookCall::OnEvent(..) => true,
            _ => false,
        })
        .collect();
    replay(part.clone(), recorder.clone());
    assert_eq!(
        recorder.calls(),
        [
            "on_start a 0",
            "on_event a/Event 0",
            "on_event a/ExceptionRaised 0",
            "on_start b 0",
            "on_end a 0",
            "on_start RootSpan 0",
            "on_end RootSpan 0",
            // Nobody ended it, so the replay did.
            "on_end b 0",
        ]
    );
    let parent = part.iter().find_map(|hook| match &hook.call {
        HookCall::OnEvent(on, _) => Some(on.parent_id.clone()),
        _ => None,
    });
    let summary = replay(part, memory.clone());
    assert_eq!(summary.open_spans, 1);
    assert_eq!(memory.span("a").unwrap().parent_id, parent.unwrap());
    assert_eq!(memory.span("a").unwrap().span.events.len(), 2);
}

#[test]
fn the_original_time_is_counted_from_the_first_hook_with_a_time() {
    let mut replay = Replay::new(InMemory::new()).with_pace(Pace::Original);
    let hooks = hooks(REAL_RUN);
    let delays: Vec<Duration> = hooks.iter().map(|hook| replay.delay(hook)).collect();
    assert_eq!(delays[..2], [Duration::ZERO; 2]);
    // The file has its times a millisecond apart; none of this test is that far from the first hook's.
    let last = delays.iter().max().unwrap();
    assert!(*last <= Duration::from_millis(200), "{last:?}");
    let mut rising = delays.clone();
    rising.retain(|delay| !delay.is_zero());
    assert!(rising.len() <= delays.len());
}

#[test]
fn a_line_that_was_cut_off_costs_no_other_when_the_file_is_put_aside() {
    let directory = Directory::new();
    let path = directory.file();
    std::fs::write(&path, r#"{"hook":"startup","as"#).unwrap();
    let rotation = Rotation::at_bytes(30, 100);
    program(Trace::builder().with_processor(JsonLines::rotating(&path, rotation).unwrap()));
    let lines: Vec<_> = JsonLines::read(&path).unwrap().collect();
    let broken: Vec<_> = lines.iter().map(Result::is_err).collect();
    assert_eq!(broken, [&[true][..], &[false; 10]].concat());
}

/// The lines of two traces of one run that overlap. The shutdowns name their trace, or do not.
fn overlapping(names_trace: bool) -> Vec<RecordedHook> {
    let trace = |name: &str| format!(r#"{{"id":"{name}","name":"{name}"}}"#);
    let line = |hook: &str, name: &str, id: &str, parent: &str, end: &str| {
        format!(
            r#"{{"hook":"{hook}","async":false,"trace":{},"span":{{"id":"{id}","name":"{id}","start_time":1,"end_time":{end},"type":"Span"}},"parent_id":{parent}}}"#,
            trace(name)
        )
    };
    let startup = |name| {
        format!(
            r#"{{"hook":"startup","async":false,"trace":{}}}"#,
            trace(name)
        )
    };
    let shutdown = |name| {
        let trace = if names_trace {
            trace(name)
        } else {
            "null".to_owned()
        };
        format!(r#"{{"hook":"shutdown","async":false,"trace":{trace}}}"#)
    };
    let lines = [
        startup("A"),
        line("on_start", "A", "a", "null", "null"),
        startup("B"),
        line("on_start", "B", "b", "null", "null"),
        line("on_end", "A", "a", "null", "5"),
        line("on_start", "B", "b1", r#""b""#, "null"),
        shutdown("A"),
        line("on_start", "B", "b2", r#""b""#, "null"),
        line("on_end", "B", "b2", r#""b""#, "6"),
        line("on_end", "B", "b1", r#""b""#, "7"),
        line("on_end", "B", "b", "null", "8"),
        shutdown("B"),
    ];
    hooks(&lines.join("\n"))
}

#[test]
fn traces_of_one_run_that_overlap_keep_their_spans() {
    for names_trace in [true, false] {
        let recorder = Recorder::new();
        let summary = replay(overlapping(names_trace), recorder.clone());
        assert_eq!((summary.open_spans, summary.repeated_ids), (0, 0));
        let calls = recorder.calls();
        let calls: Vec<_> = calls
            .iter()
            .map(|call| call.trim_end_matches(" 0"))
            .collect();
        assert_eq!(
            calls,
            [
                "startup ",
                "on_start a",
                "startup ",
                "on_start b",
                "on_end a",
                "on_start b1",
                "shutdown ",
                "on_start b2",
                "on_end b2",
                "on_end b1",
                "on_end b",
                "shutdown ",
            ]
        );
        let bytes = Bytes::default();
        replay(
            overlapping(names_trace),
            JsonLines::to_writer(bytes.clone()),
        );
        for hook in hooks(&bytes.text()) {
            if let HookCall::OnStart(on) | HookCall::OnEnd(on) = &hook.call {
                let trace = if on.span.id == "a" { "A" } else { "B" };
                assert_eq!(hook.trace.unwrap().id, trace, "{}", on.span.id);
            }
        }
        // Every end fails, whichever trace the line before was about.
        let failing = Recorder::behaving(|hook, _| match hook {
            Hook::OnEnd => Err(agentspan_processor::HookError::message("no")),
            _ => Ok(()),
        });
        let summary = replay(overlapping(names_trace), failing);
        assert_eq!(summary.hook_failures, 4);
    }
}

#[test]
fn a_trace_that_is_over_ends_its_own_spans_and_those_of_no_other() {
    let mut left: Vec<_> = overlapping(true);
    // Nobody ends `a`.
    left.remove(4);
    let recorder = Recorder::new();
    let summary = replay(left, recorder.clone());
    assert_eq!(summary.open_spans, 1);
    let calls = recorder.calls();
    let at = |call: &str| {
        calls
            .iter()
            .position(|other| other.starts_with(call))
            .unwrap()
    };
    assert!(
        at("shutdown") < at("on_end a") && at("on_end a") < at("on_start b2"),
        "{calls:?}"
    );
    assert_eq!(recorder.count("on_start"), 4);
    assert_eq!(recorder.count("on_end"), 4);
}

#[test]
fn what_nobody_ended_ends_with_the_last_of_what_is_in_it_however_deep() {
    let depth = 1_000;
    let mut lines = String::new();
    for level in 0..depth {
        let parent = match level {
            0 => "null".to_owned(),
            _ => format!(r#""s{}""#, level - 1),
        };
        let line = |hook: &str, end: &str| {
            format!(
                r#"{{"hook":"{hook}","async":false,"trace":{{"id":"t","name":"t"}},"span":{{"id":"s{level}","name":"s{level}","start_time":{level},"end_time":{end},"type":"Span"}},"parent_id":{parent}}}"#
            ) + "\n"
        };
        lines += &line("on_start", "null");
        if level == depth - 1 {
            lines += &line("on_end", "77777");
        }
    }
    let ends = Arc::new(Ends::default());
    let summary = replay(hooks(&lines), Arc::clone(&ends));
    assert_eq!(summary.open_spans, depth - 1);
    let ends = ends.0.lock().unwrap();
    assert_eq!(ends.len(), depth);
    assert!(ends.iter().all(|end| *end == 77_777));
}

/// Keeps when spans ended.
#[derive(Debug, Default)]
struct Ends(Mutex<Vec<i64>>);

impl agentspan_processor::SpanProcessor for Ends {
    fn on_end(
        &self,
        span: &agentspan_processor::Span,
    ) -> Result<(), agentspan_processor::HookError> {
        let end = span.end_time().unwrap();
        self.0.lock().unwrap().push(end.as_unix_nanos());
        Ok(())
    }
}

/// Counts how often it is asked what it may see.
#[derive(Debug, Default)]
struct Asked(AtomicU32);

impl agentspan_processor::SpanProcessor for Asked {
    fn disclosure(&self) -> Disclosure {
        self.0.fetch_add(1, Ordering::Relaxed);
        Disclosure::Masked
    }
}

#[test]
fn a_replay_asks_a_processor_once_for_each_trace_what_it_may_see() {
    let asked = Arc::new(Asked::default());
    replay(hooks(&recorded()), Arc::clone(&asked));
    assert_eq!(asked.0.load(Ordering::Relaxed), 1);
}
