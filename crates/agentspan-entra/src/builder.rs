//! The settings of a client.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use agentspan_agent365::transport::{LoopbackEndpoint, Transport, TransportRoute};
use agentspan_queue::PerProcess;
use agentspan_tls::{TrustRoots, crypto_provider};
use http::Uri;
use http::uri::Scheme;

use crate::agent_user::AgentUser;
use crate::build_error::EntraBuildError;
use crate::cache::Cache;
use crate::clock::{Clock, SystemClock};
use crate::credential::{Credential, Kind};
use crate::endpoint::Endpoint;
use crate::entra::{Entra, Inner, Users};

/// The authority of the public cloud.
const AUTHORITY: &str = "https://login.microsoftonline.com";

/// The scope of assertions.
const EXCHANGE_SCOPE: &str = "api://AzureADTokenExchange/.default";

/// Agent 365 Observability: all that was granted to the application, and what a user delegates.
const APP_SCOPE: &str = "api://9b975845-388f-4429-889e-eab1ef63949c/.default";
const DELEGATED_SCOPE: &str =
    "api://9b975845-388f-4429-889e-eab1ef63949c/Agent365.Observability.OtelWrite";

/// Connections to the authority that wait for the next question.
const IDLE_CONNECTIONS: usize = 4;

/// Builds an [`Entra`].
///
/// Everything but the blueprint and its credential has a default. Decide on:
///
/// - [`with_agent_user`](Self::with_agent_user) or
///   [`with_agent_users_of_spans`](Self::with_agent_users_of_spans), for agents that have a user of their
///   own.
/// - [`with_authority`](Self::with_authority), in another cloud than the public one.
pub struct EntraBuilder {
    blueprint: String,
    credential: Credential,
    authority: Option<String>,
    tenant: Option<String>,
    agent: Option<String>,
    users: Users,
    app_scope: String,
    delegated_scope: String,
    exchange_scope: &'static str,
    says_on_behalf_of: bool,
    timeout: Duration,
    deadline: Duration,
    refresh_before: Duration,
    loopback: Option<String>,
    connect_to: Option<SocketAddr>,
    roots: Option<Vec<Vec<u8>>>,
    clock: Arc<dyn Clock>,
}

