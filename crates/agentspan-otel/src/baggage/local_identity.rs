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

/// The keys of tenant, in all generations, and agent, whose id of the platform can stand in for its own.
const IDENTITY_KEYS: [&str; 4] = [
    keys::TENANT_ID,
    keys::MICROSOFT_TENANT_ID,
    keys::GEN_AI_AGENT_ID,
    keys::MICROSOFT_AGENT_PLATFORM_ID,
];

impl LocalIdentity {
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

    /// What is set here, and otherwise than in `base`.
    pub(super) fn news(&self, base: Option<&Self>) -> Self {
        let mut news = self.clone();
        for (value, base) in news
            .values
            .iter_mut()
            .zip(base.iter().flat_map(|it| &it.values))
        {
            if value == base {
                *value = None;
            }
        }
        news
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
}
