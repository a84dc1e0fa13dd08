//! The inputs and outcomes of the W3C's suite for Trace Context (`w3c/trace-context`, `test/test.py`, at
//! acab820), sent through [`Propagation`]: what a service does with a request, and what it sends on.

use agentspan_otel::Propagation;
use opentelemetry::trace::{
    Link, SpanContext, SpanKind, TraceContextExt, TraceId, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{
    Sampler, SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample,
};

const TRACE: &str = "12345678901234567890123456789012";
const PARENT: &str = "1234567890123456";
const SAMPLED: &str = "00-12345678901234567890123456789012-1234567890123456-01";
const NOT_SAMPLED: &str = "00-12345678901234567890123456789012-1234567890123456-00";

/// What a service sends on: it makes a span of what came, and calls another service inside.
struct SentOn {
    trace_id: String,
    parent_id: String,
    flags: u8,
    state: Option<String>,
}

fn send_on(provider: &SdkTracerProvider, received: &Context) -> SentOn {
    let tracer = provider.tracer("service");
    let span = tracer.start_with_context("serve", received);
    let headers = Propagation::new().to_headers(&received.with_span(span));
    let named = |wanted: &str| {
        let mut found = headers.iter().filter(|(name, _)| name == wanted);
        let value = found.next().map(|(_, value)| value.clone());
        assert!(found.next().is_none(), "{wanted} twice");
        value
    };
    let parent = named("traceparent").expect("a traceparent");
    let fields: Vec<&str> = parent.split('-').collect();
    let [version, trace_id, parent_id, flags] = fields[..] else {
        panic!("{parent}");
    };
    assert_eq!(
        [version.len(), trace_id.len(), parent_id.len()],
        [2, 32, 16]
    );
    assert_eq!(version, "00");
    SentOn {
        trace_id: trace_id.to_owned(),
        parent_id: parent_id.to_owned(),
        flags: u8::from_str_radix(flags, 16).unwrap(),
        state: named("tracestate"),
    }
}

fn serve(headers: &[(&str, &str)]) -> SentOn {
    let received = Propagation::new().extract_headers(&Context::new(), headers.iter().copied());
    let remote = received.span().span_context().clone();
    assert_eq!(remote.is_remote(), remote.is_valid());
    send_on(&SdkTracerProvider::builder().build(), &received)
}

#[track_caller]
fn check_goes_on(parent: &str) {
    let sent = serve(&[("traceparent", parent)]);
    assert_eq!(sent.trace_id, TRACE, "{parent:?}");
    assert_ne!(sent.parent_id, PARENT, "{parent:?}");
}

#[track_caller]
fn check_starts_anew(parent: &str) {
    let received = Propagation::new().extract_headers(&Context::new(), [("traceparent", parent)]);
    assert_eq!(
        *received.span().span_context(),
        SpanContext::NONE,
        "{parent:?}"
    );
    assert_ne!(serve(&[("traceparent", parent)]).trace_id, TRACE);
}

/// The state that is sent on when these headers came, all after a parent that is right.
#[track_caller]
fn check_state(states: &[&str], expected: Option<&str>) {
    let mut headers = vec![("traceparent", NOT_SAMPLED)];
    headers.extend(states.iter().map(|state| ("tracestate", *state)));
    let sent = serve(&headers);
    assert_eq!(sent.state.as_deref(), expected, "{states:?}");
    // A state that cannot be read does not touch the parent.
    assert_eq!(sent.trace_id, TRACE, "{states:?}");
}

#[test]
fn without_headers_a_trace_starts() {
    let sent = serve(&[]);
    assert_ne!(sent.trace_id, "0".repeat(32));
    assert_eq!(sent.state, None);
}

#[test]
fn a_parent_goes_on_and_two_parents_do_not() {
    check_goes_on(SAMPLED);
    let other = "00-12345678901234567890123456789011-1234567890123456-01";
    let sent = serve(&[("traceparent", other), ("traceparent", SAMPLED)]);
    assert_ne!(sent.trace_id, TRACE);
    assert_ne!(sent.trace_id, "12345678901234567890123456789011");
}

#[test]
fn two_parents_are_none_although_one_of_them_is_no_text() {
    let headers: [(&str, &[u8]); 2] = [
        ("traceparent", SAMPLED.as_bytes()),
        ("traceparent", b"\xff"),
    ];
    let context = Propagation::new().extract_headers(&Context::new(), headers);
    assert!(!context.span().span_context().is_valid());
}

#[test]
fn names_are_known_in_any_case_and_by_no_other_spelling() {
    for name in ["trace-parent", "trace.parent"] {
        assert_ne!(serve(&[(name, SAMPLED)]).trace_id, TRACE, "{name}");
    }
    for name in ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"] {
        assert_eq!(serve(&[(name, SAMPLED)]).trace_id, TRACE, "{name}");
    }
    for name in ["trace-state", "trace.state"] {
        let sent = serve(&[("traceparent", NOT_SAMPLED), (name, "foo=1")]);
        assert_eq!(sent.state, None, "{name}");
    }
    for name in ["TraceState", "TrAcEsTaTe", "TRACESTATE"] {
        let sent = serve(&[("traceparent", NOT_SAMPLED), (name, "foo=1")]);
        assert_eq!(sent.state.as_deref(), Some("foo=1"), "{name}");
    }
}

