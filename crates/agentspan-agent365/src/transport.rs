//! One try of a request: connect, send, read the answer, all under one deadline.

mod answer;
mod dial;
mod error;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use agentspan_tls::{TrustRoots, client_config};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use self::dial::Connector;

pub(crate) use self::answer::Answer;
pub use self::error::TransportError;

/// How long a connection without requests is kept: a few batches long. Every tenant has a host of its
/// own, so a longer time would keep very many connections open.
const IDLE: Duration = Duration::from_secs(20);

/// The longest head of an answer, in bytes and in header lines. An answer needs a handful.
const MAX_HEAD_BYTES: usize = 32 * 1024;
const MAX_HEADERS: usize = 64;

/// What is spoken, and to where it is dialled.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    /// https to the host of the URL, found by the system's resolver.
    Https,
    /// https to the host of the URL, dialled at this address.
    HttpsTo(SocketAddr),
    /// http, dialled at this address of this machine.
    Loopback(SocketAddr),
}

/// Sends requests. Follows no redirect, uses no proxy, asks for no compression.
pub(crate) struct Transport {
    route: Route,
    roots: TrustRoots,
    idle_per_host: usize,
    client: OnceCell<HttpClient>,
}

enum HttpClient {
    Plain(Client<Connector, Full<Bytes>>),
    Tls(Client<HttpsConnector<Connector>, Full<Bytes>>),
}

impl Transport {
    pub(crate) fn new(route: Route, roots: TrustRoots, idle_per_host: usize) -> Self {
        Self {
            route,
            roots,
            idle_per_host,
            client: OnceCell::new(),
        }
    }

    /// Posts `body` and reads the answer. Nothing of the body is copied.
    pub(crate) async fn post(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        body: Bytes,
        timeout: Duration,
    ) -> Result<Answer, TransportError> {
        let whole = async {
            let client = self.client.get_or_try_init(|| self.open()).await?;
            let mut request = Request::new(Full::new(body));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = uri.clone();
            request.headers_mut().clone_from(headers);
            let response = match client {
                HttpClient::Plain(client) => client.request(request).await,
                HttpClient::Tls(client) => client.request(request).await,
            };
            Answer::read(response.map_err(TransportError::from_client)?).await
        };
        match tokio::time::timeout(timeout, whole).await {
            Ok(answer) => answer,
            Err(_) => Err(TransportError::Timeout { timeout }),
        }
    }

    async fn open(&self) -> Result<HttpClient, TransportError> {
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(self.idle_per_host)
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .http1_max_headers(MAX_HEADERS);
        let connector = match self.route {
            Route::Https => Connector::new(None),
            Route::HttpsTo(address) | Route::Loopback(address) => Connector::new(Some(address)),
        };
        if matches!(self.route, Route::Loopback(_)) {
            return Ok(HttpClient::Plain(builder.build(connector)));
        }
        // The platform's certificates are in files.
        let roots = self.roots.clone();
        let tls = spawn_blocking(move || client_config(&roots))
            .await
            .map_err(TransportError::tls)??;
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_only()
            .enable_http1()
            .wrap_connector(connector);
        Ok(HttpClient::Tls(builder.build(https)))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}
