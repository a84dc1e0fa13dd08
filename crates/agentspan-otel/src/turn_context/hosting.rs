//! What a turn means for the baggage of the second generation.
//!
//! Follows `populate` of `microsoft-agents-a365-observability-hosting` 2.0.0 and the `Activity` of
//! `microsoft-agents-activity` 1.9.0 that it reads. What that class refuses gives no value here, and
//! never an error.

use std::borrow::Cow;

use agentspan_model::agent365::mapping::BaggageEntry;
use serde_json::Value;

use crate::python_text::strip;

/// The roles of a recipient that is an agent, in this case only.
const AGENTIC_ROLES: [&str; 2] = ["agenticAppInstance", "agenticUser"];

const PRODUCT_INFO: &str = "ProductInfo";

/// What the activity of a turn says, in the order of the reference.
///
/// Names of members are those of the Bot Framework (`channelId`) or those of Python (`channel_id`).
pub(crate) fn entries<'a>(turn_context: &'a Value) -> Vec<(BaggageEntry, Cow<'a, str>)> {
    let Some(activity) = turn_context.get("activity") else {
        return Vec::new();
    };
    let activity = Some(activity);
    let from = get(activity, &["from", "from_property"]);
    let recipient = get(activity, &["recipient"]);
    let role = text(recipient, &["role"]);
    let is_agentic = role.is_some_and(|role| AGENTIC_ROLES.contains(&role));
    let of_agent = |names| text(recipient, names).filter(|_| is_agentic);
    let (channel, sub_channel) = channel(activity);
    let sub_channel = sub_channel.or_else(|| product(activity).filter(|_| channel.is_some()));
    let sub_channel = sub_channel.map(Cow::Borrowed);
    let conversation = get(activity, &["conversation"]);
    let said = |value: Option<&'a str>| value.map(Cow::Borrowed);
    let entries = [
        (BaggageEntry::UserId, said(text(from, AAD_OBJECT_ID))),
        (BaggageEntry::UserName, said(text(from, NAME))),
        (BaggageEntry::UserEmail, said(text(from, AGENTIC_USER_ID))),
        (BaggageEntry::AgentId, said(of_agent(AGENTIC_APP_ID))),
        (BaggageEntry::AgentName, said(text(recipient, NAME))),
        (
            BaggageEntry::AgentUserId,
            said(text(recipient, AAD_OBJECT_ID)),
        ),
        (
            BaggageEntry::AgentUserEmail,
            said(of_agent(AGENTIC_USER_ID)),
        ),
        (BaggageEntry::AgentDescription, said(role)),
        (BaggageEntry::TenantId, said(text(recipient, TENANT_ID))),
        (BaggageEntry::ChannelName, said(channel)),
        (
            BaggageEntry::ChannelLink,
            sub_channel.or_else(|| product_context(activity)),
        ),
        (BaggageEntry::ConversationId, said(text(conversation, ID))),
        (
            BaggageEntry::ConversationItemLink,
            said(text(activity, SERVICE_URL)),
        ),
    ];
    let entries = entries.into_iter();
    entries
        .filter_map(|(entry, value)| Some((entry, value?)))
        .collect()
}

const AAD_OBJECT_ID: &[&str] = &["aadObjectId", "aad_object_id"];
const AGENTIC_APP_ID: &[&str] = &["agenticAppId", "agentic_app_id"];
const AGENTIC_USER_ID: &[&str] = &["agenticUserId", "agentic_user_id"];
const ID: &[&str] = &["id"];
const NAME: &[&str] = &["name"];
const SERVICE_URL: &[&str] = &["serviceUrl", "service_url"];
const TENANT_ID: &[&str] = &["tenantId", "tenant_id"];

/// The channel and the channel inside of it, as in `agents:email`.
fn channel(activity: Option<&Value>) -> (Option<&str>, Option<&str>) {
    let id = text(activity, &["channelId", "channel_id"]).map(strip);
    let (channel, sub_channel) = match id.and_then(|id| id.split_once(':')) {
        Some((channel, sub_channel)) => (Some(strip(channel)), Some(strip(sub_channel))),
        None => (id, None),
    };
    let not_empty = |text: &&str| !text.is_empty();
    let channel = channel.filter(not_empty);
    (
        channel,
        sub_channel.filter(not_empty).filter(|_| channel.is_some()),
    )
}

/// The product that an entity names, which is a channel inside of the channel.
fn product(activity: Option<&Value>) -> Option<&str> {
    let entities = get(activity, &["entities"])?.as_array()?;
    let is_product = |entity: &&Value| {
        text(Some(entity), &["type"]).is_some_and(|it| it.eq_ignore_ascii_case(PRODUCT_INFO))
    };
    let product = entities.iter().find(is_product);
    text(product, &["id"])
        .map(strip)
        .filter(|id| !id.is_empty())
}

/// `productContext` of the channel data, which is an object or its JSON text.
fn product_context(activity: Option<&Value>) -> Option<Cow<'_, str>> {
    let data = get(activity, &["channelData", "channel_data"])?;
    let Value::String(json) = data else {
        return text(Some(data), &["productContext"]).map(Cow::Borrowed);
    };
    let data: Value = serde_json::from_str(json).ok()?;
    let context = text(Some(&data), &["productContext"])?;
    Some(Cow::Owned(context.to_owned()))
}

/// The value of the first of `names` that an object has, even when it is null.
fn get<'a>(object: Option<&'a Value>, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| object?.get(name))
}

fn text<'a>(object: Option<&'a Value>, names: &[&str]) -> Option<&'a str> {
    get(object, names)?.as_str()
}