#[test]
fn version_0_has_four_fields_and_nothing_behind_them() {
    check_starts_anew(&format!("{SAMPLED}."));
    check_starts_anew(&format!("{SAMPLED}-what-the-future-will-be-like"));
}

#[test]
fn later_versions_may_have_more_fields_and_ff_is_none() {
    let later = SAMPLED.replacen("00", "cc", 1);
    check_goes_on(&later);
    check_goes_on(&format!("{later}-what-the-future-will-be-like"));
    check_starts_anew(&format!("{later}.what-the-future-will-be-like"));
    check_starts_anew(&SAMPLED.replacen("00", "ff", 1));
}

#[test]
fn a_version_is_two_digits() {
    for version in [".0", "0.", "000", "0000", "0", "", "CC", "+0", "0x"] {
        check_starts_anew(&SAMPLED.replacen("00", version, 1));
    }
}

#[test]
fn a_trace_id_is_32_digits_in_lower_case_and_not_zero() {
    for id in [
        "00000000000000000000000000000000",
        ".2345678901234567890123456789012",
        "1234567890123456789012345678901.",
        "123456789012345678901234567890123",
        "1234567890123456789012345678901",
        "ABCDEF78901234567890123456789012",
        "+2345678901234567890123456789012",
        "",
    ] {
        check_starts_anew(&format!("00-{id}-{PARENT}-01"));
    }
}

#[test]
fn a_parent_id_is_16_digits_in_lower_case_and_not_zero() {
    for id in [
        "0000000000000000",
        ".234567890123456",
        "123456789012345.",
        "12345678901234567",
        "123456789012345",
        "ABCDEF7890123456",
        "+234567890123456",
        "",
    ] {
        check_starts_anew(&format!("00-{TRACE}-{id}-01"));
    }
}

#[test]
fn flags_are_two_digits() {
    for flags in [".0", "0.", "001", "1", "", "+1", "0A"] {
        check_starts_anew(&format!("00-{TRACE}-{PARENT}-{flags}"));
    }
}

#[test]
fn white_space_around_a_parent_does_not_count() {
    for parent in [
        format!(" {SAMPLED}"),
        format!("\t{SAMPLED}"),
        format!("{SAMPLED} "),
        format!("{SAMPLED}\t"),
        format!("\t {SAMPLED} \t"),
    ] {
        check_goes_on(&parent);
    }
    check_starts_anew(&format!("{SAMPLED}\r\n"));
    check_starts_anew(&format!("\u{a0}{SAMPLED}"));
}

#[test]
fn flags_that_are_not_known_are_not_sent_on() {
    let received = format!("00-{TRACE}-{PARENT}-ff");
    assert_eq!(serve(&[("traceparent", &received)]).flags, 0b11);
    let later = format!("cc-{TRACE}-{PARENT}-ff");
    assert_eq!(serve(&[("traceparent", &later)]).flags, 0b01);
}

