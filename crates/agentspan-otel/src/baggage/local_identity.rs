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
    values: [Option<StringValue>; IDENTITY_KEYS.len()],
}

/// The keys of tenant, in all generations, and agent, whose id of the platform can stand in for its
/// own.
const IDENTITY_KEYS: [&str; 4] = [
    keys::TENANT_ID,
    keys::MICROSOFT_TENANT_ID,
    keys::GEN_AI_AGENT_ID,
    keys::MICROSOFT_AGENT_PLATFORM_ID,
];

/// How many of them name the tenant; the others name the agent.
const TENANT_KEYS: usize = 2;

impl LocalIdentity {
    /// The keys with which this one says the same half of an identity.
    pub(super) fn half_of(key: &str) -> Option<&'static [&'static str]> {
        let (tenant, agent) = IDENTITY_KEYS.split_at(TENANT_KEYS);
        [tenant, agent].into_iter().find(|half| half.contains(&key))
    }

    /// Whether two places name different tenants, in the words of any generation.
    pub(super) fn are_other_tenants<'a>(
        one: impl Fn(&str) -> Option<&'a StringValue>,
        other: impl Fn(&str) -> Option<&'a StringValue>,
    ) -> bool {
        let mut keys = IDENTITY_KEYS.iter().take(TENANT_KEYS);
        keys.any(|key| match (one(key), other(key)) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        })
    }

    pub(super) fn of(pairs: &[(Key, StringValue)]) -> Self {
        Self {
            values: IDENTITY_KEYS.map(|wanted| {
                let pair = pairs.iter().find(|(key, _)| key.as_str() == wanted);
                pair.map(|(_, value)| value.clone())
            }),
        }
    }

    /// What was set for one of the keys.
    pub(super) fn value(&self, key: &str) -> Option<&StringValue> {
        let at = IDENTITY_KEYS.iter().position(|known| *known == key)?;
        self.values.get(at)?.as_ref()
    }

    /// Whether all that is set here is set so there.
    pub(super) fn is_within(&self, other: Option<&Self>) -> bool {
        let mut set = IDENTITY_KEYS.iter().zip(&self.values);
        set.all(|(key, value)| {
            value.is_none() || other.and_then(|it| it.value(key)) == value.as_ref()
        })
    }

    /// `context` with this identity; an id that is not set here stays as it is there.
    pub(super) fn add_to(mut self, context: Context) -> Context {
        if self == Self::default() {
            return context;
        }
        if let Some(outer) = context.get::<Self>() {
            for (value, outer) in self.values.iter_mut().zip(&outer.values) {
                if value.is_none() {
                    value.clone_from(outer);
                }
            }
        }
        context.with_value(self)
    }

    /// This identity, where it meets the one of another place. Nobody set a pair of both: a half
    /// that is missing here is taken from there only if the tenants are not known to differ.
    pub(super) fn over(mut self, under: &Self) -> Self {
        if Self::are_other_tenants(|key| self.value(key), |key| under.value(key)) {
            return self;
        }
        let under = under.values.split_at(TENANT_KEYS);
        let own = self.values.split_at_mut(TENANT_KEYS);
        for (own, under) in [(own.0, under.0), (own.1, under.1)] {
            if own.iter().all(Option::is_none) {
                own.clone_from_slice(under);
            }
        }
        self
    }
}
