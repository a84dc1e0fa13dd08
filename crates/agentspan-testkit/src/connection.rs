//! One connection of the service: greeting, requests, answers.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Interval;

use crate::answer::{Answer, Play};
use crate::fault;
use crate::greeting::{Certificates, greet};
use crate::record::{ConnectionRecord, Record, RecordedRequest, Recording, locked};
use crate::service::script::Script;
use crate::transport::{Tap, Transport};

/// Sees requests and what they are answered.
pub(crate) struct Watcher(pub(crate) Box<dyn Fn(&RecordedRequest) + Send + Sync>);

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher(..)")
    }
}

/// The state that all connections of a service share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) record: Record,
    pub(crate) recording: Recording,
    pub(crate) watcher: Option<Watcher>,
    pub(crate) script: Script,
    pub(crate) certificates: Option<Mutex<Arc<Certificates>>>,
    pub(crate) is_http2: bool,
}

impl Shared {
    /// Whether somebody looks at the bodies of requests.
    fn keeps_bodies(&self) -> bool {
        self.recording == Recording::Everything || self.watcher.is_some()
    }

    /// The certificates of new connections; none without TLS.
    pub(crate) fn certificates(&self) -> Option<Arc<Certificates>> {
        let certificates = self.certificates.as_ref()?.lock();
        let certificates = certificates.unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&certificates))
    }
}

/// Serves one connection until either side ends it.
pub(crate) async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    serve_to_end(Arc::clone(&shared), stream).await;
    shared.record.change(|state| state.ended_connections += 1);
}

async fn serve_to_end(shared: Arc<Shared>, stream: TcpStream) {
    let connection = Arc::new(Mutex::new(ConnectionRecord::default()));
    let number = shared.record.change(|state| {
        state.connections.push(Arc::clone(&connection));
        state.connections.len() - 1
    });
    // Small answers must not wait for an acknowledgement; a failure costs only time.
    drop(stream.set_nodelay(true));
    let tap = Tap::new(stream, Arc::clone(&connection));
    if let Some(early) = shared.script.next_if(Play::is_of_connection) {
        drop(fault::play(Transport::Plain(tap), early).await);
        return;
    }
    let transport = match shared.certificates() {
        None => Transport::Plain(tap),
        Some(certificates) => match greet(tap, &certificates, &connection).await {
            Some(transport) => transport,
            None => return,
        },
    };
    let exchange = Exchange {
        shared,
        connection,
        number,
        is_silent: AtomicBool::new(false),
    };
    exchange.serve(transport).await;
}

/// The requests and answers of one connection.
#[derive(Debug)]
struct Exchange {
    shared: Arc<Shared>,
    connection: Arc<Mutex<ConnectionRecord>>,
    number: usize,
    /// Nobody listens any more.
    is_silent: AtomicBool,
}

