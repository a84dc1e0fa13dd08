//! Collects the baggage of a request.

use std::fmt::{self, Debug};
use std::sync::Arc;

use agentspan_model::agent365::mapping::BaggageEntry;
use agentspan_model::agent365::{ClientAddress, Profile, TurnRules};
use opentelemetry::{Key, StringValue};
use serde_json::Value;

use super::custom_key::custom_key;
use super::{BaggageText, CustomKeyError, RequestBaggage};
use crate::python_text::is_blank;
use crate::tracer::default_tracer;
use crate::turn_context::{Said, TurnContext, hosting_entries, turn_context_pairs};

/// Builds a [`RequestBaggage`](super::RequestBaggage): finish with [`build`](Self::build).
///
/// A blank value sets nothing and clears nothing. If a key is set several times, the last value
/// counts. The builder accepts any text; the exporter checks ids when it uses them.
///
/// ```
/// use agentspan_otel::BaggageBuilder;
///
/// let conversation: Option<&str> = None;
/// let baggage = BaggageBuilder::new()
///     .with_tenant_id("tenant-1")
///     .with_agent_id("agent-1")
///     .with_conversation_id(conversation)
///     .with_pairs([("attempt", 2)])
///     .build();
/// let pairs: Vec<_> = baggage.pairs().collect();
/// assert_eq!(
///     pairs,
///     [("tenant.id", "tenant-1"), ("gen_ai.agent.id", "agent-1"), ("attempt", "2")],
/// );
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct BaggageBuilder {
    profile: Profile,
    pairs: Vec<(Key, StringValue)>,
    custom: Vec<Key>,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident => $entry:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(self, value: impl BaggageText) -> Self {
                self.set_entry(BaggageEntry::$entry, value)
            }
        )*
    };
}

impl BaggageBuilder {
    /// An empty builder, with the keys of the default tracer's profile, see
    /// [`set_default_tracer`](crate::set_default_tracer).
    pub fn new() -> Self {
        Self::for_profile(default_tracer().profile())
    }

    /// An empty builder, with the keys of `profile`.
    pub fn for_profile(profile: Profile) -> Self {
        Self {
            profile,
            pairs: Vec::new(),
            custom: Vec::new(),
        }
    }

    /// The usual baggage of a request: tenant, agent, and a correlation id that links its logs. Spans
    /// have the latter [with 0.1.0 only](Self::with_correlation_id).
    #[must_use]
    pub fn request_context(
        tenant_id: impl BaggageText,
        agent_id: impl BaggageText,
        correlation_id: impl BaggageText,
    ) -> RequestBaggage {
        Self::new()
            .with_tenant_id(tenant_id)
            .with_agent_id(agent_id)
            .with_correlation_id(correlation_id)
            .build()
    }

