//! Sends one request and reads its answer, all under one deadline.
//!
//! The delivery to Agent 365 uses it, and so do exporters of `agentspan` that speak OTLP and the questions
//! for tokens of `agentspan-entra`: one connection pool, one way of TLS, one set of bounds. It is no
//! general HTTP client. It follows no redirect, uses no proxy whatever the environment names, asks for no
//! compression, and reads at most 64 KiB of an answer unless it is told otherwise.

mod answer;
mod connection;
mod dial;
mod error;
mod pool;
mod runtime;
mod silence;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agentspan_queue::contain::{self, Panicked};
use agentspan_tls::rustls::ClientConfig;
use agentspan_tls::{TrustRoots, client_config};
use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Parts, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use self::connection::{Connection, Outgoing};
use self::dial::Connector;
use self::pool::Pool;
use self::silence::{Silently, silently};

pub use self::answer::HttpAnswer;
pub use self::error::TransportError;
pub use self::runtime::io_runtime;
pub use crate::loopback_endpoint::LoopbackEndpoint;

/// Whether TLS is spoken, and to which address the connection goes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TransportRoute {
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
/// `with_http2` was called, which needs the feature `http2`.
///
/// It needs a Tokio runtime with I/O and time, such as that of [`io_runtime`]. No subscriber of `tracing` sees what
/// the crates below log of its connections; a panic in them is an error of the try.
pub struct Transport {
    route: TransportRoute,
    roots: TrustRoots,
    /// Whether it speaks HTTP/2 in place of HTTP/1.1.
    is_http2: bool,
    longest_answer: usize,
    dialler: OnceCell<Dialler>,
    pool: Arc<Pool>,
}

struct Dialler {
    connector: Connector,
    /// `None` over plain http.
    tls: Option<Arc<ClientConfig>>,
}

impl Transport {
    /// A transport that has no connection yet, and keeps at most `idle_per_host` idle ones of a host.
    #[must_use]
    pub fn new(route: TransportRoute, roots: TrustRoots, idle_per_host: usize) -> Self {
        silence::prepare();
        Self {
            route,
            roots,
            is_http2: false,
            longest_answer: 64 * 1024,
            dialler: OnceCell::new(),
            pool: Pool::new(idle_per_host),
        }
    }

    /// One of the same settings that shares nothing with this one, and has no connection yet. It waits for no lock.
    #[must_use]
    pub fn unconnected(&self) -> Self {
        Self {
            route: self.route.clone(),
            roots: self.roots.clone(),
            is_http2: self.is_http2,
            longest_answer: self.longest_answer,
            dialler: OnceCell::new(),
            pool: Pool::new(self.pool.most_per_host()),
        }
    }

    /// Speaks HTTP/2 and nothing else: agreed on by TLS over https, and without asking over http. Needs the
    /// feature `http2`.
    #[cfg(feature = "http2")]
    #[must_use]
    pub fn with_http2(mut self) -> Self {
        self.is_http2 = true;
        self
    }

    /// How much of the body of an answer is read, in bytes. Default: 64 KiB.
    #[must_use]
    pub fn with_longest_answer(mut self, bytes: usize) -> Self {
        self.longest_answer = bytes;
        self
    }

