//! The client.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agentspan_agent365::error::{BoxError, TokenUnavailable};
use agentspan_agent365::token::TokenQuery;
use agentspan_agent365::{AccessToken, TokenResolver};
use agentspan_model::agent365::Identity;
use agentspan_queue::contain::{self, Panicked};
use async_trait::async_trait;
use tokio::time::timeout;

use crate::agent_user::AgentUser;
use crate::assertion::{Assertion, AssertionRequest, AssertionSource};
use crate::builder::EntraBuilder;
use crate::cache::{Cache, Fresh, Sought};
use crate::clock::Clock;
use crate::credential::{Credential, Kind};
use crate::endpoint::Endpoint;
use crate::error::{AssertionError, EntraError};
use crate::form::{Form, Key};
use crate::hop::Hop;
use crate::log;
use crate::secret::Secret;
use crate::wanted::{Acting, Wanted};

const CLIENT_CREDENTIALS: &str = "client_credentials";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const USER_FIC: &str = "user_fic";

/// Gets tokens for agents from Microsoft Entra, and caches them.
///
/// Clones share the cache, so a clone can resolve tokens for the exporter while another one exchanges the
/// tokens of requests. See the [crate](crate) for what it promises.
///
/// Its methods need a Tokio runtime with I/O and time. As a token resolver, it uses the exporter's runtime.
#[derive(Clone)]
pub struct Entra(Arc<Inner>);

/// The users whose tokens the resolver gets.
#[derive(Clone, Debug)]
pub(crate) enum Users {
    /// Nobody's: the agent acts alone.
    None,
    /// The tokens of this user of the agent.
    One(AgentUser),
    /// The tokens of the user that the spans name; the agent acts alone where they name none.
    OfSpans,
}

