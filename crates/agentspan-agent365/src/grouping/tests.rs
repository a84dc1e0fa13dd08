//! Tests of the grouping by identity.

use agentspan_discovery::ClusterCategory;
use agentspan_model::agent365::Profile;
use opentelemetry::KeyValue;

use super::*;
use crate::span_of_test::span;
use crate::wire_profile::PathChoice;
use crate::wire_profile::WireProfile;

const T1: &str = "11111111-2222-3333-4444-555555555555";
const T2: &str = "e3064512-cc6d-4703-be71-a2ecaecaa98a";

fn of(tenant: impl Into<Value>, agent: impl Into<Value>) -> SpanData {
    span(vec![
        KeyValue::new(keys::TENANT_ID, tenant),
        KeyValue::new(keys::GEN_AI_AGENT_ID, agent),
    ])
}

fn group(spans: &[SpanData]) -> Grouping {
    group_of(Profile::V0_1, spans)
}

fn group_of(profile: Profile, spans: &[SpanData]) -> Grouping {
    Grouping::of(spans, &mut Recipients::new(destinations(profile)))
}

fn destinations(profile: Profile) -> Destinations {
    Destinations {
        wire: WireProfile::of(profile).unwrap(),
        tenant_key: profile.tenant_id_key(),
        agent_fallback: None,
        cluster: ClusterCategory::Prod,
        path: PathChoice::Usual,
        loopback: None,
        domain: None,
    }
}

