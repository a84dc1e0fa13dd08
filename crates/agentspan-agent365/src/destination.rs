//! Where the spans of an identity are sent.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

use agentspan_discovery::{ClusterCategory, DomainOverride, unverified_is_delegated};
use agentspan_model::agent365::Identity;
use agentspan_queue::lock;
use agentspan_record::DropReason;
use hashbrown::HashMap;
use http::Uri;
use http::uri::{Authority, Scheme};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::access_token::AccessToken;
use crate::export_error::{ExportError, RefusedIdentityError};
use crate::loopback_endpoint::LoopbackEndpoint;
use crate::wire_profile::{Host, PathChoice, PathPart, WireProfile};

/// The characters that a segment of a path must encode: all but `pchar` of [RFC 3986], section 3.3.
///
/// The HTTP library of the reference (`requests` 2.34.2) leaves the same characters alone, so that
/// the same request target is sent.
///
/// [RFC 3986]: https://www.rfc-editor.org/rfc/rfc3986#section-3.3
const NOT_IN_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// Makes destinations for one configuration.
#[derive(Clone, Debug)]
pub(crate) struct Destinations {
    pub(crate) wire: &'static WireProfile,
    /// The key of the attribute that holds a span's tenant.
    pub(crate) tenant_key: &'static str,
    /// The key of the attribute that stands in for an agent's id that is missing, if one does.
    pub(crate) agent_fallback: Option<&'static str>,
    pub(crate) cluster: ClusterCategory,
    pub(crate) path: PathChoice,
    pub(crate) loopback: Option<LoopbackEndpoint>,
    /// Where the environment asks to send to. Only profiles with a common host know such a thing.
    pub(crate) domain: Option<DomainOverride>,
}

/// An identity, and where its spans are sent.
#[derive(Debug)]
pub(crate) struct Recipient {
    /// No other recipient has the same.
    number: u64,
    pub(crate) identity: Identity,
    /// The user that the agent acts as, where the profile tells such users apart.
    pub(crate) agentic_user: Option<String>,
    uri: Uri,
    /// For tokens of a user, if it differs.
    delegated_uri: Option<Uri>,
    /// The obstacle that its spans wait for: the token or the try that failed last, until one
    /// succeeds.
    obstacle: Mutex<Option<Arc<ExportError>>>,
}

/// Finds recipients, and remembers them: to check two ids and to write a URL costs as much as to
/// send a span.
#[derive(Debug)]
pub(crate) struct Recipients {
    pub(crate) destinations: Destinations,
    known: HashMap<u64, Arc<Recipient>>,
    /// When there are more, those that are not in use are forgotten.
    most: usize,
    made: u64,
}

/// How many recipients are remembered.
const MAX_KNOWN: usize = 10_000;

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Recipient {}

impl Recipient {
    /// Where spans are sent with this token.
    pub(crate) fn uri_for(&self, token: Option<&AccessToken>) -> &Uri {
        match (&self.delegated_uri, token) {
            (Some(uri), Some(token)) if unverified_is_delegated(token.as_str()) => uri,
            _ => &self.uri,
        }
    }
}

impl Recipient {
    /// Its spans wait because of this.
    pub(crate) fn hindered(&self, by: ExportError) {
        *lock(&self.obstacle) = Some(Arc::new(by));
    }

    /// There is a token. What the service said before still holds.
    pub(crate) fn has_token(&self) {
        let is_token = |by: &Arc<ExportError>| by.reason() == DropReason::Token;
        let mut obstacle = lock(&self.obstacle);
        if obstacle.as_ref().is_some_and(is_token) {
            *obstacle = None;
        }
    }

    /// The service has taken spans.
    pub(crate) fn is_served(&self) {
        *lock(&self.obstacle) = None;
    }

    pub(crate) fn obstacle(&self) -> Option<Arc<ExportError>> {
        lock(&self.obstacle).clone()
    }
}

impl Hash for Recipient {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl Recipients {
    pub(crate) fn new(destinations: Destinations) -> Self {
        Self {
            destinations,
            known: HashMap::new(),
            most: MAX_KNOWN,
            made: 0,
        }
    }

    /// The recipient of the spans of this agent. As long as somebody has it, it is the only one for
    /// them.
    pub(crate) fn of(
        &mut self,
        tenant: &str,
        agent: &str,
    ) -> Result<Arc<Recipient>, RefusedIdentityError> {
        if let Some(known) = self.known(tenant, agent, None) {
            return Ok(known);
        }
        let identity = Identity::parse(tenant, agent)?;
        self.make(identity, None)
    }

    /// The recipient of the spans of the same agent when it acts as `user`.
    pub(crate) fn with_user(
        &mut self,
        recipient: &Arc<Recipient>,
        user: &str,
    ) -> Result<Arc<Recipient>, RefusedIdentityError> {
        let identity = &recipient.identity;
        let known = self.known(
            identity.tenant.as_str(),
            identity.agent.as_str(),
            Some(user),
        );
        match known {
            Some(known) => Ok(known),
            None => self.make(identity.clone(), Some(user.to_owned())),
        }
    }

