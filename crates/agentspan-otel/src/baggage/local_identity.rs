//! Who takes part in a request as this process set it, as opposed to what a caller claims in its
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
    /// The other values in which no caller is believed: people, what describes an agent, and which
    /// operation the request is.
    said: Vec<(Key, StringValue)>,
    /// The keys of baggage that become attributes because this process said so.
    custom: Vec<Key>,
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

/// The keys of the contract, in all generations, that describe the request. A header is believed in
/// these. All others say who takes part in it, or what a span is: that is for this process to say.
const REQUEST_KEYS: [&str; 14] = [
    keys::CORRELATION_ID,
    keys::GEN_AI_CONVERSATION_ID,
    keys::GEN_AI_CONVERSATION_ITEM_LINK,
    keys::MICROSOFT_CONVERSATION_ITEM_LINK,
    keys::MICROSOFT_SESSION_ID,
    keys::MICROSOFT_SESSION_DESCRIPTION,
    keys::MICROSOFT_CHANNEL_NAME,
    keys::MICROSOFT_CHANNEL_LINK,
    keys::GEN_AI_EXECUTION_TYPE,
    keys::GEN_AI_EXECUTION_SOURCE_ID,
    keys::GEN_AI_EXECUTION_SOURCE_NAME,
    keys::GEN_AI_EXECUTION_SOURCE_DESCRIPTION,
    keys::OPERATION_SOURCE,
    keys::SERVICE_NAME,
];

/// How many of [`IDENTITY_KEYS`] name the tenant.
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

    /// Whether this key describes the request, so that a caller may say its value.
    pub(super) fn is_of_request(key: &str) -> bool {
        REQUEST_KEYS.contains(&key)
    }

    pub(super) fn of(pairs: &[(Key, StringValue)], custom: &[Key]) -> Self {
        let value = |wanted: &str| find(pairs, wanted).cloned();
        let is_said = |key: &str| !Self::is_of_request(key) && !Self::is_said_by(key);
        let said = pairs.iter().filter(|(key, _)| is_said(key.as_str()));
        Self {
            custom: custom.to_vec(),
            values: IDENTITY_KEYS.map(value),
            said: said.cloned().collect(),
        }
    }

    /// The value that was set for one of the keys in which no caller is believed.
    pub(super) fn value(&self, key: &str) -> Option<&StringValue> {
        match IDENTITY_KEYS.iter().position(|known| *known == key) {
            Some(at) => self.values.get(at)?.as_ref(),
            None => find(&self.said, key),
        }
    }

    /// All that was set of the keys in which no caller is believed.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &StringValue)> {
        let ids = IDENTITY_KEYS.into_iter().zip(&self.values);
        let ids = ids.filter_map(|(key, value)| Some((key, value.as_ref()?)));
        let said = self.said.iter().map(|(key, value)| (key.as_str(), value));
        ids.chain(said)
    }

    /// This one, with only those values beside ids that satisfy `stays`.
    pub(super) fn saying(mut self, stays: impl Fn(&str, &StringValue) -> bool) -> Self {
        self.said.retain(|(key, value)| stays(key.as_str(), value));
        self
    }

    /// This one, without what is also set in `older`. Ids are a whole: all of them, or none.
    pub(super) fn since(mut self, older: Option<&Self>) -> Self {
        let Some(older) = older else {
            return self;
        };
        if self.values == older.values {
            self.values = Default::default();
        }
        self.saying(|key, value| older.value(key) != Some(value))
    }

    /// The keys of baggage that become attributes because this process said so.
    pub(super) fn custom(&self) -> &[Key] {
        &self.custom
    }

    /// Which operation of agents this process said the request is.
    pub(super) fn operation(&self) -> Option<&StringValue> {
        find(&self.said, keys::GEN_AI_OPERATION_NAME)
    }

    /// Whether a tenant or an agent is named.
    pub(super) fn names_somebody(&self) -> bool {
        let (names, _) = self.values.split_at(NAMING_KEYS);
        names.iter().any(Option::is_some)
    }

    /// Whether all that is set here is set so there.
    pub(super) fn is_within(&self, other: Option<&Self>) -> bool {
        let is_custom = |key| other.is_some_and(|it| it.custom.contains(key));
        let is_said = |pair| other.is_some_and(|it| it.said.contains(pair));
        if !self.custom.iter().all(is_custom) || !self.said.iter().all(is_said) {
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
            ..Self::default()
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
        let has_ids = self.values.iter().any(Option::is_some);
        !has_ids && self.said.is_empty() && self.custom.is_empty()
    }

    pub(super) fn has_tenant(&self) -> bool {
        let (tenant, _) = self.values.split_at(TENANT_KEYS);
        tenant.iter().any(Option::is_some)
    }

    /// Whether both name a tenant, and not the same one. A caller may name two.
    pub(super) fn has_other_tenant(&self, other: &Self) -> bool {
        let (own, _) = self.values.split_at(TENANT_KEYS);
        let (other, _) = other.values.split_at(TENANT_KEYS);
        let differ = |own| other.iter().flatten().any(|other| other != own);
        own.iter().flatten().any(differ)
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
        for (key, value) in &under.said {
            if find(&self.said, key.as_str()).is_none() {
                self.said.push((key.clone(), value.clone()));
            }
        }
        let pairs = self.values.iter_mut().zip(&under.values);
        for (at, (own, under)) in pairs.enumerate() {
            if own.is_none() && (at < TENANT_KEYS || !is_other_agent) {
                own.clone_from(under);
            }
        }
        self
    }
}

fn find<'a>(pairs: &'a [(Key, StringValue)], wanted: &str) -> Option<&'a StringValue> {
    let pair = pairs.iter().find(|(key, _)| key.as_str() == wanted);
    pair.map(|(_, value)| value)
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
