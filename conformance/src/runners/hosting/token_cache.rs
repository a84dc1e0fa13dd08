//! The tokens of a host's turns: what is registered, and what is asked.

use std::collections::BTreeSet;
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
                (Err(error), _) => json!({"refused": error.to_string()}),
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

/// The agents and tenants that steps name.
fn named(step: &Step) -> (&str, &str) {
    let (Step::Register {
        agent_id,
        tenant_id,
        ..
    }
    | Step::Get {
        agent_id,
        tenant_id,
    }) = step;
    (
        agent_id.as_deref().unwrap_or("None"),
        tenant_id.as_deref().unwrap_or("None"),
    )
}

/// Whether two pairs of ids are one text when they are joined with a colon.
pub(super) fn pairs_meet(steps: &[Step]) -> bool {
    let joined = |step| {
        let (agent, tenant) = named(step);
        format!("{agent}:{tenant}")
    };
    let mut others = steps.iter().enumerate();
    others.any(|(at, one)| {
        let mut later = steps.iter().skip(at);
        later.any(|other| joined(one) == joined(other) && named(one) != named(other))
    })
}

/// Whether an identity registers twice.
pub(super) fn registers_again(steps: &[Step]) -> bool {
    let registers = |step: &&Step| matches!(step, Step::Register { .. });
    let pairs: Vec<_> = steps.iter().filter(registers).map(named).collect();
    let unique: BTreeSet<_> = pairs.iter().collect();
    unique.len() != pairs.len()
}

/// Whether a generator has a token that no header can carry.
pub(super) fn fits_no_header(steps: &[Step]) -> bool {
    let tokens = steps.iter().filter_map(|step| match step {
        Step::Register { generator, .. } => generator.as_ref()?.token.as_deref(),
        Step::Get { .. } => None,
    });
    let mut tokens = tokens.map(AccessToken::new);
    tokens.any(|token| token.is_err())
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
