//! The tokens of a host's turns: what is registered, and what is asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use agentspan_agent365::token::{ExchangeQuery, ExchangedTokens, TokenExchange, TokenQuery};
use agentspan_agent365::{AccessToken, TokenResolver};
use agentspan_model::agent365::{AgentId, Identity, IdentityError, TenantId};
use futures_executor::block_on;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::live_scope::Stop;

#[derive(Clone, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(super) enum Step {
    Register {
        agent_id: Option<String>,
        tenant_id: Option<String>,
        scopes: Vec<String>,
        generator: Option<Generator>,
    },
    Get {
        agent_id: Option<String>,
        tenant_id: Option<String>,
    },
}

/// What answers to an exchange.
#[derive(Clone, Deserialize)]
pub(super) struct Generator {
    token: Option<String>,
    /// Absent is not the same as null.
    #[serde(default = "usual_handler")]
    handler: Option<String>,
    raises: Option<Value>,
}

fn usual_handler() -> Option<String> {
    Some("AGENTIC".to_owned())
}

/// What we do.
pub(super) fn run(steps: &[Step]) -> Result<Value, Stop> {
    let tokens = ExchangedTokens::new();
    let exchanges = Arc::<Mutex<Vec<Value>>>::default();
    let mut outcomes = Vec::new();
    for step in steps {
        outcomes.push(match step {
            Step::Register {
                agent_id,
                tenant_id,
                scopes,
                generator,
            } => match (identity(agent_id.as_ref(), tenant_id.as_ref()), generator) {
                (Err(IdentityError::Empty { field }), _) => blank(field),
                (Err(error), _) => json!({"refused": {"why": error.to_string()}}),
                (Ok(_), None) => return Err(Stop::Refused("a generator is given".to_owned())),
                (Ok(identity), Some(generator)) => {
                    let exchange = exchange(scopes, generator.clone(), &exchanges);
                    tokens.register(identity, exchange);
                    json!({})
                }
            },
            Step::Get {
                agent_id,
                tenant_id,
            } => {
                let identity = identity(agent_id.as_ref(), tenant_id.as_ref()).ok();
                let token = identity.map(|it| block_on(tokens.resolve(&TokenQuery::new(it))));
                let token = token.and_then(Result::ok).flatten();
                let asked = std::mem::take(&mut *lock(&exchanges));
                json!({"token": token.and_then(|token| text_of(&token, steps)), "exchanges": asked})
            }
        });
    }
    Ok(json!({"steps": outcomes}))
}

/// The text of a token, which only those know who have it: that of one of the generators.
fn text_of(token: &AccessToken, steps: &[Step]) -> Option<String> {
    let mut texts = steps.iter().filter_map(|step| match step {
        Step::Register { generator, .. } => generator.as_ref()?.token.as_deref(),
        Step::Get { .. } => None,
    });
    let is_it = |text: &&str| AccessToken::new(*text).is_ok_and(|other| other == *token);
    texts.find(is_it).map(str::to_owned)
}

fn identity(agent: Option<&String>, tenant: Option<&String>) -> Result<Identity, IdentityError> {
    let text = |id: Option<&String>| id.cloned().unwrap_or_default();
    // The reference looks at the agent first.
    let agent = AgentId::parse(&text(agent))?;
    Ok(Identity::new(TenantId::parse(&text(tenant))?, agent))
}

fn blank(field: &str) -> Value {
    let field = field.replace(' ', "_");
    let message = format!("{field} cannot be None or whitespace");
    json!({"error": {"type": "ValueError", "message": message}})
}

fn exchange(
    scopes: &[String],
    generator: Generator,
    log: &Arc<Mutex<Vec<Value>>>,
) -> TokenExchange {
    let log = Arc::clone(log);
    let handler = generator.handler.clone();
    let exchange = TokenExchange::new(scopes, move |query: ExchangeQuery| {
        let handler = query.auth_handler.as_deref();
        let asked = json!({"scopes": *query.scopes, "auth_handler_id": handler});
        lock(&log).push(asked);
        let generator = generator.clone();
        async move {
            match (generator.raises, generator.token) {
                (Some(raised), _) => Err(raised.to_string().into()),
                (None, token) => Ok(token.map(AccessToken::new).transpose()?),
            }
        }
    });
    exchange.with_auth_handler(handler.as_deref())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How identities and turns are told apart, for the rules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// By one text for both ids, and the first turn stays, as in the reference.
    Reference,
    /// By the pair, and the first turn stays.
    Pairs,
    /// By the pair, the latest turn counts, and ids that cannot be one are refused, as we have it.
    Ours,
}

/// What comes out of the steps in such a reading.
pub(super) fn steps(steps: &[Step], reading: Reading) -> Vec<Value> {
    let mut turns: HashMap<(String, String), (Vec<String>, Generator)> = HashMap::new();
    let key = |agent: &Option<String>, tenant: &Option<String>| {
        let text = |id: &Option<String>| id.clone().unwrap_or_else(|| "None".to_owned());
        match reading {
            Reading::Reference => (format!("{}:{}", text(agent), text(tenant)), String::new()),
            Reading::Pairs | Reading::Ours => (text(agent), text(tenant)),
        }
    };
    let mut outcomes = Vec::new();
    for step in steps {
        outcomes.push(match step {
            Step::Register {
                agent_id,
                tenant_id,
                scopes,
                generator,
            } => match identity(agent_id.as_ref(), tenant_id.as_ref()) {
                Err(IdentityError::Empty { field }) => blank(field),
                Err(error) if reading == Reading::Ours => {
                    json!({"refused": {"why": error.to_string()}})
                }
                _ => {
                    let key = key(agent_id, tenant_id);
                    let is_new = reading == Reading::Ours || !turns.contains_key(&key);
                    if let (Some(generator), true) = (generator, is_new) {
                        turns.insert(key, (scopes.clone(), generator.clone()));
                    }
                    json!({})
                }
            },
            Step::Get {
                agent_id,
                tenant_id,
            } => match turns.get(&key(agent_id, tenant_id)) {
                None => json!({"token": null, "exchanges": []}),
                Some((scopes, generator)) => json!({
                    "token": generator.token.clone().filter(|_| generator.raises.is_none()),
                    "exchanges": [{"scopes": scopes, "auth_handler_id": generator.handler}],
                }),
            },
        });
    }
    outcomes
}

/// Whether a step has no form in Rust.
pub(super) fn has_no_generator(steps: &[Step]) -> bool {
    let is_without = |step: &Step| {
        matches!(step, Step::Register { agent_id, tenant_id, generator: None, .. }
            if identity(agent_id.as_ref(), tenant_id.as_ref()).is_ok())
    };
    steps.iter().any(is_without)
}

/// Whether an id that is no blank cannot be one.
pub(super) fn has_refused_id(steps: &[Step]) -> bool {
    let is_refused = |step: &Step| {
        let Step::Register {
            agent_id,
            tenant_id,
            ..
        } = step
        else {
            return false;
        };
        let identity = identity(agent_id.as_ref(), tenant_id.as_ref());
        identity.is_err_and(|error| !matches!(error, IdentityError::Empty { .. }))
    };
    steps.iter().any(is_refused)
}
