//! Collects the baggage of a request.

use std::fmt::{self, Debug};
use std::sync::Arc;

use agentspan_model::keys;
use opentelemetry::{Key, StringValue};
use serde_json::Value;

use super::{BaggageText, RequestBaggage};
use crate::python_text::is_blank;
use crate::turn_context::{TurnContext, turn_context_pairs};

/// Collects the baggage of a request; [`build`](Self::build) makes it usable.
///
/// A blank value sets nothing and clears nothing; of several values for a key the last counts. Any
/// text is taken. That an id can be one is checked where it is used, by the exporter.
///
/// ```
/// use agentspan_otel::BaggageBuilder;
///
/// let conversation: Option<&str> = None;
/// let baggage = BaggageBuilder::new()
///     .tenant_id("tenant-1")
///     .agent_id("agent-1")
///     .conversation_id(conversation)
///     .set_pairs([("attempt", 2)])
///     .build();
/// let pairs: Vec<_> = baggage.pairs().collect();
/// assert_eq!(
///     pairs,
///     [("tenant.id", "tenant-1"), ("gen_ai.agent.id", "agent-1"), ("attempt", "2")],
/// );
/// ```
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct BaggageBuilder {
    pairs: Vec<(Key, StringValue)>,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident => $key:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(self, value: impl BaggageText) -> Self {
                self.set(keys::$key, value)
            }
        )*
    };
}

impl BaggageBuilder {
    /// Nothing collected yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The baggage that nearly every request has: tenant, agent, and an id that links its logs.
    #[must_use]
    pub fn request_context(
        tenant_id: impl BaggageText,
        agent_id: impl BaggageText,
        correlation_id: impl BaggageText,
    ) -> RequestBaggage {
        Self::new()
            .tenant_id(tenant_id)
            .agent_id(agent_id)
            .correlation_id(correlation_id)
            .build()
    }

    setters! {
        /// Where the operation comes from, `operation.source`.
        operation_source => OPERATION_SOURCE;
        /// The tenant that the agent works for, `tenant.id`.
        tenant_id => TENANT_ID;
        /// The agent, `gen_ai.agent.id`.
        agent_id => GEN_AI_AGENT_ID;
        /// The agent's own user id, `gen_ai.agent.user.id`.
        agent_auid => GEN_AI_AGENT_AUID;
        /// The agent's user principal name, `gen_ai.agent.upn`.
        agent_upn => GEN_AI_AGENT_UPN;
        /// The blueprint that the agent was made from, `gen_ai.agent.applicationid`.
        agent_blueprint_id => GEN_AI_AGENT_BLUEPRINT_ID;
        /// The id that links everything that belongs to the request, `correlation.id`.
        correlation_id => CORRELATION_ID;
        /// Who called, `gen_ai.caller.id`.
        caller_id => GEN_AI_CALLER_ID;
        /// The manager who hired the agent, `hiring.manager.id`.
        hiring_manager_id => HIRING_MANAGER_ID;
        /// The agent's name, `gen_ai.agent.name`.
        agent_name => GEN_AI_AGENT_NAME;
        /// What the agent is for, `gen_ai.agent.description`.
        agent_description => GEN_AI_AGENT_DESCRIPTION;
        /// The caller's name, `gen_ai.caller.name`.
        caller_name => GEN_AI_CALLER_NAME;
        /// The caller's user principal name, `gen_ai.caller.upn`.
        caller_upn => GEN_AI_CALLER_UPN;
        /// The conversation, `gen_ai.conversation.id`.
        conversation_id => GEN_AI_CONVERSATION_ID;
        /// The address of the conversation's item, `gen_ai.conversation.item.link`.
        conversation_item_link => GEN_AI_CONVERSATION_ITEM_LINK;
        /// The id of the channel, `gen_ai.execution.sourceMetadata.id`.
        source_metadata_id => GEN_AI_EXECUTION_SOURCE_ID;
        /// The name of the channel, `gen_ai.channel.name`.
        source_metadata_name => GEN_AI_EXECUTION_SOURCE_NAME;
        /// The description of the channel, `gen_ai.channel.link`.
        source_metadata_description => GEN_AI_EXECUTION_SOURCE_DESCRIPTION;
    }

    /// Sets any pairs. Keys that are not for spans travel with the request all the same.
    pub fn set_pairs<K, V>(self, pairs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: BaggageText,
    {
        pairs
            .into_iter()
            .fold(self, |builder, (key, value)| builder.set(key.into(), value))
    }

    /// Sets what a turn of a conversation says about caller, agent, tenant and channel.
    pub fn turn_context(self, turn_context: &TurnContext) -> Self {
        self.turn_context_json(&turn_context.to_json())
    }

    /// As [`turn_context`](Self::turn_context), for a turn context as JSON. See
    /// [`turn_context_pairs`] for what is read.
    pub fn turn_context_json(self, turn_context: &Value) -> Self {
        let pairs = turn_context_pairs(turn_context);
        pairs.into_iter().fold(self, |builder, (key, value)| {
            builder.set(key, value.as_ref())
        })
    }

    /// The collected baggage.
    #[must_use]
    pub fn build(self) -> RequestBaggage {
        RequestBaggage::new(self.pairs)
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

/// Shows the keys. Values may name people.
impl Debug for BaggageBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.pairs.iter().map(|(key, _)| key.as_str()))
            .finish()
    }
}
