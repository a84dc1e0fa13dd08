//! Knows of each span whose it is, and finds it again in what a service received.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use opentelemetry::KeyValue;
use percent_encoding::percent_decode_str;

use crate::hostile_ids::hostile_ids;
use crate::record::RecordedRequest;

const MARK: &str = "oracle-";
const CANARY: &str = "canary-";

static HOSTILE_IDS: LazyLock<Vec<String>> = LazyLock::new(hostile_ids);

/// Makes spans that carry their sequence number, their identity and a canary, and accounts for them
/// from the requests of a [`Service`](crate::Service) alone.
///
/// Identity and number are the id of the span's conversation, which every destination gets; the
/// canary is its prompt. They are found in any encoding that keeps text as it is, such as JSON and
/// protobuf.
#[derive(Clone, Copy, Debug)]
pub struct Oracle {
    identities: usize,
    /// How many identities have spans at a time, and for how many spans each stays.
    at_a_time: usize,
    stay: usize,
}

/// The spans of an [`Oracle`] that a service received.
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
    /// Spans that came in such a request, as often as they did.
    pub perhaps: usize,
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
            at_a_time: identities.max(1),
            stay: usize::MAX,
        }
    }

    /// Knows this many identities that come and go: so many have spans at a time, and after each
    /// `stay` spans the first of them goes and another one comes.
    #[must_use]
    pub fn coming_and_going(identities: usize, at_a_time: usize, stay: usize) -> Self {
        Self {
            at_a_time: at_a_time.max(1),
            stay: stay.max(1),
            ..Self::new(identities)
        }
    }

    /// The tenant of an identity. From [`HOSTILE`](Self::HOSTILE) on it is one that means harm.
    #[must_use]
    pub fn tenant(identity: usize) -> String {
        match identity.checked_sub(Self::HOSTILE) {
            Some(hostile) if hostile % 3 != 0 => hostile_id(hostile / 3),
            _ => format!("11111111-2222-3333-4444-{identity:012}"),
        }
    }

    /// The agent of an identity. From [`HOSTILE`](Self::HOSTILE) on it is one that means harm.
    #[must_use]
    pub fn agent(identity: usize) -> String {
        match identity.checked_sub(Self::HOSTILE) {
            Some(hostile) if hostile % 3 != 1 => hostile_id(hostile / 3),
            _ => format!("agent-{identity:06}"),
        }
    }

    /// The first identity with hostile ids, which could leave their segment of a path or their line
    /// of a header, or look like those of others: each of the [`hostile_ids`] as the agent, as the
    /// tenant, and as both.
    pub const HOSTILE: usize = 900_000;

    /// How many identities with hostile ids there are.
    #[must_use]
    pub fn hostile_identities() -> usize {
        HOSTILE_IDS.len() * 3
    }

    /// The token of the identity of this agent. A resolver may append to it.
    #[must_use]
    pub fn token(agent: &str) -> String {
        let safe = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
            byte => format!("~{byte:02x}"),
        };
        let agent: String = agent.bytes().map(safe).collect();
        format!("token-of-{agent}.")
    }

    /// The identity of a span.
    #[must_use]
    pub fn identity(&self, number: usize) -> usize {
        (number % self.at_a_time + number / self.stay) % self.identities
    }

    /// Number and identity of a span, as they stand in requests.
    #[must_use]
    pub fn mark(&self, number: usize) -> String {
        mark(number, self.identity(number))
    }

    /// The attributes of a span: its identity, an operation, its mark, and its canary as a prompt.
    #[must_use]
    pub fn attributes(&self, profile: Profile, number: usize) -> Vec<KeyValue> {
        Self::attributes_of(self.identity(number), profile, number)
    }

    /// The same for a span of this identity.
    #[must_use]
    pub fn attributes_of(identity: usize, profile: Profile, number: usize) -> Vec<KeyValue> {
        vec![
            KeyValue::new(profile.tenant_id_key(), Self::tenant(identity)),
            KeyValue::new(keys::GEN_AI_AGENT_ID, Self::agent(identity)),
            KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat"),
            KeyValue::new(keys::GEN_AI_CONVERSATION_ID, mark(number, identity)),
            KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, canary(number)),
        ]
    }

    /// Accounts for the spans in these requests.
    #[must_use]
    pub fn account(&self, requests: &[RecordedRequest]) -> Account {
        let mut ledger = Ledger::new(*self);
        for request in requests {
            ledger.note(request);
        }
        ledger.account().clone()
    }

    /// The numbers of the spans in a request.
    #[must_use]
    pub fn numbers(request: &RecordedRequest) -> Vec<usize> {
        let text = String::from_utf8_lossy(&request.body);
        spans_of(&text).map(|(number, _)| number).collect()
    }

    /// Whether a request may hold a span: path and token, if it has one, are of the span's
    /// identity.
    fn belongs(&self, number: usize, identity: usize, request: &RecordedRequest) -> bool {
        let is_its_own = identity >= Self::HOSTILE || identity == self.identity(number);
        let agent = Self::agent(identity);
        let path_fits = match request.path().split_once("/agents/") {
            Some((_, path)) => is_segment(path, &agent, "traces"),
            None => true,
        };
        let tenant_fits = match request.path().split_once("/tenants/") {
            Some((_, path)) => is_segment(path, &Self::tenant(identity), "otlp"),
            None => true,
        };
        let token_fits = request
            .header("authorization")
            .is_none_or(|token| token.contains(&Self::token(&agent)));
        is_its_own && path_fits && tenant_fits && token_fits
    }
}