pub(crate) struct Inner {
    pub(crate) blueprint: String,
    pub(crate) credential: Credential,
    pub(crate) tenant: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) users: Users,
    pub(crate) app_scope: String,
    pub(crate) delegated_scope: String,
    pub(crate) exchange_scope: &'static str,
    /// Whether the token of a user is asked for as one on behalf of that user.
    pub(crate) says_on_behalf_of: bool,
    pub(crate) deadline: Duration,
    pub(crate) endpoint: Endpoint,
    pub(crate) cache: Cache,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Entra {
    /// A client of the blueprint with this application id.
    #[must_use]
    pub fn builder(blueprint: impl Into<String>, credential: Credential) -> EntraBuilder {
        EntraBuilder::new(blueprint.into(), credential)
    }

    pub(crate) fn of(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// The app-only token of an agent.
    ///
    /// # Errors
    ///
    /// [`EntraError`] says what to do about it.
    ///
    /// # Cancel safety
    ///
    /// Assertions of earlier hops are kept for the next call.
    pub async fn agent_token(&self, identity: &Identity) -> Result<AccessToken, EntraError> {
        self.token(identity, Acting::Alone).await
    }

    /// The token with which an agent acts on behalf of the person that `user_token` was issued to.
    ///
    /// `user_token` is the token of the person's request. It must be issued for the blueprint: request it
    /// with the scope `api://{blueprint}/access_as_user`.
    ///
    /// # Errors
    ///
    /// [`EntraError`] says what to do about it.
    ///
    /// # Cancel safety
    ///
    /// Assertions of earlier hops are kept for the next call.
    pub async fn token_on_behalf_of(
        &self,
        identity: &Identity,
        user_token: &Secret,
    ) -> Result<AccessToken, EntraError> {
        self.token(identity, Acting::OnBehalfOf(user_token)).await
    }

    /// The token with which an agent acts as its own user.
    ///
    /// # Errors
    ///
    /// [`EntraError`] says what to do about it.
    ///
    /// # Cancel safety
    ///
    /// Assertions of earlier hops are kept for the next call.
    pub async fn agent_user_token(
        &self,
        identity: &Identity,
        user: &AgentUser,
    ) -> Result<AccessToken, EntraError> {
        self.token(identity, Acting::As(user)).await
    }

    async fn token(
        &self,
        identity: &Identity,
        acting: Acting<'_>,
    ) -> Result<AccessToken, EntraError> {
        self.token_within_deadline(identity, acting, None).await
    }

    async fn token_within_deadline(
        &self,
        identity: &Identity,
        acting: Acting<'_>,
        refused: Option<&AccessToken>,
    ) -> Result<AccessToken, EntraError> {
        let inner = &*self.0;
        let wanted = Wanted {
            tenant: inner.tenant.as_deref().unwrap_or(identity.tenant.as_str()),
            agent: inner.agent.as_deref().unwrap_or(identity.agent.as_str()),
            acting,
        };
        let deadline = inner.deadline;
        let token = match timeout(deadline, inner.token(&wanted, refused)).await {
            Ok(token) => token?,
            Err(_) => {
                let key = inner.form_of(&wanted).key(wanted.tenant);
                let old = inner.cache.use_on(&key);
                old.ok_or(EntraError::Timeout { deadline })?
            }
        };
        // The answer was checked already.
        AccessToken::new(token.as_str()).map_err(|_| EntraError::Malformed {
            hop: wanted.hop(),
            what: "a token that no header can carry",
        })
    }
}

impl Inner {
    /// Once more with new assertions, if those that were kept are refused.
    async fn token(
        &self,
        wanted: &Wanted<'_>,
        refused: Option<&AccessToken>,
    ) -> Result<Secret, EntraError> {
        let started = self.clock.now();
        let kept = self.kept_assertions(wanted, started);
        match self.kept_token(wanted, refused).await {
            Err(error) if error.is_of_an_assertion() && self.are_replaced(&kept, started) => {
                self.kept_token(wanted, refused).await
            }
            result => result,
        }
    }

    async fn kept_token(
        &self,
        wanted: &Wanted<'_>,
        refused: Option<&AccessToken>,
    ) -> Result<Secret, EntraError> {
        let form = self.form_of(wanted);
        let key = form.key(wanted.tenant);
        let ask = || async {
            let blueprint = self.blueprint_assertion(wanted).await?;
            let form = form.with_assertion(&blueprint);
            let form = match wanted.acting {
                Acting::Alone | Acting::OnBehalfOf(_) => form,
                Acting::As(_) => {
                    let agent = self.agent_assertion(wanted).await?;
                    form.with("user_federated_identity_credential", agent.as_str())
                }
            };
            self.endpoint.ask(wanted.hop(), wanted.tenant, &form).await
        };
        self.cache.get(&key, Sought::Token { refused }, ask).await
    }

    /// The form that asks for the token, without the assertions.
    fn form_of(&self, wanted: &Wanted<'_>) -> Form {
        let form = |grant, scope| Form::new(wanted.agent, grant, scope);
        match wanted.acting {
            Acting::Alone => form(CLIENT_CREDENTIALS, &self.app_scope),
            Acting::OnBehalfOf(user_token) => form(JWT_BEARER, &self.delegated_scope)
                .with("requested_token_use", "on_behalf_of")
                .with("assertion", user_token.as_str()),
            Acting::As(user) => {
                let form = form(USER_FIC, &self.delegated_scope);
                let form = form.with(user.field, user.value.as_str());
                match self.says_on_behalf_of {
                    true => form.with("requested_token_use", "on_behalf_of"),
                    false => form,
                }
            }
        }
    }

    /// The assertion with which the agent proves who it is. The blueprint asks for it.
    async fn blueprint_assertion(&self, wanted: &Wanted<'_>) -> Result<Secret, EntraError> {
        let form = self.blueprint_form(wanted);
        let key = form.key(wanted.tenant);
        let ask = || async {
            let form = match &self.credential.0 {
                Kind::Secret(secret) => form.with("client_secret", secret.as_str()),
                Kind::Assertion(source) => {
                    form.with_assertion(&self.own_assertion(&**source, wanted.tenant).await?)
                }
            };
            let hop = Hop::BlueprintAssertion;
            self.endpoint.ask(hop, wanted.tenant, &form).await
        };
        self.cache.get(&key, Sought::Assertion, ask).await
    }

    fn blueprint_form(&self, wanted: &Wanted<'_>) -> Form {
        Form::new(&self.blueprint, CLIENT_CREDENTIALS, self.exchange_scope)
            .with("fmi_path", wanted.agent)
    }

    /// The assertion with which the agent acts as its user. The agent asks for it.
    async fn agent_assertion(&self, wanted: &Wanted<'_>) -> Result<Secret, EntraError> {
        let form = self.agent_form(wanted);
        let key = form.key(wanted.tenant);
        let ask = || async {
            let form = form.with_assertion(&self.blueprint_assertion(wanted).await?);
            let hop = Hop::AgentAssertion;
            self.endpoint.ask(hop, wanted.tenant, &form).await
        };
        self.cache.get(&key, Sought::Assertion, ask).await
    }

    fn agent_form(&self, wanted: &Wanted<'_>) -> Form {
        Form::new(wanted.agent, CLIENT_CREDENTIALS, self.exchange_scope)
    }

    fn own_form(&self) -> Form {
        Form::default().with("assertion_of", self.blueprint.as_str())
    }

    /// The assertion with which the blueprint proves who it is. Its source makes it, or gets it.
    async fn own_assertion(
        &self,
        source: &dyn AssertionSource,
        tenant: &str,
    ) -> Result<Secret, EntraError> {
        let key = self.own_form().key(tenant);
        let audience = self.endpoint.url(tenant)?;
        let request = AssertionRequest {
            client_id: &self.blueprint,
            tenant,
            audience: &audience,
        };
        let ask = || async {
            let asked = contain::future(|| source.assertion(&request)).await;
            let result = match asked {
                Ok(Ok(assertion)) => Ok(fresh(assertion)),
                Ok(Err(error)) => Err(EntraError::Assertion(AssertionError::new(error))),
                Err(Panicked { .. }) => Err(EntraError::AssertionPanic),
            };
            if let Err(error) = &result {
                log::source_failed(tenant, error);
            }
            result
        };
        self.cache.get(&key, Sought::Assertion, ask).await
    }

    /// The keys of the assertions that are kept since before `time`.
    fn kept_assertions(&self, wanted: &Wanted<'_>, time: Instant) -> Vec<Key> {
        let forms = [
            self.own_form(),
            self.blueprint_form(wanted),
            self.agent_form(wanted),
        ];
        let keys = forms.map(|form| form.key(wanted.tenant));
        let mut keys = Vec::from(keys);
        keys.retain(|key| self.cache.has_since(key, time));
        keys
    }

    /// Forgets assertions that were kept since before `time`. Whether there were any, and none is left: another
    /// call may have replaced them.
    fn are_replaced(&self, keys: &[Key], time: Instant) -> bool {
        for key in keys {
            self.cache.forget(key, time);
        }
        !keys.is_empty() && !keys.iter().any(|key| self.cache.has_since(key, time))
    }
}

/// An assertion that is used once is not kept.
fn fresh(assertion: Assertion) -> Fresh {
    Fresh {
        secret: assertion.text,
        lifetime: assertion.lifetime.unwrap_or(Duration::ZERO),
        refresh_in: None,
    }
}

#[async_trait]
impl TokenResolver for Entra {
    async fn resolve(&self, query: &TokenQuery) -> Result<Option<AccessToken>, BoxError> {
        let of_span = query.agentic_user.as_deref().map(AgentUser::id);
        let user = match &self.0.users {
            Users::None => None,
            Users::One(user) => Some(user),
            Users::OfSpans => of_span.as_ref(),
        };
        let acting = user.map_or(Acting::Alone, Acting::As);
        let refused = query.refused.as_ref();
        let token = self.token_within_deadline(&query.identity, acting, refused);
        match token.await {
            Ok(token) => Ok(Some(token)),
            Err(error) if error.is_retryable() => {
                let (pause, reason) = (error.retry_after(), error.to_string());
                let unavailable = TokenUnavailable::new(error).with_reason(reason);
                Err(unavailable.with_retry_after(pause).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl fmt::Debug for Entra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entra")
            .field("blueprint", &self.0.blueprint)
            .field("credential", &self.0.credential)
            .field("authority", &self.0.endpoint.authority)
            .finish_non_exhaustive()
    }
}
