//! `token_v3.json`: what the token resolvers of the package ask of Entra, and how long they keep what they get.
//!
//! A loopback service answers in Entra's place. In the outcome, its host is Entra's.

mod chain;
mod deviation;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use agentspan_agent365::token::TokenQuery;
use agentspan_agent365::transport::io_runtime;
use agentspan_agent365::{AccessToken, TokenResolver as _};
use agentspan_discovery::Environment;
use agentspan_entra::clock::Clock;
use agentspan_entra::{Entra, EntraBuilder};
use agentspan_model::agent365::Identity;
use agentspan_testkit::{Answer, RecordedRequest, Service};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{Allowance, Case, Failure, Outcome, Predicate, Runner};

pub(super) struct Tokens;

/// How long before its expiry the package replaces a token.
const REFRESH_BEFORE: Duration = Duration::from_secs(60);

impl Runner for Tokens {
    fn file_stem(&self) -> &'static str {
        "token_v3"
    }

    fn run(&self, case: &Case) -> Outcome {
        let input = case.input()?;
        Ok(Played::start(&input)?.outcome()?.into())
    }

    fn predicates(&self) -> &'static [Predicate] {
        deviation::REWRITTEN
    }

    fn allowances(&self) -> Vec<Allowance> {
        deviation::allowances()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    resolver: Kind,
    scope_override: Option<String>,
    env: BTreeMap<String, Option<String>>,
    answers: Vec<Value>,
    steps: Vec<Step>,
}

/// Which of the package's resolvers is asked.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// The chain of federated identity credentials.
    Fic,
    /// The chain if the environment describes one when the resolver is made, else the credential of the host.
    Default,
    DefaultAzureCredential,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Step {
    Resolve {
        agent_id: String,
        tenant_id: String,
    },
    Advance {
        seconds: f64,
    },
    /// We read the environment once, where a program starts.
    SetEnv,
}

impl Input {
    fn environment(&self) -> Environment {
        let set = self.env.iter();
        set.filter_map(|(name, value)| Some((name, value.as_ref()?)))
            .collect()
    }

    /// The client that the environment describes; none where the credential of the host would be asked.
    fn client(&self) -> Option<EntraBuilder> {
        match self.resolver {
            Kind::Fic | Kind::Default => Entra::builder_from_environment(&self.environment()).ok(),
            Kind::DefaultAzureCredential => None,
        }
    }

    /// The scope that the caller passes. An empty one is none.
    fn given_scope(&self) -> Option<&str> {
        let given = self.scope_override.as_deref();
        given.filter(|scope| !scope.is_empty())
    }
}

/// A case on its way.
struct Played<'a> {
    input: &'a Input,
    service: Service,
    clock: Turned,
    entra: Option<Entra>,
    runtime: Runtime,
}

impl<'a> Played<'a> {
    fn start(input: &'a Input) -> Result<Self, Failure> {
        let text = |error: &dyn std::error::Error| Failure::from(error.to_string());
        let service = Service::builder()
            .script(input.answers.iter().map(answer))
            .start()
            .map_err(|error| text(&error))?;
        let clock = Turned(Arc::new(Mutex::new(Instant::now())));
        let configured = |builder: EntraBuilder| {
            let builder = match input.given_scope() {
                Some(scope) => builder.with_delegated_scope(scope),
                None => builder,
            };
            builder
                .with_clock(clock.clone())
                .with_refresh_before(REFRESH_BEFORE)
                .with_loopback_endpoint(service.url())
                .build()
        };
        let entra = input.client().map(configured).transpose();
        Ok(Self {
            entra: entra.map_err(|error| text(&error))?,
            runtime: io_runtime(1).map_err(|error| text(&error))?,
            input,
            service,
            clock,
        })
    }

    fn outcome(&self) -> Result<Value, Failure> {
        let steps = self.input.steps.iter().map(|step| match step {
            Step::Resolve {
                agent_id,
                tenant_id,
            } => Ok(self.resolve(agent_id, tenant_id)),
            Step::Advance { seconds } => {
                self.clock.turn(*seconds)?;
                Ok(json!({}))
            }
            Step::SetEnv => Ok(json!({})),
        });
        let steps: Vec<_> = steps.collect::<Result<_, Failure>>()?;
        Ok(json!({"steps": steps, "credentials_created": 0}))
    }

    fn resolve(&self, agent: &str, tenant: &str) -> Value {
        let before = self.service.request_count();
        let token = Identity::parse(tenant, agent).ok().and_then(|identity| {
            let query = TokenQuery::new(identity);
            let resolved = self.entra.as_ref()?.resolve(&query);
            self.runtime.block_on(resolved).ok().flatten()
        });
        let requests = self.service.requests();
        let requests: Vec<_> = requests.iter().skip(before).map(shown).collect();
        json!({"token": self.text_of(token.as_ref()), "requests": requests})
    }

    /// Which of the tokens in the answers it is, since a token does not show itself.
    fn text_of(&self, token: Option<&AccessToken>) -> Option<&'a str> {
        let mut texts = self.input.answers.iter().filter_map(granted);
        texts.find(|text| token.is_some() && AccessToken::new(*text).ok().as_ref() == token)
    }
}

/// The token in an answer.
fn granted(answer: &Value) -> Option<&str> {
    answer.get("body")?.get("access_token")?.as_str()
}

fn status(answer: &Value) -> u16 {
    let status = answer.get("status").and_then(Value::as_u64);
    status.map_or(200, |status| u16::try_from(status).unwrap_or(500))
}

fn answer(recorded: &Value) -> Answer {
    let Some(body) = recorded.get("body") else {
        // A failure of the connection.
        return Answer::close();
    };
    let body = match body {
        Value::String(text) => text.clone(),
        body => body.to_string(),
    };
    let answer = Answer::status(status(recorded)).body(body);
    let headers = recorded.get("headers").and_then(Value::as_object);
    let headers = headers.into_iter().flatten();
    headers.fold(answer, |answer, (name, value)| {
        answer.header(name, value.as_str().unwrap_or_default())
    })
}

fn shown(request: &RecordedRequest) -> Value {
    let body = String::from_utf8_lossy(&request.body).replace('+', " ");
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let fields = body.split('&');
    let fields = fields.map(|field| field.split_once('=').unwrap_or((field, "")));
    let mut form: Vec<_> = fields
        .map(|(name, value)| [decoded(name), decoded(value)])
        .collect();
    form.sort();
    let url = format!("https://login.microsoftonline.com{}", request.target);
    json!({"method": request.method.as_str(), "url": url, "form": form})
}

/// A clock that cases turn.
#[derive(Clone, Debug)]
struct Turned(Arc<Mutex<Instant>>);

impl Turned {
    fn turn(&self, seconds: f64) -> Result<(), Failure> {
        let time = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += time;
        Ok(())
    }
}

impl Clock for Turned {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn random(&self) -> f64 {
        0.0
    }
}
