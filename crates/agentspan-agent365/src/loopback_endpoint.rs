//! The address of a service on this machine that is spoken to without TLS.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::transport::TransportRoute;

/// Why `with_loopback_endpoint` rejects a text.
///
/// The message does not repeat the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoopbackEndpointError {
    /// It is no URL. Write it as `http://127.0.0.1:4318`.
    #[error("the text is not a url of the form http://127.0.0.1:4318")]
    NotAUrl,
    /// The scheme is not `http`. Leave the loopback endpoint out to speak https to the service, or
    /// call `with_connect_to` to speak https to this machine.
    #[error("the url has a scheme other than http")]
    Scheme,
    /// It holds a user name or a password. Tokens come from the token resolver.
    #[error("the url holds credentials")]
    Credentials,
    /// The host is not this machine. Plain http would show the token to everybody on the way.
    #[error("the url names a host other than 127.0.0.0/8, [::1] or localhost")]
    NotLoopback,
    /// It has a path. The path is decided by the profile.
    #[error("the url has a path")]
    Path,
    /// It has a query.
    #[error("the url has a query")]
    Query,
    /// It has a fragment.
    #[error("the url has a fragment")]
    Fragment,
}

/// A checked address of a service on this machine that is spoken to without TLS: scheme, host and port.
///
/// ```
/// use agentspan_agent365::transport::LoopbackEndpoint;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let endpoint: LoopbackEndpoint = "http://localhost:4318".parse()?;
/// assert_eq!(endpoint.url(), "http://localhost:4318");
/// assert!("http://example.com:4318".parse::<LoopbackEndpoint>().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LoopbackEndpoint {
    /// Host and port as they were written; they become the `host` header.
    pub(crate) authority: Authority,
    /// The address to dial. `localhost` is never looked up.
    pub(crate) address: SocketAddr,
}

impl LoopbackEndpoint {
    /// How the service is reached.
    #[must_use]
    pub fn route(&self) -> TransportRoute {
        TransportRoute::Loopback(self.address)
    }

    /// The URL, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.authority)
    }
}

impl FromStr for LoopbackEndpoint {
    type Err = LoopbackEndpointError;

    fn from_str(url: &str) -> Result<Self, LoopbackEndpointError> {
        if url.contains('#') {
            return Err(LoopbackEndpointError::Fragment);
        }
        let uri: Uri = url.parse().map_err(|_| LoopbackEndpointError::NotAUrl)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(LoopbackEndpointError::NotAUrl);
        };
        if authority.as_str().contains('@') {
            return Err(LoopbackEndpointError::Credentials);
        }
        if *scheme != Scheme::HTTP {
            return Err(LoopbackEndpointError::Scheme);
        }
        if uri.query().is_some() {
            return Err(LoopbackEndpointError::Query);
        }
        if uri.path() != "/" {
            return Err(LoopbackEndpointError::Path);
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let address = if host.eq_ignore_ascii_case("localhost") {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            host.parse()
                .ok()
                .filter(IpAddr::is_loopback)
                .ok_or(LoopbackEndpointError::NotLoopback)?
        };
        let port = match authority.port_u16() {
            Some(0) => return Err(LoopbackEndpointError::NotAUrl),
            Some(port) => port,
            None if authority.as_str() == authority.host() => 80,
            // `http::Uri` lets anything stand after the colon.
            None => return Err(LoopbackEndpointError::NotAUrl),
        };
        Ok(Self {
            authority: authority.clone(),
            address: SocketAddr::new(address, port),
        })
    }
}

impl fmt::Debug for LoopbackEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoopbackEndpoint")
            .field(&self.address)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(url: &str, expected: LoopbackEndpointError) {
        let error = url.parse::<LoopbackEndpoint>().unwrap_err();
        assert_eq!(error, expected, "{url}");
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }

    fn check_dials(url: &str, authority: &str, address: &str) {
        let endpoint: LoopbackEndpoint = url.parse().unwrap();
        assert_eq!(endpoint.authority.as_str(), authority);
        assert_eq!(endpoint.address.to_string(), address);
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_plain_http() {
        use LoopbackEndpointError::NotLoopback;
        check_refused("http://example.com:4318", NotLoopback);
        check_refused("http://10.0.0.1:4318", NotLoopback);
        check_refused("http://0.0.0.0:4318", NotLoopback);
        check_refused("http://127.0.0.1.example.com", NotLoopback);
        check_refused("http://localhost.example.com", NotLoopback);
        check_refused("http://169.254.169.254", NotLoopback);
    }

    #[test]
    fn t10_nothing_but_scheme_host_and_port_is_accepted() {
        use LoopbackEndpointError::{Credentials, Fragment, NotAUrl, Path, Query, Scheme};
        check_refused("http://user:s3cret@127.0.0.1:4318", Credentials);
        check_refused("https://user:s3cret@127.0.0.1:4318", Credentials);
        check_refused("http://127.0.0.1:4318/?key=s3cret", Query);
        check_refused("http://127.0.0.1:4318/#s3cret", Fragment);
        check_refused("http://127.0.0.1:4318/s3cret", Path);
        check_refused("https://127.0.0.1:4318", Scheme);
        check_refused("127.0.0.1:4318", NotAUrl);
        check_refused("/s3cret", NotAUrl);
        check_refused("http://127.0.0.1:s3cret", NotAUrl);
        check_refused("http://127.0.0.1:70000", NotAUrl);
        check_refused("http://127.0.0.1:0", NotAUrl);
        check_refused("", NotAUrl);
    }

    #[test]
    fn localhost_is_dialled_without_a_lookup() {
        check_dials("http://localhost:4318", "localhost:4318", "127.0.0.1:4318");
        check_dials("http://127.0.0.1:4318/", "127.0.0.1:4318", "127.0.0.1:4318");
        check_dials("http://[::1]:4318", "[::1]:4318", "[::1]:4318");
        check_dials("http://127.0.0.1", "127.0.0.1", "127.0.0.1:80");
    }
}
