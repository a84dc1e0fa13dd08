//! The baggage keys of a request, and which of them become attributes.

use crate::agent365::Profile;
use crate::keys;

/// A value in the baggage of a request.
///
/// Its key can differ between generations. In a generation that does not support it, it has no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BaggageEntry {
    /// The source of the operation. For 2.0.0, it is the name of the service.
    OperationSource,
    /// The tenant.
    TenantId,
    /// The agent.
    AgentId,
    /// The kind of agent; not in `microsoft-opentelemetry` 1.5.0.
    AgentType,
    /// The agent's own user id.
    AgentUserId,
    /// The agent's user principal name; not in 2.0.0.
    AgentUpn,
    /// The mail address of the agent's own user; not in 0.1.0.
    AgentUserEmail,
    /// The blueprint of the agent.
    AgentBlueprintId,
    /// The agent's name.
    AgentName,
    /// The agent's description.
    AgentDescription,
    /// The agent's version; not in 0.1.0.
    AgentVersion,
    /// The id that links all data of the request; not in 2.0.0.
    CorrelationId,
    /// The manager who hired the agent; not in 2.0.0.
    HiringManagerId,
    /// The caller. In 2.0.0, it is a user.
    UserId,
    /// The caller's name.
    UserName,
    /// The caller's user principal name; not in 2.0.0.
    UserUpn,
    /// The caller's mail address; not in 0.1.0.
    UserEmail,
    /// The caller's IP address; not in 0.1.0.
    ClientAddress,
    /// The host of the invoked agent; not in 0.1.0.
    ServerAddress,
    /// Its port; not in 0.1.0.
    ServerPort,
    /// The conversation.
    ConversationId,
    /// The link to the item of the conversation.
    ConversationItemLink,
    /// The session; not in 0.1.0.
    SessionId,
    /// The description of the session; not in 0.1.0.
    SessionDescription,
    /// The id of the channel; not in 2.0.0.
    ChannelId,
    /// The name of the channel.
    ChannelName,
    /// The link to the channel, or its description.
    ChannelLink,
}

impl BaggageEntry {
    /// The key in a generation, if it has one.
    #[must_use]
    pub fn key(self, profile: Profile) -> Option<&'static str> {
        let [v0_1, v2] = self.keys();
        match profile {
            Profile::V0_1 => v0_1,
            Profile::V2 => v2,
            Profile::V3 | Profile::Direct => v2.filter(|_| self != Self::AgentType),
        }
    }

    /// The keys in 0.1.0 and 2.0.0.
    fn keys(self) -> [Option<&'static str>; 2] {
        let both = |key| [Some(key), Some(key)];
        match self {
            Self::OperationSource => [Some(keys::OPERATION_SOURCE), Some(keys::SERVICE_NAME)],
            Self::TenantId => [Some(keys::TENANT_ID), Some(keys::MICROSOFT_TENANT_ID)],
            Self::AgentId => both(keys::GEN_AI_AGENT_ID),
            Self::AgentType => both(keys::GEN_AI_AGENT_TYPE),
            Self::AgentUserId => [
                Some(keys::GEN_AI_AGENT_AUID),
                Some(keys::MICROSOFT_AGENT_USER_ID),
            ],
            Self::AgentUpn => [Some(keys::GEN_AI_AGENT_UPN), None],
            Self::AgentUserEmail => [None, Some(keys::MICROSOFT_AGENT_USER_EMAIL)],
            Self::AgentBlueprintId => [
                Some(keys::GEN_AI_AGENT_BLUEPRINT_ID),
                Some(keys::MICROSOFT_AGENT_BLUEPRINT_ID),
            ],
            Self::AgentName => both(keys::GEN_AI_AGENT_NAME),
            Self::AgentDescription => both(keys::GEN_AI_AGENT_DESCRIPTION),
            Self::AgentVersion => [None, Some(keys::GEN_AI_AGENT_VERSION)],
            Self::CorrelationId => [Some(keys::CORRELATION_ID), None],
            Self::HiringManagerId => [Some(keys::HIRING_MANAGER_ID), None],
            Self::UserId => [Some(keys::GEN_AI_CALLER_ID), Some(keys::USER_ID)],
            Self::UserName => [Some(keys::GEN_AI_CALLER_NAME), Some(keys::USER_NAME)],
            Self::UserUpn => [Some(keys::GEN_AI_CALLER_UPN), None],
            Self::UserEmail => [None, Some(keys::USER_EMAIL)],
            Self::ClientAddress => [None, Some(keys::CLIENT_ADDRESS)],
            Self::ServerAddress => [None, Some(keys::SERVER_ADDRESS)],
            Self::ServerPort => [None, Some(keys::SERVER_PORT)],
            Self::ConversationId => both(keys::GEN_AI_CONVERSATION_ID),
            Self::ConversationItemLink => [
                Some(keys::GEN_AI_CONVERSATION_ITEM_LINK),
                Some(keys::MICROSOFT_CONVERSATION_ITEM_LINK),
            ],
            Self::SessionId => [None, Some(keys::MICROSOFT_SESSION_ID)],
            Self::SessionDescription => [None, Some(keys::MICROSOFT_SESSION_DESCRIPTION)],
            Self::ChannelId => [Some(keys::GEN_AI_EXECUTION_SOURCE_ID), None],
            Self::ChannelName => [
                Some(keys::GEN_AI_EXECUTION_SOURCE_NAME),
                Some(keys::MICROSOFT_CHANNEL_NAME),
            ],
            Self::ChannelLink => [
                Some(keys::GEN_AI_EXECUTION_SOURCE_DESCRIPTION),
                Some(keys::MICROSOFT_CHANNEL_LINK),
            ],
        }
    }
}

