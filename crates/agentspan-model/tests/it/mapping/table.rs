//! The table in `docs/mapping.md` says what the code does.
//!
//! A field travels in the attributes that change when the field does: the test changes each field
//! of one full instance of each type, and writes down what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use agentspan_model::agent365::Profile;
use agentspan_model::agentspec::{Event, MASK, Span};
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering, SpanKind};
use serde_json::{Value, json};

use super::instances;
use super::shown::Shown;
use crate::agent365_profiles::scope_tables;

const RENDERINGS: [(&str, Rendering); 4] = [
    ("GenAI", Rendering::GenAi),
    ("Agent 365, 0.1.0", Rendering::Agent365(Profile::V0_1)),
    ("Agent 365, 2.0.0", Rendering::Agent365(Profile::V2)),
    ("OpenInference", Rendering::OpenInference),
];

const BEGIN: &str =
    "<!-- The rest is written by the test `the_table_says_what_the_code_does`. -->\n";

/// What is looked into, besides the components of spans. Everything else is one field.
const OPEN: [&str; 5] = [
    "llm_config",
    "prompt",
    "tool_calls",
    "llm_generation_config",
    "default_generation_parameters",
];

/// A span or an event that is looked at.
struct Subject<'a> {
    span: &'a Value,
    event: Option<&'a Value>,
}

impl Subject<'_> {
    fn changed(&self, pointer: &str) -> (Value, Option<Value>) {
        let (mut span, mut event) = (self.span.clone(), self.event.cloned());
        let whole = event.as_mut().unwrap_or(&mut span);
        change(whole.pointer_mut(pointer).unwrap(), pointer);
        (span, event)
    }

    fn fields(&self) -> Vec<String> {
        let mut fields = Vec::new();
        let whole = self.event.unwrap_or(self.span);
        for (name, value) in whole.as_object().unwrap() {
            if !["type", "events"].contains(&name.as_str()) {
                fields.push(format!("/{name}"));
                let is_component = self.event.is_none() && value.get("component_type").is_some();
                if is_component || OPEN.contains(&name.as_str()) {
                    leaves(&format!("/{name}"), value, &mut fields);
                }
            }
        }
        fields
    }
}

fn leaves(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = format!("{path}/{name}");
                found.push(path.clone());
                if OPEN.contains(&name.as_str()) {
                    leaves(&path, value, found);
                }
            }
        }
        Value::Array(values) => leaves(&format!("{path}/0"), &values[0], found),
        _ => {}
    }
}

fn change(value: &mut Value, pointer: &str) {
    match value {
        Value::Null => *value = json!("something"),
        Value::Bool(truth) => *truth = !*truth,
        Value::String(_) if pointer == "/tool/component_type" => *value = json!("RemoteTool"),
        Value::String(text) => text.push('~'),
        Value::Number(number) if number.is_i64() => *value = json!(number.as_i64().unwrap() + 1),
        Value::Number(number) => *value = json!(number.as_f64().unwrap() / 2.0),
        Value::Array(values) => {
            let again = values.first().cloned();
            values.push(again.unwrap_or_default());
        }
        Value::Object(members) if members.contains_key("component_type") => {
            members.insert("metadata".to_owned(), json!({"changed": true}));
        }
        Value::Object(members) => {
            members.insert("zz".to_owned(), json!("more"));
        }
    }
}

/// All that a span and its event become.
fn project(mapping: &Mapping, span: &Value, event: Option<&Value>) -> BTreeMap<String, String> {
    let mut span = Span::from_json(&span.to_string()).unwrap();
    let event = event.map(|event| Event::from_json(&event.to_string()).unwrap());
    if let Some(event) = &event {
        span = span.with_event(event.clone());
    }
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in Shown::of_span(mapping, &span).0 {
        let place = format!("`{}`", without_indexes(&key));
        all.entry(place).or_default().push_str(&value);
    }
    let kind = match mapping.span_kind(&span) {
        SpanKind::Client => "client",
        _ => "internal",
    };
    all.insert("span kind".to_owned(), kind.to_owned());
    all.insert(
        "span name".to_owned(),
        mapping.span_name(&span).into_owned(),
    );
    all.insert("start time".to_owned(), format!("{:?}", span.start_time));
    all.insert("end time".to_owned(), format!("{:?}", span.end_time));
    if let Some(failure) = mapping.failure(&span) {
        let description = failure.status_description().to_owned();
        all.insert("status".to_owned(), description);
    }
    if let Some(event) = &event {
        for (key, value) in Shown::of_event(mapping, event, &span).0 {
            all.insert(format!("`{}` of the event", without_indexes(&key)), value);
        }
        let name = mapping.event_name(event).to_owned();
        all.insert("event name".to_owned(), name);
        all.insert("event time".to_owned(), format!("{:?}", event.timestamp));
    }
    all
}