    setters! {
        /// Sets the source of the operation: `operation.source`, or with 2.0.0 `service.name`.
        with_operation_source => OperationSource;
        /// Sets the tenant of the agent: `tenant.id`, or with 2.0.0 `microsoft.tenant.id`.
        with_tenant_id => TenantId;
        /// Sets the agent: `gen_ai.agent.id`.
        with_agent_id => AgentId;
        /// Sets the kind of agent: `gen_ai.agent.type`.
        with_agent_type => AgentType;
        /// Sets the id of the agent's own user: `gen_ai.agent.user.id`, or with 2.0.0, which calls
        /// it the agentic user id, `microsoft.agent.user.id`.
        with_agent_auid => AgentUserId;
        /// Sets the agent's user principal name: `gen_ai.agent.upn`. 2.0.0 and later do not write it.
        with_agent_upn => AgentUpn;
        /// Sets the mail address of the agent's own user: `microsoft.agent.user.email`. 0.1.0 does
        /// not write it.
        with_agent_user_email => AgentUserEmail;
        /// Sets the blueprint of the agent: `gen_ai.agent.applicationid`, or with 2.0.0
        /// `microsoft.a365.agent.blueprint.id`.
        with_agent_blueprint_id => AgentBlueprintId;
        /// Sets the id that links all data of the request: `correlation.id`. 2.0.0 and
        /// later do not write it.
        with_correlation_id => CorrelationId;
        /// Sets the caller: `gen_ai.caller.id`. The same as [`with_user_id`](Self::with_user_id).
        with_caller_id => UserId;
        /// Sets the manager who hired the agent: `hiring.manager.id`. 2.0.0 and later do not write it.
        with_hiring_manager_id => HiringManagerId;
        /// Sets the agent's name: `gen_ai.agent.name`.
        with_agent_name => AgentName;
        /// Sets the agent's description: `gen_ai.agent.description`.
        with_agent_description => AgentDescription;
        /// Sets the agent's version: `gen_ai.agent.version`. 0.1.0 does not write it.
        with_agent_version => AgentVersion;
        /// Sets the caller's name: `gen_ai.caller.name`. The same as
        /// [`with_user_name`](Self::with_user_name).
        with_caller_name => UserName;
        /// Sets the caller's user principal name: `gen_ai.caller.upn`. 2.0.0 and later do not write it.
        with_caller_upn => UserUpn;
        /// Sets the person who called: `user.id`, or with 0.1.0 `gen_ai.caller.id`.
        with_user_id => UserId;
        /// Sets the person's name: `user.name`, or with 0.1.0 `gen_ai.caller.name`.
        with_user_name => UserName;
        /// Sets the person's mail address: `user.email`. 0.1.0 does not write it.
        with_user_email => UserEmail;
        /// Sets the conversation: `gen_ai.conversation.id`.
        with_conversation_id => ConversationId;
        /// Sets the link to the item of the conversation: `gen_ai.conversation.item.link`, or with
        /// 2.0.0 `microsoft.conversation.item.link`.
        with_conversation_item_link => ConversationItemLink;
        /// Sets the session: `microsoft.session.id`. 0.1.0 does not write it.
        with_session_id => SessionId;
        /// Sets the description of the session: `microsoft.session.description`. 0.1.0 does not
        /// write it.
        with_session_description => SessionDescription;
        /// Sets the name of the channel: `microsoft.channel.name`, or with 0.1.0
        /// `gen_ai.channel.name`.
        with_channel_name => ChannelName;
        /// Sets the link to the channel: `microsoft.channel.link`, or with 0.1.0
        /// `gen_ai.channel.link`.
        with_channel_link => ChannelLink;
        /// Sets the id of the channel: `gen_ai.execution.sourceMetadata.id`. 2.0.0
        /// and later do not write it.
        with_source_metadata_id => ChannelId;
        /// Sets the name of the channel. The same as
        /// [`with_channel_name`](Self::with_channel_name).
        with_source_metadata_name => ChannelName;
        /// Sets the description of the channel. The same as
        /// [`with_channel_link`](Self::with_channel_link).
        with_source_metadata_description => ChannelLink;
    }

