//! A run that the reference recorded, replayed.

use std::path::Path;
use std::sync::Arc;

use agentspan_model::agent365::{Identity, Profile};
use agentspan_model::agentspec::{Disclosure, Id, RecordedSpan, Recording};
use agentspan_model::mapping::{ContentCapture, Mapping, PlacedSpan, Rendering};
use agentspan_otel::from_otel;
use agentspan_processor::replay::Replay;
use agentspan_processor::{InMemory, SpanProcessor};
use opentelemetry::trace::{Status, TraceId};
use opentelemetry_sdk::trace::SpanData;

use super::round_trip::described;
use super::watched::{Watched, text};

fn replay(processor: Arc<dyn SpanProcessor>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../conformance/vectors/agentspec_real_run.jsonl");
    let recording = std::fs::read(path).unwrap();
    let mut replay = Replay::new(processor);
    for hook in Recording::new(recording.as_slice()) {
        replay.play(hook.unwrap()).unwrap();
    }
    assert_eq!(replay.finish().open_spans, 0);
}

fn replayed(capture: ContentCapture, mappings: Vec<Mapping>) -> Watched {
    let watched = Watched::with_mappings(capture, mappings);
    replay(watched.processor());
    watched
}

#[test]
fn replaying_twice_gives_the_same_spans() {
    let spans = |watched: &Watched| -> Vec<_> {
        let spans = watched.live.spans().into_iter();
        spans
            .map(|s| (s.span_context, s.parent_span_id, s.start_time, s.end_time))
            .collect()
    };
    let first = spans(&replayed(ContentCapture::NoContent, vec![]));
    let second = spans(&replayed(ContentCapture::NoContent, vec![]));
    assert_eq!(first.len(), 37);
    assert_eq!(first, second);
}

#[test]
fn a_trace_id_that_is_a_uuid_is_the_trace_id_bit_for_bit() {
    let watched = replayed(ContentCapture::NoContent, vec![]);
    for span in watched.live.spans() {
        let id = Id::from(text(&span, "agentspec.trace.id").unwrap().as_str());
        let expected = TraceId::from_bytes(id.to_uuid().unwrap().into_bytes());
        assert_eq!(span.span_context.trace_id(), expected);
    }
}

/// Ends in the order of the hooks, as the bridge exports.
fn in_memory() -> Vec<RecordedSpan> {
    let memory = InMemory::new().with_disclosure(Disclosure::Clear);
    replay(Arc::new(memory.clone()));
    memory.spans()
}

#[track_caller]
fn check_rebuilt(spans: &[SpanData], expected: &[RecordedSpan], disclosure: Disclosure) {
    let mut rebuilt: Vec<PlacedSpan> = spans
        .iter()
        .map(|span| from_otel(span).unwrap().unwrap())
        .collect();
    assert_eq!(rebuilt.len(), expected.len());
    for recorded in expected {
        let span = match disclosure {
            Disclosure::Clear => recorded.span.clone(),
            Disclosure::Masked => described(&recorded.span),
        };
        // Runs were renumbered one by one, so that several have spans of one id.
        let at = rebuilt
            .iter()
            .position(|rebuilt| rebuilt.span == span && rebuilt.parent_id == recorded.parent_id);
        rebuilt.swap_remove(at.unwrap_or_else(|| panic!("no span like {span:#?}")));
    }
}

#[test]
fn a_recorded_run_comes_back_out_of_opentelemetry() {
    let expected = in_memory();
    for (capture, disclosure) in [
        (ContentCapture::SpanAndEvent, Disclosure::Clear),
        (ContentCapture::NoContent, Disclosure::Masked),
    ] {
        let mapping = |rendering| Mapping::new(rendering).with_capture(capture);
        let mappings = [Rendering::GenAi, Rendering::OpenInference].map(mapping);
        let watched = replayed(capture, mappings.into());
        check_rebuilt(&watched.live.spans(), &expected, disclosure);
        for rendered in &watched.rendered {
            check_rebuilt(&rendered.spans(), &expected, disclosure);
        }
    }
}

#[test]
fn failures_set_the_status_and_show_their_message_only_on_request() {
    let masked = Mapping::new(Rendering::GenAi);
    let clear = masked.clone().with_capture(ContentCapture::SpanAndEvent);
    let watched = replayed(ContentCapture::SpanAndEvent, vec![masked, clear]);
    let failures = |rendered: usize| -> Vec<Status> {
        let spans = watched.rendered[rendered].spans().into_iter();
        let statuses = spans.map(|span| span.status);
        statuses.filter(|status| *status != Status::Unset).collect()
    };
    let (masked, clear) = (failures(0), failures(1));
    assert_eq!((masked.len(), clear.len()), (2, 2));
    for (masked, clear) in masked.iter().zip(&clear) {
        let (
            Status::Error {
                description: masked,
            },
            Status::Error { description: clear },
        ) = (masked, clear)
        else {
            panic!("{masked:?} and {clear:?} are not errors");
        };
        assert!(!masked.is_empty() && !masked.contains(' '), "{masked}");
        assert_ne!(masked, clear);
    }
}

#[test]
fn agent_365_finds_identity_and_operation_on_each_span_that_it_takes() {
    for (profile, tenant_key, chat) in [
        (Profile::V0_1, "tenant.id", "Chat"),
        (Profile::V2, "microsoft.tenant.id", "chat"),
    ] {
        let mapping = Mapping::new(Rendering::Agent365(profile))
            .with_identity(Identity::parse("tenant-1", "agent-1").unwrap());
        let watched = replayed(ContentCapture::NoContent, vec![mapping]);
        let spans = watched.rendered[0].spans();
        let mut operations = std::collections::BTreeSet::new();
        for span in &spans {
            assert_eq!(text(span, tenant_key).as_deref(), Some("tenant-1"));
            assert_eq!(text(span, "gen_ai.agent.id").as_deref(), Some("agent-1"));
            operations.extend(text(span, "gen_ai.operation.name"));
        }
        let expected = [chat, "execute_tool", "invoke_agent"].map(str::to_owned);
        assert_eq!(operations, std::collections::BTreeSet::from(expected));
    }
}