#[test]
fn the_flag_of_a_random_id_goes_on_whatever_a_sampler_decides() {
    let received = format!("00-{TRACE}-{PARENT}-02");
    let headers = [("traceparent", received.as_str())];
    let received = Propagation::new().extract_headers(&Context::new(), headers);
    for sampler in [Sampler::AlwaysOn, Sampler::AlwaysOff] {
        let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
        let sent = send_on(&provider, &received);
        assert_eq!(sent.trace_id, TRACE);
        assert_eq!(sent.flags & 0b10, 0b10);
    }
    // Where it was not set, nobody sets it.
    for flags in ["00", "01"] {
        let parent = format!("00-{TRACE}-{PARENT}-{flags}");
        assert_eq!(serve(&[("traceparent", &parent)]).flags & 0b10, 0);
    }
    // It says something of that id only.
    let elsewhere = received.with_remote_span_context(SpanContext::NONE);
    let sent = send_on(&SdkTracerProvider::builder().build(), &elsewhere);
    assert_ne!(sent.trace_id, TRACE);
    assert_eq!(sent.flags & 0b10, 0);
}

#[test]
fn a_parent_with_more_than_512_bytes_is_none() {
    let later = SAMPLED.replacen("00", "cc", 1);
    let rest = "x".repeat(512 - later.len() - 1);
    check_goes_on(&format!("{later}-{rest}"));
    check_starts_anew(&format!("{later}-{rest}x"));
}

#[test]
fn a_state_without_a_parent_does_not_go_on() {
    assert_eq!(serve(&[("tracestate", "foo=1,bar=2")]).state, None);
}

#[test]
fn states_go_on_in_their_order() {
    check_state(&["foo=1,bar=2"], Some("foo=1,bar=2"));
    check_state(
        &["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
        Some("foo=1,bar=2,rojo=1,congo=2,baz=3"),
    );
}

#[test]
fn empty_members_do_not_go_on() {
    check_state(&[""], None);
    check_state(&["foo=1", ""], Some("foo=1"));
    check_state(&["", "foo=1"], Some("foo=1"));
    check_state(&[",, \t,foo=1,"], Some("foo=1"));
}

#[test]
fn of_a_key_that_is_there_twice_the_first_goes_on() {
    check_state(&["foo=1,foo=1"], Some("foo=1"));
    check_state(&["foo=1,foo=2"], Some("foo=1"));
    check_state(&["foo=1", "foo=1"], Some("foo=1"));
    check_state(&["foo=1", "bar=3,foo=2"], Some("foo=1,bar=3"));
}

#[test]
fn all_characters_that_are_allowed_go_on() {
    let key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let value: String = (' '..='~').filter(|c| !matches!(c, ',' | '=')).collect();
    for key in [key.to_owned(), format!("{key}@a-z0-9_-*/")] {
        let state = format!("{key}={value}");
        check_state(&[&state], Some(&state));
    }
}

#[test]
fn white_space_around_members_does_not_count() {
    check_state(
        &["foo=1 \t , \t bar=2, \t baz=3"],
        Some("foo=1,bar=2,baz=3"),
    );
    check_state(
        &["foo=1\t \t,\t \tbar=2,\t \tbaz=3"],
        Some("foo=1,bar=2,baz=3"),
    );
    for state in [" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t", "\t foo=1 \t"] {
        check_state(&[state], Some("foo=1"));
    }
    check_state(&["foo=  1"], Some("foo=  1"));
}

#[test]
fn a_key_with_other_characters_discards_the_state() {
    for key in [
        "foo ",
        "FOO",
        "foo.bar",
        "",
        "_foo",
        "*",
        "@foo",
        "foo\u{e9}",
    ] {
        check_state(&[&format!("{key}=1,bar=2")], None);
    }
    check_state(&["foo,bar=2"], None);
}

#[test]
fn at_signs_stand_anywhere_but_in_front() {
    for key in ["foo@", "foo@@bar", "foo@bar@baz", "foo@_"] {
        let state = format!("{key}=1,bar=2");
        check_state(&[&state], Some(&state));
        let state = format!("bar=2,{key}=1");
        check_state(&[&state], Some(&state));
    }
}

#[test]
fn a_sampler_that_changes_the_state_keeps_keys_that_the_sdk_does_not_know() {
    let state = "foo@@bar=1,rojo=2,foo@bar@baz=3,congo=4";
    let headers = [("traceparent", SAMPLED), ("tracestate", state)];
    let received = Propagation::new().extract_headers(&Context::new(), headers);
    let provider = SdkTracerProvider::builder().with_sampler(Marks).build();
    let sent = send_on(&provider, &received);
    assert_eq!(
        sent.state.as_deref(),
        Some("congo=new,rojo=2,foo@@bar=1,foo@bar@baz=3")
    );
}

/// A sampler with a member of its own.
#[derive(Clone, Debug)]
struct Marks;

impl ShouldSample for Marks {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _trace_id: TraceId,
        _name: &str,
        _span_kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let span = parent.unwrap().span().span_context().clone();
        SamplingResult {
            decision: SamplingDecision::RecordAndSample,
            attributes: Vec::new(),
            trace_state: span.trace_state().insert("congo", "new").unwrap(),
        }
    }
}

