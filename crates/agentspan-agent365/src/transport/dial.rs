//! Which address is dialled for a host.

use std::future::{Future, Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiFuture, GaiResolver, Name};
use tower_service::Service;

/// Asks the system's resolver, or always gives the same address.
#[derive(Clone, Debug)]
pub(super) struct Dial(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System(GaiResolver),
    To(SocketAddr),
}

impl Dial {
    pub(super) fn system() -> Self {
        Self(Kind::System(GaiResolver::new()))
    }

    pub(super) fn to(address: SocketAddr) -> Self {
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
            Self::System(lookup) => Pin::new(lookup).poll(cx).map_ok(Addresses::System),
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