    /// Sets the IP address of the person: `client.address`. 0.1.0 does not write it.
    ///
    /// A text that is not an address, see [`ClientAddress::parse`], sets nothing.
    pub fn with_user_client_ip<'t>(self, address: impl Into<Option<&'t str>>) -> Self {
        let address = address
            .into()
            .and_then(|text| ClientAddress::parse(text).ok());
        self.set_entry(BaggageEntry::ClientAddress, address)
    }

    /// Sets the host and the port of the invoked agent: `server.address` and `server.port`. 0.1.0
    /// does not write them.
    ///
    /// Port 443 is the default and sets nothing.
    pub fn with_invoke_agent_server(
        self,
        address: impl BaggageText,
        port: impl Into<Option<u16>>,
    ) -> Self {
        let port = port.into().filter(|port| *port != 443).map(u32::from);
        self.set_entry(BaggageEntry::ServerAddress, address)
            .set_entry(BaggageEntry::ServerPort, port)
    }

    /// Sets any pairs. Pairs whose keys are not for spans still propagate with the request.
    pub fn with_pairs<K, V>(self, pairs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: BaggageText,
    {
        pairs
            .into_iter()
            .fold(self, |builder, (key, value)| builder.set(key.into(), value))
    }

    /// Sets a pair that becomes an attribute of the request's spans, in addition to the attributes
    /// of the profile. Blanks around the key are removed; a blank value sets nothing.
    ///
    /// Nested baggages combine their keys. The list of keys stays in this process: a caller's
    /// header can neither add keys nor replace their values, unless they describe the request.
    /// Called services get the pair, and decide themselves which keys they copy.
    ///
    /// # Errors
    ///
    /// [`CustomKeyError`] if the key is blank, has a comma, or is reserved, as in
    /// `microsoft-opentelemetry` 1.5.0.
    ///
    /// ```
    /// use agentspan_otel::BaggageBuilder;
    ///
    /// # fn main() -> Result<(), agentspan_otel::baggage::CustomKeyError> {
    /// let baggage = BaggageBuilder::new().with_custom_attribute("app.team", "blue")?.build();
    /// assert_eq!(baggage.custom_keys().collect::<Vec<_>>(), ["app.team"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_custom_attribute(
        mut self,
        key: &str,
        value: impl BaggageText,
    ) -> Result<Self, CustomKeyError> {
        let key = custom_key(key)?;
        let Some(value) = value.into_baggage_text() else {
            return Ok(self);
        };
        if !is_blank(&value) && !self.custom.contains(&key) {
            self.custom.push(key.clone());
        }
        Ok(self.set(key, value))
    }

    /// Sets the caller, the agent, the tenant and the channel from a turn of a conversation.
    ///
    /// With 0.1.0, this follows `from_turn_context`, see [`turn_context_pairs`]. With 2.0.0, it
    /// follows `populate` of `microsoft-agents-a365-observability-hosting` 2.0.0: the id of a
    /// person is the id in the directory, the id of an agent is its instance if the recipient has
    /// the role of an agent, and a channel may contain another, as in `agents:email`. A turn
    /// without a recipient sets no tenant and is no error, as in `microsoft-opentelemetry` 1.5.0.
    pub fn with_turn_context(self, turn_context: &TurnContext) -> Self {
        self.with_turn_context_json(&turn_context.to_json())
    }

    /// Like [`with_turn_context`](Self::with_turn_context), for a turn context in JSON: an object
    /// whose `activity` has the fields of [`TurnActivity`](crate::turn_context::TurnActivity). With
    /// 2.0.0, their names may be those of the Bot Framework, such as `channelId`.
    pub fn with_turn_context_json(self, turn_context: &Value) -> Self {
        match self.profile.turn_rules() {
            TurnRules::Core => {
                let pairs = turn_context_pairs(turn_context).into_iter();
                pairs.fold(self, |builder, (key, value)| {
                    builder.set(key, value.as_ref())
                })
            }
            // The hosting package and the newer ones set the same entries, but for the product.
            rules => {
                let entries = hosting_entries(turn_context).into_iter();
                entries.fold(self, |builder, (entry, said)| match said {
                    Said::Text(text) => builder.set_entry(entry, text),
                    Said::Product(product)
                        if rules != TurnRules::Hosting || product.is_string() =>
                    {
                        builder.set_entry(entry, product.as_ref())
                    }
                    Said::Product(_) => builder,
                })
            }
        }
    }

    /// The collected baggage.
    #[must_use]
    pub fn build(self) -> RequestBaggage {
        RequestBaggage::new(self.pairs, self.custom)
    }

    fn set_entry(self, entry: BaggageEntry, value: impl BaggageText) -> Self {
        match entry.key(self.profile) {
            Some(key) => self.set(key, value),
            None => self,
        }
    }

    fn set(mut self, key: impl Into<Key>, value: impl BaggageText) -> Self {
        let Some(value) = value.into_baggage_text() else {
            return self;
        };
        if is_blank(&value) {
            return self;
        }
        // Shared text, because it is copied to every span of the request.
        let value = StringValue::from(Arc::<str>::from(value));
        let key = key.into();
        match self.pairs.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => *old = value,
            None => self.pairs.push((key, value)),
        }
        self
    }
}

impl Default for BaggageBuilder {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows the keys. Values may name people.
impl Debug for BaggageBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.pairs.iter().map(|(key, _)| key.as_str()))
            .finish()
    }
}
