//! The identity that this process set, as opposed to the identity that a caller claims in its
//! headers.

use agentspan_model::keys;
use opentelemetry::baggage::Baggage;
use opentelemetry::{Key, StringValue};

/// The identity that this process set as baggage, kept in the context beside it.
///
/// Baggage from a propagator looks like baggage that was set here. But only
/// [`RequestBaggage`](super::RequestBaggage) puts this value into a context, so this process set
/// the identity in it. A propagator that replaces the baggage does not touch it: a caller can
/// neither change nor remove the identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LocalIdentity {
    values: [Option<StringValue>; IDENTITY_KEYS.len()],
    /// The keys of baggage that become attributes because this process said so.
    custom: Vec<Key>,
    /// Which operation of agents this process said the request is.
    operation: Option<StringValue>,
}

/// The keys, in all generations, of the tenant, of the agent, whose id of the platform can stand in
/// for its own, and of the user that the agent acts as, whose token sends its spans.
pub(super) const IDENTITY_KEYS: [&str; 6] = [
    keys::TENANT_ID,
    keys::MICROSOFT_TENANT_ID,
    keys::GEN_AI_AGENT_ID,
    keys::MICROSOFT_AGENT_PLATFORM_ID,
    keys::GEN_AI_AGENT_AUID,
    keys::MICROSOFT_AGENT_USER_ID,
];

/// How many of them name the tenant.
const TENANT_KEYS: usize = 2;

/// How many of them name the tenant or the agent; the others name the agent's user.
const NAMING_KEYS: usize = 4;

impl LocalIdentity {
    /// Whether it is under this key that an identity is said.
    pub(super) fn is_said_by(key: &str) -> bool {
        IDENTITY_KEYS.contains(&key)
    }

    /// Whether this key names the tenant or the agent.
    pub(super) fn names_by(key: &str) -> bool {
        let (names, _) = IDENTITY_KEYS.split_at(NAMING_KEYS);
        names.contains(&key)
    }

    pub(super) fn of(pairs: &[(Key, StringValue)], custom: &[Key]) -> Self {
        let value = |wanted: &str| {
            let pair = pairs.iter().find(|(key, _)| key.as_str() == wanted);
            pair.map(|(_, value)| value.clone())
        };
        Self {
            custom: custom.to_vec(),
            operation: value(keys::GEN_AI_OPERATION_NAME),
            values: IDENTITY_KEYS.map(value),
        }
    }

    /// The value that was set for one of the keys.
    pub(super) fn value(&self, key: &str) -> Option<&StringValue> {
        let at = IDENTITY_KEYS.iter().position(|known| *known == key)?;
        self.values.get(at)?.as_ref()
    }

    /// The keys of baggage that become attributes because this process said so.
    pub(super) fn custom(&self) -> &[Key] {
        &self.custom
    }

    /// Which operation of agents this process said the request is.
    pub(super) fn operation(&self) -> Option<&StringValue> {
        self.operation.as_ref()
    }

    /// Whether a tenant or an agent is named.
    pub(super) fn names_somebody(&self) -> bool {
        let (names, _) = self.values.split_at(NAMING_KEYS);
        names.iter().any(Option::is_some)
    }

    /// Whether all that is set here is set so there.
    pub(super) fn is_within(&self, other: Option<&Self>) -> bool {
        let is_custom = |key| other.is_some_and(|it| it.custom.contains(key));
        let operation = other.and_then(Self::operation);
        let is_operation = self.operation.is_none() || self.operation() == operation;
        if !is_operation || !self.custom.iter().all(is_custom) {
            return false;
        }
        let mut set = IDENTITY_KEYS.iter().zip(&self.values);
        set.all(|(key, value)| {
            value.is_none() || other.and_then(|it| it.value(key)) == value.as_ref()
        })
    }

    /// The identity that baggage claims, although this process did not set it.
    pub(super) fn claimed_in(baggage: &Baggage) -> Self {
        Self {
            values: IDENTITY_KEYS.map(|key| baggage.get(key).cloned()),
            custom: Vec::new(),
            operation: None,
        }
    }

    /// One that any generation understands.
    pub(super) fn new(tenant: &StringValue, agent: &StringValue) -> Self {
        let mut identity = Self::default();
        let (tenants, agents) = identity.values.split_at_mut(TENANT_KEYS);
        tenants.fill(Some(tenant.clone()));
        if let Some(first) = agents.first_mut() {
            *first = Some(agent.clone());
        }
        identity
    }

    pub(super) fn is_empty(&self) -> bool {
        let says_nothing = self.values.iter().all(Option::is_none);
        says_nothing && self.custom.is_empty() && self.operation.is_none()
    }

    pub(super) fn has_tenant(&self) -> bool {
        let (tenant, _) = self.values.split_at(TENANT_KEYS);
        tenant.iter().any(Option::is_some)
    }

    /// Whether both name a tenant, and not the same one.
    pub(super) fn has_other_tenant(&self, other: &Self) -> bool {
        let (own, other) = (&self.values, &other.values);
        differ(own.split_at(TENANT_KEYS).0, other.split_at(TENANT_KEYS).0)
    }

    /// Whether both name an agent, and not the same one.
    pub(super) fn has_other_agent(&self, other: &Self) -> bool {
        differ(self.agent(), other.agent())
    }

    /// The values that name the agent.
    fn agent(&self) -> &[Option<StringValue>] {
        let (names, _) = self.values.split_at(NAMING_KEYS);
        names.split_at(TENANT_KEYS).1
    }

    /// This identity, with what it does not say from `under`; of another agent there, nothing.
    pub(super) fn over(mut self, under: &Self) -> Self {
        let is_other_agent = self.has_other_agent(under);
        let mut custom = under.custom.clone();
        for key in self.custom {
            if !custom.contains(&key) {
                custom.push(key);
            }
        }
        self.custom = custom;
        self.operation = self.operation.or_else(|| under.operation.clone());
        let pairs = self.values.iter_mut().zip(&under.values);
        for (at, (own, under)) in pairs.enumerate() {
            if own.is_none() && (at < TENANT_KEYS || !is_other_agent) {
                own.clone_from(under);
            }
        }
        self
    }
}

/// Whether the same half of two identities is said twice, and differently. Generations that have no
/// key in common are compared by what they say first.
fn differ(one: &[Option<StringValue>], other: &[Option<StringValue>]) -> bool {
    let mut common = one
        .iter()
        .zip(other)
        .filter(|(a, b)| a.is_some() && b.is_some());
    let Some((a, b)) = common.next() else {
        let first = |half: &[Option<StringValue>]| half.iter().flatten().next().cloned();
        return first(one).zip(first(other)).is_some_and(|(a, b)| a != b);
    };
    a != b || common.any(|(a, b)| a != b)
}