/// Whether a path begins with this id as one segment, and the next segment is this one.
fn is_segment(path: &str, id: &str, next: &str) -> bool {
    let mut segments = path.split('/');
    let decoded = segments.next().map(|one| percent_decode_str(one).collect());
    decoded.is_some_and(|decoded: Vec<u8>| decoded == id.as_bytes())
        && segments.next() == Some(next)
}

/// Accounts for spans request by request, without keeping requests.
#[derive(Debug)]
pub struct Ledger {
    oracle: Oracle,
    account: Account,
    /// The facts known about each span, by its number.
    known: Vec<Known>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    taken: u8,
    /// It came in a request whose answer had no head.
    perhaps: bool,
}

impl Ledger {
    /// An empty one for the spans of this oracle.
    #[must_use]
    pub fn new(oracle: Oracle) -> Self {
        Self {
            oracle,
            account: Account::default(),
            known: Vec::new(),
        }
    }

    /// The account so far.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Accounts for the spans in a request that was answered.
    pub fn note(&mut self, request: &RecordedRequest) {
        let text = String::from_utf8_lossy(&request.body);
        let is_taken = request.is_taken == Some(true);
        let canaries: BTreeSet<_> = canaries_of(&text).collect();
        for (number, identity) in spans_of(&text) {
            let account = &mut self.account;
            account.foreign += usize::from(!self.oracle.belongs(number, identity, request));
            if self.known.len() <= number {
                self.known.resize(number + 1, Known::default());
            }
            let Some(known) = self.known.get_mut(number) else {
                continue;
            };
            if is_taken {
                account.canaries += usize::from(canaries.contains(&number));
                account.perhaps_twice += usize::from(known.perhaps);
                account.taken += usize::from(known.taken == 0);
                account.taken_twice += usize::from(known.taken == 1);
                known.taken = known.taken.saturating_add(1);
            } else if request.is_taken.is_none() {
                account.perhaps += 1;
                known.perhaps = true;
            }
        }
    }
}

fn hostile_id(number: usize) -> String {
    HOSTILE_IDS.get(number).cloned().unwrap_or_default()
}

/// Number and identity of a span, as they stand in requests.
fn mark(number: usize, identity: usize) -> String {
    format!("{MARK}{number:08}-{identity:06}")
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
