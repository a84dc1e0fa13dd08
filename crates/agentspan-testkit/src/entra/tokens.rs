//! The issued tokens and assertions.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::id::Id;
use crate::jwt::unsigned_token;

/// The application id of Agent 365 Observability, as the audience of tokens.
pub(super) const RESOURCE: &str = "9b975845-388f-4429-889e-eab1ef63949c";

/// Everything that was given, by its text.
#[derive(Debug)]
pub(super) struct Issued {
    lifetime: Duration,
    known: HashMap<String, Known>,
    number: u64,
}

/// The purpose of a token or assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// For an agent to prove who it is: the first assertion.
    Agent { agent: Id },
    /// For an agent to act as its user: the second assertion.
    AgentUser { agent: Id },
    /// Of a person, for an application.
    Person { user: String, audience: String },
}

#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) tenant: Id,
    pub(super) purpose: Purpose,
    pub(super) is_expired: bool,
}

impl Issued {
    pub(super) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            known: HashMap::new(),
            number: 0,
        }
    }

    pub(super) fn find(&self, text: &str) -> Option<&Known> {
        self.known.get(text)
    }

    pub(super) fn expire(&mut self) {
        for known in self.known.values_mut() {
            known.is_expired = true;
        }
    }

    /// The answer with an assertion.
    pub(super) fn assertion(&mut self, tenant: &str, purpose: Purpose) -> Answer {
        let audience = "api://AzureADTokenExchange";
        let token = self.token(tenant, json!({"aud": audience}));
        self.remember(tenant, &token, purpose);
        self.answer(&token)
    }

    /// The answer with a token for Agent 365, with these claims beside the usual ones.
    pub(super) fn access_token(&mut self, tenant: &str, agent: &str, more: Value) -> Answer {
        let mut claims = json!({"aud": RESOURCE, "azp": agent, "appid": agent});
        merge(&mut claims, more);
        let token = self.token(tenant, claims);
        self.answer(&token)
    }

    pub(super) fn user_token(&mut self, tenant: &str, user: &str, audience: &str) -> String {
        let claims = json!({"aud": audience, "oid": user, "scp": "access_as_user"});
        let token = self.token(tenant, claims);
        let (user, audience) = (user.to_owned(), audience.to_owned());
        self.remember(tenant, &token, Purpose::Person { user, audience });
        token
    }

    fn remember(&mut self, tenant: &str, token: &str, purpose: Purpose) {
        let known = Known {
            tenant: Id::new(tenant),
            purpose,
            is_expired: false,
        };
        self.known.insert(token.to_owned(), known);
    }

    fn token(&mut self, tenant: &str, claims: Value) -> String {
        self.number += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        let mut all = json!({
            "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            "tid": tenant,
            "iat": now,
            "nbf": now,
            "exp": now + self.lifetime.as_secs(),
            "jti": self.number.to_string(),
            "ver": "2.0",
        });
        merge(&mut all, claims);
        unsigned_token(&all)
    }

    fn answer(&self, token: &str) -> Answer {
        Answer::json(&json!({
            "token_type": "Bearer",
            "expires_in": self.lifetime.as_secs(),
            "ext_expires_in": self.lifetime.as_secs(),
            "access_token": token,
        }))
    }
}

fn merge(claims: &mut Value, more: Value) {
    if let (Value::Object(claims), Value::Object(more)) = (claims, more) {
        claims.extend(more);
    }
}
