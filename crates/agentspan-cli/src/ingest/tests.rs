//! Spans of each source become the same record.

mod protobuf;

use serde_json::{Value, json};

use super::{Files, Ingest, IngestError};
use crate::command_error::Unread;
use crate::facts::Kind;
use crate::span::{Form, Span};
use crate::store::Store;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn attributes() -> Vec<(&'static str, Value)> {
    vec![
        ("gen_ai.operation.name", json!("chat")),
        ("gen_ai.request.model", json!("gpt-4o")),
        ("gen_ai.usage.input_tokens", json!(47)),
        ("gen_ai.usage.output_tokens", json!(11)),
        ("gen_ai.conversation.id", json!("c1")),
        (
            "microsoft.tenant.id",
            json!("e3064512-cc6d-4703-be71-a2ecaecaa98a"),
        ),
        (
            "gen_ai.agent.id",
            json!("a0000000-0000-0000-0000-00000000000a"),
        ),
        (
            "gen_ai.input.messages",
            json!(r#"[{"role":"user","parts":[{"type":"text","content":"Will it rain?"}]}]"#),
        ),
    ]
}

fn otlp() -> Value {
    let attributes: Vec<Value> = attributes()
        .into_iter()
        .map(|(key, value)| match value {
            Value::Number(number) => json!({"key": key, "value": {"intValue": number.to_string()}}),
            text => json!({"key": key, "value": {"stringValue": text}}),
        })
        .collect();
    json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "s"}, "spans": [{
        "traceId": TRACE.to_uppercase(), "spanId": "00f067aa0ba902b7", "parentSpanId": "", "name": "chat gpt-4o",
        "kind": 3, "startTimeUnixNano": "1765000000000000000", "endTimeUnixNano": "1765000001000000000",
        "attributes": attributes, "status": {"code": 2, "message": "gone"},
    }]}]}]})
}

fn agent365() -> Value {
    let attributes: Value = attributes()
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "s"}, "spans": [{
        "traceId": TRACE, "spanId": "00f067aa0ba902b7", "name": "chat gpt-4o", "kind": "CLIENT",
        "startTimeUnixNano": 1_765_000_000_000_000_000_u64, "endTimeUnixNano": 1_765_000_001_000_000_000_u64,
        "attributes": attributes, "status": {"code": "ERROR", "message": "gone"}, "events": null, "links": null,
    }]}]}]})
}

fn read(text: &str) -> Store {
    let mut store = Store::new(1 << 20);
    let mut ingest = Ingest::default();
    for line in text.lines() {
        ingest.text(line, None, &mut store).unwrap();
    }
    ingest.flush(&mut store);
    store
}

fn only(store: &Store) -> Span {
    let mut spans = store.traces().flat_map(|trace| trace.spans().into_owned());
    let span = spans.next().unwrap();
    assert!(spans.next().is_none());
    span
}

#[test]
fn otlp_and_agent_365_say_the_same() {
    for (body, form) in [(otlp(), Form::Otlp), (agent365(), Form::Agent365)] {
        let store = read(&body.to_string());
        let span = only(&store);
        assert_eq!(span.form, form);
        assert_eq!(
            (span.trace_id.as_str(), span.parent_id.as_deref()),
            (TRACE, None)
        );
        assert_eq!(span.end, Some(1_765_000_001_000_000_000));
        assert!(span.is_error);
        let facts = &span.facts;
        assert_eq!(
            (facts.kind, facts.model.as_deref()),
            (Kind::Llm, Some("gpt-4o"))
        );
        assert_eq!(
            (facts.usage.input, facts.usage.output),
            (Some(47), Some(11))
        );
        assert_eq!(facts.asked.as_deref(), Some("Will it rain?"));
        assert_eq!(facts.conversation.as_deref(), Some("c1"));
        assert!(!facts.is_refused, "{form:?}");
    }
}