fn without_indexes(key: &str) -> String {
    let parts = key.split('.').map(|part| {
        let is_index = part.bytes().all(|byte| byte.is_ascii_digit());
        if is_index { "N" } else { part }
    });
    parts.collect::<Vec<_>>().join(".")
}

/// What changes with a field.
fn places(mapping: &Mapping, subject: &Subject<'_>, pointer: &str) -> BTreeSet<String> {
    let before = project(mapping, subject.span, subject.event);
    let (span, event) = subject.changed(pointer);
    let after = project(mapping, &span, event.as_ref());
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = keys
        .into_iter()
        .filter(|key| before.get(*key) != after.get(*key));
    changed.cloned().collect()
}

fn is_content(subject: &Subject<'_>, pointer: &str) -> bool {
    let Some(event) = subject.event else {
        return false;
    };
    let masked = Event::from_json(&event.to_string()).unwrap().masked();
    let masked = serde_json::to_value(masked).unwrap();
    masked[pointer.split('/').nth(1).unwrap()] == MASK
}

fn field_name(pointer: &str) -> String {
    pointer
        .trim_start_matches('/')
        .replace("/0", "[]")
        .replace('/', ".")
}

/// One row, or none for a part of a component that only its dump shows.
fn row(subject: &Subject<'_>, pointer: &str) -> Option<String> {
    let shown: Vec<BTreeSet<String>> = RENDERINGS
        .iter()
        .map(|(_, rendering)| {
            let mapping = Mapping::new(*rendering).with_capture(ContentCapture::SpanAndEvent);
            places(&mapping, subject, pointer)
        })
        .collect();
    let is_ours = |place: &&String| place.starts_with("`agentspec.");
    let ours: BTreeSet<&String> = shown.iter().flatten().filter(is_ours).collect();
    let theirs = |places: &BTreeSet<String>| {
        let theirs = places.iter().filter(|place| !is_ours(place));
        theirs.cloned().collect::<Vec<_>>().join(", ")
    };
    let is_part = pointer.matches('/').count() > 1;
    if is_part && shown.iter().all(|places| theirs(places).is_empty()) {
        return None;
    }
    let mut row = format!("| `{}`", field_name(pointer));
    if is_content(subject, pointer) {
        row.push_str(", content");
    }
    for places in &shown {
        write!(row, " | {}", theirs(places)).unwrap();
    }
    let ours: Vec<&str> = ours.into_iter().map(String::as_str).collect();
    writeln!(row, " | {} |", ours.join(", ").replace(" of the event", "")).unwrap();
    Some(row)
}

fn table(title: &str, subject: &Subject<'_>, fields: &[String]) -> String {
    let mut table = format!("\n### {title}\n");
    if fields.is_empty() {
        return table;
    }
    table.push_str("\n| Field |");
    for (name, _) in RENDERINGS {
        write!(table, " {name} |").unwrap();
    }
    table.push_str(" Ours |\n|---|---|---|---|---|---|\n");
    for pointer in fields {
        table.push_str(&row(subject, pointer).unwrap_or_default());
    }
    table
}

fn of(span: &Value) -> Subject<'_> {
    Subject { span, event: None }
}

/// The fields that all spans, or all events, have are told once.
fn split(subject: &Subject<'_>, common: &[&str]) -> (Vec<String>, Vec<String>) {
    let fields = subject.fields().into_iter();
    fields.partition(|field| common.iter().any(|name| *field == format!("/{name}")))
}

const COMMON_OF_SPANS: [&str; 6] = [
    "id",
    "name",
    "description",
    "start_time",
    "end_time",
    "metadata",
];
const COMMON_OF_EVENTS: [&str; 5] = ["id", "name", "description", "timestamp", "metadata"];

