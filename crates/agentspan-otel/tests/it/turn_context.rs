//! Turn contexts as JSON and as types. The recorded ones are part of the conformance suite.

use agentspan_model::agent365::Profile;
use agentspan_otel::turn_context::turn_context_pairs;
use agentspan_otel::{BaggageBuilder, TurnContext};
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
    let from_types = BaggageBuilder::new().with_turn_context(&typed).build();
    let from_json = BaggageBuilder::new().with_turn_context_json(&turn).build();
    assert_eq!(from_types, from_json);
    let pairs: Vec<_> = from_types.pairs().collect();
    assert!(pairs.contains(&("tenant.id", "t")));
    assert!(pairs.contains(&("gen_ai.conversation.id", "mail")));
    assert_eq!(pairs.len(), 14);
}

/// The baggage of the second generation, of the activity with its members in the names of Python and in
/// those of the Bot Framework.
#[track_caller]
fn check_hosting(activity: &Value, expected: &[(&str, &str)]) {
    for names in [snake_case as fn(&str) -> String, str::to_owned] {
        let turn = json!({ "activity": renamed(activity, names) });
        let baggage = BaggageBuilder::for_profile(Profile::V2).with_turn_context_json(&turn);
        let baggage = baggage.build();
        assert_eq!(baggage.pairs().collect::<Vec<_>>(), expected, "{turn}");
    }
    let turn: TurnContext = serde_json::from_value(json!({ "activity": activity })).unwrap();
    let baggage = BaggageBuilder::for_profile(Profile::V2).with_turn_context(&turn);
    assert_eq!(baggage.build().pairs().collect::<Vec<_>>(), expected);
}

fn renamed(value: &Value, names: fn(&str) -> String) -> Value {
    let Value::Object(members) = value else {
        return value.clone();
    };
    let renamed = members.iter().map(|(name, value)| match name.as_str() {
        "channelData" => (names(name), value.clone()),
        _ => (names(name), renamed(value, names)),
    });
    renamed.collect()
}

fn snake_case(name: &str) -> String {
    let split = name.chars().map(|c| match c {
        'A'..='Z' => format!("_{}", c.to_ascii_lowercase()),
        c => c.to_string(),
    });
    split.collect()
}

#[test]
fn f2_a_turn_of_the_second_generation_is_read_as_its_hosting_package_does() {
    check_hosting(
        &json!({
            "type": "message",
            "channelId": "msteams",
            "from": {"id": "user1", "name": "User One", "aadObjectId": "aad-1",
                     "agenticUserId": "agentic-user-1", "tenantId": "tenant2", "role": "user"},
            "recipient": {"id": "agent1", "name": "Agent One", "aadObjectId": "aad-2",
                          "agenticAppId": "agent-app-1", "agenticUserId": "agentic-agent-1",
                          "tenantId": "tenant1", "role": "agenticUser"},
            "conversation": {"id": "conv-1"},
            "serviceUrl": "https://svc",
        }),
        &[
            ("user.id", "aad-1"),
            ("user.name", "User One"),
            ("user.email", "agentic-user-1"),
            ("gen_ai.agent.id", "agent-app-1"),
            ("gen_ai.agent.name", "Agent One"),
            ("microsoft.agent.user.id", "aad-2"),
            ("microsoft.agent.user.email", "agentic-agent-1"),
            ("gen_ai.agent.description", "agenticUser"),
            ("microsoft.tenant.id", "tenant1"),
            ("microsoft.channel.name", "msteams"),
            ("gen_ai.conversation.id", "conv-1"),
            ("microsoft.conversation.item.link", "https://svc"),
        ],
    );
}

#[test]
fn f2_a_recipient_is_an_agent_by_its_role_in_this_case_only() {
    for (role, is_agent) in [
        ("agenticUser", true),
        ("agenticAppInstance", true),
        ("agenticuser", false),
        ("bot", false),
    ] {
        let recipient = json!({"agenticAppId": "a", "agenticUserId": "u", "role": role});
        let description = ("gen_ai.agent.description", role);
        let expected = match is_agent {
            true => &[
                ("gen_ai.agent.id", "a"),
                ("microsoft.agent.user.email", "u"),
                description,
            ][..],
            false => &[description],
        };
        check_hosting(&json!({ "recipient": recipient }), expected);
    }
}

#[test]
fn f2_a_channel_has_another_inside_of_it_by_its_id_a_product_or_its_data() {
    let name = |name| ("microsoft.channel.name", name);
    let link = |link| ("microsoft.channel.link", link);
    let product = json!([null, {"type": "mention"}, {"type": "PRODUCTINFO", "id": " COPILOT "}]);
    let email = [name("agents"), link("email")];
    for (activity, expected) in [
        (json!({"channelId": " agents : email "}), &email[..]),
        (
            json!({"channelId": "agents:email", "channelData": {"productContext": "x"}}),
            &email,
        ),
        (json!({"channelId": "a:b:c"}), &[name("a"), link("b:c")]),
        (json!({"channelId": "a: "}), &[name("a")]),
        (json!({"channelId": ":b"}), &[]),
        (
            json!({"channelId": "a", "entities": product}),
            &[name("a"), link("COPILOT")],
        ),
        (json!({ "entities": product }), &[]),
        (
            json!({"channelId": "a", "channelData": {"productContext": "x"}}),
            &[name("a"), link("x")],
        ),
        (
            json!({"channelId": "a", "channelData": "{\"productContext\": \"x\"}"}),
            &[name("a"), link("x")],
        ),
        (
            json!({"channelData": {"productContext": "x"}}),
            &[link("x")],
        ),
        (json!({"channelData": {"productContext": 1}}), &[]),
        (json!({"channelData": "{nope"}), &[]),
        (json!({"channelData": "[1]"}), &[]),
        (json!({"channelData": [1]}), &[]),
    ] {
        check_hosting(&activity, expected);
    }
}

#[test]
fn the_successor_takes_a_product_in_whatever_form_it_has() {
    let turn = json!({"activity": {"channelData": {"productContext": 1}}});
    let link = |profile| {
        let baggage = BaggageBuilder::for_profile(profile).with_turn_context_json(&turn);
        let baggage = baggage.build();
        let pairs: Vec<_> = baggage.pairs().map(|(_, value)| value.to_owned()).collect();
        pairs
    };
    assert_eq!(link(Profile::V3), ["1"]);
    assert!(link(Profile::V2).is_empty());
}

#[test]
fn f2_what_is_no_activity_says_nothing() {
    for turn in [
        json!(null),
        json!([]),
        json!({"activity": "message"}),
        json!({"activity": {"from": 1, "recipient": [], "conversation": {"id": 7}, "entities": {}}}),
    ] {
        let baggage = BaggageBuilder::for_profile(Profile::V2).with_turn_context_json(&turn);
        assert_eq!(baggage.build().pairs().count(), 0, "{turn}");
    }
}
