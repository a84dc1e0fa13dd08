//! Combines the contexts of two requests, or of two parts of a request, when one is entered inside
//! the other.

use agentspan_model::keys;
use agentspan_record::RequestToken;
use opentelemetry::baggage::{Baggage, BaggageExt, BaggageMetadata};
use opentelemetry::{Context, Key, StringValue};

use super::scope_identity::DESCRIPTION_KEYS;
use super::{LocalIdentity, ScopeIdentity, count_dropped_entries};

/// How what is entered stands to what is around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meeting {
    /// It is of the same request, as far as anybody said.
    Same,
    /// It is of the same request, which another agent works for.
    OtherAgent,
    /// It is of another tenant, or names both tenant and agent, and another agent.
    OtherRequest,
}

impl Meeting {
    /// Whether the value of this key, which is around what is entered, stays.
    fn keeps(self, key: &str) -> bool {
        match self {
            Self::Same => true,
            Self::OtherAgent => !is_of_agent(key),
            Self::OtherRequest => false,
        }
    }
}

/// For whom a context works.
struct Named {
    identity: LocalIdentity,
    /// Whether this process set nothing, and a header may have said so.
    is_claim: bool,
}

/// The keys, beside those that describe an agent, of which another agent has its own values.
const AGENT_KEYS: [&str; 4] = [
    keys::GEN_AI_AGENT_ID,
    keys::HIRING_MANAGER_ID,
    keys::SERVER_ADDRESS,
    keys::SERVER_PORT,
];

/// Whether another agent has its own value of this key.
fn is_of_agent(key: &str) -> bool {
    AGENT_KEYS.contains(&key) || DESCRIPTION_KEYS.contains(&key)
}

impl Named {
    /// Values that this process set go before the scope, as they do on spans.
    fn in_context(context: &Context) -> Self {
        let scope = || context.get::<ScopeIdentity>().map(ScopeIdentity::as_local);
        let local = context.get::<LocalIdentity>();
        let local = local.filter(|identity| identity.names_somebody());
        match local.cloned().or_else(scope) {
            Some(identity) => Self {
                identity,
                is_claim: false,
            },
            None => Self {
                identity: LocalIdentity::claimed_in(context.baggage()),
                is_claim: true,
            },
        }
    }

    /// This one is entered where `around` is.
    fn meets(&self, around: &Self) -> Meeting {
        if self.identity.has_other_tenant(&around.identity) {
            return Meeting::OtherRequest;
        }
        if !self.identity.has_other_agent(&around.identity) {
            return Meeting::Same;
        }
        // An agent that calls another one may say in its header who it is itself.
        if self.identity.has_tenant() && !self.is_claim && !around.is_claim {
            return Meeting::OtherRequest;
        }
        Meeting::OtherAgent
    }
}

/// Whether two contexts are known to work for different identities.
pub(super) fn are_for_others(one: &Context, other: &Context) -> bool {
    let (one, other) = (Named::in_context(one), Named::in_context(other));
    one.meets(&other) != Meeting::Same
}

/// Whether what is entered in `context` is of another request than what is in `around`.
pub(super) fn is_of_other_request(context: &Context, around: &Context) -> bool {
    Named::in_context(context).meets(&Named::in_context(around)) == Meeting::OtherRequest
}

/// `context` with baggage, identity and token of two contexts; a key that both have gets the value
/// of `over`.
///
/// An identity is a pair, so it is never combined from halves that were not set together. The
/// values of `under` for another request are left out.
pub(crate) fn with_merged_baggage(context: &Context, over: &Context, under: &Context) -> Context {
    let mut entered = Entered {
        named: Named::in_context(over),
        local: over.get().cloned(),
        token: over.get().cloned(),
        baggage: Baggage::new(),
        dropped: 0,
    };
    for (key, (value, metadata)) in over.baggage() {
        entered.insert(key, value, metadata);
    }
    entered.add_to(context, under).0
}

/// `context` with baggage that this process set, and whether it has that and no other: all of it,
/// and neither baggage nor an identity that was there before.
pub(super) fn with_local_baggage(
    context: &Context,
    pairs: &[(Key, StringValue)],
    custom: &[Key],
) -> (Context, bool) {
    let identity = LocalIdentity::of(pairs, custom);
    let mut entered = Entered {
        local: (!identity.is_empty()).then(|| identity.clone()),
        named: Named {
            identity,
            is_claim: false,
        },
        token: None,
        baggage: Baggage::new(),
        dropped: 0,
    };
    let metadata = BaggageMetadata::default();
    for (key, value) in pairs {
        entered.insert(key, value, &metadata);
    }
    entered.add_to(context, context)
}

/// The values that are entered.
struct Entered {
    baggage: Baggage,
    /// How many entries did not fit.
    dropped: u64,
    named: Named,
    local: Option<LocalIdentity>,
    token: Option<RequestToken>,
}

impl Entered {
    fn insert(&mut self, key: &Key, value: &StringValue, metadata: &BaggageMetadata) {
        let before = self.baggage.len();
        self.baggage
            .insert_with_metadata(key.clone(), value.clone(), metadata.clone());
        self.dropped += u64::from(self.baggage.len() == before);
    }

    /// `context` with this, and with what stays of `under`. Also whether all of this is there, and
    /// nothing stays.
    fn add_to(mut self, context: &Context, under: &Context) -> (Context, bool) {
        let mut is_alone = self.dropped == 0;
        let meeting = self.named.meets(&Named::in_context(under));
        for (key, (value, metadata)) in under.baggage() {
            if meeting.keeps(key.as_str()) && self.baggage.get(key).is_none() {
                is_alone = false;
                self.insert(key, value, metadata);
            }
        }
        count_dropped_entries(self.dropped);
        let mut context = context.clone();
        if !self.baggage.is_empty() || !context.baggage().is_empty() {
            context = context.with_baggage(self.baggage);
        }
        // Where the caller claims to be another one, it is still for whom this process set.
        let stays = under.get::<LocalIdentity>();
        let stays = stays.filter(|_| self.local.is_none() || meeting != Meeting::OtherRequest);
        let stays = stays.map(|it| it.clone().saying(|key, _| meeting.keeps(key)));
        is_alone &= stays
            .as_ref()
            .is_none_or(|it| it.is_within(self.local.as_ref()));
        let identity = match (self.local, stays) {
            (Some(own), Some(under)) => Some(own.over(&under)),
            (own, under) => own.or(under),
        };
        if let Some(identity) = identity {
            context = context.with_value(identity);
        }
        let under = under.get::<RequestToken>().cloned();
        let token = match (self.token, meeting) {
            (Some(own), _) => Some(own),
            (None, Meeting::OtherRequest) => under.map(|_| RequestToken::withheld()),
            (None, _) => under,
        };
        let context = match token {
            Some(token) if context.get() != Some(&token) => context.with_value(token),
            _ => context,
        };
        (context, is_alone)
    }
}
