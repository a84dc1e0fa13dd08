//! A token resolver for hosts whose turns bring a token that is exchanged for another one.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use agentspan_model::agent365::Identity;
use agentspan_queue::{PerProcess, lock};
use async_trait::async_trait;

use super::{BoxError, TokenQuery, TokenResolver};
use crate::access_token::AccessToken;

/// More identities are not known at a time. Whose turn is the longest ago is forgotten first.
const MAX_IDENTITIES: usize = 10_000;

/// The name that hosts use for the handler of an agent's own user, unless they say otherwise.
const AUTH_HANDLER: &str = "AGENTIC";

/// Exchanges the token of a turn for a token that the service accepts.
#[derive(Clone)]
pub struct TokenExchange {
    scopes: Arc<[String]>,
    auth_handler: Option<Arc<str>>,
    exchange: Arc<Exchange>,
}

type Exchange = dyn Fn(ExchangeQuery) -> Exchanging + Send + Sync;
type Exchanging = Pin<Box<dyn Future<Output = Result<Option<AccessToken>, BoxError>> + Send>>;

/// The query for a [`TokenExchange`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExchangeQuery {
    /// The identity whose spans are to be sent.
    pub identity: Identity,
    /// The scopes that the token is for.
    pub scopes: Arc<[String]>,
    /// The host's handler that exchanges tokens.
    pub auth_handler: Option<Arc<str>>,
}

impl TokenExchange {
    /// Exchanges with `exchange`, for a token with these scopes.
    ///
    /// The closure owns what it needs of the turn. It runs on the thread `agentspan-export` and
    /// must not block it.
    pub fn new<S, F, Fut>(scopes: impl IntoIterator<Item = S>, exchange: F) -> Self
    where
        S: Into<String>,
        F: Fn(ExchangeQuery) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<AccessToken>, BoxError>> + Send + 'static,
    {
        Self {
            scopes: scopes.into_iter().map(Into::into).collect(),
            auth_handler: Some(AUTH_HANDLER.into()),
            exchange: Arc::new(move |query| Box::pin(exchange(query))),
        }
    }

    /// Sets the host's handler that exchanges tokens. The default is `AGENTIC`.
    #[must_use]
    pub fn with_auth_handler<'a>(mut self, name: impl Into<Option<&'a str>>) -> Self {
        self.auth_handler = name.into().map(Arc::from);
        self
    }
}

/// Shows the scopes and the handler.
impl fmt::Debug for TokenExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenExchange")
            .field("scopes", &self.scopes)
            .field("auth_handler", &self.auth_handler)
            .finish_non_exhaustive()
    }
}

/// A token resolver that exchanges the tokens of turns, as the `AgenticTokenCache` of
/// `microsoft-opentelemetry` 1.5.0 does.
///
/// Each turn [registers](Self::register) how its token is exchanged. When the delivery sends spans of
/// an identity, it runs the exchange of the identity's latest turn. It does so for each batch: put a
/// [`TokenCache`](crate::TokenCache) around this resolver to keep the new token until shortly before
/// it expires.
///
/// The registrations of at most 10,000 identities are kept. Clones share them.
///
/// ```
/// use agentspan_agent365::{AccessToken, Delivery, TokenCache};
/// use agentspan_agent365::token::{ExchangedTokens, TokenExchange};
/// use agentspan_model::agent365::{AgentId, Identity, TenantId};
///
/// # async fn exchange(_: &str, _: &[String]) -> std::io::Result<String> { Ok(String::new()) }
/// # fn example(token_of_the_turn: String) -> Result<(), Box<dyn std::error::Error>> {
/// let tokens = ExchangedTokens::new();
/// let delivery = Delivery::builder(TokenCache::new(tokens.clone())).build()?;
///
/// // In each turn:
/// let identity = Identity::new(TenantId::parse("tenant-1")?, AgentId::parse("agent-1")?);
/// let scopes = ["https://api.powerplatform.com/.default"];
/// tokens.register(identity, TokenExchange::new(scopes, move |query| {
///     let token = token_of_the_turn.clone();
///     async move { Ok(Some(AccessToken::new(exchange(&token, &query.scopes).await?)?)) }
/// }));
/// # drop(delivery);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct ExchangedTokens {
    /// In a forked child nobody has registered: another thread of its parent may have been about
    /// to.
    turns: Arc<PerProcess<Mutex<Turns>>>,
}

#[derive(Default)]
struct Turns {
    latest: HashMap<Identity, Turn>,
    count: u64,
}

struct Turn {
    number: u64,
    exchange: TokenExchange,
}

impl ExchangedTokens {
    /// A resolver without turns, which has no tokens yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how the token of a turn of `identity` is exchanged. It replaces the exchange of an earlier
    /// turn, whose token may have expired.
    pub fn register(&self, identity: Identity, exchange: TokenExchange) {
        // A replaced exchange is foreign code, and is dropped after the lock.
        let _replaced = self.with_turns(|turns| turns.put(identity, exchange));
    }

    /// Forgets the turns of `identity`. There is no token for it until the next turn.
    pub fn forget(&self, identity: &Identity) {
        let _forgotten = self.with_turns(|turns| turns.latest.remove(identity));
    }

    fn with_turns<T>(&self, with: impl FnOnce(&mut Turns) -> T) -> T {
        let turns = self.turns.get(|_| Mutex::default());
        with(&mut lock(turns))
    }
}

impl Turns {
    /// The turn that goes for this one, if one does.
    fn put(&mut self, identity: Identity, exchange: TokenExchange) -> Option<Turn> {
        self.count += 1;
        let number = self.count;
        let replaced = self.latest.insert(identity, Turn { number, exchange });
        if replaced.is_some() || self.latest.len() <= MAX_IDENTITIES {
            return replaced;
        }
        let oldest = self.latest.iter().min_by_key(|(_, turn)| turn.number);
        let oldest = oldest.map(|(identity, _)| identity.clone())?;
        self.latest.remove(&oldest)
    }
}

#[async_trait]
impl TokenResolver for ExchangedTokens {
    async fn resolve(&self, query: &TokenQuery) -> Result<Option<AccessToken>, BoxError> {
        let registered = self.with_turns(|turns| {
            let turn = turns.latest.get(&query.identity);
            turn.map(|turn| turn.exchange.clone())
        });
        let Some(TokenExchange {
            scopes,
            auth_handler,
            exchange,
        }) = registered
        else {
            return Ok(None);
        };
        exchange(ExchangeQuery {
            identity: query.identity.clone(),
            scopes,
            auth_handler,
        })
        .await
    }
}

/// Shows how many identities are known.
impl fmt::Debug for ExchangedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identities = self.with_turns(|turns| turns.latest.len());
        f.debug_struct("ExchangedTokens")
            .field("identities", &identities)
            .finish_non_exhaustive()
    }
}
