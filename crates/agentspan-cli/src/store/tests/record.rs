//! All that a span has comes back from its bytes.

use std::path::Path;
use std::sync::Arc;

use agentspan_model::mapping::normal::Usage;
use prost::Message;
use serde_json::json;

use crate::facts::{Facts, Generation, Kind};
use crate::group::Group;
use crate::place::Place;
use crate::span::{Form, Span};
use crate::store::head::Head;
use crate::store::record::{Origin, Record};

/// A span of which no two parts are the same, and none is the default.
fn whole() -> Span {
    let text = |text: &str| Some(text.to_owned());
    let mut usage = Usage::default();
    usage.input = Some(1);
    usage.output = Some(2);
    usage.cache_read = Some(3);
    usage.cache_write = Some(4);
    usage.reasoning = Some(-5);
    let facts = Facts {
        kind: Kind::Guardrail,
        operation: text("operation"),
        agent: text("agent"),
        agent_id: text("agent id"),
        tenant: text("tenant"),
        conversation: text("conversation"),
        model: text("model"),
        tool: text("tool"),
        call: text("call"),
        usage,
        cost: Some(-6),
        is_sum: true,
        error: text("error"),
        asked: text("asked"),
        answered: text(""),
        is_masked: true,
        events: 7,
        event_times: vec![8, 0, u64::MAX],
        chunks: 9,
        first_chunk: Some(10),
        note: text("note"),
        status: "error",
        generation: Generation::Later,
        is_refused: true,
    };
    Span {
        trace_id: "trace".to_owned(),
        span_id: "span".to_owned(),
        parent_id: text("parent"),
        name: "Grüße".to_owned(),
        start: 11,
        end: Some(12),
        is_error: true,
        form: Form::AgentSpec,
        facts,
        group: Arc::new(Group::new(json!({"resource": 1}), json!({"scope": 2}))),
        json: "{\"json\": 13}".into(),
        dump: Some("{\"dump\": 14}".into()),
        place: Some(Place {
            path: Path::new("a file").into(),
            line: 15,
        }),
    }
}

fn check(span: &Span) {
    let origins = [Origin::of(&whole()), Origin::of(span)];
    let bytes = Record::of(span.clone(), 1).encode_to_vec();
    let record = Record::decode(&*bytes).unwrap();
    let back = record.into_span("trace", Head::of(0, span), &origins);
    let back = back.unwrap();
    assert_eq!(format!("{back:?}"), format!("{span:?}"));
    assert!(Arc::ptr_eq(&back.group, &span.group));
}

#[test]
fn all_parts_of_a_span_come_back() {
    check(&whole());
}

#[test]
fn a_span_of_nothing_but_ids_stays_one() {
    let json = json!({"traceId": "trace", "spanId": "span"});
    let mut span = Span::of_json(&json, None, &Arc::default()).unwrap();
    check(&span);
    span.facts = Facts::default();
    check(&span);
}

#[test]
fn a_number_that_says_nothing_is_no_span() {
    let span = whole();
    let record = || Record::of(span.clone(), 1);
    let head = || Head::of(0, &span);
    let one = [Origin::of(&span)];
    assert!(record().into_span("trace", head(), &one).is_none());
}
