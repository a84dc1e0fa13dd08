//! Which address is dialled for a URL.

use std::future::Future;
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
    http: HttpConnector<Resolver>,
    pinned: Option<SocketAddr>,
}

impl Connector {
    pub(super) fn new(pinned: Option<SocketAddr>) -> Self {
        let mut http = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
        http.set_nodelay(true);
        http.enforce_http(false);
        Self { http, pinned }
    }

    /// One that divides `time` among the addresses of a host: one that does not answer must not keep the others from
    /// being tried.
    pub(super) fn within(&self, time: Duration) -> Self {
        let mut other = self.clone();
        other.http.set_connect_timeout(Some(time));
        other
    }
}

impl Service<Uri> for Connector {
    type Response = <HttpConnector<Resolver> as Service<Uri>>::Response;
    type Error = <HttpConnector<Resolver> as Service<Uri>>::Error;
    type Future = <HttpConnector<Resolver> as Service<Uri>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.http.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let uri = match self.pinned {
            Some(address) => at(uri, address),
            None => uri,
        };
        self.http.call(uri)
    }
}

/// The URL with `address` in place of host and port: an address is dialled without asking the resolver.
fn at(uri: Uri, address: SocketAddr) -> Uri {
    // An authority has no place for the zone of an address.
    let address = SocketAddr::new(address.ip(), address.port());
    let mut parts = uri.into_parts();
    parts.authority = address.to_string().parse().ok();
    // A URL without a host, which nothing dials, is better than that of another host.
    Uri::from_parts(parts).unwrap_or_default()
}

/// Asks the system.
#[derive(Clone, Debug)]
pub(super) struct Resolver(GaiResolver);

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = io::Error;
    type Future = Lookup;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, host: Name) -> Lookup {
        Lookup(self.0.call(host))
    }
}

/// The lookup of a host.
pub(super) struct Lookup(GaiFuture);

impl Future for Lookup {
    type Output = io::Result<GaiAddrs>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // The system's error is of no kind that others could tell from theirs.
        let addresses = Pin::new(&mut self.0).poll(cx);
        addresses.map_err(|error| io::Error::new(io::ErrorKind::NotFound, error))
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
