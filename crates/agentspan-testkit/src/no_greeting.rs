//! In place of the TLS handshake, if TLS is not built: there are no certificates, so no connection has one.

use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::record::ConnectionRecord;
use crate::transport::{Tap, Transport};

/// There are none.
#[derive(Debug)]
pub(crate) enum Certificates {}

impl Certificates {
    pub(crate) fn for_http2(self, _is_http2: bool) -> Self {
        self
    }
}

/// There is none.
#[derive(Debug)]
pub(crate) struct TlsStream<S>(Certificates, S);

pub(crate) async fn greet(
    _tap: Tap,
    certificates: &Certificates,
    _connection: &Mutex<ConnectionRecord>,
) -> Option<Transport> {
    match *certificates {}
}

impl<S> TlsStream<S> {
    pub(crate) fn get_ref(&self) -> (&S, &Certificates) {
        (&self.1, &self.0)
    }

    pub(crate) fn get_mut(&mut self) -> (&mut S, &mut Certificates) {
        (&mut self.1, &mut self.0)
    }
}

impl<S: Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        _buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

impl<S: Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        _bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}
