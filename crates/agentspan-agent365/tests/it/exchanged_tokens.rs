//! Tokens that turns are exchanged for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agentspan_agent365::token::{ExchangeQuery, ExchangedTokens, TokenExchange, TokenQuery};
use agentspan_agent365::{AccessToken, TokenCache, TokenResolver};
use agentspan_model::agent365::Identity;
use futures_executor::block_on;

fn identity(tenant: &str, agent: &str) -> Identity {
    Identity::parse(tenant, agent).unwrap()
}

fn token(text: &str) -> AccessToken {
    AccessToken::new(text).unwrap()
}

fn exchange_for(text: &'static str) -> TokenExchange {
    TokenExchange::new(["scope-1"], move |_| async move { Ok(Some(token(text))) })
}

fn ask(tokens: &impl TokenResolver, identity: &Identity) -> Option<AccessToken> {
    block_on(tokens.resolve(&TokenQuery::new(identity.clone()))).unwrap()
}

#[test]
fn the_latest_turn_of_an_identity_exchanges() {
    let tokens = ExchangedTokens::new();
    let one = identity("tenant-1", "agent-1");
    assert_eq!(ask(&tokens, &one), None);
    tokens.register(one.clone(), exchange_for("first"));
    tokens.register(one.clone(), exchange_for("second"));
    assert_eq!(ask(&tokens, &one), Some(token("second")));
    tokens.forget(&one);
    assert_eq!(ask(&tokens, &one), None);
}

#[test]
fn no_identity_gets_the_token_of_another() {
    let tokens = ExchangedTokens::new();
    tokens.register(identity("c", "a:b"), exchange_for("of a:b"));
    for (tenant, agent) in [("b:c", "a"), ("c", "a"), ("a:b", "c")] {
        assert_eq!(
            ask(&tokens, &identity(tenant, agent)),
            None,
            "{tenant} {agent}"
        );
    }
}

#[test]
fn an_exchange_is_asked_for_its_scopes() {
    let tokens = ExchangedTokens::new();
    let one = identity("tenant-1", "agent-1");
    let exchange = TokenExchange::new(["a", "b"], |query: ExchangeQuery| async move {
        let handler = query.auth_handler.as_deref().unwrap_or("none");
        let text = format!(
            "{}-{handler}-{}",
            query.identity.tenant,
            query.scopes.join("-")
        );
        Ok(Some(AccessToken::new(text)?))
    });
    tokens.register(one.clone(), exchange.clone());
    assert_eq!(ask(&tokens, &one), Some(token("tenant-1-AGENTIC-a-b")));
    tokens.register(one.clone(), exchange.with_auth_handler(None));
    assert_eq!(ask(&tokens, &one), Some(token("tenant-1-none-a-b")));
}

#[test]
fn a_cache_exchanges_once() {
    let tokens = ExchangedTokens::new();
    let one = identity("tenant-1", "agent-1");
    let exchanges = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&exchanges);
    tokens.register(
        one.clone(),
        TokenExchange::new(["a"], move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok(Some(token("t"))) }
        }),
    );
    let cache = TokenCache::new(tokens);
    for _ in 0..3 {
        assert_eq!(ask(&cache, &one), Some(token("t")));
    }
    assert_eq!(exchanges.load(Ordering::SeqCst), 1);
}

#[test]
fn no_more_than_ten_thousand_identities_are_known() {
    let tokens = ExchangedTokens::new();
    let of = |n: usize| identity("tenant-1", &format!("agent-{n}"));
    for n in 0..=10_000 {
        tokens.register(of(n), exchange_for("t"));
    }
    assert_eq!(ask(&tokens, &of(0)), None);
    assert_eq!(ask(&tokens, &of(1)), Some(token("t")));
    assert_eq!(ask(&tokens, &of(10_000)), Some(token("t")));
    assert_eq!(
        format!("{tokens:?}"),
        "ExchangedTokens { identities: 10000, .. }"
    );
}
