//! For whom this process works, as opposed to what a caller claims in its headers.

use agentspan_model::keys;
use opentelemetry::{Context, Key, StringValue};

/// The identity that this process set as baggage, kept in the context beside it.
///
/// Baggage that a propagator took from a request looks like baggage that was set here. Only
/// [`RequestBaggage`](super::RequestBaggage) puts this value into a context, so that what it holds
/// was set by this process. A propagator that replaces the baggage leaves it alone: a caller can
/// neither change nor remove the identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LocalIdentity {
    pub(super) tenant: Option<StringValue>,
    pub(super) agent: Option<StringValue>,
}

impl LocalIdentity {
    pub(super) fn of(pairs: &[(Key, StringValue)]) -> Self {
        let value = |wanted: &str| {
            let pair = pairs.iter().find(|(key, _)| key.as_str() == wanted);
            pair.map(|(_, value)| value.clone())
        };
        Self {
            tenant: value(keys::TENANT_ID),
            agent: value(keys::GEN_AI_AGENT_ID),
        }
    }

    /// `context` with this identity; an id that is not set here stays as it is there.
    pub(super) fn add_to(self, context: Context) -> Context {
        if self == Self::default() {
            return context;
        }
        let outer = context.get::<Self>().cloned().unwrap_or_default();
        context.with_value(Self {
            tenant: self.tenant.or(outer.tenant),
            agent: self.agent.or(outer.agent),
        })
    }
}
