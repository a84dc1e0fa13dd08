//! Maps a turn to baggage, for the second generation of the contract.
//!
//! Follows `populate` of `microsoft-agents-a365-observability-hosting` 2.0.0 and the `Activity` of
//! `microsoft-agents-activity` 1.9.0 that it reads. A value that this class rejects is skipped
//! here, and is never an error.

use std::borrow::Cow;

use agentspan_model::agent365::mapping::BaggageEntry;
use serde_json::Value;

use super::pairs::is_truthy;
use crate::python_text::strip;

/// The roles of a recipient that is an agent, in this case only.
const AGENTIC_ROLES: [&str; 2] = ["agenticAppInstance", "agenticUser"];

const PRODUCT_INFO: &str = "ProductInfo";

const PRODUCT_CONTEXT: &str = "productContext";

/// The value of a member of an activity.
#[derive(Clone, Debug)]
pub(crate) enum Said<'a> {
    Text(&'a str),
    /// The product of channel data, of which 2.0.0 takes a text only.
    Product(Cow<'a, Value>),
}

/// Whether the recipient is an agent, by its role.
pub(crate) fn is_agentic_role(role: Option<&str>) -> bool {
    role.is_some_and(|role| AGENTIC_ROLES.contains(&role))
}

/// The baggage entries of a turn's activity, in the order of the reference.
///
/// Names of members are those of the Bot Framework (`channelId`) or those of Python (`channel_id`).
pub(crate) fn entries(turn_context: &Value) -> Vec<(BaggageEntry, Said<'_>)> {
    let Some(activity) = turn_context.get("activity") else {
        return Vec::new();
    };
    let activity = Some(activity);
    let from = get(activity, &["from", "from_property"]);
    let recipient = get(activity, &["recipient"]);
    let role = text(recipient, &["role"]);
    let of_agent = |names| text(recipient, names).filter(|_| is_agentic_role(role));
    let (channel, sub_channel) = channel(activity);
    let sub_channel = sub_channel.or_else(|| product(activity).filter(|_| channel.is_some()));
    let conversation = get(activity, &["conversation"]);
    let said = |value| Option::map(value, Said::Text);
    let entries = [
        (BaggageEntry::UserId, said(text(from, AAD_OBJECT_ID))),
        (BaggageEntry::UserName, said(name(from))),
        (BaggageEntry::UserEmail, said(text(from, AGENTIC_USER_ID))),
        (BaggageEntry::AgentId, said(of_agent(AGENTIC_APP_ID))),
        (BaggageEntry::AgentName, said(name(recipient))),
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
            said(sub_channel).or_else(|| product_context(activity)),
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
fn product_context(activity: Option<&Value>) -> Option<Said<'_>> {
    let data = get(activity, &["channelData", "channel_data"])?;
    let product = match data {
        Value::String(json) => {
            let data: Value = serde_json::from_str(json).ok()?;
            Cow::Owned(data.get(PRODUCT_CONTEXT)?.clone())
        }
        data => Cow::Borrowed(data.get(PRODUCT_CONTEXT)?),
    };
    is_truthy(&product).then_some(Said::Product(product))
}

/// The value of the first of `names` that an object has, even when it is null.
fn get<'a>(object: Option<&'a Value>, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| object?.get(name))
}

fn text<'a>(object: Option<&'a Value>, names: &[&str]) -> Option<&'a str> {
    get(object, names)?.as_str().filter(|text| !text.is_empty())
}

/// The only text of an account that may be empty.
fn name(account: Option<&Value>) -> Option<&str> {
    get(account, NAME)?.as_str()
}
