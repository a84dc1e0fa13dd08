//! One connection of the service: greeting, requests, answers.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::LazyConfigAcceptor;

use crate::answer::{Answer, Play};
use crate::certificates::Certificates;
use crate::fault;
use crate::record::{ConnectionRecord, Record, RecordedRequest, Recording, locked};
use crate::service::script::Script;
use crate::transport::{Tap, Transport};

/// What all connections of a service share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) record: Record,
    pub(crate) recording: Recording,
    pub(crate) script: Script,
    pub(crate) certificates: Option<Arc<Certificates>>,
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
    if shared.script.refuses_connection() {
        return Transport::Plain(tap).reset();
    }
    let transport = match &shared.certificates {
        None => Transport::Plain(tap),
        Some(certificates) => match greet(tap, certificates, &connection).await {
            Some(transport) => transport,
            None => return,
        },
    };
    let exchange = Exchange {
        shared,
        connection,
        number,
    };
    exchange.serve(transport).await;
}

/// Shakes hands. A failure is recorded before the stream is closed, so that a client that has seen
/// the end also finds the reason.
async fn greet(
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

/// The requests and answers of one connection.
#[derive(Debug)]
struct Exchange {
    shared: Arc<Shared>,
    connection: Arc<Mutex<ConnectionRecord>>,
    number: usize,
}

impl Exchange {
    async fn serve(self, transport: Transport) {
        let (faults, mut next_fault) = mpsc::unbounded_channel();
        let exchange = Arc::new(self);
        let service = service_fn(move |request| {
            let exchange = Arc::clone(&exchange);
            let faults = faults.clone();
            Box::pin(async move {
                let answer = exchange.answer(request).await?;
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
        if self.shared.script.refuses_connection() {
            return Ok(Answer::refuse());
        }
        let mut body_bytes = 0;
        let mut kept = Vec::new();
        while let Some(frame) = body.frame().await {
            if let Some(data) = frame?.data_ref() {
                body_bytes += data.len() as u64;
                if self.shared.recording == Recording::Everything {
                    kept.extend_from_slice(data);
                }
            }
        }
        let request = self.record(head, kept.into(), body_bytes);
        let answer = self.shared.script.next(&request);
        if !answer.delay.is_zero() {
            tokio::time::sleep(answer.delay).await;
        }
        Ok(answer)
    }

    fn record(&self, head: http::request::Parts, body: Bytes, body_bytes: u64) -> RecordedRequest {
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
        };
        self.shared.record.change(|state| {
            request.order = state.request_count;
            state.request_count += 1;
            state.body_bytes += body_bytes;
            if self.shared.recording == Recording::Everything {
                state.requests.push(request.clone());
            }
        });
        request
    }
}

/// The answer as the HTTP library sends it, or `None` when the library cannot.
fn well_formed(answer: &Answer) -> Option<Response<BoxBody<Bytes, Infallible>>> {
    let body = match answer.play {
        Play::Whole => http_body_util::Full::new(answer.body.clone()).boxed(),
        Play::StalledBody => Unending {
            first: Some(answer.body.clone()),
            rest: None,
        }
        .boxed(),
        Play::EndlessBody => Unending {
            first: Some(answer.body.clone()),
            rest: Some(vec![b'x'; 16 * 1024].into()),
        }
        .boxed(),
        _ => return None,
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    response.headers_mut().clone_from(&answer.headers);
    Some(response)
}

/// A body that begins and then repeats itself, or stalls.
#[derive(Debug)]
struct Unending {
    first: Option<Bytes>,
    rest: Option<Bytes>,
}

impl Body for Unending {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let first = self.first.take().filter(|first| !first.is_empty());
        match first.or_else(|| self.rest.clone()) {
            Some(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            // Nothing will wake this: the connection ends when the peer or the service does.
            None => Poll::Pending,
        }
    }
}
