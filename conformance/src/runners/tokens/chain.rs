//! When the package asks Entra, told from the input alone: to see where it asks for what is still good.

use std::collections::BTreeMap;

use agentspan_model::agent365::environment as names;
use serde_json::Value;

use super::{Input, REFRESH_BEFORE, Step, granted, status};

/// The questions on the way to a token.
const HOPS: usize = 3;

/// What Entra gave, in seconds since the case began.
struct Given<'a> {
    tenant: &'a str,
    /// Until then we do not ask for another one.
    good_until: f64,
    expires_at: f64,
}

/// Whether the package asks again while what Entra gave for the same agent is still good; or fails to replace it while
/// it still lives.
pub(super) fn keeps_what_is_good(input: &Input) -> bool {
    if input.client().is_none() {
        return false;
    }
    let of_env = input.env.get(names::CONNECTION_TENANT_ID);
    let of_env = of_env.and_then(Option::as_deref);
    let mut now = 0.0;
    let mut asked = 0;
    let mut given: Vec<Given<'_>> = Vec::new();
    let mut cached: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for step in &input.steps {
        let (tenant, agent) = match step {
            Step::Advance { seconds } => {
                now += seconds;
                continue;
            }
            Step::SetEnv => continue,
            Step::Resolve {
                agent_id,
                tenant_id,
            } => (tenant_id.as_str(), agent_id.as_str()),
        };
        let key = (tenant, agent);
        let margin = REFRESH_BEFORE.as_secs_f64();
        if cached.get(&key).is_some_and(|expiry| now < expiry - margin) {
            continue;
        }
        let tenant = of_env.unwrap_or(tenant);
        let before = given.len();
        for _ in 0..HOPS {
            let last = input.answers.len().saturating_sub(1);
            let answer = input.answers.get(asked.min(last));
            asked += 1;
            let Some(lifetime) = answer.and_then(lifetime) else {
                break;
            };
            given.push(Given {
                tenant,
                good_until: now + (lifetime - margin).max(lifetime / 2.0),
                expires_at: now + lifetime,
            });
        }
        let has_failed = given.len() < before + HOPS;
        let keeps = |old: &Given<'_>| {
            let until = if has_failed {
                old.expires_at
            } else {
                old.good_until
            };
            old.tenant == tenant && now < until
        };
        if given.iter().take(before).any(keeps) {
            return true;
        }
        if let Some(last) = given.last().filter(|_| !has_failed) {
            cached.insert(key, last.expires_at);
        }
    }
    false
}

/// How long what an answer gives is good; `None` if it gives nothing.
fn lifetime(answer: &Value) -> Option<f64> {
    granted(answer).filter(|_| (200..300).contains(&status(answer)))?;
    let lifetime = answer["body"].get("expires_in").and_then(Value::as_f64);
    Some(lifetime.unwrap_or(3_600.0))
}