/// The baggage keys that become attributes of spans, in the order of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopiedBaggage {
    /// The keys. Keys for every span come first. There are at most [`MOST`](Self::MOST).
    pub keys: &'static [&'static str],
    /// The number of keys for every span. The other keys are only for spans of invocations.
    pub common: usize,
}

impl CopiedBaggage {
    /// No generation copies more keys than this.
    pub const MOST: usize = 33;

    /// The keys that a generation copies.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        match profile {
            Profile::V0_1 => Self {
                keys: &V0_1,
                common: 15,
            },
            Profile::V2 => Self {
                keys: &V2,
                common: 24,
            },
            Profile::V3 | Profile::Direct => Self {
                keys: &V3,
                common: 23,
            },
        }
    }
}

static V0_1: [&str; 30] = [
    keys::TENANT_ID,
    keys::CUSTOM_PARENT_SPAN_ID,
    keys::CUSTOM_SPAN_NAME,
    keys::CORRELATION_ID,
    keys::GEN_AI_CONVERSATION_ID,
    keys::GEN_AI_CONVERSATION_ITEM_LINK,
    keys::GEN_AI_OPERATION_NAME,
    keys::GEN_AI_AGENT_ID,
    keys::GEN_AI_AGENT_NAME,
    keys::GEN_AI_AGENT_DESCRIPTION,
    keys::GEN_AI_AGENT_USER_ID,
    keys::GEN_AI_AGENT_UPN,
    keys::GEN_AI_AGENT_BLUEPRINT_ID,
    keys::GEN_AI_AGENT_AUID,
    keys::GEN_AI_AGENT_TYPE,
    // Up to here for every span.
    keys::GEN_AI_CALLER_ID,
    keys::GEN_AI_CALLER_NAME,
    keys::GEN_AI_CALLER_UPN,
    keys::GEN_AI_CALLER_USER_ID,
    keys::GEN_AI_CALLER_TENANT_ID,
    keys::GEN_AI_CALLER_AGENT_ID,
    keys::GEN_AI_CALLER_AGENT_NAME,
    keys::GEN_AI_CALLER_AGENT_USER_ID,
    keys::GEN_AI_CALLER_AGENT_UPN,
    keys::GEN_AI_CALLER_AGENT_TENANT_ID,
    keys::GEN_AI_CALLER_AGENT_APPLICATION_ID,
    keys::GEN_AI_EXECUTION_TYPE,
    keys::GEN_AI_EXECUTION_SOURCE_ID,
    keys::GEN_AI_EXECUTION_SOURCE_NAME,
    keys::GEN_AI_EXECUTION_SOURCE_DESCRIPTION,
];

static V2: [&str; CopiedBaggage::MOST] = [
    keys::MICROSOFT_TENANT_ID,
    keys::CUSTOM_PARENT_SPAN_ID,
    keys::CUSTOM_SPAN_NAME,
    keys::GEN_AI_CONVERSATION_ID,
    keys::MICROSOFT_CONVERSATION_ITEM_LINK,
    keys::GEN_AI_OPERATION_NAME,
    keys::GEN_AI_AGENT_ID,
    keys::GEN_AI_AGENT_TYPE,
    keys::GEN_AI_AGENT_NAME,
    keys::GEN_AI_AGENT_DESCRIPTION,
    keys::GEN_AI_AGENT_VERSION,
    keys::MICROSOFT_AGENT_USER_EMAIL,
    keys::MICROSOFT_AGENT_BLUEPRINT_ID,
    keys::MICROSOFT_AGENT_USER_ID,
    keys::MICROSOFT_AGENT_PLATFORM_ID,
    keys::MICROSOFT_SESSION_ID,
    keys::MICROSOFT_SESSION_DESCRIPTION,
    keys::CLIENT_ADDRESS,
    keys::MICROSOFT_CHANNEL_NAME,
    keys::MICROSOFT_CHANNEL_LINK,
    keys::USER_ID,
    keys::USER_NAME,
    keys::USER_EMAIL,
    keys::SERVICE_NAME,
    // Up to here for every span.
    keys::MICROSOFT_CALLER_AGENT_ID,
    keys::MICROSOFT_CALLER_AGENT_NAME,
    keys::MICROSOFT_CALLER_AGENT_USER_ID,
    keys::MICROSOFT_CALLER_AGENT_USER_EMAIL,
    keys::MICROSOFT_CALLER_AGENT_BLUEPRINT_ID,
    keys::MICROSOFT_CALLER_AGENT_PLATFORM_ID,
    keys::MICROSOFT_CALLER_AGENT_VERSION,
    keys::SERVER_ADDRESS,
    keys::SERVER_PORT,
];

/// The keys of 2.0.0 but for the type of the agent.
static V3: [&str; CopiedBaggage::MOST - 1] = without(&V2, AGENT_TYPE);

/// The place of the agent's type among the keys of 2.0.0.
const AGENT_TYPE: usize = 7;

/// All keys but the one at a place.
const fn without<const N: usize, const M: usize>(
    keys: &[&'static str; N],
    place: usize,
) -> [&'static str; M] {
    let mut rest = [""; M];
    let mut at = 0;
    while at < M {
        rest[at] = keys[if at < place { at } else { at + 1 }];
        at += 1;
    }
    rest
}
