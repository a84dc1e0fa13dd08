//! A turn context as types.

use std::fmt;

use agentspan_model::agent365::Profile;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::baggage::{BaggageBuilder, RequestBaggage};

const EVENT: &str = "event";
const CONTINUE_CONVERSATION: &str = "ContinueConversation";

/// A turn of a conversation, as bot frameworks pass it to an agent.
///
/// Reads from JSON with the field names of the reference, in snake case, or with those of the Bot
/// Framework, such as `channelId`; other fields are ignored. Entities and channel data stay JSON,
/// because their fields depend on the type of the message.
///
/// ```
/// use agentspan_otel::{BaggageBuilder, TurnContext};
///
/// # fn main() -> Result<(), serde_json::Error> {
/// let turn: TurnContext = serde_json::from_str(
///     r#"{"activity": {"channel_id": "msteams", "from": {"id": "user-1", "name": "Ada"},
///                      "recipient": {"agentic_app_id": "agent-1", "tenant_id": "tenant-1"}}}"#,
/// )?;
/// let baggage = BaggageBuilder::new().with_turn_context(&turn).build();
/// assert!(baggage.pairs().any(|pair| pair == ("tenant.id", "tenant-1")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TurnContext {
    /// The activity of the turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<TurnActivity>,
}

/// The activity of a turn: a message, an event, a notification.
///
/// `Debug` shows neither the text nor the entities and the data of the channel, which may hold
/// contents.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TurnActivity {
    /// The type, such as `message`.
    #[serde(
        rename = "type",
        alias = "Type",
        skip_serializing_if = "Option::is_none"
    )]
    pub activity_type: Option<String>,
    /// The name of an event or an invocation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The text of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The channel, such as `msteams`.
    #[serde(alias = "channelId", skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// The sender.
    #[serde(alias = "from_property", skip_serializing_if = "Option::is_none")]
    pub from: Option<ChannelAccount>,
    /// The agent that receives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<ChannelAccount>,
    /// The conversation that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
    /// The address of the channel's service.
    #[serde(alias = "serviceUrl", skip_serializing_if = "Option::is_none")]
    pub service_url: Option<String>,
    /// The entities that the activity mentions. For a comment or a mail, an entity names the
    /// conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entities: Option<Vec<Value>>,
    /// The channel's own data, as an object or as its JSON text.
    #[serde(alias = "channelData", skip_serializing_if = "Option::is_none")]
    pub channel_data: Option<Value>,
}

impl fmt::Debug for TurnActivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnActivity")
            .field("activity_type", &self.activity_type)
            .field("name", &self.name)
            .field("has_text", &self.text.is_some())
            .field("channel_id", &self.channel_id)
            .field("from", &self.from)
            .field("recipient", &self.recipient)
            .field("conversation", &self.conversation)
            .field("service_url", &self.service_url)
            .field("entities", &self.entities.as_ref().map(Vec::len))
            .field("has_channel_data", &self.channel_data.is_some())
            .finish()
    }
}

/// A participant of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ChannelAccount {
    /// The id on the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name that people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The user principal name. Other values than texts are ignored, because channels define their
    /// own members.
    #[serde(
        deserialize_with = "text_only",
        skip_serializing_if = "Option::is_none"
    )]
    pub upn: Option<String>,
    /// The user id in the directory.
    #[serde(alias = "aadObjectId", skip_serializing_if = "Option::is_none")]
    pub aad_object_id: Option<String>,
    /// An agent's application.
    #[serde(alias = "agenticAppId", skip_serializing_if = "Option::is_none")]
    pub agentic_app_id: Option<String>,
    /// An agent's own user.
    #[serde(alias = "agenticUserId", skip_serializing_if = "Option::is_none")]
    pub agentic_user_id: Option<String>,
    /// The role; `agenticUser`, in any case, is an agent.
    #[serde(alias = "Role", skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The tenant.
    #[serde(alias = "tenantId", skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
}

/// A conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Conversation {
    /// Its id.
    #[serde(alias = "Id", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl TurnContext {
    /// A turn with an activity.
    #[must_use]
    pub fn new(activity: TurnActivity) -> Self {
        Self {
            activity: Some(activity),
        }
    }

    /// Whether the agent itself resumes the conversation in this turn: the event
    /// `ContinueConversation`. Such a turn has no caller.
    #[must_use]
    pub fn is_async_reply(&self) -> bool {
        let activity = self.activity.as_ref();
        activity.is_some_and(|activity| {
            activity.activity_type.as_deref() == Some(EVENT)
                && activity.name.as_deref() == Some(CONTINUE_CONVERSATION)
        })
    }

    /// The baggage of the turn, with the keys of the default tracer's profile, as
    /// [`with_turn_context`](crate::BaggageBuilder::with_turn_context) collects it. For an
    /// [asynchronous reply](Self::is_async_reply), it is empty, as in the `BaggageMiddleware` of
    /// `microsoft-opentelemetry` 1.5.0.
    ///
    /// ```
    /// use agentspan_otel::TurnContext;
    ///
    /// # async fn answer() {}
    /// # async fn example(turn: TurnContext) {
    /// use agentspan_otel::ScopeFutureExt as _;
    ///
    /// answer().with_baggage(&turn.to_baggage()).await;
    /// # }
    /// ```
    #[must_use]
    pub fn to_baggage(&self) -> RequestBaggage {
        self.add_to(BaggageBuilder::new())
    }

    /// Like [`to_baggage`](Self::to_baggage), with the keys of `profile`.
    #[must_use]
    pub fn to_baggage_for(&self, profile: Profile) -> RequestBaggage {
        self.add_to(BaggageBuilder::for_profile(profile))
    }

    fn add_to(&self, builder: BaggageBuilder) -> RequestBaggage {
        if self.is_async_reply() {
            builder.build()
        } else {
            builder.with_turn_context(self).build()
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        // All fields are texts and JSON, which always have a form as JSON.
        serde_json::to_value(self).unwrap_or_default()
    }
}

fn text_only<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}
