//! Assertions that Azure gives to a machine or an app.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use agentspan_agent365::error::{BoxError, TokenUnavailable};
use agentspan_agent365::transport::{LoopbackEndpoint, Transport, TransportError, TransportRoute};
use agentspan_queue::PerProcess;
use agentspan_tls::TrustRoots;
use async_trait::async_trait;
use http::header::InvalidHeaderValue;
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::assertion::{Assertion, AssertionRequest, AssertionSource};
use crate::grant;
use crate::secret::Secret;

/// The metadata service of virtual machines, which no network but the machine's own reaches.
const IMDS: &str = "http://169.254.169.254";
const IMDS_PATH: &str = "/metadata/identity/oauth2/token";
const IMDS_VERSION: &str = "2018-02-01";
const APP_SERVICE_VERSION: &str = "2019-08-01";

/// For whom the assertion is: Entra, which exchanges it.
const RESOURCE: &str = "api://AzureADTokenExchange";

/// The service is on the same machine.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The managed identity of the machine or the app that the program runs on. The blueprint needs a federated
/// credential that trusts it.
///
/// ```
/// use agentspan_entra::{Credential, ManagedIdentity};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let credential = Credential::assertion(ManagedIdentity::of_machine());
/// # Ok(())
/// # }
/// ```
///
/// The assertion is kept until shortly before it expires.
pub struct ManagedIdentity {
    /// With everything but the client's id.
    url: String,
    header: (HeaderName, HeaderValue),
    client_id: Option<String>,
    transport: PerProcess<Transport>,
}