/// The identities in order, each with the places of its spans in the batch.
fn check_groups(spans: &[SpanData], expected: &[(&str, &str, &[usize])]) {
    let grouping = group(spans);
    let found: Vec<_> = grouping
        .groups
        .iter()
        .map(|group| {
            let places: Vec<_> = grouping
                .spans_of(group, spans)
                .map(|span| spans.iter().position(|other| std::ptr::eq(span, other)))
                .map(Option::unwrap)
                .collect();
            assert_eq!(places.len(), group.len);
            assert_eq!(places.first(), Some(&group.first()));
            (
                group.recipient.identity.tenant.as_str(),
                group.recipient.identity.agent.as_str(),
                places,
            )
        })
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(tenant, agent, places)| (*tenant, *agent, places.to_vec()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn groups_come_in_order_of_first_appearance_and_keep_the_order_of_their_spans() {
    check_groups(
        &[
            of(T2, "b"),
            of(T1, "a"),
            of(T2, "b"),
            of(T2, "a"),
            of(T1, "a"),
        ],
        &[(T2, "b", &[0, 2]), (T1, "a", &[1, 4]), (T2, "a", &[3])],
    );
}

#[test]
fn the_last_of_equal_keys_names_the_identity() {
    let twice = span(vec![
        KeyValue::new(keys::TENANT_ID, T1),
        KeyValue::new(keys::GEN_AI_AGENT_ID, "first"),
        KeyValue::new(keys::GEN_AI_AGENT_ID, "last"),
        KeyValue::new(keys::TENANT_ID, T2),
    ]);
    check_groups(&[twice], &[(T2, "last", &[0])]);
}

#[test]
fn a_span_without_a_tenant_or_an_agent_belongs_to_nobody() {
    let spans = [
        span(vec![]),
        span(vec![KeyValue::new(keys::TENANT_ID, T1)]),
        span(vec![KeyValue::new(keys::GEN_AI_AGENT_ID, "a")]),
        of("", "a"),
        of(T1, " \t\n"),
        of(7, " "),
    ];
    let grouping = group(&spans);
    assert_eq!(grouping.no_identity, spans.len());
    assert_eq!((grouping.groups.len(), grouping.refused.len()), (0, 0));
}

#[test]
fn a_refused_identity_costs_its_own_spans_only() {
    let spans = [
        of("bad tenant", "a"),
        of(T1, "a"),
        of(T1, "../x"),
        of(T1, 7),
        of(T1, "a"),
        of("bad tenant", "a"),
        of(12_345, "a"),
    ];
    check_groups(&spans, &[(T1, "a", &[1, 4])]);
    let refused: Vec<_> = group(&spans)
        .refused
        .iter()
        .map(|refused| (refused.spans, refused.error.to_string()))
        .collect();
    let expected = [
        (
            2,
            "tenant id holds ' ' at byte 3, and a host allows only ASCII letters, digits and dashes",
        ),
        (1, "agent id contains the forbidden character '/' at byte 2"),
        (2, "tenant or agent id is not a string"),
    ];
    assert_eq!(
        refused,
        expected.map(|(spans, error)| (spans, String::from(error)))
    );
}

#[test]
fn t01_ids_that_look_alike_when_joined_stay_apart() {
    check_groups(
        &[of("aab", "b:c"), of("aa", "bb:c"), of("aab", "b:c")],
        &[("aab", "b:c", &[0, 2])],
    );
}

/// How many spans of a batch with this one are sent, skipped for the operation and for the
/// identity.
fn check_version_2(attributes: &[(&'static str, &'static str)], expected: (usize, usize, usize)) {
    let attributes = attributes.iter().copied();
    let span = span(
        attributes
            .map(|(key, value)| KeyValue::new(key, value))
            .collect(),
    );
    let grouping = group_of(Profile::V2, &[span]);
    let sent = grouping.groups.iter().map(|group| group.len).sum();
    let found = (sent, grouping.other_operations.len(), grouping.no_identity);
    assert_eq!(found, expected);
}

#[test]
fn version_2_sends_the_operations_that_it_knows_letter_by_letter() {
    let of = |operation| {
        [
            (keys::GEN_AI_OPERATION_NAME, operation),
            (keys::MICROSOFT_TENANT_ID, T1),
            (keys::GEN_AI_AGENT_ID, "a"),
        ]
    };
    for sent in [
        "invoke_agent",
        "output_messages",
        "chat",
        "Chat",
        "text_completion",
    ] {
        check_version_2(&of(sent), (1, 0, 0));
    }
    for other in ["TextCompletion", "CHAT", "chat ", "", "embeddings"] {
        check_version_2(&of(other), (0, 1, 0));
    }
}

#[test]
fn version_2_counts_the_operation_before_the_identity() {
    check_version_2(&[(keys::MICROSOFT_TENANT_ID, T1)], (0, 1, 0));
    check_version_2(
        &[
            (keys::GEN_AI_OPERATION_NAME, "chat"),
            (keys::TENANT_ID, T1),
            (keys::GEN_AI_AGENT_ID, "a"),
        ],
        (0, 0, 1),
    );
}

#[test]
fn the_last_operation_that_was_set_counts() {
    check_version_2(
        &[
            (keys::GEN_AI_OPERATION_NAME, "chat"),
            (keys::MICROSOFT_TENANT_ID, T1),
            (keys::GEN_AI_AGENT_ID, "a"),
            (keys::GEN_AI_OPERATION_NAME, "other"),
        ],
        (0, 1, 0),
    );
}

#[test]
fn only_the_key_that_was_chosen_stands_in_for_the_id_of_the_agent() {
    let spans = [span(vec![
        KeyValue::new(keys::TENANT_ID, T1),
        KeyValue::new("chosen", "a"),
        KeyValue::new("other", "b"),
    ])];
    assert_eq!(group(&spans).no_identity, 1);
    let agent_fallback = Some("chosen");
    let mut recipients = Recipients::new(Destinations {
        agent_fallback,
        ..destinations(Profile::V0_1)
    });
    let grouping = Grouping::of(&spans, &mut recipients);
    assert_eq!(grouping.groups[0].recipient.identity.agent.as_str(), "a");
}

/// The user for whom an agent acts whose spans have these attributes, beside those of the identity.
fn user_of(profile: Profile, spans: &[&[(&'static str, Value)]]) -> Option<String> {
    let spans: Vec<_> = spans
        .iter()
        .map(|attributes| {
            let mut span = of_version_2("a");
            let attributes = attributes.iter().cloned();
            let attributes = attributes.map(|(key, value)| KeyValue::new(key, value));
            span.attributes.extend(attributes);
            span
        })
        .collect();
    let grouping = group_of(profile, &spans);
    let [group] = &*grouping.groups else {
        panic!("{grouping:?}");
    };
    assert_eq!(group.recipient.identity.agent.as_str(), "a");
    group.recipient.agentic_user.clone()
}

/// A span that version 2 sends.
fn of_version_2(agent: &'static str) -> SpanData {
    span(vec![
        KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat"),
        KeyValue::new(keys::TENANT_ID, T1),
        KeyValue::new(keys::MICROSOFT_TENANT_ID, T1),
        KeyValue::new(keys::GEN_AI_AGENT_ID, agent),
    ])
}

#[test]
fn an_agent_acts_for_the_user_whom_its_first_span_names_last() {
    const USER: &str = keys::MICROSOFT_AGENT_USER_ID;
    let named = |user: &'static str| (USER, Value::from(user));
    let other = ("other", Value::from("nobody"));
    let first: &[_] = &[named("u"), named("v"), other];
    assert_eq!(
        user_of(Profile::V3, &[first, &[named("w")]]).as_deref(),
        Some("v")
    );
    assert_eq!(user_of(Profile::V3, &[&[], &[named("w")]]), None);
    assert_eq!(user_of(Profile::V3, &[&[(USER, Value::from(7))]]), None);
    assert_eq!(user_of(Profile::V2, &[first]), None);
}

/// The parts of a batch that are split by identity, each as the names of its spans.
fn parts(spans: &mut Vec<SpanData>) -> Vec<Vec<String>> {
    for (number, span) in spans.iter_mut().enumerate() {
        span.name = number.to_string().into();
    }
    let parts = group(spans).split(spans);
    assert!(spans.is_empty());
    let names = |part: Vec<SpanData>| part.iter().map(|span| span.name.to_string()).collect();
    parts.into_iter().map(names).collect()
}

#[test]
fn a_batch_is_split_into_the_spans_of_each_identity_without_those_of_nobody() {
    let mut spans = vec![
        of(T2, "b"),
        of("bad tenant", "a"),
        of(T1, "a"),
        of(T2, "b"),
        span(vec![]),
        of(T2, "b"),
    ];
    assert_eq!(parts(&mut spans), [vec!["0", "3", "5"], vec!["2"]]);
    let mut of_one_and_nobody = vec![of(T1, "a"), span(vec![]), of(T1, "a")];
    assert_eq!(parts(&mut of_one_and_nobody), [["0", "2"]]);
    assert!(parts(&mut vec![span(vec![])]).is_empty());
}

#[test]
fn a_batch_of_one_identity_is_moved_with_its_memory() {
    let mut spans = vec![of(T1, "a"), of(T1, "a")];
    assert_eq!(parts(&mut spans), [["0", "1"]]);
    assert_eq!(spans.capacity(), 0);
}
