//! Knows of each span whose it is, and finds it again in what a service received.

use std::collections::{BTreeMap, BTreeSet};

use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use opentelemetry::KeyValue;

use crate::record::RecordedRequest;

const MARK: &str = "oracle-";
const CANARY: &str = "canary-";

/// Makes spans that carry their sequence number, their identity and a canary, and accounts for them
/// from the requests of a [`Service`](crate::Service) alone.
///
/// Identity and number are the id of the span's conversation, which every destination gets; the
/// canary is its prompt. They are found in any encoding that keeps text as it is, such as JSON and
/// protobuf.
#[derive(Clone, Copy, Debug)]
pub struct Oracle {
    identities: usize,
}

/// What a service received of the spans of an [`Oracle`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// Spans in requests that were [taken](RecordedRequest::is_taken), each counted once.
    pub taken: usize,
    /// Spans that came in more than one of these.
    pub taken_twice: usize,
    /// Spans that were taken, and came before in a request whose answer had no head: the client
    /// cannot know.
    pub perhaps_twice: usize,
    /// Spans in a request with the path or the token of another identity, whatever its answer.
    pub foreign: usize,
    /// Spans whose canary came with them in a request that was taken.
    pub canaries: usize,
}

impl Oracle {
    /// Knows this many identities, at least one; span `n` is of identity `n` modulo that.
    #[must_use]
    pub fn new(identities: usize) -> Self {
        Self {
            identities: identities.max(1),
        }
    }

    /// The tenant of an identity.
    #[must_use]
    pub fn tenant(identity: usize) -> String {
        format!("11111111-2222-3333-4444-{identity:012}")
    }

    /// The agent of an identity.
    #[must_use]
    pub fn agent(identity: usize) -> String {
        format!("agent-{identity:06}")
    }

    /// The token of the identity of this agent. A resolver may append to it.
    #[must_use]
    pub fn token(agent: &str) -> String {
        format!("token-of-{agent}.")
    }

    /// The identity of a span.
    #[must_use]
    pub fn identity(&self, number: usize) -> usize {
        number % self.identities
    }

    /// Number and identity of a span, as they stand in requests.
    #[must_use]
    pub fn mark(&self, number: usize) -> String {
        let identity = self.identity(number);
        format!("{MARK}{number:08}-{identity:06}")
    }

    /// The attributes of a span: its identity, an operation, its mark, and its canary as a prompt.
    #[must_use]
    pub fn attributes(&self, profile: Profile, number: usize) -> Vec<KeyValue> {
        let identity = self.identity(number);
        vec![
            KeyValue::new(profile.tenant_id_key(), Self::tenant(identity)),
            KeyValue::new(keys::GEN_AI_AGENT_ID, Self::agent(identity)),
            KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat"),
            KeyValue::new(keys::GEN_AI_CONVERSATION_ID, self.mark(number)),
            KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, canary(number)),
        ]
    }

    /// Accounts for the spans in these requests.
    #[must_use]
    pub fn account(&self, requests: &[RecordedRequest]) -> Account {
        let mut account = Account::default();
        let (mut taken, mut perhaps) = (BTreeMap::new(), BTreeSet::new());
        for request in requests {
            let text = String::from_utf8_lossy(&request.body);
            let is_taken = request.is_taken == Some(true);
            let canaries: BTreeSet<_> = canaries_of(&text).collect();
            for (number, identity) in spans_of(&text) {
                account.foreign += usize::from(!self.belongs(number, identity, request));
                if is_taken {
                    account.canaries += usize::from(canaries.contains(&number));
                    *taken.entry(number).or_insert(0) += 1;
                    account.perhaps_twice += usize::from(perhaps.contains(&number));
                } else if request.is_taken.is_none() {
                    perhaps.insert(number);
                }
            }
        }
        account.taken = taken.len();
        account.taken_twice = taken.values().filter(|times| **times > 1).count();
        account
    }

    /// Whether a request may hold a span: path and token, if it has one, are of the span's
    /// identity.
    fn belongs(&self, number: usize, identity: usize, request: &RecordedRequest) -> bool {
        let agent = Self::agent(identity);
        let path_fits = match request.path().split_once("/agents/") {
            Some((_, path)) => path.split('/').next() == Some(&agent),
            None => true,
        };
        let tenant_fits = match request.path().split_once("/tenants/") {
            Some((_, path)) => path.split('/').next() == Some(&Self::tenant(identity)),
            None => true,
        };
        let token_fits = request
            .header("authorization")
            .is_none_or(|token| token.contains(&Self::token(&agent)));
        identity == self.identity(number) && path_fits && tenant_fits && token_fits
    }
}

/// The text that no masked destination may get.
fn canary(number: usize) -> String {
    format!("{CANARY}{number:08}.")
}

/// The numbers of the canaries in a body.
fn canaries_of(text: &str) -> impl Iterator<Item = usize> + use<'_> {
    text.match_indices(CANARY)
        .filter_map(|(at, word)| text.get(at + word.len()..)?.get(..8)?.parse().ok())
}

/// Number and identity of the spans in a body.
fn spans_of(text: &str) -> impl Iterator<Item = (usize, usize)> + use<'_> {
    text.match_indices(MARK).filter_map(|(at, mark)| {
        let name = text.get(at + mark.len()..at + mark.len() + 15)?;
        let (number, identity) = name.split_once('-')?;
        Some((number.parse().ok()?, identity.parse().ok()?))
    })
}