#[test]
fn a_recording_of_agent_spec_becomes_spans_with_their_parents() {
    let recording = include_str!("../../../../conformance/vectors/agentspec_real_run.jsonl");
    let lines: Vec<&str> = recording
        .lines()
        .filter(|line| line.contains("\"branching_flow_pass\""))
        .collect();
    let starts = lines
        .iter()
        .filter(|line| line.contains("\"hook\":\"on_start\""))
        .count();
    let store = read(&lines.join("\n"));
    let trace = store.trace("00000000000040008000000000000001").unwrap();
    assert_eq!(trace.spans().len(), starts);
    let roots = trace
        .spans()
        .iter()
        .filter(|span| span.parent_id.is_none())
        .count();
    assert_eq!(roots, 1);
    for span in trace.spans().iter() {
        assert_eq!(span.form, Form::AgentSpec);
        assert!(span.end.is_some(), "{}", span.name);
        assert!(span.dump.is_some());
        let parent = span.parent_id.as_deref();
        assert!(
            parent.is_none_or(|id| trace.span(id).is_some()),
            "{}",
            span.name
        );
    }
    assert!(
        trace
            .spans()
            .iter()
            .any(|span| span.facts.kind == Kind::Tool)
    );
    assert!(
        trace
            .spans()
            .iter()
            .any(|span| span.facts.kind == Kind::Node)
    );
}

#[test]
fn a_span_that_has_only_started_runs() {
    let recording = include_str!("../../../../conformance/vectors/agentspec_real_run.jsonl");
    let started: Vec<&str> = recording.lines().take(2).collect();
    let store = read(&started.join("\n"));
    assert_eq!(only(&store).end, None);
}

