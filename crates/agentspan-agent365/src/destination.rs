//! Where the spans of an identity are sent.

use agentspan_discovery::ClusterCategory;
use agentspan_model::agent365::Identity;
use http::Uri;
use http::uri::{Authority, Scheme};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::export_error::RefusedIdentityError;
use crate::loopback_endpoint::LoopbackEndpoint;
use crate::wire_profile::WireProfile;

/// What is not written as it is in a segment of a path: all but `pchar` of [RFC 3986], section 3.3.
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
#[derive(Debug)]
pub(crate) struct Destinations {
    pub(crate) wire: &'static WireProfile,
    pub(crate) cluster: ClusterCategory,
    pub(crate) service_to_service: bool,
    pub(crate) loopback: Option<LoopbackEndpoint>,
}

/// The URL that the spans of one identity are posted to. Its query holds nothing secret.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) uri: Uri,
}

impl Destinations {
    /// The destination of `identity`, built from parts that were checked, each in its place.
    ///
    /// A tenant that cannot be a host name is refused even when a loopback endpoint takes the host's
    /// place, so that a test sees what production would do.
    pub(crate) fn of(&self, identity: &Identity) -> Result<Destination, RefusedIdentityError> {
        let host = self
            .cluster
            .tenant_island_cluster_endpoint(&identity.tenant)?;
        let (scheme, authority) = match &self.loopback {
            Some(endpoint) => (Scheme::HTTP, endpoint.authority.clone()),
            None => (
                Scheme::HTTPS,
                Authority::try_from(host).map_err(|_| RefusedIdentityError::Url)?,
            ),
        };
        let path = if self.service_to_service {
            self.wire.service_path
        } else {
            self.wire.path
        };
        let agent = utf8_percent_encode(identity.agent.as_str(), NOT_IN_SEGMENT);
        let tail = self.wire.tail;
        Uri::builder()
            .scheme(scheme)
            .authority(authority)
            .path_and_query(format!("{path}{agent}{tail}"))
            .build()
            .map(|uri| Destination { uri })
            .map_err(|_| RefusedIdentityError::Url)
    }
}

#[cfg(test)]
mod tests {
    use agentspan_model::agent365::Profile;

    use super::*;

    const TENANT: &str = "e3064512-cc6d-4703-be71-a2ecaecaa98a";

    /// A label of 64 characters, `il-` included.
    const LONG: &str = "0123456789012345678901234567890123456789012345678901234567890ab";

    fn destinations(service_to_service: bool) -> Destinations {
        Destinations {
            wire: WireProfile::of(Profile::V0_1).unwrap(),
            cluster: ClusterCategory::Prod,
            service_to_service,
            loopback: None,
        }
    }

    fn check_path(agent: &str, path_and_query: &str) {
        let identity = Identity::parse(TENANT, agent).unwrap();
        let destination = destinations(false).of(&identity).unwrap();
        assert_eq!(destination.uri.path_and_query().unwrap(), path_and_query);
        assert_eq!(
            destination.uri.authority().unwrap(),
            "il-e3064512cc6d4703be71a2ecaecaa9.8a.tenant.api.powerplatform.com"
        );
    }

    #[test]
    fn an_agent_id_stays_one_segment() {
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
        let destination = destinations(true).of(&identity).unwrap();
        assert_eq!(
            destination.uri.path(),
            "/maven/agent365/service/agents/a/traces"
        );
    }

    #[test]
    fn a_tenant_that_is_no_host_is_refused() {
        for tenant in ["bad tenant", "a.b.c", "x", "contoso@evil", "t:80", LONG] {
            let identity = Identity::parse(tenant, "a").unwrap();
            let error = destinations(false).of(&identity).unwrap_err();
            assert!(matches!(error, RefusedIdentityError::Host(_)), "{tenant}");
        }
    }
}
