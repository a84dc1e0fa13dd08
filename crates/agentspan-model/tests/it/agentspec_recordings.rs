//! Recordings: lines are read one by one, whatever the others look like.

use std::io::{self, BufReader, Read};

use agentspan_model::agentspec::{
    Disclosure, Event, EventDetails, HookCall, HookLine, Id, RecordedHook, Recording,
    RecordingErrorKind, Span, SpanDetails, Timestamp,
};

const STARTUP: &str = r#"{"hook":"startup","async":false,"trace":{"id":"t","name":"trace"}}"#;
const SHUTDOWN: &str = r#"{"run":"one","hook":"shutdown","async":true,"trace":null}"#;

/// Reads a recording: `ok`, or the error with its causes, for each line.
fn read(text: &[u8]) -> (Vec<String>, Option<usize>) {
    let mut recording = Recording::new(text).with_max_line_bytes(200);
    let mut results = Vec::new();
    for result in &mut recording {
        results.push(match result {
            Ok(_) => "ok".to_owned(),
            Err(error) => {
                let causes =
                    std::iter::successors(Some(&error as &dyn std::error::Error), |error| {
                        error.source()
                    });
                causes
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(": ")
            }
        });
    }
    (results, recording.cut_off_line())
}

#[track_caller]
fn check(text: &str, results: &[&str], cut_off_line: Option<usize>) {
    let (found, cut_off) = read(text.as_bytes());
    assert_eq!(found, results);
    assert_eq!(cut_off, cut_off_line);
}

#[test]
fn whole_lines_are_read_and_empty_ones_skipped() {
    check("", &[], None);
    check(
        &format!("{STARTUP}\n\n  \r\n{SHUTDOWN}\r\n"),
        &["ok", "ok"],
        None,
    );
    check(&format!("{STARTUP}\n{SHUTDOWN}"), &["ok", "ok"], None);
}

#[test]
fn a_last_line_that_was_cut_off_ends_the_recording_without_an_error() {
    let cut = &SHUTDOWN[..20];
    check(&format!("{STARTUP}\n{cut}"), &["ok"], Some(2));
    let (found, cut_off) = read(b"{\"run\":\"\xc3");
    assert_eq!((found, cut_off), (Vec::new(), Some(1)));
}

/// A file that a text editor has touched.
#[test]
fn h15_a_byte_order_mark_is_no_part_of_the_first_line() {
    let text = format!("\u{feff}{STARTUP}\r\n\r\n{SHUTDOWN}\r\n");
    check(&text, &["ok", "ok"], None);
    check("\u{feff}", &[], None);
    check(
        &format!("{STARTUP}\n\u{feff}{SHUTDOWN}\n"),
        &["ok", "line 2, column 1: not JSON"],
        None,
    );
}

#[test]
fn a_last_line_that_no_more_text_can_mend_is_an_error() {
    check(
        &format!("{STARTUP}\n{{\"hook\" \"shutdown\""),
        &["ok", "line 2, column 9: not JSON"],
        None,
    );
    let (found, cut_off) = read(b"{\"run\":\"\xff\xff");
    assert_eq!(
        (found, cut_off),
        (vec!["line 1: not UTF-8".to_owned()], None)
    );
    check("{\"run\":NaN,\"a\":Infin", &[], Some(1));
}

#[test]
fn a_broken_line_in_the_middle_is_an_error_with_its_number_and_the_next_is_read() {
    let cut = &SHUTDOWN[..20];
    check(
        &format!("{STARTUP}\n{cut}\n{SHUTDOWN}\n"),
        &["ok", "line 2, column 20: not JSON", "ok"],
        None,
    );
    check(
        "{\"hook\":\"on_start\",\"span\":{\"id\":1,\"type\":\"Span\"}}\n{\"hook\":\"off\"}",
        &[
            "line 1: not a recorded hook: span.id: not a string",
            "line 2: not a recorded hook: hook: not a hook of Agent Spec",
        ],
        None,
    );
    let (found, _) = read(b"\xff\n{\"hook\":\"startup\"}\n");
    assert_eq!(found, ["line 1: not UTF-8", "ok"]);
}

#[test]
fn a_line_that_is_too_long_is_skipped() {
    let long = format!(r#"{{"hook":"startup","x":"{}"}}"#, "x".repeat(300));
    check(
        &format!("{long}\n{STARTUP}\n{long}"),
        &[
            "line 1: longer than allowed",
            "ok",
            "line 3: longer than allowed",
        ],
        None,
    );
}

/// Gives its text, and then an error.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::ConnectionReset.into()),
            read => Ok(read),
        }
    }
}

#[test]
fn after_an_error_of_the_input_nothing_more_comes() {
    let text = format!("{STARTUP}\n{STARTUP}");
    let mut recording = Recording::new(BufReader::new(Failing(text.as_bytes())));
    assert_eq!(recording.next().unwrap().unwrap().call, HookCall::Startup);
    let error = recording.next().unwrap().unwrap_err();
    assert!(matches!(error.kind, RecordingErrorKind::Input(_)));
    assert!(recording.next().is_none());
}

#[test]
fn a_component_that_lines_repeat_is_shared() {
    let line = r#"{"hook":"on_start","span":{"id":"s","tool":{"id":"t","name":"t","component_type":"ServerTool"},"type":"ToolExecutionSpan"}}"#;
    let text = format!("{line}\n{line}\n");
    let spans: Vec<Span> = Recording::new(text.as_bytes())
        .map(|hook| match hook.unwrap().call {
            HookCall::OnStart(on) => on.span,
            other => panic!("{other:?}"),
        })
        .collect();
    let [one, two] = spans.as_slice() else {
        panic!("two spans");
    };
    let components = (
        one.details.component().unwrap(),
        two.details.component().unwrap(),
    );
    assert!(components.0.is_same(components.1));
}

#[test]
fn lines_come_back_as_they_were_with_members_that_are_not_known() {
    let line = r#"{"run":"r","hook":"on_event","async":true,"trace":{"id":"t","name":null},"span":{"id":"s","name":"Span","description":"","start_time":1,"end_time":null,"events":[],"metadata":{},"type":"Span"},"parent_id":"p","event":{"id":"e","name":"Event","description":"","timestamp":1,"metadata":{},"type":"Event"},"host":"h"}"#;
    let hook = RecordedHook::from_json(line).unwrap();
    let clear = hook.line().with_disclosure(Disclosure::Clear);
    assert_eq!(serde_json::to_string(&clear).unwrap(), line);
    let masked = serde_json::to_string(&hook).unwrap();
    assert_eq!(
        masked,
        line.replace(r#""host":"h""#, r#""host":"** MASKED **""#)
    );
}

#[test]
fn what_is_written_from_borrowed_parts_is_read_again() {
    let span = Span::new(Id::from("s"), SpanDetails::Root);
    let event = Event::new(
        Id::from("e"),
        Timestamp::from_unix_nanos(1),
        EventDetails::Plain,
    );
    let (trace, parent) = (Id::from("t"), Id::from("p"));
    let line = HookLine::on_event(&span, Some(&parent), &event)
        .with_run("run")
        .with_trace(&trace, Some("trace"))
        .with_async();
    let hook = RecordedHook::from_json(&serde_json::to_string(&line).unwrap()).unwrap();
    assert_eq!(hook.run.as_deref(), Some("run"));
    assert!(hook.is_async);
    assert_eq!(hook.trace.map(|trace| trace.id), Some(trace));
    let HookCall::OnEvent(on, read) = hook.call else {
        panic!("an event");
    };
    assert_eq!((on.span, on.parent_id, read), (span, Some(parent), event));
}
