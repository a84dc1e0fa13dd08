//! Where our helpers for hosts do something else than the reference's.

use agentspan_model::agent365::{AgentId, TenantId};
use agentspan_model::keys;
use serde_json::Value;

use super::token_cache::{fits_no_header, has_refused_id, pairs_meet, registers_again};
use super::{Input, run};
use crate::live_scope::Stop;
use crate::runners::scopes::SPAN_SAYS_ITS_LANGUAGE;
use crate::{Allowance, Case, Json, Predicate};

pub(super) const ALL: &[Predicate] = &[
    Predicate {
        name: "activity_is_refused",
        applies: |case| expected_to_be_rejected(case) && read_in_part(case).is_some(),
        instead: |case, expected| {
            if let Some(outcome) = read_in_part(case) {
                *expected = outcome.into();
            }
        },
    },
    SPAN_SAYS_ITS_LANGUAGE,
    Predicate {
        name: "value_has_no_rust_form",
        applies: |case| leave_out_other_values(&mut case.expected.clone()),
        instead: |_, expected| {
            leave_out_other_values(expected);
        },
    },
    Predicate {
        name: "agent_has_no_id",
        applies: |case| {
            let mut expected = case.expected.clone();
            agent_is_nobody(case) && leave_agent_nameless(&mut expected)
        },
        instead: |_, expected| {
            leave_agent_nameless(expected);
        },
    },
    Predicate {
        name: "tenant_has_no_id",
        applies: |case| {
            let mut expected = case.expected.clone();
            tenant_is_nobody(case) && put_tenant_last(&mut expected)
        },
        instead: |_, expected| {
            put_tenant_last(expected);
        },
    },
];

/// Where the steps of a cache of tokens come out otherwise.
pub(super) fn allowances() -> Vec<Allowance> {
    macro_rules! allowance {
        ($name:literal, $holds:expr, $place:literal) => {
            Allowance {
                name: $name,
                applies: |case| token_steps(case).is_some_and(|steps| $holds(&steps)),
                places: &[$place],
            }
        };
    }
    vec![
        Allowance {
            name: "input_has_no_rust_form",
            applies: |case| {
                let input = case.input::<Input>();
                input.is_ok_and(|input| matches!(run(&input), Err(Stop::Refused(_))))
            },
            places: &["**"],
        },
        allowance!("token_fits_no_header", fits_no_header, "steps.*.token"),
        allowance!("identities_meet_when_joined", pairs_meet, "steps"),
        allowance!("turn_registers_again", registers_again, "steps"),
        allowance!("identity_is_refused", has_refused_id, "steps"),
    ]
}

fn token_steps(case: &Case) -> Option<Vec<super::Step>> {
    match case.input().ok()? {
        Input::TokenCache { steps } => Some(steps),
        _ => None,
    }
}

fn expected_to_be_rejected(case: &Case) -> bool {
    case.expected.member("activity_rejected").is_some()
}

/// What we make of an activity without those members that the reference's class refuses. None if we
/// refuse it, too.
fn read_in_part(case: &Case) -> Option<Value> {
    let mut input: Input = case.input().ok()?;
    leave_out_refused(input.activity_mut()?);
    let outcome = run(&input).ok()?;
    outcome
        .get("activity_rejected")
        .is_none()
        .then_some(outcome)
}

/// Takes out what the class has no place for: nulls and empty texts, channels without a name, and
/// products beside a channel inside of the channel.
fn leave_out_refused(value: &mut Value) {
    let Value::Object(members) = value else {
        return;
    };
    members.retain(|name, value| {
        let may_be_empty = matches!(name.as_str(), "name" | "text");
        let is_channel = matches!(name.as_str(), "channelId" | "channel_id");
        match value {
            Value::Null => false,
            Value::String(text) if is_channel => {
                let channel = text.split(':').next().unwrap_or_default();
                !channel.trim().is_empty()
            }
            Value::String(text) => may_be_empty || !text.is_empty(),
            _ => true,
        }
    });
    let has_sub_channel = ["channelId", "channel_id"].iter().any(|name| {
        let id = members.get(*name).and_then(Value::as_str);
        id.is_some_and(|id| id.contains(':'))
    });
    if has_sub_channel && members.get("entities").is_some_and(Value::is_array) {
        members.remove("entities");
    }
    for (name, value) in members {
        if !matches!(name.as_str(), "channelData" | "channel_data" | "entities") {
            leave_out_refused(value);
        }
    }
}

