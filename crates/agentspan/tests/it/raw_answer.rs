//! Answers over HTTP/2 that no receiver of OTLP gives.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use tokio::time::{Interval, interval};
use tonic::service::Routes;

const TRICKLE: Duration = Duration::from_millis(5);

/// One answer: a status of HTTP, a body, and how it ends.
#[derive(Clone, Debug)]
pub(crate) struct RawAnswer {
    http: u16,
    body: Bytes,
    end: End,
}

#[derive(Clone, Debug)]
enum End {
    /// Without trailers.
    Plain,
    /// With this status of gRPC in the trailers.
    Status(&'static str),
    /// The stream is reset.
    Broken,
    /// A byte now and then, for ever.
    Trickle,
    /// There is not even a head.
    Hang,
}

impl RawAnswer {
    pub(crate) fn new(http: u16) -> Self {
        Self {
            http,
            body: Bytes::new(),
            end: End::Plain,
        }
    }

    /// Reads the request and never answers.
    pub(crate) fn hang() -> Self {
        Self {
            end: End::Hang,
            ..Self::new(200)
        }
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn status(mut self, code: &'static str) -> Self {
        self.end = End::Status(code);
        self
    }

    pub(crate) fn broken(mut self) -> Self {
        self.end = End::Broken;
        self
    }

    pub(crate) fn trickling(mut self) -> Self {
        self.end = End::Trickle;
        self
    }

    async fn play(self) -> Response {
        if matches!(self.end, End::Hang) {
            std::future::pending::<()>().await;
        }
        let body = RawBody {
            first: Some(self.body).filter(|body| !body.is_empty()),
            end: Some(self.end),
            ticks: interval(TRICKLE),
            quiet_ticks: 10,
        };
        let response = Response::builder()
            .status(self.http)
            .header("content-type", "application/grpc");
        response.body(Body::new(body)).unwrap()
    }
}

/// Routes that give these answers, and then that all is well.
pub(crate) fn raw_routes(
    requests: Arc<AtomicUsize>,
    answers: impl IntoIterator<Item = RawAnswer>,
) -> Routes {
    let answers: VecDeque<_> = answers.into_iter().collect();
    let answers = Arc::new(Mutex::new(answers));
    let router = axum::Router::new().fallback(move |request: Request| {
        let (requests, answers) = (Arc::clone(&requests), Arc::clone(&answers));
        async move {
            let whole = axum::body::to_bytes(request.into_body(), usize::MAX).await;
            drop(whole.unwrap());
            requests.fetch_add(1, Ordering::SeqCst);
            let next = answers.lock().unwrap().pop_front();
            let well = || RawAnswer::new(200).body(vec![0; 5]).status("0");
            next.unwrap_or_else(well).play().await
        }
    });
    Routes::from(router)
}

struct RawBody {
    first: Option<Bytes>,
    end: Option<End>,
    ticks: Interval,
    /// Before a reset.
    quiet_ticks: u32,
}

impl HttpBody for RawBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        match this.end {
            Some(End::Trickle) => {
                ready!(this.ticks.poll_tick(cx));
                return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[0])))));
            }
            // A reset takes back what has not left yet.
            Some(End::Broken) => {
                while this.quiet_ticks > 0 {
                    ready!(this.ticks.poll_tick(cx));
                    this.quiet_ticks -= 1;
                }
            }
            _ => {}
        }
        Poll::Ready(match this.end.take() {
            Some(End::Status(code)) => {
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", HeaderValue::from_static(code));
                Some(Ok(Frame::trailers(trailers)))
            }
            Some(End::Broken) => Some(Err(io::Error::other("on purpose"))),
            Some(End::Plain | End::Trickle | End::Hang) | None => None,
        })
    }
}
