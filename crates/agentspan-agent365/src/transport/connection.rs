//! One connection, of which a request has the use.

use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1;
#[cfg(feature = "http2")]
use hyper::client::conn::http2;
use hyper::rt::{Executor, Read, Write};
use tower_service::Service;

use super::error::TransportError;
use super::silence::SilentExecutor;

/// The longest head of an answer, in bytes. `hyper` takes at most 100 header lines; to set another number makes it
/// fill a list of so many for each answer.
const MAX_HEAD_BYTES: usize = 32 * 1024;

pub(super) type Outgoing = Request<Full<Bytes>>;

/// The end of a connection at which requests are handed in. Its task ends when this is dropped.
pub(super) enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    #[cfg(feature = "http2")]
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    /// Dials the host of `uri` with `connector`.
    pub(super) async fn open<C>(
        mut connector: C,
        uri: Uri,
        is_http2: bool,
    ) -> Result<Self, TransportError>
    where
        C: Service<Uri, Error: Into<Box<dyn Error + Send + Sync>>>,
        C::Response: Read + Write + Unpin + Send + 'static,
    {
        let failed = |error: C::Error| TransportError::Connect(Arc::from(error.into()));
        poll_fn(|cx| connector.poll_ready(cx))
            .await
            .map_err(failed)?;
        let stream = connector.call(uri).await.map_err(failed)?;
        let greeted = match is_http2 {
            #[cfg(feature = "http2")]
            true => Self::greet_http2(stream).await,
            _ => Self::greet(stream).await,
        };
        greeted.map_err(|error| TransportError::Connect(Arc::new(error)))
    }

    async fn greet<T>(stream: T) -> hyper::Result<Self>
    where
        T: Read + Write + Unpin + Send + 'static,
    {
        let mut settings = http1::Builder::new();
        settings.max_buf_size(MAX_HEAD_BYTES);
        let (sender, connection) = settings.handshake(stream).await?;
        SilentExecutor.execute(connection);
        Ok(Self::Http1(sender))
    }

    #[cfg(feature = "http2")]
    async fn greet_http2<T>(stream: T) -> hyper::Result<Self>
    where
        T: Read + Write + Unpin + Send + 'static,
    {
        let mut settings = http2::Builder::new(SilentExecutor);
        settings.max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX));
        let (sender, connection) = settings.handshake(stream).await?;
        SilentExecutor.execute(connection);
        Ok(Self::Http2(sender))
    }

    /// Whether a request can be sent at once: the one before is over, and nobody has closed it.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_ready(),
            #[cfg(feature = "http2")]
            Self::Http2(sender) => sender.is_ready(),
        }
    }

    /// Sends a request and waits for the head of its answer. The error has the request if nothing
    /// of it was sent.
    pub(super) async fn send(
        &mut self,
        request: Outgoing,
    ) -> Result<Response<Incoming>, TrySendError<Outgoing>> {
        match self {
            Self::Http1(sender) => sender.try_send_request(request).await,
            #[cfg(feature = "http2")]
            Self::Http2(sender) => sender.try_send_request(request).await,
        }
    }
}