/// Why there is no assertion of a managed identity. No message shows the key of the endpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManagedIdentityError {
    /// The endpoint is not plain http on this machine or at a link-local address. Take it from the
    /// variable `IDENTITY_ENDPOINT`.
    #[error("the endpoint of the identity is not on this machine")]
    Endpoint,
    /// The key has characters that a header must not have. Take it from the variable `IDENTITY_HEADER`.
    #[error("the key of the identity's endpoint cannot be sent")]
    Key(#[source] InvalidHeaderValue),
    /// The service does not answer. It exists only on Azure.
    #[error("the identity's endpoint does not answer")]
    Unreachable(#[source] TransportError),
    /// The service refuses: 400 mostly means that the machine or app has no such identity.
    #[error("the identity's endpoint answered {status}")]
    Refused {
        /// The status of the answer.
        status: u16,
    },
    /// The answer does not have the form of Azure's answers.
    #[error("the answer of the identity's endpoint has {0}")]
    Malformed(&'static str),
}

impl ManagedIdentity {
    /// The identity of a virtual machine, also for a container on it.
    #[must_use]
    pub fn of_machine() -> Self {
        let route = TransportRoute::Http;
        Self::at(IMDS, route)
    }

    /// The identity of a machine with a fake metadata service at this URL, such as
    /// `http://127.0.0.1:8080`, for tests.
    ///
    /// # Errors
    ///
    /// [`ManagedIdentityError::Endpoint`] if the URL is not a plain address of this machine.
    pub fn of_machine_at(url: &str) -> Result<Self, ManagedIdentityError> {
        let endpoint: LoopbackEndpoint = url.parse().map_err(|_| ManagedIdentityError::Endpoint)?;
        Ok(Self::at(&endpoint.url(), endpoint.route()))
    }

    /// The identity of an app of App Service, Functions or Container Apps: at the endpoint in the variable
    /// `IDENTITY_ENDPOINT`, with the key in `IDENTITY_HEADER`.
    ///
    /// # Errors
    ///
    /// [`ManagedIdentityError`] when the endpoint is not on this machine, or the key cannot be sent.
    pub fn of_app(endpoint: &str, key: impl Into<Secret>) -> Result<Self, ManagedIdentityError> {
        let route = route_to(endpoint).ok_or(ManagedIdentityError::Endpoint)?;
        let key = HeaderValue::from_str(key.into().as_str());
        let mut key = key.map_err(ManagedIdentityError::Key)?;
        key.set_sensitive(true);
        let resource = utf8_percent_encode(RESOURCE, NON_ALPHANUMERIC);
        let url = format!("{endpoint}?api-version={APP_SERVICE_VERSION}&resource={resource}");
        let header = (HeaderName::from_static("x-identity-header"), key);
        Ok(Self::new(url, header, route))
    }

    /// Asks for the user-assigned identity with this client id. Default: the system-assigned identity, or the
    /// only one.
    #[must_use]
    pub fn with_client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    fn at(service: &str, route: TransportRoute) -> Self {
        let resource = utf8_percent_encode(RESOURCE, NON_ALPHANUMERIC);
        let url = format!("{service}{IMDS_PATH}?api-version={IMDS_VERSION}&resource={resource}");
        let header = (
            HeaderName::from_static("metadata"),
            HeaderValue::from_static("true"),
        );
        Self::new(url, header, route)
    }

    fn new(url: String, header: (HeaderName, HeaderValue), route: TransportRoute) -> Self {
        let transport = Transport::new(route, TrustRoots::Platform, 1);
        Self {
            url,
            header,
            client_id: None,
            transport: PerProcess::new(transport),
        }
    }

    async fn ask(&self) -> Result<Assertion, BoxError> {
        let url = match &self.client_id {
            Some(id) => {
                let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
                format!("{}&client_id={id}", self.url)
            }
            None => self.url.clone(),
        };
        let url: Uri = url.parse().map_err(|_| ManagedIdentityError::Endpoint)?;
        let (name, value) = self.header.clone();
        let headers = HeaderMap::from_iter([(name, value)]);
        let transport = self.transport.get(Transport::unconnected);
        let answer = transport.get(&url, headers, TIMEOUT).await;
        let answer = answer.map_err(ManagedIdentityError::Unreachable)?;
        if !answer.status().is_success() {
            let status = answer.status().as_u16();
            let pause = answer.retry_after(SystemTime::now());
            let refused = ManagedIdentityError::Refused { status };
            return Err(TokenUnavailable::new(refused)
                .with_retry_after(pause)
                .into());
        }
        let is_whole = answer.is_whole();
        let body = Zeroizing::new(answer.into_body());
        let read = match is_whole {
            true => grant::read(&body, SystemTime::now()),
            false => Err("no end"),
        };
        let fresh = read.map_err(ManagedIdentityError::Malformed)?;
        Ok(Assertion::new(fresh.secret).with_lifetime(fresh.lifetime))
    }
}

#[async_trait]
impl AssertionSource for ManagedIdentity {
    async fn assertion(&self, _: &AssertionRequest<'_>) -> Result<Assertion, BoxError> {
        self.ask().await
    }
}

/// The way to an endpoint that is on this machine, or at an address of its own link; `None` for others, since
/// plain http would show the key.
fn route_to(endpoint: &str) -> Option<TransportRoute> {
    let uri: Uri = endpoint.parse().ok()?;
    let is_plain = uri.scheme() == Some(&Scheme::HTTP) && uri.query().is_none();
    if !is_plain || endpoint.contains(['@', '#']) {
        return None;
    }
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(80);
    if host.eq_ignore_ascii_case("localhost") {
        return Some(TransportRoute::Loopback((Ipv4Addr::LOCALHOST, port).into()));
    }
    let address: IpAddr = host.parse().ok()?;
    match address {
        IpAddr::V4(address) if address.is_link_local() => Some(TransportRoute::Http),
        address if address.is_loopback() => Some(TransportRoute::Loopback((address, port).into())),
        _ => None,
    }
}

impl fmt::Debug for ManagedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedIdentity")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t31_the_key_of_an_endpoint_leaves_this_machine_for_its_own_link_only() {
        for taken in [
            "http://127.0.0.1:41741/msi/token",
            "http://localhost:42356/msi/token/",
            "http://[::1]:1/",
            "http://169.254.129.1:8081/msi/token",
        ] {
            assert!(route_to(taken).is_some(), "{taken}");
        }
        for refused in [
            "https://127.0.0.1/",
            "http://10.0.0.1/msi",
            "http://example.com/msi",
            "http://169.254.1.1.example.com/",
            "http://user@127.0.0.1/",
            "http://127.0.0.1/?a=b",
            "",
        ] {
            assert!(route_to(refused).is_none(), "{refused}");
        }
    }
}