impl Exchange {
    async fn serve(self, transport: Transport) {
        let (faults, mut next_fault) = mpsc::unbounded_channel();
        let is_http2 = self.shared.is_http2;
        let exchange = Arc::new(self);
        let service = service_fn(move |request| {
            let exchange = Arc::clone(&exchange);
            let faults = faults.clone();
            Box::pin(async move {
                let answer = exchange.answer(request).await?;
                if is_http2 && matches!(answer.play, Play::Hang) {
                    std::future::pending::<()>().await;
                }
                Ok::<_, hyper::Error>(match well_formed(&answer) {
                    Some(response) => response,
                    None => {
                        // The other end of the channel takes the stream away from this future.
                        drop(faults.send(answer));
                        std::future::pending().await
                    }
                })
            })
        });
        if is_http2 {
            let resets = transport.resets_at_end();
            let http = http2::Builder::new(TokioExecutor::new());
            let mut http = http.serve_connection(TokioIo::new(transport), service);
            // No fault can be written by hand between the frames of others, but the end of the
            // connection.
            tokio::select! {
                biased;
                fault = next_fault.recv() => resets.store(is_reset(fault), SeqCst),
                _ = &mut http => {}
            }
            return;
        }
        let mut http = http1::Builder::new().serve_connection(TokioIo::new(transport), service);
        let fault = tokio::select! {
            biased;
            fault = next_fault.recv() => fault,
            // Why a client went away is its own business; tests look at the client.
            _ = &mut http => None,
        };
        if let Some(answer) = fault {
            let transport = http.into_parts().io.into_inner();
            drop(fault::play(transport, answer).await);
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, hyper::Error> {
        let (head, mut body) = request.into_parts();
        if self.is_silent.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        let early = self.shared.script.next_if(Play::is_before_body);
        let limit = match early {
            None => u64::MAX,
            Some(Answer {
                play: Play::ResetWithin { bytes },
                ..
            }) => bytes as u64,
            Some(early) => return Ok(early),
        };
        let mut body_bytes = 0;
        let mut kept = Vec::new();
        while body_bytes < limit {
            let Some(frame) = body.frame().await else {
                break;
            };
            if let Some(data) = frame?.data_ref() {
                body_bytes += data.len() as u64;
                if self.shared.keeps_bodies() {
                    kept.extend_from_slice(data);
                }
            }
        }
        if let Some(early) = early {
            return Ok(early);
        }
        let answer = self.record(head, kept.into(), body_bytes);
        self.is_silent.fetch_or(answer.is_last, SeqCst);
        if !answer.delay.is_zero() {
            tokio::time::sleep(answer.delay).await;
        }
        Ok(answer)
    }

    /// Records a request with what it is answered.
    fn record(&self, head: http::request::Parts, body: Bytes, body_bytes: u64) -> Answer {
        let tls_server_name = {
            let mut connection = locked(&self.connection);
            connection.requests += 1;
            connection.unserved = Vec::new();
            connection.tls_server_name.clone()
        };
        let headers = head.headers.iter().map(|(name, value)| {
            let mut value = value.clone();
            value.set_sensitive(name == AUTHORIZATION);
            (name.clone(), value)
        });
        let mut request = RecordedRequest {
            order: 0,
            connection: self.number,
            tls_server_name,
            method: head.method,
            target: head.uri.to_string(),
            headers: headers.collect(),
            body,
            received_at: Instant::now(),
            is_taken: None,
        };
        // All connections share one thread, and nothing waits in between.
        request.order = self.shared.record.lock().request_count;
        let answer = self.shared.script.next(&request);
        request.is_taken = answer.takes();
        if let Some(Watcher(watcher)) = &self.shared.watcher {
            watcher(&request);
        }
        self.shared.record.change(|state| {
            state.request_count += 1;
            state.body_bytes += body_bytes;
            if self.shared.recording == Recording::Everything {
                state.requests.push(request);
            }
        });
        answer
    }
}

/// The answer as the HTTP library sends it, or `None` when the library cannot.
fn well_formed(answer: &Answer) -> Option<Response<BoxBody<Bytes, Infallible>>> {
    let body = match answer.play {
        Play::Whole if answer.trailers.is_empty() => Full::new(answer.body.clone()).boxed(),
        Play::Whole => {
            let trailers = std::future::ready(Some(Ok(answer.trailers.clone())));
            Full::new(answer.body.clone())
                .with_trailers(trailers)
                .boxed()
        }
        Play::StalledBody => Unending::of(answer, 0).boxed(),
        Play::EndlessBody => Unending::of(answer, 16 * 1024).boxed(),
        Play::TricklingBody => {
            let slow = Unending::of(answer, 1);
            let pauses = Some(tokio::time::interval(fault::TRICKLE));
            Unending { pauses, ..slow }.boxed()
        }
        _ => return None,
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    response.headers_mut().clone_from(&answer.headers);
    Some(response)
}

fn is_reset(fault: Option<Answer>) -> bool {
    let play = fault.map(|answer| answer.play);
    matches!(
        play,
        Some(Play::Reset | Play::Refuse | Play::ResetWithin { .. })
    )
}

/// A body that begins and then repeats itself, or stalls.
#[derive(Debug)]
struct Unending {
    first: Option<Bytes>,
    rest: Bytes,
    /// Between two pieces.
    pauses: Option<Interval>,
}

impl Unending {
    fn of(answer: &Answer, piece: usize) -> Self {
        Self {
            first: Some(answer.body.clone()),
            rest: vec![b'x'; piece].into(),
            pauses: None,
        }
    }
}

impl Body for Unending {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let first = self.first.take().filter(|first| !first.is_empty());
        if let Some(data) = first {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if self.rest.is_empty() {
            // Nothing will wake this: the connection ends when the peer or the service does.
            return Poll::Pending;
        }
        if let Some(pauses) = &mut self.pauses {
            ready!(pauses.poll_tick(context));
        }
        Poll::Ready(Some(Ok(Frame::data(self.rest.clone()))))
    }
}
