//! A relay between the library and a service, which does what the library refuses to do. With it, a
//! defence that nobody can switch off is gone, for the spans and for the service.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use agentspan_testkit::{Answer, RecordedRequest, Recording, Service};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, HOST, LOCATION};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;

use crate::Failure;
use crate::any_certificate::any_certificate;
use crate::front::Front;

/// What a relay does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// It sends refused requests again.
    Repeats,
    /// It follows redirects.
    Follows,
    /// It passes statuses on, and no bodies.
    Strips,
    /// It reads answers to their end before it passes them on, whatever they are.
    Buffers,
    /// It speaks TLS to the service, and takes every certificate.
    TrustsAnyone,
}

/// How long it reads an answer, and how often it repeats and follows.
const PATIENCE: Duration = Duration::from_secs(1);
const TIMES: usize = 4;
/// As much as it holds of an answer.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A relay to the service at `target`.
pub(crate) fn relay(front: Front, target: SocketAddr, habit: Habit) -> Result<Service, Failure> {
    let relay = Relay {
        is_http2: front == Front::OtlpGrpc,
        target,
        habit,
    };
    let builder = Service::builder();
    let builder = match relay.is_http2 {
        true => builder.http2(),
        false => builder,
    };
    // The watcher makes the service show bodies, and nothing has to be kept.
    let builder = builder.recording(Recording::CountsOnly).watch_with(|_| ());
    let service = builder.answer_with(move |request| {
        // The service's own thread has a runtime already.
        let passed = thread::scope(|scope| scope.spawn(|| relay.pass(request)).join());
        match passed {
            Ok(Ok(answer)) => answer,
            _ => Answer::close(),
        }
    });
    Ok(service.start()?)
}

#[derive(Clone, Copy)]
struct Relay {
    is_http2: bool,
    target: SocketAddr,
    habit: Habit,
}

/// What the service said.
struct Said {
    status: StatusCode,
    headers: HeaderMap,
    trailers: Option<HeaderMap>,
    body: Bytes,
}

impl Relay {
    fn pass(&self, request: &RecordedRequest) -> Result<Answer, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let mut target = request.target.clone();
            let mut said = self.ask(request, &target).await?;
            for _ in 1..TIMES {
                match (self.habit, said.status.as_u16()) {
                    (Habit::Repeats, 400..) => {}
                    (Habit::Follows, 300..400) => {
                        let location = said.headers.get(LOCATION).ok_or("no location")?;
                        let location: http::Uri = location.to_str()?.parse()?;
                        // Whatever the host, the service is there.
                        location.path().clone_into(&mut target);
                    }
                    _ => break,
                }
                said = self.ask(request, &target).await?;
            }
            Ok(self.answer(&said))
        })
    }

    fn answer(&self, said: &Said) -> Answer {
        let code = |headers: &HeaderMap| headers.get("grpc-status")?.to_str().ok()?.parse().ok();
        let code = said.trailers.as_ref().and_then(code);
        if let Some(code) = code {
            return Answer::grpc(code);
        }
        let answer = Answer::status(said.status.as_u16());
        match self.habit {
            Habit::Strips => answer,
            _ => answer.body(said.body.clone()),
        }
    }

    async fn ask(&self, request: &RecordedRequest, target: &str) -> Result<Said, Failure> {
        tokio::time::timeout(PATIENCE, async {
            let stream = TcpStream::connect(self.target).await?;
            if self.habit != Habit::TrustsAnyone {
                return self.exchange(stream, request, target).await;
            }
            let config = tls(self.is_http2)?;
            let name = ServerName::try_from("localhost")?;
            let stream = TlsConnector::from(config).connect(name, stream).await?;
            self.exchange(stream, request, target).await
        })
        .await?
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        request: &RecordedRequest,
        target: &str,
    ) -> Result<Said, Failure> {
        let io = TokioIo::new(stream);
        let mut passed = Request::builder()
            .method(request.method.clone())
            .uri(target);
        for (name, value) in &request.headers {
            // HTTP/2 says it in the target.
            if !(self.is_http2 && name == HOST) {
                passed = passed.header(name, value);
            }
        }
        let passed = passed.body(Full::new(request.body.clone()))?;
        let response = if self.is_http2 {
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
            Handle::current().spawn(connection);
            sender.send_request(passed).await?
        } else {
            let (mut sender, connection) = http1::handshake(io).await?;
            Handle::current().spawn(connection);
            sender.send_request(passed).await?
        };
        self.read(response).await
    }

    async fn read(&self, response: http::Response<Incoming>) -> Result<Said, Failure> {
        let (head, body) = response.into_parts();
        let collected = Limited::new(body, MOST_BYTES).collect().await?;
        let trailers = collected.trailers().cloned();
        let mut body = collected.to_bytes();
        if self.habit == Habit::Buffers && head.headers.contains_key(CONTENT_ENCODING) {
            let mut decoded = Vec::new();
            let decoder = MultiGzDecoder::new(&body[..]);
            decoder.take(MOST_BYTES as u64).read_to_end(&mut decoded)?;
            body = decoded.into();
        }
        Ok(Said {
            status: head.status,
            headers: head.headers,
            trailers,
            body,
        })
    }
}

fn tls(is_http2: bool) -> Result<Arc<ClientConfig>, Failure> {
    let mut config = any_certificate()?;
    config.alpn_protocols = match is_http2 {
        true => vec![b"h2".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    Ok(Arc::new(config))
}
