//! Turn contexts as JSON and as types. The recorded ones are part of the conformance suite.

use agentspan_otel::{BaggageBuilder, TurnContext, turn_context_pairs};
use serde_json::{Value, json};

#[track_caller]
fn check(activity: Value, key: &str, expected: Value) {
    let turn = json!({ "activity": activity });
    let pairs = turn_context_pairs(&turn);
    let found = pairs.iter().find(|(k, _)| *k == key);
    assert_eq!(found.map(|(_, value)| value.as_ref()), Some(&expected));
}

#[test]
fn a_name_that_is_there_counts_even_when_it_is_null() {
    check(
        json!({"type": null, "Type": "event"}),
        "gen_ai.channel.link",
        Value::Null,
    );
    check(
        json!({"from": {"agentic_user_id": null, "aad_object_id": "aad"}}),
        "gen_ai.caller.userid",
        Value::Null,
    );
}

#[test]
fn a_falsy_upn_gives_way_to_the_name_only_for_callers() {
    check(
        json!({"from": {"upn": "", "name": "Ada"}}),
        "gen_ai.caller.upn",
        json!("Ada"),
    );
    check(
        json!({"recipient": {"upn": "", "name": "Bot"}}),
        "gen_ai.agent.upn",
        json!(""),
    );
}

#[test]
fn channel_data_of_any_shape_gives_a_tenant_or_none() {
    for (data, expected) in [
        (json!({"tenant": {"id": "t"}}), json!("t")),
        (json!("{\"tenant\": {\"id\": 7}}"), json!(7)),
        (json!({"tenant": {}}), Value::Null),
        (json!({"tenant": "t"}), json!(false)),
        (json!("[]"), json!([])),
        (json!("[1]"), Value::Null),
        (json!("0"), json!(0)),
        (json!("true"), Value::Null),
        (json!("\"\""), json!("")),
        (json!("{not json"), Value::Null),
        (json!([{"tenant": {"id": "t"}}]), Value::Null),
        (json!(1), Value::Null),
    ] {
        check(json!({ "channel_data": data }), "tenant.id", expected);
    }
}

#[test]
fn ids_of_documents_are_joined_as_the_reference_joins_them() {
    check(
        json!({"channel_id": "agents", "entities": [
            null, "wpxcomment",
            {"type": "wpxcomment", "documentId": 12, "parent_comment_id": true},
        ]}),
        "gen_ai.conversation.id",
        json!("12_True"),
    );
}

#[test]
fn what_is_no_turn_context_gives_nothing() {
    for turn in [
        json!(null),
        json!([{"activity": {}}]),
        json!("activity"),
        json!({"activity": 0}),
    ] {
        assert_eq!(turn_context_pairs(&turn), []);
    }
}

#[test]
fn types_and_json_give_the_same_baggage() {
    let turn = json!({"activity": {
        "type": "message", "channel_id": "agents", "unknown": 1,
        "from": {"id": "u", "name": "Ada", "upn": "ada@contoso.com", "aad_object_id": "aad"},
        "recipient": {"id": "b", "agentic_app_id": "app", "agentic_user_id": "auid", "role": "agenticUser"},
        "conversation": {"id": "conversation"},
        "service_url": "https://smba.example.com/",
        "entities": [{"type": "emailNotification", "conversationId": "mail"}],
        "channel_data": {"tenant": {"id": "t"}},
    }});
    let typed: TurnContext = serde_json::from_value(turn.clone()).unwrap();
    let from_types = BaggageBuilder::new().turn_context(&typed).build();
    let from_json = BaggageBuilder::new().turn_context_json(&turn).build();
    assert_eq!(from_types, from_json);
    let pairs: Vec<_> = from_types.pairs().collect();
    assert!(pairs.contains(&("tenant.id", "t")));
    assert!(pairs.contains(&("gen_ai.conversation.id", "mail")));
    assert_eq!(pairs.len(), 14);
}
