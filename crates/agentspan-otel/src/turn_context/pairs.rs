//! Reads baggage pairs from a turn context, as the reference does.
//!
//! A turn context is untrusted input. A value of an unexpected shape is skipped, and is never an
//! error.

use std::borrow::Cow;

use agentspan_model::agent365::ExecutionType;
use agentspan_model::keys;
use serde_json::Value;

use crate::python_text::value_text;

const AGENT_ROLE: &str = "agenticuser";
const AGENTS_CHANNEL: &str = "agents";
const DOCUMENT_COMMENT: &str = "wpxcomment";
const EMAIL_NOTIFICATION: &str = "emailNotification";

type Pair<'a> = (&'static str, Cow<'a, Value>);

/// The pairs of a turn context, in order; null for missing values.
///
/// Reads `activity` with the fields of [`TurnActivity`](super::TurnActivity). Other values than
/// texts are kept unchanged. If the activity is missing or empty, there are no pairs. Follows
/// `from_turn_context` of `microsoft-agents-a365-observability-core` 0.1.0, except that channel
/// data given as text must be JSON: Python also reads `NaN` there.
#[must_use]
pub fn turn_context_pairs(turn_context: &Value) -> Vec<Pair<'_>> {
    let activity = get(turn_context, &["activity"]);
    let mut pairs = Vec::new();
    if is_truthy(activity) {
        caller(activity, &mut pairs);
        execution_type(activity, &mut pairs);
        target_agent(activity, &mut pairs);
        pairs.push((keys::TENANT_ID, tenant_id(activity)));
        source(activity, &mut pairs);
        pairs.push((keys::GEN_AI_CONVERSATION_ID, conversation_id(activity)));
        let link = Cow::Borrowed(get(activity, &["service_url"]));
        pairs.push((keys::GEN_AI_CONVERSATION_ITEM_LINK, link));
    }
    pairs
}

fn caller<'a>(activity: &'a Value, pairs: &mut Vec<Pair<'a>>) {
    let from = get(activity, &["from"]);
    if !is_truthy(from) {
        return;
    }
    let name = get(from, &["name"]);
    let upn = Some(get(from, &["upn"])).filter(|upn| is_truthy(upn));
    pairs.extend(
        [
            (keys::GEN_AI_CALLER_ID, get(from, &["id"])),
            (keys::GEN_AI_CALLER_NAME, name),
            (keys::GEN_AI_CALLER_UPN, upn.unwrap_or(name)),
            (keys::GEN_AI_CALLER_USER_ID, user_id(from)),
            (keys::GEN_AI_CALLER_TENANT_ID, get(from, &["tenant_id"])),
        ]
        .map(|(key, value)| (key, Cow::Borrowed(value))),
    );
}

fn execution_type(activity: &Value, pairs: &mut Vec<Pair<'_>>) {
    let between_agents =
        is_agent(get(activity, &["from"])) && is_agent(get(activity, &["recipient"]));
    let execution_type = if between_agents {
        ExecutionType::AgentToAgent
    } else {
        ExecutionType::HumanToAgent
    };
    let value = Cow::Owned(Value::from(execution_type.as_str()));
    pairs.push((keys::GEN_AI_EXECUTION_TYPE, value));
}

fn target_agent<'a>(activity: &'a Value, pairs: &mut Vec<Pair<'a>>) {
    let recipient = get(activity, &["recipient"]);
    if !is_truthy(recipient) {
        return;
    }
    pairs.extend(
        [
            (keys::GEN_AI_AGENT_ID, get(recipient, &["agentic_app_id"])),
            (keys::GEN_AI_AGENT_NAME, get(recipient, &["name"])),
            (keys::GEN_AI_AGENT_AUID, user_id(recipient)),
            (keys::GEN_AI_AGENT_UPN, get(recipient, &["upn", "name"])),
            (keys::GEN_AI_AGENT_DESCRIPTION, get(recipient, &["role"])),
        ]
        .map(|(key, value)| (key, Cow::Borrowed(value))),
    );
}