    /// Posts `body` and reads the answer, for at most `timeout`. Nothing of the body is copied.
    ///
    /// Once the head of an answer is there, the answer stands: [`HttpAnswer::is_whole`] says whether its body
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
        headers: HeaderMap,
        body: Bytes,
        timeout: Duration,
    ) -> Result<HttpAnswer, TransportError> {
        self.contained(Method::POST, uri, headers, body, timeout)
            .await
    }

    /// Asks for what `uri` names and reads the answer, for at most `timeout`.
    ///
    /// # Errors
    ///
    /// No head of an answer came.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, nobody knows whether the server was asked.
    pub async fn get(
        &self,
        uri: &Uri,
        headers: HeaderMap,
        timeout: Duration,
    ) -> Result<HttpAnswer, TransportError> {
        self.contained(Method::GET, uri, headers, Bytes::new(), timeout)
            .await
    }

    async fn contained(
        &self,
        method: Method,
        uri: &Uri,
        headers: HeaderMap,
        body: Bytes,
        timeout: Duration,
    ) -> Result<HttpAnswer, TransportError> {
        let sent = Silently::new(self.send(method, uri, headers, body, timeout));
        match contain::future(|| sent).await {
            Ok(result) => result,
            Err(Panicked { .. }) => {
                // Nobody knows what state the others are in.
                let _ = contain::call(|| self.pool.close());
                Err(TransportError::Panicked)
            }
        }
    }

    async fn send(
        &self,
        method: Method,
        uri: &Uri,
        headers: HeaderMap,
        body: Bytes,
        timeout: Duration,
    ) -> Result<HttpAnswer, TransportError> {
        let started = Instant::now();
        let host = uri.authority().ok_or_else(TransportError::no_host)?;
        if !has_port_or_none(host) {
            return Err(TransportError::no_port());
        }
        let request = self.request(method, host, uri, headers, body);
        let head = tokio::time::timeout(timeout, self.exchange(host, uri, request, timeout));
        let Ok(head) = head.await else {
            return Err(TransportError::Timeout { timeout });
        };
        let (response, connection) = head?;
        let remaining = timeout.saturating_sub(started.elapsed());
        let answer = HttpAnswer::read(response, self.longest_answer, remaining).await;
        if answer.is_whole() {
            self.pool.keep(host, connection);
        }
        Ok(answer)
    }

    /// Sends the request, and waits for the head of its answer. The server may have closed a connection
    /// that was kept: then nothing was sent, and it goes over another one.
    async fn exchange(
        &self,
        host: &Authority,
        uri: &Uri,
        mut request: Outgoing,
        timeout: Duration,
    ) -> Result<(Response<Incoming>, Connection), TransportError> {
        loop {
            let kept = self.pool.take(host);
            let is_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => self.connect(uri, timeout).await?,
            };
            let mut error = match connection.send(request).await {
                Ok(response) => return Ok((response, connection)),
                Err(error) => error,
            };
            request = match error.take_message() {
                Some(unsent) if is_kept => unsent,
                _ => return Err(TransportError::Exchange(Arc::new(error.into_error()))),
            };
        }
    }

    fn request(
        &self,
        method: Method,
        host: &Authority,
        uri: &Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Outgoing {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.headers_mut() = headers;
        if self.is_http2 {
            *request.uri_mut() = uri.clone();
            return request;
        }
        let mut target = Parts::default();
        target.path_and_query = uri.path_and_query().cloned();
        *request.uri_mut() = Uri::from_parts(target).unwrap_or_default();
        let port = match uri.scheme() == Some(&Scheme::HTTPS) {
            true => ":443",
            false => ":80",
        };
        // Without what may stand before the host in a URL.
        let named = host.as_str().rsplit('@').next().unwrap_or_default();
        let named = named.strip_suffix(port).unwrap_or(named);
        if let Ok(named) = HeaderValue::from_str(named) {
            request.headers_mut().entry(HOST).or_insert(named);
        }
        request
    }

    async fn connect(&self, uri: &Uri, time: Duration) -> Result<Connection, TransportError> {
        let dialler = self.dialler.get_or_try_init(|| self.dialler()).await?;
        let connector = dialler.connector.within(time);
        match &dialler.tls {
            None => Connection::open(connector, uri.clone(), self.is_http2).await,
            Some(tls) => {
                let mut https = HttpsConnector::from((connector, Arc::clone(tls)));
                https.enforce_https();
                Connection::open(https, uri.clone(), self.is_http2).await
            }
        }
    }

    async fn dialler(&self) -> Result<Dialler, TransportError> {
        let connector = match self.route {
            TransportRoute::Https | TransportRoute::Http => Connector::new(None),
            TransportRoute::HttpsTo(address) | TransportRoute::Loopback(address) => {
                Connector::new(Some(address))
            }
        };
        if matches!(
            self.route,
            TransportRoute::Loopback(_) | TransportRoute::Http
        ) {
            return Ok(Dialler {
                connector,
                tls: None,
            });
        }
        let mut tls = self.tls().await?;
        if self.is_http2 {
            tls.alpn_protocols = vec![b"h2".to_vec()];
        }
        let tls = Some(Arc::new(tls));
        Ok(Dialler { connector, tls })
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

/// `http::Uri` lets anything stand after the colon, and would then speak to the port of the scheme.
fn has_port_or_none(host: &Authority) -> bool {
    let place = || host.as_str().rsplit('@').next();
    host.port_u16().is_some() || place() == Some(host.host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_none_is_not_taken_for_that_of_the_scheme() {
        for (host, has) in [
            ("host", true),
            ("host:0", true),
            ("host:65535", true),
            ("[::1]", true),
            ("[::1]:443", true),
            ("me:secret@host", true),
            ("me:1@host:443", true),
            ("host:65536", false),
            ("host:443x", false),
            ("[::1]:99999", false),
            ("me:443@host:99999", false),
        ] {
            let Ok(authority) = host.parse() else {
                assert!(!has, "{host}");
                continue;
            };
            assert_eq!(has_port_or_none(&authority), has, "{host}");
        }
    }
}