    fn hash(&self, tenant: &str, agent: &str, user: Option<&str>) -> u64 {
        self.known.hasher().hash_one((tenant, agent, user))
    }

    fn known(&self, tenant: &str, agent: &str, user: Option<&str>) -> Option<Arc<Recipient>> {
        let known = self.known.get(&self.hash(tenant, agent, user))?;
        let (identity, its_user) = (&known.identity, known.agentic_user.as_deref());
        let is_it = (identity.tenant.as_str(), identity.agent.as_str()) == (tenant, agent);
        (is_it && its_user == user).then(|| Arc::clone(known))
    }

    fn make(
        &mut self,
        identity: Identity,
        agentic_user: Option<String>,
    ) -> Result<Arc<Recipient>, RefusedIdentityError> {
        let (tenant, agent) = (identity.tenant.as_str(), identity.agent.as_str());
        let hash = self.hash(tenant, agent, agentic_user.as_deref());
        let uri = self.destinations.of(&identity)?;
        let delegated_uri = self.destinations.of_delegated(&identity)?;
        if self.known.len() >= self.most {
            self.known.retain(|_, known| Arc::strong_count(known) > 1);
            self.most = MAX_KNOWN.max(self.known.len() * 2);
        }
        self.made += 1;
        let recipient = Arc::new(Recipient {
            number: self.made,
            identity,
            agentic_user,
            uri,
            delegated_uri,
            obstacle: Mutex::default(),
        });
        self.known.insert(hash, Arc::clone(&recipient));
        Ok(recipient)
    }
}

impl Destinations {
    /// The destination of `identity`, whatever the token.
    pub(crate) fn of(&self, identity: &Identity) -> Result<Uri, RefusedIdentityError> {
        let parts = match self.path {
            PathChoice::Usual => self.wire.path,
            PathChoice::Service | PathChoice::ByToken => self.wire.service_path,
        };
        self.at(identity, parts)
    }

    /// The destination of `identity` with the token of a user, if that makes a difference.
    fn of_delegated(&self, identity: &Identity) -> Result<Option<Uri>, RefusedIdentityError> {
        match self.path {
            PathChoice::Usual | PathChoice::Service => Ok(None),
            PathChoice::ByToken => self.at(identity, self.wire.delegated_path).map(Some),
        }
    }

    /// The destination of `identity`, built from parts that were checked, each in its place.
    ///
    /// A tenant that cannot be a host name is refused even when a loopback endpoint takes the
    /// host's place, so that a test sees what production would do.
    fn at(&self, identity: &Identity, parts: &[PathPart]) -> Result<Uri, RefusedIdentityError> {
        let (host, base) = match (self.wire.host, &self.domain) {
            (Host::TenantIsland, _) => {
                let host = self
                    .cluster
                    .tenant_island_cluster_endpoint(&identity.tenant)?;
                (Cow::Owned(host), "")
            }
            (Host::Common(_), Some(domain)) => {
                (Cow::Borrowed(domain.authority()), domain.base_path())
            }
            (Host::Common(host), None) => (Cow::Borrowed(host), ""),
        };
        let (scheme, authority, base) = match &self.loopback {
            Some(endpoint) => (Scheme::HTTP, endpoint.authority.clone(), ""),
            None => {
                let authority =
                    Authority::try_from(&*host).map_err(|_| RefusedIdentityError::Url)?;
                (Scheme::HTTPS, authority, base)
            }
        };
        let mut path = String::from(base);
        for part in parts {
            match part {
                PathPart::Text(text) => path.push_str(text),
                PathPart::Tenant => path.extend(segment(identity.tenant.as_str())),
                PathPart::Agent => path.extend(segment(identity.agent.as_str())),
            }
        }
        Uri::builder()
            .scheme(scheme)
            .authority(authority)
            .path_and_query(path)
            .build()
            .map_err(|_| RefusedIdentityError::Url)
    }
}

/// An id as a segment of a path. All of it is visible ASCII, so that a header can carry it, too.
pub(crate) fn segment(id: &str) -> PercentEncode<'_> {
    utf8_percent_encode(id, NOT_IN_SEGMENT)
}

#[cfg(test)]
pub(crate) mod tests {
    use agentspan_model::agent365::Profile;

    use super::*;

    const TENANT: &str = "e3064512-cc6d-4703-be71-a2ecaecaa98a";

    /// A label of 64 characters, `il-` included.
    const LONG: &str = "0123456789012345678901234567890123456789012345678901234567890ab";

