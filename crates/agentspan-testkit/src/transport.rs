//! The byte stream of a connection, plain or TLS, counted on its way in.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::greeting::TlsStream;
use crate::record::{ConnectionRecord, locked};

/// A TCP stream whose received bytes are recorded.
#[derive(Debug)]
pub(crate) struct Tap {
    stream: TcpStream,
    record: Arc<Mutex<ConnectionRecord>>,
    /// Whether the connection ends with RST instead of FIN.
    resets: Arc<AtomicBool>,
}

impl Tap {
    pub(crate) fn new(stream: TcpStream, record: Arc<Mutex<ConnectionRecord>>) -> Self {
        Self {
            stream,
            record,
            resets: Arc::default(),
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if self.resets.load(SeqCst) {
            // Without linger the kernel throws away what is unsent and answers RST. A failure only
            // means that the peer was faster.
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        let received = buffer.filled().get(before..).unwrap_or_default();
        if !received.is_empty() {
            locked(&self.record).received(received);
        }
        result
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The stream over which HTTP is spoken.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain(Tap),
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "nothing greets"))]
    Tls(Box<TlsStream<Tap>>),
}

impl Transport {
    fn tap(&self) -> &Tap {
        match self {
            Self::Plain(tap) => tap,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    /// The bytes below TLS, if there is TLS.
    pub(crate) fn tap_mut(&mut self) -> &mut Tap {
        match self {
            Self::Plain(tap) => tap,
            Self::Tls(stream) => stream.get_mut().0,
        }
    }

    /// Ends the connection with RST instead of FIN.
    pub(crate) fn reset(self) {
        self.resets_at_end().store(true, SeqCst);
    }

    /// Decides whether it ends with RST, for when somebody else has it.
    pub(crate) fn resets_at_end(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.tap().resets)
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        let received = buffer.filled().len().saturating_sub(before) as u64;
        if received > 0 {
            locked(&self.tap().record).http_bytes += received;
        }
        result
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