#[test]
fn text_of_something_else_is_an_error() {
    let mut store = Store::new(1 << 20);
    let mut read = |text| Ingest::default().text(text, None, &mut store);
    assert!(matches!(read(r#"{"a": 1}"#), Err(IngestError::Unknown)));
    assert!(matches!(read("span"), Err(IngestError::NotJson(_))));
    assert!(matches!(
        read(r#"{"hook": "on_start"}"#),
        Err(IngestError::Hook(_))
    ));
}

#[test]
fn a_member_of_a_span_that_cannot_be_read_is_told_and_costs_no_span() {
    for (member, value, what) in [
        ("attributes", json!("text"), "the attributes of a span"),
        ("events", json!({}), "the events or the links"),
        ("links", json!(1), "the events or the links"),
    ] {
        let broken = json!({"traceId": "a", "spanId": "1", member: value});
        let spans = json!([broken, {"traceId": "a", "spanId": "2"}]);
        let request = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
        for (text, count) in [(broken, 1), (request, 2)] {
            let mut store = Store::new(1 << 20);
            let error = Ingest::default().text(&text.to_string(), None, &mut store);
            let told = error.unwrap_err().to_string();
            assert!(told.starts_with(what), "{text}: {told}");
            assert_eq!(store.trace("a").unwrap().spans().len(), count, "{text}");
        }
    }
    let fine = json!({"traceId": "a", "spanId": "1", "attributes": {}, "links": null, "endTimeUnixNano": "", "startTimeUnixNano": 7});
    let read = Ingest::default().text(&fine.to_string(), None, &mut Store::new(1 << 20));
    assert_eq!(read.unwrap(), 1);
}

#[test]
fn a_file_that_ends_without_a_line_break_is_followed() {
    use std::io::Write;

    let path =
        std::env::temp_dir().join(format!("agentspan-followed-{}.jsonl", std::process::id()));
    let mut file = std::fs::File::create(&path).unwrap();
    let mut store = Store::new(1 << 20);
    let mut files = Files::new([path.clone()]);
    file.write_all(br#"{"traceId":"a","spanId":"1"}"#).unwrap();
    assert_eq!(files.read(&mut store).unwrap(), 1);
    assert_eq!(files.read(&mut store).unwrap(), 0);
    file.write_all(b"\n{\"traceId\":\"a\",").unwrap();
    assert_eq!(files.read(&mut store).unwrap(), 0);
    file.write_all(b"\"spanId\":\"2\"}").unwrap();
    assert_eq!(files.read(&mut store).unwrap(), 1);
    let lines: Vec<_> = store
        .trace("a")
        .unwrap()
        .spans()
        .iter()
        .map(|span| span.place.as_ref().unwrap().line)
        .collect();
    assert_eq!(lines, [1, 2]);
    assert!(files.take_problems().0.is_empty());
    std::fs::remove_file(path).unwrap();
}

fn path(test: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("agentspan-{test}-{}.jsonl", std::process::id()))
}

#[cfg(unix)]
#[test]
fn a_file_that_is_replaced_is_read_as_a_new_one() {
    let path = path("replaced");
    let line = r#"{"traceId":"a","spanId":"1"}"#;
    let other = r#"{"traceId":"b","spanId":"2"}"#;
    // A text of several lines, half a line, and a last line without its end leave something behind.
    for (before, problems) in [
        ("{\n\n\n\n\n\"traceId\": \"a\",\n\"spanId\": \"1\",\n\"name\": \"a long one, longer than the next\"}\n".to_owned(), 0),
        (format!("{line}\n{line}\n{line}\n{{\"tr"), 1),
        (format!("{line}\n{line}\n{line}"), 0),
    ] {
        let mut store = Store::new(1 << 20);
        let mut files = Files::new([path.clone()]);
        std::fs::write(&path, &before).unwrap();
        assert!(files.read(&mut store).unwrap() > 0, "{before}");
        std::fs::write(&path, format!("\n{other}\n{other}\n")).unwrap();
        assert_eq!(files.read(&mut store).unwrap(), 2, "{before}");
        let span = &store.trace("b").unwrap().spans()[0];
        assert_eq!(span.place.as_ref().unwrap().line, 3, "{before}");
        assert_eq!(files.take_problems().0.len(), problems, "{before}");
        // A longer file that takes the name, as when logs are rotated.
        let longer = path.with_extension("new");
        let many = format!("{line}\n").repeat(20);
        std::fs::write(&longer, many).unwrap();
        std::fs::rename(&longer, &path).unwrap();
        let read = files.read(&mut store).unwrap();
        assert_eq!(read, 20, "{before}");
    }
    std::fs::remove_file(path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_file_that_comes_again_is_read_from_its_start_even_under_its_old_identity() {
    let path = path("gone");
    let away = path.with_extension("away");
    let line = |id: &str| format!("{{\"traceId\":\"{id}\",\"spanId\":\"1\"}}\n");
    let mut store = Store::new(1 << 20);
    let mut files = Files::new([path.clone()]);
    std::fs::write(&path, line("a")).unwrap();
    assert_eq!(files.read(&mut store).unwrap(), 1);
    std::fs::rename(&path, &away).unwrap();
    assert!(files.read(&mut store).unwrap_err().is_absence());
    // As long as before and longer, in what the system takes for the same file.
    std::fs::write(&away, [line("b"), line("c")].concat()).unwrap();
    std::fs::rename(&away, &path).unwrap();
    assert_eq!(files.read(&mut store).unwrap(), 2);
    assert_eq!(files.read(&mut store).unwrap(), 0);
    assert!(store.trace("b").is_some() && store.trace("c").is_some());
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let Unread(unread) = files.read(&mut store).unwrap_err();
    assert_eq!(unread[0].1.kind(), std::io::ErrorKind::IsADirectory);
    std::fs::remove_dir(path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_pipe_with_the_name_of_a_file_is_not_opened() {
    let directory = path("pipes");
    std::fs::create_dir_all(directory.join("directory.json")).unwrap();
    let pipe = directory.join("x.jsonl");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    std::fs::write(directory.join("y.jsonl"), r#"{"traceId":"a","spanId":"1"}"#).unwrap();
    let mut store = Store::new(1 << 20);
    assert_eq!(Files::new([directory.clone()]).read(&mut store).unwrap(), 1);
    let unread = Files::new([pipe.clone()]).read(&mut store).unwrap_err();
    assert_eq!(
        unread.to_string(),
        format!("cannot read {}: not a regular file", pipe.display())
    );
    std::fs::remove_dir_all(directory).unwrap();
}