/// Whether an attribute was there whose value the SDK for Rust has no form for.
fn leave_out_other_values(expected: &mut Json) -> bool {
    let mut found = false;
    for attributes in attributes_of_spans(expected) {
        let before = attributes.len();
        attributes.retain(|pair| {
            let value = pair.as_array().and_then(|pair| pair.get(1));
            value.is_none_or(has_form)
        });
        found |= attributes.len() != before;
    }
    found
}

fn has_form(value: &Json) -> bool {
    let items = value.member("array").and_then(Json::as_array);
    let is_mixed = items.is_some_and(|items| !items.is_empty());
    let mut others = ["null", "map", "bigint"].into_iter();
    !is_mixed && others.all(|form| value.member(form).is_none())
}

/// Whether the activity is for an agent whose id is missing, or cannot be one.
fn agent_is_nobody(case: &Case) -> bool {
    let id = of_recipient(case, ["agenticAppId", "agentic_app_id"]);
    id.is_some_and(|id| id.is_none_or(|id| AgentId::parse(&id).is_err()))
}

/// Whether it is for a tenant whose id cannot be one.
fn tenant_is_nobody(case: &Case) -> bool {
    let id = of_recipient(case, ["tenantId", "tenant_id"]).flatten();
    id.is_some_and(|id| !id.is_empty() && TenantId::parse(&id).is_err())
}

/// A text of the recipient of an activity that answers are sent for.
fn of_recipient(case: &Case, names: [&str; 2]) -> Option<Option<String>> {
    let Ok(Input::OutputLogging { activity, .. }) = case.input() else {
        return None;
    };
    let mut names = names.into_iter();
    let text = names.find_map(|name| activity.get("recipient")?.get(name)?.as_str());
    Some(text.map(str::to_owned))
}

/// Puts the tenant where we write one that cannot be one.
fn put_tenant_last(expected: &mut Json) -> bool {
    let mut found = false;
    for attributes in attributes_of_spans(expected) {
        let mut rest = std::mem::take(attributes);
        let of_tenant = take(&mut rest, &[keys::MICROSOFT_TENANT_ID]);
        let later = take(&mut rest, &LATER);
        found |= !of_tenant.is_empty();
        *attributes = [rest, of_tenant, later].concat();
    }
    found
}

/// The keys of an agent, which come last where its id is no agent's.
const OF_AGENT: [&str; 5] = [
    keys::GEN_AI_AGENT_ID,
    keys::GEN_AI_AGENT_NAME,
    keys::GEN_AI_AGENT_DESCRIPTION,
    keys::MICROSOFT_AGENT_USER_ID,
    keys::MICROSOFT_AGENT_USER_EMAIL,
];

/// The keys of the channel, and of an error, which come after.
const LATER: [&str; 3] = [
    keys::MICROSOFT_CHANNEL_NAME,
    keys::MICROSOFT_CHANNEL_LINK,
    keys::ERROR_TYPE,
];

/// Takes the agent out of the name, an empty id off the span, and puts what is left of the agent
/// where we write it.
fn leave_agent_nameless(expected: &mut Json) -> bool {
    let spans = expected.member_mut("spans").and_then(Json::as_array_mut);
    let mut found = false;
    for span in spans.into_iter().flatten() {
        if let Some(name) = span.member_mut("name") {
            *name = Json::String("output_messages".to_owned());
            found = true;
        }
    }
    for attributes in attributes_of_spans(expected) {
        let mut rest = std::mem::take(attributes);
        let mut of_agent = take(&mut rest, &OF_AGENT);
        of_agent.retain(|pair| !is_empty_id(pair));
        let later = take(&mut rest, &LATER);
        *attributes = [rest, of_agent, later].concat();
    }
    found
}

fn is_empty_id(pair: &Json) -> bool {
    let Some([key, value]) = pair.as_array() else {
        return false;
    };
    let text = value.member("string").and_then(Json::as_str);
    key.as_str() == Some(keys::GEN_AI_AGENT_ID) && text == Some("")
}

fn take(pairs: &mut Vec<Json>, wanted: &[&str]) -> Vec<Json> {
    let (taken, rest) = std::mem::take(pairs).into_iter().partition(|pair: &Json| {
        let key = pair.as_array().and_then(|pair| pair.first()?.as_str());
        key.is_some_and(|key| wanted.contains(&key))
    });
    *pairs = rest;
    taken
}

fn attributes_of_spans(expected: &mut Json) -> impl Iterator<Item = &mut Vec<Json>> {
    let spans = expected.member_mut("spans").and_then(Json::as_array_mut);
    let spans = spans.into_iter().flatten();
    spans.filter_map(|span| span.member_mut("attributes")?.as_array_mut())
}
