//! Writes and reads `traceparent` and `tracestate`,
//! [W3C Trace Context](https://www.w3.org/TR/trace-context-2/).
//!
//! The SDK's `TraceContextPropagator` accepts fields of any length and any text in a `tracestate`.
//! It supports neither the keys of level 2 of the specification nor its random flag.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

use super::trace_state;

/// The trace id was chosen at random.
const RANDOM: TraceFlags = TraceFlags::new(0b10);

/// Where version 0 ends. Later versions go on behind it.
const VERSION_0_BYTES: usize = 55;

/// The parts of a request's trace headers that a [`SpanContext`] does not keep.
///
/// They stay in the context beside the remote parent, and in the contexts that are made from it.
#[derive(Debug, PartialEq, Eq)]
struct Received {
    trace_id: TraceId,
    /// A span that a sampler drops does not keep the flag.
    is_random: bool,
    state: Option<ReceivedState>,
}

/// A state with keys that [`TraceState`] does not know to be keys.
#[derive(Debug, PartialEq, Eq)]
struct ReceivedState {
    members: Vec<(String, String)>,
    /// As much of it as the spans of the trace have.
    known: TraceState,
}

/// `context` with the remote parent of a request, if the headers name one.
pub(super) fn read(context: &Context, parent: Option<&str>, state: &[&str]) -> Context {
    let Some((trace_id, span_id, flags)) = parent.and_then(read_parent) else {
        return context.clone();
    };
    let members = trace_state::parse(state).unwrap_or_default();
    let (known, is_complete) = to_trace_state(&members);
    let received = Received {
        trace_id,
        is_random: flags & RANDOM == RANDOM,
        state: (!is_complete).then(|| ReceivedState {
            members: members
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            known: known.clone(),
        }),
    };
    let context = if received.is_random || received.state.is_some() {
        context.with_value(received)
    } else {
        context.clone()
    };
    context.with_remote_span_context(SpanContext::new(trace_id, span_id, flags, true, known))
}

/// The values of `traceparent` and `tracestate`, the latter empty if there is nothing to say. `None`
/// without a span.
pub(super) fn write(context: &Context) -> Option<(String, String)> {
    let span = context.span();
    let span = span.span_context();
    if !span.is_valid() {
        return None;
    }
    let received = context
        .get::<Received>()
        .filter(|received| received.trace_id == span.trace_id());
    let mut flags = span.trace_flags() & (TraceFlags::SAMPLED | RANDOM);
    if received.is_some_and(|received| received.is_random) {
        flags = flags | RANDOM;
    }
    let parent = format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id());
    let state = match received.and_then(|received| received.state.as_ref()) {
        None => trace_state::write(span.trace_state()),
        Some(received) => write_received(span.trace_state(), received),
    };
    Some((parent, state))
}

/// The state of a span, and with it what its [`TraceState`] could not hold.
fn write_received(state: &TraceState, received: &ReceivedState) -> String {
    let members = received.members.iter();
    let members = members.map(|(key, value)| (key.as_str(), value.as_str()));
    if *state == received.known {
        return trace_state::write(members);
    }
    // Somebody changed it: what is new or changed stands in front, as the specification asks.
    let unknown = members.filter(|(key, _)| received.known.get(key).is_none());
    trace_state::write(state.into_iter().chain(unknown))
}

/// As many members as OpenTelemetry takes, and whether these are all.
fn to_trace_state(members: &[(&str, &str)]) -> (TraceState, bool) {
    if let Ok(all) = TraceState::from_key_value(members.iter().copied()) {
        return (all, true);
    }
    let is_known = |member: &&(&str, &str)| TraceState::from_key_value([**member]).is_ok();
    let known = members.iter().filter(is_known).copied();
    (TraceState::from_key_value(known).unwrap_or_default(), false)
}

/// Trace, span and flags of a `traceparent`,
/// <https://www.w3.org/TR/trace-context-2/#versioning-of-traceparent>.
fn read_parent(header: &str) -> Option<(TraceId, SpanId, TraceFlags)> {
    let header = header.trim_matches([' ', '\t']);
    let mut fields = header.get(..VERSION_0_BYTES)?.split('-');
    let version = digits(fields.next()?, 2)?;
    let trace_id = TraceId::from_hex(digits(fields.next()?, 32)?).ok()?;
    let span_id = SpanId::from_hex(digits(fields.next()?, 16)?).ok()?;
    let flags = u8::from_str_radix(digits(fields.next()?, 2)?, 16).ok()?;
    let is_rest_valid = match (version, header.get(VERSION_0_BYTES..)?) {
        ("ff", _) => false,
        (_, "") => true,
        ("00", _) => false,
        (_, rest) => rest.starts_with('-'),
    };
    let is_valid = is_rest_valid
        && fields.next().is_none()
        && trace_id != TraceId::INVALID
        && span_id != SpanId::INVALID;
    // Of a later version only this flag is known to mean the same.
    let known = if version == "00" {
        TraceFlags::SAMPLED | RANDOM
    } else {
        TraceFlags::SAMPLED
    };
    is_valid.then_some((trace_id, span_id, TraceFlags::new(flags) & known))
}

/// `text` if it is so many digits, in lower case.
fn digits(text: &str, len: usize) -> Option<&str> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == len && text.bytes().all(is_digit)).then_some(text)
}