#[test]
fn there_are_no_more_than_32_members() {
    let members: Vec<String> = (1..=33).map(|n| format!("bar{n:02}={n:02}")).collect();
    let headers = |members: &[String]| -> Vec<String> {
        members.chunks(10).map(|some| some.join(",")).collect()
    };
    let most = headers(&members[..32]);
    let most: Vec<&str> = most.iter().map(String::as_str).collect();
    check_state(&most, Some(&members[..32].join(",")));
    let more = headers(&members);
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    check_state(&more, None);
}

#[test]
fn keys_and_values_have_at_most_256_characters() {
    for key in [
        "z".repeat(256),
        format!("{}@{}", "t".repeat(241), "v".repeat(14)),
        format!("{}@v", "t".repeat(242)),
        format!("t@{}", "v".repeat(15)),
    ] {
        let state = format!("foo=1,{key}=1");
        check_state(&["foo=1", &format!("{key}=1")], Some(&state));
    }
    check_state(&["foo=1", &format!("{}=1", "z".repeat(257))], None);
    let longest = format!("foo={}", "v".repeat(256));
    check_state(&[&longest], Some(&longest));
    check_state(&[&format!("{longest}v")], None);
}

#[test]
fn a_value_with_other_characters_discards_the_state() {
    for state in [
        "foo=bar=baz",
        "foo=,bar=3",
        "foo= ,bar=3",
        "foo==bar",
        "foo=a\tb",
        "foo=a\r\nx-evil: 1",
        "foo=\u{1}",
        "foo=\u{7f}",
        "foo=\u{e9}",
    ] {
        check_state(&[state], None);
    }
}

#[test]
fn a_state_of_which_a_part_is_no_text_is_discarded() {
    let headers: [(&str, &[u8]); 3] = [
        ("traceparent", SAMPLED.as_bytes()),
        ("tracestate", b"foo=1"),
        ("tracestate", b"bar=\xff"),
    ];
    let context = Propagation::new().extract_headers(&Context::new(), headers);
    let span = context.span().span_context().clone();
    assert!(span.is_valid());
    assert_eq!(span.trace_state().header(), "");
}

#[test]
fn requests_of_one_service_have_different_parents_in_one_trace() {
    let received = [("traceparent", SAMPLED)];
    let illegal = [(
        "traceparent",
        "00-00000000000000000000000000000000-1234567890123456-01",
    )];
    for headers in [&received[..], &[], &illegal] {
        let sent: Vec<SentOn> = (0..3).map(|_| serve(headers)).collect();
        let parents: std::collections::HashSet<_> = sent.iter().map(|s| &s.parent_id).collect();
        assert_eq!(parents.len(), 3);
        let goes_on = sent.iter().all(|sent| sent.trace_id == TRACE);
        assert_eq!(goes_on, headers == received);
    }
}
