//! The TLS handshake of a connection.

use std::sync::Mutex;

pub(crate) use tokio_rustls::server::TlsStream;

use tokio_rustls::LazyConfigAcceptor;

use crate::record::{ConnectionRecord, locked};
use crate::transport::{Tap, Transport};

pub(crate) use crate::certificates::Certificates;

/// Shakes hands. A failure is recorded before the stream is closed, so that a client that has seen
/// the end also finds the reason.
pub(crate) async fn greet(
    tap: Tap,
    certificates: &Certificates,
    connection: &Mutex<ConnectionRecord>,
) -> Option<Transport> {
    let failed = |error: &dyn std::error::Error| {
        locked(connection).tls_error = Some(error.to_string());
    };
    let mut acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), tap);
    let greeting = (&mut acceptor)
        .await
        .inspect_err(|error| failed(error))
        .ok()?;
    let name = greeting.client_hello().server_name().map(str::to_owned);
    locked(connection).tls_server_name.clone_from(&name);
    let config = certificates
        .server_config(name.as_deref())
        .inspect_err(|error| failed(error))
        .ok()?;
    let shaken = greeting.into_stream(config).into_fallible().await;
    let stream = shaken.inspect_err(|(error, _)| failed(error)).ok()?;
    Some(Transport::Tls(Box::new(stream)))
}