impl EntraBuilder {
    pub(crate) fn new(blueprint: String, credential: Credential) -> Self {
        Self {
            blueprint,
            credential,
            authority: None,
            tenant: None,
            agent: None,
            users: Users::None,
            app_scope: APP_SCOPE.to_owned(),
            delegated_scope: DELEGATED_SCOPE.to_owned(),
            exchange_scope: EXCHANGE_SCOPE,
            says_on_behalf_of: true,
            timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(25),
            refresh_before: Duration::from_secs(5 * 60),
            loopback: None,
            connect_to: None,
            roots: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// Sets the authority of another cloud, such as `https://login.microsoftonline.us`. The default is the
    /// authority of the public cloud.
    #[must_use]
    pub fn with_authority(mut self, url: impl Into<String>) -> Self {
        self.authority = Some(url.into());
        self
    }

    /// Asks for all tokens in this tenant, by its GUID or its domain. Default: the tenant of the spans.
    ///
    /// It must be the tenant in which the agents live, even if the blueprint lives in another one.
    #[must_use]
    pub fn with_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Asks for the tokens of this agent, by its application id. Default: the agent of the spans.
    #[must_use]
    pub fn with_agent(mut self, agent: impl Into<String>) -> Self {
        self.agent = Some(agent.into());
        self
    }

    /// Gets tokens with which the agent acts as this user. By default, the agent acts alone.
    #[must_use]
    pub fn with_agent_user(mut self, user: AgentUser) -> Self {
        self.users = Users::One(user);
        self
    }

    /// Gets tokens with which the agent acts as the user in the attribute `microsoft.agent.user.id` of the
    /// spans. For spans without it, the agent acts alone. `Profile::V3` and `Profile::Direct` pass the
    /// user to the resolver: see [`TokenQuery::agentic_user`](agentspan_agent365::token::TokenQuery).
    #[must_use]
    pub fn with_agent_users_of_spans(mut self) -> Self {
        self.users = Users::OfSpans;
        self
    }

    /// Sets the scope of app-only tokens. The default is everything that was granted for Agent 365.
    #[must_use]
    pub fn with_app_scope(mut self, scope: impl Into<String>) -> Self {
        self.app_scope = scope.into();
        self
    }

    /// Sets the scope of tokens with a user. The default is the permission to write telemetry to Agent 365.
    #[must_use]
    pub fn with_delegated_scope(mut self, scope: impl Into<String>) -> Self {
        self.delegated_scope = scope.into();
        self
    }

    /// Sends the form fields that `microsoft-opentelemetry` 1.5.0 sends. Entra accepts both.
    pub(crate) fn with_forms_of_the_reference(mut self) -> Self {
        self.exchange_scope = "api://AzureAdTokenExchange/.default";
        self.says_on_behalf_of = false;
        self
    }

    /// Sets the timeout of one request to Entra. The default is 10 seconds.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the deadline for a token, with all requests that it needs. The default is 25 seconds, which is
    /// less than the default deadline of the delivery for its resolver.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how long before its expiry a token is replaced at the latest. It is replaced at a random time,
    /// up to twice as early, and never before half of its lifetime. The default is 5 minutes.
    #[must_use]
    pub fn with_refresh_before(mut self, time: Duration) -> Self {
        self.refresh_before = time;
        self
    }

    /// Asks a service on this machine, such as `http://127.0.0.1:8080`, over plain HTTP instead of Entra.
    /// That service also gets the credential. The URL must have a loopback address or `localhost` as its
    /// host, and no credentials, path or query.
    #[must_use]
    pub fn with_loopback_endpoint(mut self, url: impl Into<String>) -> Self {
        self.loopback = Some(url.into());
        self
    }

    /// Connects to this loopback address instead of the host of the authority. The URL and the name in the
    /// server's certificate are still those of the authority, so a test covers the whole path.
    #[must_use]
    pub fn with_connect_to(mut self, address: SocketAddr) -> Self {
        self.connect_to = Some(address);
        self
    }

    /// Trusts these root certificates, in DER form, instead of those of the operating system.
    #[must_use]
    pub fn with_root_certificates<C: AsRef<[u8]>>(
        mut self,
        certificates: impl IntoIterator<Item = C>,
    ) -> Self {
        let certificates = certificates.into_iter();
        self.roots = Some(certificates.map(|der| der.as_ref().to_vec()).collect());
        self
    }

    /// Takes the time from `clock`. Default: [`SystemClock`].
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks the settings. It does not connect to Entra.
    ///
    /// # Errors
    ///
    /// [`EntraBuildError`] names the setting that cannot be used.
    pub fn build(self) -> Result<Entra, EntraBuildError> {
        if self.blueprint.trim().is_empty() {
            return Err(EntraBuildError::Blueprint);
        }
        if matches!(&self.credential.0, Kind::Secret(secret) if secret.as_str().is_empty()) {
            return Err(EntraBuildError::Secret);
        }
        for (field, time) in [
            ("with_timeout", self.timeout),
            ("with_deadline", self.deadline),
        ] {
            if time.is_zero() {
                return Err(EntraBuildError::Zero { field });
            }
        }
        let (authority, route) = self.authority()?;
        if !matches!(route, TransportRoute::Loopback(_)) {
            crypto_provider().map_err(EntraBuildError::Cryptography)?;
        }
        let transport = Transport::new(route, self.roots()?, IDLE_CONNECTIONS);
        Ok(Entra::of(Inner {
            blueprint: self.blueprint,
            credential: self.credential,
            tenant: self.tenant,
            agent: self.agent,
            users: self.users,
            app_scope: self.app_scope,
            delegated_scope: self.delegated_scope,
            exchange_scope: self.exchange_scope,
            says_on_behalf_of: self.says_on_behalf_of,
            deadline: self.deadline,
            endpoint: Endpoint {
                authority,
                transport: PerProcess::new(transport),
                timeout: self.timeout,
            },
            cache: Cache::new(Arc::clone(&self.clock), self.refresh_before),
            clock: self.clock,
        }))
    }

    fn authority(&self) -> Result<(String, TransportRoute), EntraBuildError> {
        let conflict = |one, other| Err(EntraBuildError::Conflict { one, other });
        if let Some(url) = &self.loopback {
            if self.connect_to.is_some() {
                return conflict("with_loopback_endpoint", "with_connect_to");
            }
            if self.authority.is_some() {
                return conflict("with_loopback_endpoint", "with_authority");
            }
            let endpoint: LoopbackEndpoint =
                url.parse().map_err(EntraBuildError::LoopbackEndpoint)?;
            return Ok((endpoint.url(), endpoint.route()));
        }
        let authority = self.authority.as_deref().unwrap_or(AUTHORITY);
        let authority = checked(authority).ok_or(EntraBuildError::Authority)?;
        match self.connect_to {
            None => Ok((authority, TransportRoute::Https)),
            Some(address) if address.ip().is_loopback() => {
                Ok((authority, TransportRoute::HttpsTo(address)))
            }
            Some(_) => Err(EntraBuildError::ConnectTo),
        }
    }

    fn roots(&self) -> Result<TrustRoots, EntraBuildError> {
        let Some(certificates) = &self.roots else {
            return Ok(TrustRoots::Platform);
        };
        let certificates = certificates.iter().map(|der| der.as_slice().into());
        TrustRoots::given(certificates).map_err(EntraBuildError::RootCertificate)
    }
}

/// The authority without a slash at its end; `None` if it is not https with a host and maybe a port.
fn checked(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let authority = uri.authority()?;
    let is_plain = uri.path() == "/" && uri.query().is_none() && !url.contains(['#', '@']);
    let is_https = uri.scheme() == Some(&Scheme::HTTPS);
    (is_plain && is_https).then(|| format!("https://{authority}"))
}

impl fmt::Debug for EntraBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntraBuilder")
            .field("blueprint", &self.blueprint)
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_https_with_a_host_and_nothing_else() {
        for (url, expected) in [
            (
                "https://login.microsoftonline.us",
                Some("https://login.microsoftonline.us"),
            ),
            (
                "https://login.microsoftonline.us/",
                Some("https://login.microsoftonline.us"),
            ),
            (
                "https://a.example.com:8443",
                Some("https://a.example.com:8443"),
            ),
            ("http://login.microsoftonline.us", None),
            ("https://user:s3cret@a.example.com", None),
            ("https://a.example.com/tenant", None),
            ("https://a.example.com/?a=b", None),
            ("https://a.example.com/#a", None),
            ("login.microsoftonline.us", None),
            ("", None),
        ] {
            assert_eq!(checked(url).as_deref(), expected, "{url}");
        }
    }
}
