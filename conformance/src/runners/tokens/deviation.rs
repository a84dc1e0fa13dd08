//! Where our client does something else than the resolvers of the package.

use std::collections::BTreeMap;

use agentspan_discovery::{runtime_v3, unverified_expiry};
use agentspan_model::agent365::{Identity, environment as names};
use serde_json::Value;

use super::chain::keeps_what_is_good;
use super::{Input, Kind, Step, granted, status};
use crate::{Allowance, Case, Json, Predicate};

pub(super) const REWRITTEN: &[Predicate] = &[
    Predicate {
        name: "host_has_no_identity_of_an_agent",
        applies: |case| {
            holds(case, |input| {
                input.resolver != Kind::Fic && input.client().is_none()
            })
        },
        instead: |_, expected| ask_nobody(expected),
    },
    Predicate {
        name: "environment_overrides_the_scope",
        applies: |case| overriding_scope(case).is_some(),
        instead: |case, expected| {
            if let Some(scope) = overriding_scope(case) {
                ask_for_scope(expected, &scope);
            }
        },
    },
];

pub(super) fn allowances() -> Vec<Allowance> {
    macro_rules! allowance {
        ($name:literal, $holds:expr) => {
            Allowance {
                name: $name,
                applies: |case| holds(case, $holds),
                places: &["steps.*.token", "steps.*.requests"],
            }
        };
    }
    vec![
        allowance!("environment_changes", |input| {
            let mut steps = input.steps.iter();
            steps.any(|step| matches!(step, Step::SetEnv))
        }),
        allowance!("answer_is_still_good", keeps_what_is_good),
        allowance!("entra_asks_for_a_pause", |input| {
            pairs(input).count() > 1 && input.answers.iter().any(asks_for_a_pause)
        }),
        allowance!("lifetime_is_unusual", |input| {
            input.answers.iter().any(has_unusual_lifetime)
        }),
        allowance!("token_fits_no_header", |input| {
            input.answers.iter().any(fits_no_header)
        }),
        allowance!("variable_is_blank", has_blank_variable),
        allowance!("identity_is_refused", |input| {
            let mut pairs = pairs(input);
            pairs.any(|(tenant, agent)| Identity::parse(tenant, agent).is_err())
        }),
        allowance!("tenant_is_encoded", |input| {
            let of_env = input.env.get(names::CONNECTION_TENANT_ID);
            let of_env = of_env.and_then(Option::as_deref).into_iter();
            let mut tenants = pairs(input).map(|(tenant, _)| tenant).chain(of_env);
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            tenants.any(|tenant| !tenant.chars().all(is_plain) || tenant.chars().all(|c| c == '.'))
        }),
        allowance!("identities_meet_when_joined", |input| {
            let mut joined = BTreeMap::new();
            pairs(input).any(|pair| {
                let before = joined.insert(format!("{}:{}", pair.0, pair.1), pair);
                before.is_some_and(|before| before != pair)
            })
        }),
    ]
}

fn holds(case: &Case, property: impl Fn(&Input) -> bool) -> bool {
    case.input::<Input>().is_ok_and(|input| property(&input))
}

/// Tenant and agent of each question for a token.
fn pairs(input: &Input) -> impl Iterator<Item = (&str, &str)> {
    input.steps.iter().filter_map(|step| match step {
        Step::Resolve {
            agent_id,
            tenant_id,
        } => Some((tenant_id.as_str(), agent_id.as_str())),
        Step::Advance { .. } | Step::SetEnv => None,
    })
}

fn asks_for_a_pause(answer: &Value) -> bool {
    let headers = answer.get("headers").and_then(Value::as_object);
    let mut names = headers.into_iter().flat_map(|headers| headers.keys());
    names.any(|name| name.eq_ignore_ascii_case("retry-after")) && status(answer) >= 300
}

/// Longest and shortest life that both sides treat alike, in seconds.
const LIFETIMES: std::ops::RangeInclusive<f64> = 120.0..=86_400.0;

fn has_unusual_lifetime(answer: &Value) -> bool {
    let Some(token) = granted(answer) else {
        return false;
    };
    let body = &answer["body"];
    let is_usual = match body.get("expires_in") {
        None => unverified_expiry(token).is_none(),
        Some(Value::Number(seconds)) => {
            let seconds = seconds.as_f64();
            seconds.is_some_and(|seconds| LIFETIMES.contains(&seconds))
        }
        Some(_) => false,
    };
    !is_usual || body.get("refresh_in").is_some()
}

fn fits_no_header(answer: &Value) -> bool {
    let token = answer.get("body").and_then(|body| body.get("access_token"));
    let fits = |token: &str| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    token.is_some_and(|token| !token.as_str().is_some_and(fits))
}

fn has_blank_variable(input: &Input) -> bool {
    let needed = [
        names::CONNECTION_CLIENT_ID,
        names::CONNECTION_CLIENT_SECRET,
        names::A365_AGENT_APP_INSTANCE_ID,
        names::A365_AGENTIC_USER_ID,
    ];
    let is_blank = |name: &str, counts_if_empty: bool| {
        let value = input.env.get(name).and_then(Option::as_deref);
        value.is_some_and(|value| value.trim().is_empty() && (counts_if_empty || !value.is_empty()))
    };
    needed.into_iter().any(|name| is_blank(name, false))
        || is_blank(names::CONNECTION_TENANT_ID, true)
}

/// The scope that the environment names, where the caller of the reference passes none.
fn overriding_scope(case: &Case) -> Option<String> {
    let input: Input = case.input().ok()?;
    input.client()?;
    if input.given_scope().is_some() {
        return None;
    }
    let environment = input.environment();
    let scope = runtime_v3::authentication_scope(&environment);
    let is_default = scope == runtime_v3::authentication_scope(&Default::default());
    (!is_default).then(|| scope.to_owned())
}

fn steps(expected: &mut Json) -> impl Iterator<Item = &mut Json> {
    let steps = expected.member_mut("steps").and_then(Json::as_array_mut);
    steps.into_iter().flatten()
}

/// No token, and no question to a credential of the host.
fn ask_nobody(expected: &mut Json) {
    for step in steps(expected) {
        set(step, "token", "null");
        set(step, "requests", "[]");
    }
    set(expected, "credentials_created", "0");
}

/// The last form of the chain has this scope.
fn ask_for_scope(expected: &mut Json, scope: &str) {
    let Ok(scope) = Json::of(&scope) else {
        return;
    };
    for step in steps(expected) {
        let requests = step.member_mut("requests").and_then(Json::as_array_mut);
        for request in requests.into_iter().flatten() {
            let Some(form) = request.member_mut("form").and_then(Json::as_array_mut) else {
                continue;
            };
            let is_last = field(form, "grant_type").and_then(|it| it.as_str()) == Some("user_fic");
            if let Some(found) = field(form, "scope").filter(|_| is_last) {
                *found = scope.clone();
            }
        }
    }
}

/// The value of a field of a form, which is a list of pairs.
fn field<'a>(form: &'a mut [Json], name: &str) -> Option<&'a mut Json> {
    form.iter_mut()
        .find_map(|pair| match pair.as_array_mut()?.as_mut_slice() {
            [key, value] if key.as_str() == Some(name) => Some(value),
            _ => None,
        })
}

fn set(of: &mut Json, name: &str, json: &str) {
    if let (Some(member), Ok(json)) = (of.member_mut(name), Json::parse(json)) {
        *member = json;
    }
}