fn tables() -> String {
    let mut text = String::from("\n## Spans\n");
    let plain = instances::span_of("Span");
    let (common, _) = split(&of(&plain), &COMMON_OF_SPANS);
    text.push_str(&table("Every span", &of(&plain), &common));
    for span in instances::spans() {
        let (_, special) = split(&of(&span), &COMMON_OF_SPANS);
        let mut title = format!("`{}`", span["type"].as_str().unwrap());
        title.push_str(&names(&span));
        text.push_str(&table(&title, &of(&span), &special));
    }
    text.push_str("\n## Events\n");
    let events = instances::events();
    let root = instances::span_of("RootSpan");
    let plain = Subject {
        span: &root,
        event: Some(&events[0].1),
    };
    let (common, _) = split(&plain, &COMMON_OF_EVENTS);
    text.push_str(&table("Every event", &plain, &common));
    for (span_type, event) in &events {
        let span = instances::span_of(span_type);
        let subject = Subject {
            span: &span,
            event: Some(event),
        };
        let (_, special) = split(&subject, &COMMON_OF_EVENTS);
        let title = format!("`{}` in `{span_type}`", event["type"].as_str().unwrap());
        text.push_str(&table(&title, &subject, &special));
    }
    text.push_str(&scope_tables::tables());
    text
}

/// What a type of span is called by each vocabulary.
fn names(span: &Value) -> String {
    let span = Span::from_json(&span.to_string()).unwrap();
    let mut text = String::new();
    for (vocabulary, rendering) in RENDERINGS {
        let mapping = Mapping::new(rendering);
        let shown = Shown::of_span(&mapping, &span);
        let keys = ["gen_ai.operation.name", "openinference.span.kind"];
        let word = keys.iter().find_map(|key| shown.0.get(*key));
        let name = mapping.span_name(&span);
        assert!(mapping.is_span_name(&span, &name), "{name}");
        for other in [&format!("{name} "), &name[1..], ""] {
            assert!(!mapping.is_span_name(&span, other), "{other} is not {name}");
        }
        let kind = match mapping.span_kind(&span) {
            SpanKind::Client => "client",
            _ => "internal",
        };
        let word = word.map_or("no operation".to_owned(), |word| format!("`{word}`"));
        write!(text, "\n- {vocabulary}: {word}, named `{name}`, {kind}").unwrap();
    }
    // The list goes below the title.
    format!("\n{text}")
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the switch is one of tests, not a setting of the library"
)]
fn the_table_says_what_the_code_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mapping.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (prose, written) = text.split_once(BEGIN).unwrap();
    let expected = tables();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, [prose, BEGIN, &expected].concat()).unwrap();
    } else {
        assert!(
            written == expected,
            "docs/mapping.md is not what the code does: run this test with UPDATE_GOLDEN=1"
        );
    }
}

#[test]
fn every_type_that_the_model_knows_is_in_the_table() {
    let text = tables();
    for span in instances::spans() {
        assert!(text.contains(&format!("### `{}`", span["type"].as_str().unwrap())));
    }
    // `pyagentspec` 26.3.1 has 22 types of events besides `Event`, and 8 of spans besides `Span`.
    let types: BTreeSet<String> = instances::events()
        .iter()
        .map(|(_, event)| event["type"].to_string())
        .collect();
    assert_eq!((types.len(), instances::spans().len()), (23, 9));
}

#[test]
fn no_field_of_content_shows_anywhere_unless_it_is_captured() {
    for (span_type, event) in instances::events() {
        let span = instances::span_of(span_type);
        let subject = Subject {
            span: &span,
            event: Some(&event),
        };
        for pointer in subject.fields() {
            // That a model has asked for tools shows in its finish reason, which is no content.
            if !is_content(&subject, &pointer) || pointer == "/tool_calls" {
                continue;
            }
            for (name, rendering) in RENDERINGS {
                let shown = places(&Mapping::new(rendering), &subject, &pointer);
                assert_eq!(shown, BTreeSet::new(), "{name} shows {pointer} of {event}");
            }
        }
    }
}

#[test]
fn every_field_is_under_agentspec_or_is_a_part_of_the_span_itself() {
    let native = [
        "start time",
        "end time",
        "event time",
        "span name",
        "event name",
    ];
    let mapping = Mapping::new(Rendering::GenAi).with_capture(ContentCapture::SpanAndEvent);
    for (span_type, event) in instances::events() {
        let span = instances::span_of(span_type);
        for event in [None, Some(&event)] {
            let subject = Subject { span: &span, event };
            for pointer in subject.fields() {
                let places = places(&mapping, &subject, &pointer);
                let is_kept = places
                    .iter()
                    .any(|p| p.contains("agentspec.") || native.contains(&p.as_str()));
                assert!(is_kept, "{pointer} is lost: {places:?}");
            }
        }
    }
}