/// The recipient's tenant, else `tenant.id` of the channel data.
///
/// The reference gives whatever its last condition gave: channel data that is falsy itself, false
/// where it has no tenant object, null where it is no object at all.
fn tenant_id(activity: &Value) -> Cow<'_, Value> {
    let tenant_id = get(get(activity, &["recipient"]), &["tenant_id"]);
    if is_truthy(tenant_id) {
        return Cow::Borrowed(tenant_id);
    }
    match get(activity, &["channel_data"]) {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(data) => Cow::Owned(tenant_of(&data).into_owned()),
            Err(_) => Cow::Borrowed(&Value::Null),
        },
        data @ Value::Object(_) => tenant_of(data),
        _ => Cow::Borrowed(&Value::Null),
    }
}

fn tenant_of(channel_data: &Value) -> Cow<'_, Value> {
    match channel_data {
        data if !is_truthy(data) => Cow::Borrowed(data),
        Value::Object(data) => match data.get("tenant") {
            Some(tenant @ Value::Object(_)) => Cow::Borrowed(get(tenant, &["id"])),
            _ => Cow::Owned(Value::Bool(false)),
        },
        _ => Cow::Borrowed(&Value::Null),
    }
}

fn source<'a>(activity: &'a Value, pairs: &mut Vec<Pair<'a>>) {
    let channel = get(activity, &["channel_id"]);
    pairs.extend(
        [
            (keys::GEN_AI_EXECUTION_SOURCE_ID, channel),
            (keys::GEN_AI_EXECUTION_SOURCE_NAME, channel),
            (
                keys::GEN_AI_EXECUTION_SOURCE_DESCRIPTION,
                get(activity, &["type", "Type"]),
            ),
        ]
        .map(|(key, value)| (key, Cow::Borrowed(value))),
    );
}

/// The conversation that an entity names on the channel of agents, else the activity's.
fn conversation_id(activity: &Value) -> Cow<'_, Value> {
    if get(activity, &["channel_id"]) == AGENTS_CHANNEL {
        let entities = get(activity, &["entities"]).as_array();
        let mut named = entities
            .into_iter()
            .flatten()
            .filter_map(named_conversation);
        if let Some(conversation_id) = named.next() {
            return conversation_id;
        }
    }
    Cow::Borrowed(get(get(activity, &["conversation"]), &["id", "Id"]))
}

fn named_conversation(entity: &Value) -> Option<Cow<'_, Value>> {
    let entity_type = get(entity, &["type", "Type"]);
    if entity_type == DOCUMENT_COMMENT {
        let document = get(entity, &["documentId", "document_id"]);
        let comment = get(entity, &["parentCommentId", "parent_comment_id"]);
        if is_truthy(document) && is_truthy(comment) {
            let id = format!("{}_{}", value_text(document), value_text(comment));
            return Some(Cow::Owned(Value::String(id)));
        }
    } else if entity_type == EMAIL_NOTIFICATION {
        let id = get(entity, &["conversationId", "conversation_id"]);
        return is_truthy(id).then_some(Cow::Borrowed(id));
    }
    None
}

fn is_agent(account: &Value) -> bool {
    let has_role = |role: &str| role.to_lowercase() == AGENT_ROLE;
    is_truthy(get(account, &["agentic_user_id"]))
        || get(account, &["role", "Role"])
            .as_str()
            .is_some_and(has_role)
}

fn user_id(account: &Value) -> &Value {
    get(account, &["agentic_user_id", "aad_object_id"])
}

/// The value of the first of `names` that `value` has, even when it is null; null when it has none.
fn get<'a>(value: &'a Value, names: &[&str]) -> &'a Value {
    names
        .iter()
        .find_map(|name| value.get(name))
        .unwrap_or(&Value::Null)
}

/// Whether Python takes the value for true.
pub(super) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}
