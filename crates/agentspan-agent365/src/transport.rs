//! Sends one request and reads its answer, all under one deadline.
//!
//! The delivery to Agent 365 uses it, and so do exporters of `agentspan` that speak OTLP: one connection
//! pool, one way of TLS, one set of bounds. It is no general HTTP client. It follows no redirect, uses no
//! proxy whatever the environment names, asks for no compression, and reads at most 64 KiB of an answer
//! unless it is told otherwise.

mod answer;
mod dial;
mod error;
#[cfg(feature = "http2")]
mod http2;
mod runtime;
mod silence;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use agentspan_queue::contain::{self, Panicked};
use agentspan_tls::rustls::ClientConfig;
use agentspan_tls::{TrustRoots, client_config};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::Full;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{Builder, Client};
use hyper_util::rt::TokioTimer;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use self::dial::Connector;
use self::silence::{SilentExecutor, Silently, silently};

pub use self::answer::Answer;
pub use self::error::TransportError;
pub use self::runtime::io_runtime;

/// How long a connection without requests is kept: a few batches long. Every tenant has a host of its
/// own, so a longer time would keep very many connections open.
const IDLE: Duration = Duration::from_secs(20);

/// The longest head of an answer, in bytes and in header lines. An answer needs a handful.
const MAX_HEAD_BYTES: usize = 32 * 1024;
const MAX_HEADERS: usize = 64;

/// Whether TLS is spoken, and to which address the connection goes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Route {
    /// https to the host of the URL, which the system's resolver looks up.
    Https,
    /// https to the host of the URL, dialled at this address.
    HttpsTo(SocketAddr),
    /// Plain http, dialled at this address of this machine.
    Loopback(SocketAddr),
    /// Plain http to the host of the URL, which the system's resolver looks up. Never for Agent 365.
    Http,
}

/// Sends requests over connections that it keeps for a while. Speaks HTTP/1.1, or HTTP/2 if
/// `over_http2` was called, which needs the feature `http2`.
///
/// It needs a Tokio runtime with I/O and time, such as that of [`io_runtime`]. No subscriber of `tracing` sees what
/// the crates below log of its connections; a panic in them is an error of the try.
pub struct Transport {
    route: Route,
    roots: TrustRoots,
    settings: Builder,
    /// Whether it speaks HTTP/2 in place of HTTP/1.1.
    is_http2: bool,
    longest_answer: usize,
    tls: OnceCell<ClientConfig>,
    client: Mutex<Option<HttpClient>>,
}

#[derive(Clone)]
enum HttpClient {
    Plain(Client<Connector, Full<Bytes>>),
    Tls(Client<HttpsConnector<Connector>, Full<Bytes>>),
}

impl Transport {
    /// A transport that has no connection yet, and keeps at most `idle_per_host` idle ones of a host.
    #[must_use]
    pub fn new(route: Route, roots: TrustRoots, idle_per_host: usize) -> Self {
        silence::prepare();
        let mut settings = Client::builder(SilentExecutor);
        settings
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(idle_per_host)
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .http1_max_headers(MAX_HEADERS);
        Self {
            route,
            roots,
            settings,
            is_http2: false,
            longest_answer: 64 * 1024,
            tls: OnceCell::new(),
            client: Mutex::default(),
        }
    }

    /// One of the same settings that shares nothing with this one, and has no connection yet. It waits for no lock.
    #[must_use]
    pub fn unconnected(&self) -> Self {
        Self {
            route: self.route.clone(),
            roots: self.roots.clone(),
            settings: self.settings.clone(),
            is_http2: self.is_http2,
            longest_answer: self.longest_answer,
            tls: OnceCell::new(),
            client: Mutex::default(),
        }
    }

    /// How much of the body of an answer is read, in bytes. Default: 64 KiB.
    #[must_use]
    pub fn with_longest_answer(mut self, bytes: usize) -> Self {
        self.longest_answer = bytes;
        self
    }

    /// Posts `body` and reads the answer, for at most `timeout`. Nothing of the body is copied.
    ///
    /// Once the head of an answer is there, the answer stands: [`Answer::is_whole`] says whether its body
    /// came whole and in time.
    ///
    /// # Errors
    ///
    /// No head of an answer came.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, nobody knows whether the server took the request.
    pub async fn post(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        body: Bytes,
        timeout: Duration,
    ) -> Result<Answer, TransportError> {
        let post = Silently::new(self.try_post(uri, headers, body, timeout));
        match contain::future(|| post).await {
            Ok(result) => result,
            Err(Panicked { .. }) => {
                // Nobody knows what state it is in.
                let broken = self.known_client().take();
                let _ = contain::drop(broken);
                Err(TransportError::Panicked)
            }
        }
    }

    async fn try_post(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        body: Bytes,
        timeout: Duration,
    ) -> Result<Answer, TransportError> {
        let started = Instant::now();
        let head = async {
            let client = self.client().await?;
            let mut request = Request::new(Full::new(body));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = uri.clone();
            request.headers_mut().clone_from(headers);
            let response = match client {
                HttpClient::Plain(client) => client.request(request).await,
                HttpClient::Tls(client) => client.request(request).await,
            };
            response.map_err(TransportError::from_client)
        };
        let Ok(response) = tokio::time::timeout(timeout, head).await else {
            if self.is_http2 {
                // The connection stays, unlike one of HTTP/1.1, and the next request would wait on it as well.
                let hung = self.known_client().take();
                drop(hung);
            }
            return Err(TransportError::Timeout { timeout });
        };
        let remaining = timeout.saturating_sub(started.elapsed());
        Ok(Answer::read(response?, self.longest_answer, remaining).await)
    }

    async fn client(&self) -> Result<HttpClient, TransportError> {
        if let Some(client) = self.known_client().clone() {
            return Ok(client);
        }
        let client = self.open().await?;
        *self.known_client() = Some(client.clone());
        Ok(client)
    }

    fn known_client(&self) -> MutexGuard<'_, Option<HttpClient>> {
        // Each change is whole, and nothing panics while it holds the lock.
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn open(&self) -> Result<HttpClient, TransportError> {
        let connector = match self.route {
            Route::Https | Route::Http => Connector::new(None),
            Route::HttpsTo(address) | Route::Loopback(address) => Connector::new(Some(address)),
        };
        if matches!(self.route, Route::Loopback(_) | Route::Http) {
            return Ok(HttpClient::Plain(self.settings.build(connector)));
        }
        let mut tls = self.tls.get_or_try_init(|| self.tls()).await?.clone();
        if self.is_http2 {
            tls.alpn_protocols = vec![b"h2".to_vec()];
        }
        let mut https = HttpsConnector::from((connector, tls));
        https.enforce_https();
        Ok(HttpClient::Tls(self.settings.build(https)))
    }

    /// On a thread that may block, since the platform's certificates are in files.
    async fn tls(&self) -> Result<ClientConfig, TransportError> {
        let roots = self.roots.clone();
        let made = spawn_blocking(move || silently(|| client_config(&roots))).await;
        Ok(made.map_err(TransportError::tls)??)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}
