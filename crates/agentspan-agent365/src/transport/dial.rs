//! Which address is dialled for a URL.

use std::future::{Future, Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiFuture, GaiResolver, Name};
use tower_service::Service;

/// Connects over TCP. To one address whatever host and port the URL names, if there is one.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    http: HttpConnector<Dial>,
    pinned: Option<SocketAddr>,
}

impl Connector {
    pub(super) fn new(address: Option<SocketAddr>) -> Self {
        let dial = address.map_or_else(Dial::system, Dial::to);
        let mut http = HttpConnector::new_with_resolver(dial);
        http.set_nodelay(true);
        http.enforce_http(false);
        Self {
            http,
            pinned: address,
        }
    }
}

impl Connector {
    /// One that divides `time` among the addresses of a host: one that does not answer must not keep the others from
    /// being tried.
    pub(super) fn within(&self, time: Duration) -> Self {
        let mut other = self.clone();
        other.http.set_connect_timeout(Some(time));
        other
    }
}

impl Service<Uri> for Connector {
    type Response = <HttpConnector<Dial> as Service<Uri>>::Response;
    type Error = <HttpConnector<Dial> as Service<Uri>>::Error;
    type Future = <HttpConnector<Dial> as Service<Uri>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.http.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // A port that the URL names would be dialled in place of the address's, and an address in
        // place of a name would be dialled without asking the resolver.
        let uri = match self.pinned {
            Some(address) => at(uri, address),
            None => uri,
        };
        self.http.call(uri)
    }
}

/// The URL with `address` in place of host and port.
fn at(uri: Uri, address: SocketAddr) -> Uri {
    let mut parts = uri.clone().into_parts();
    parts.authority = address.to_string().parse().ok();
    Uri::from_parts(parts).unwrap_or(uri)
}

/// Asks the system's resolver, or always gives the same address.
#[derive(Clone, Debug)]
pub(super) struct Dial(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System(GaiResolver),
    To(SocketAddr),
}

impl Dial {
    fn system() -> Self {
        Self(Kind::System(GaiResolver::new()))
    }

    fn to(address: SocketAddr) -> Self {
        Self(Kind::To(address))
    }
}

impl Service<Name> for Dial {
    type Response = Addresses;
    type Error = io::Error;
    type Future = Dialling;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::System(resolver) => resolver.poll_ready(cx),
            Kind::To(_) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, host: Name) -> Dialling {
        match &mut self.0 {
            Kind::System(resolver) => Dialling::System(resolver.call(host)),
            Kind::To(address) => Dialling::To(ready(*address)),
        }
    }
}

/// The lookup of a host.
pub(super) enum Dialling {
    System(GaiFuture),
    To(Ready<SocketAddr>),
}

impl Future for Dialling {
    type Output = io::Result<Addresses>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::System(lookup) => {
                let addresses = Pin::new(lookup).poll(cx).map_ok(Addresses::System);
                // The system's error is of no kind that others could tell from theirs.
                addresses.map_err(|error| io::Error::new(io::ErrorKind::NotFound, error))
            }
            Self::To(address) => Pin::new(address)
                .poll(cx)
                .map(|address| Ok(Addresses::To(Some(address)))),
        }
    }
}

/// The addresses of a host, to be tried in order.
pub(super) enum Addresses {
    System(GaiAddrs),
    To(Option<SocketAddr>),
}

impl Iterator for Addresses {
    type Item = SocketAddr;

    fn next(&mut self) -> Option<SocketAddr> {
        match self {
            Self::System(found) => found.next(),
            Self::To(address) => address.take(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(uri: &str, address: &str, expected: &str) {
        let found = at(uri.parse().unwrap(), address.parse().unwrap());
        assert_eq!(found.to_string(), expected);
    }

    #[test]
    fn a_fixed_address_takes_the_place_of_host_and_port() {
        check(
            "http://127.0.0.1:81/a?b",
            "127.0.0.1:82",
            "http://127.0.0.1:82/a?b",
        );
        check("https://a.example.com/a", "[::1]:82", "https://[::1]:82/a");
        check(
            "http://localhost:81/",
            "127.0.0.1:82",
            "http://127.0.0.1:82/",
        );
    }
}
