//! A loopback Microsoft Entra that issues tokens for agents.

mod directory;
mod exchange;
mod proof;
mod refusal;
#[cfg(feature = "tls")]
mod signed;
mod tokens;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::answer::Answer;
use crate::record::RecordedRequest;
use crate::service::{Service, StartError};

use self::directory::Directory;
use self::tokens::Issued;

pub use self::proof::Proof;

/// The token endpoints of all tenants, which check every field of each form.
///
/// Like Entra, it issues an assertion to an authenticated blueprint, exchanges the assertion for
/// the token of an agent, and so on. It refuses requests with the codes of Entra. Tokens are not
/// signed, and have the claims that Agent 365 reads: see [`claims_of`](crate::claims_of).
///
/// ```
/// use agentspan_testkit::{Entra, Proof};
///
/// # fn main() -> Result<(), agentspan_testkit::StartError> {
/// let entra = Entra::builder()
///     .blueprint("a blueprint", Proof::secret("s3cret"))
///     .agent("a tenant", "an agent", "a blueprint")
///     .start()?;
/// // ... a client posts to `entra.url()` ...
/// assert!(entra.asked().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Entra {
    service: Service,
    state: Arc<Mutex<State>>,
}

/// The applications and users that an [`Entra`] knows.
#[derive(Debug, Default)]
pub struct EntraBuilder {
    directory: Directory,
    lifetime: Option<Duration>,
}

/// A form that was posted to a token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AskedToken {
    /// The tenant in the URL.
    pub tenant: String,
    /// The fields in their order.
    pub fields: Vec<(String, String)>,
    /// Zero if a token was issued, otherwise the code of the refusal; `None` if a scripted answer
    /// came first.
    pub code: Option<u32>,
}

impl AskedToken {
    /// The value of the first field with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let (_, value) = fields.find(|(found, _)| found == name)?;
        Some(value)
    }
}

#[derive(Debug)]
struct State {
    directory: Directory,
    issued: Issued,
    asked: Vec<AskedToken>,
    /// The answers that are given before any form is looked at.
    played: std::collections::VecDeque<Answer>,
}

impl Entra {
    /// An empty directory.
    #[must_use]
    pub fn builder() -> EntraBuilder {
        EntraBuilder::default()
    }

    /// `http://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        self.service.url()
    }

    /// The service, with the received requests.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The forms so far, in order of arrival.
    #[must_use]
    pub fn asked(&self) -> Vec<AskedToken> {
        self.lock().asked.clone()
    }

    /// Answers the next requests with these answers, whatever the requests contain.
    pub fn play(&self, answers: impl IntoIterator<Item = Answer>) {
        self.lock().played.extend(answers);
    }

    /// Answers the next request with the refusal of this code, in Entra's wording.
    pub fn refuse_once(&self, code: u32) {
        self.play([refusal::answer(code)]);
    }

    /// Expires all assertions that were issued so far.
    pub fn expire_assertions(&self) {
        self.lock().issued.expire();
    }

    /// Replaces the credential of a blueprint. Its earlier credential is refused from now on.
    pub fn replace_proof(&self, blueprint: &str, proof: Proof) {
        self.lock().directory.replace_proof(blueprint, proof);
    }

    /// Grants consent, in a tenant, for an agent to act with a user for Agent 365. Without consent,
    /// such requests are refused.
    pub fn consent(&self, tenant: &str, agent: &str) {
        self.lock().directory.consent(tenant, agent);
    }

    /// The token of a person for an application, such as a blueprint, as it arrives with a request.
    #[must_use]
    pub fn user_token(&self, tenant: &str, user: &str, audience: &str) -> String {
        self.lock().issued.user_token(tenant, user, audience)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

impl EntraBuilder {
    /// Adds a blueprint, which every tenant knows.
    #[must_use]
    pub fn blueprint(mut self, id: &str, proof: Proof) -> Self {
        self.directory.replace_proof(id, proof);
        self
    }

    /// Adds an agent of a blueprint in a tenant.
    #[must_use]
    pub fn agent(mut self, tenant: &str, id: &str, blueprint: &str) -> Self {
        self.directory.add_agent(tenant, id, blueprint);
        self
    }

    /// Adds the user of an agent, with an object id and a principal name.
    #[must_use]
    pub fn agent_user(mut self, agent: &str, id: &str, name: &str) -> Self {
        self.directory.add_user(agent, id, name);
        self
    }

    /// Grants consent, in a tenant, for an agent to act with a user for Agent 365.
    #[must_use]
    pub fn consent(mut self, tenant: &str, agent: &str) -> Self {
        self.directory.consent(tenant, agent);
        self
    }

    /// Sets the lifetime of tokens in answers. The default is an hour.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Starts the service.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the machine has no free port or thread.
    pub fn start(self) -> Result<Entra, StartError> {
        let lifetime = self.lifetime.unwrap_or(Duration::from_secs(60 * 60));
        let state = Arc::new(Mutex::new(State {
            directory: self.directory,
            issued: Issued::new(lifetime),
            asked: Vec::new(),
            played: std::collections::VecDeque::new(),
        }));
        let answering = Arc::clone(&state);
        let service = Service::builder()
            .answer_with(move |request| locked(&answering).answer(request))
            .start()?;
        Ok(Entra { service, state })
    }
}

impl State {
    fn answer(&mut self, request: &RecordedRequest) -> Answer {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let tenant = request.path().strip_prefix('/').unwrap_or_default();
        let tenant = tenant.strip_suffix("/oauth2/v2.0/token").map(decoded);
        let mut asked = AskedToken {
            tenant: tenant.clone().unwrap_or_default(),
            fields: fields_of(&request.body),
            code: None,
        };
        if let Some(answer) = self.played.pop_front() {
            self.asked.push(asked);
            return answer;
        }
        let is_form = request.header("content-type") == Some("application/x-www-form-urlencoded");
        let result = match tenant {
            None => Err(refusal::NOT_FOUND),
            Some(_) if request.method != http::Method::POST => Err(refusal::NOT_FOUND),
            Some(_) if request.query().is_some() || !is_form => Err(refusal::UNREADABLE),
            Some(_) => exchange::token(
                &self.directory,
                &mut self.issued,
                &asked,
                request.host().unwrap_or_default(),
            ),
        };
        asked.code = Some(result.as_ref().err().copied().unwrap_or(0));
        self.asked.push(asked);
        match result {
            Ok(answer) => answer,
            Err(code) => refusal::answer(code),
        }
    }
}

/// The fields of a form, in their order.
fn fields_of(body: &[u8]) -> Vec<(String, String)> {
    let body = String::from_utf8_lossy(body);
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = body.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