    pub(crate) fn destinations(path: PathChoice) -> Destinations {
        Destinations {
            wire: WireProfile::of(Profile::V0_1).unwrap(),
            tenant_key: Profile::V0_1.tenant_id_key(),
            agent_fallback: None,
            cluster: ClusterCategory::Prod,
            path,
            loopback: None,
            domain: None,
        }
    }

    fn check_url(profile_2: &Destinations, tenant: &str, agent: &str, expected: &str) {
        let identity = Identity::parse(tenant, agent).unwrap();
        assert_eq!(profile_2.of(&identity).unwrap(), *expected);
    }

    fn version_2(domain: Option<&str>) -> Destinations {
        Destinations {
            wire: WireProfile::of(Profile::V2).unwrap(),
            tenant_key: Profile::V2.tenant_id_key(),
            agent_fallback: None,
            domain: domain.map(|domain| domain.parse().unwrap()),
            cluster: ClusterCategory::Gov,
            ..destinations(PathChoice::Service)
        }
    }

    #[test]
    fn version_2_has_one_host_and_keeps_both_ids_in_their_segments() {
        let check = |tenant, agent, expected| check_url(&version_2(None), tenant, agent, expected);
        check(
            "tenant_1",
            "a",
            "https://agent365.svc.cloud.microsoft/observabilityService/tenants/tenant_1/otlp/agents/a/traces?api-version=1",
        );
        check(
            "x y",
            "a[b]@c",
            "https://agent365.svc.cloud.microsoft/observabilityService/tenants/x%20y/otlp/agents/a%5Bb%5D@c/traces?api-version=1",
        );
    }

    #[test]
    fn version_2_sends_to_the_domain_that_the_environment_names() {
        let check = |domain, expected| check_url(&version_2(Some(domain)), "t", "a", expected);
        check(
            "host.example:8443",
            "https://host.example:8443/observabilityService/tenants/t/otlp/agents/a/traces?api-version=1",
        );
        check(
            "https://host.example/base",
            "https://host.example/base/observabilityService/tenants/t/otlp/agents/a/traces?api-version=1",
        );
        check(
            "https://host.example/",
            "https://host.example/observabilityService/tenants/t/otlp/agents/a/traces?api-version=1",
        );
    }

    fn check_path(agent: &str, path_and_query: &str) {
        let identity = Identity::parse(TENANT, agent).unwrap();
        let uri = destinations(PathChoice::Usual).of(&identity).unwrap();
        assert_eq!(uri.path_and_query().unwrap(), path_and_query);
        assert_eq!(
            uri.authority().unwrap(),
            "il-e3064512cc6d4703be71a2ecaecaa9.8a.tenant.api.powerplatform.com"
        );
    }

    #[test]
    fn t02_an_agent_id_stays_one_segment() {
        check_path("a-1", "/maven/agent365/agents/a-1/traces?api-version=1");
        check_path(
            "agent one",
            "/maven/agent365/agents/agent%20one/traces?api-version=1",
        );
        check_path(
            "a:b@c;d=e!$&'()*+,~",
            "/maven/agent365/agents/a:b@c;d=e!$&'()*+,~/traces?api-version=1",
        );
        check_path(
            "a[b]\"<>^`{|}\u{fc}",
            "/maven/agent365/agents/a%5Bb%5D%22%3C%3E%5E%60%7B%7C%7D%C3%BC/traces?api-version=1",
        );
        check_path("...", "/maven/agent365/agents/.../traces?api-version=1");
    }

    #[test]
    fn service_to_service_calls_have_their_own_path() {
        let identity = Identity::parse(TENANT, "a").unwrap();
        let uri = destinations(PathChoice::Service).of(&identity).unwrap();
        assert_eq!(uri.path(), "/maven/agent365/service/agents/a/traces");
    }

    #[test]
    fn an_agent_has_one_recipient_as_long_as_it_is_in_use() {
        let mut recipients = Recipients::new(destinations(PathChoice::Usual));
        recipients.most = 2;
        let of = |recipients: &mut Recipients, agent| recipients.of(TENANT, agent).unwrap();
        let used = of(&mut recipients, "used");
        let unused = of(&mut recipients, "unused").number;
        assert_eq!(of(&mut recipients, "used"), used);
        assert_eq!(of(&mut recipients, "unused").number, unused);
        recipients.most = 2;
        of(&mut recipients, "third");
        assert_eq!(of(&mut recipients, "used"), used);
        assert!(of(&mut recipients, "unused").number > unused);
    }

    #[test]
    fn a_tenant_that_is_no_host_is_refused() {
        for tenant in ["bad tenant", "a.b.c", "x", "contoso@evil", "t:80", LONG] {
            let identity = Identity::parse(tenant, "a").unwrap();
            let error = destinations(PathChoice::Usual).of(&identity).unwrap_err();
            assert!(matches!(error, RefusedIdentityError::Host(_)), "{tenant}");
        }
    }
}
