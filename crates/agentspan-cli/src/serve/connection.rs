//! One connection: its requests, and when it is closed for want of them.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::answer::Response;
use super::body::Refused;
use super::shared::Shared;
use super::{answer, api, guard, receive};

/// How long the head of a request may take. The first one has this time from the moment of the connection, with
/// the choice of the protocol.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may have no request after its first, and how long no piece of an answer. Events have more of
/// them. Over HTTP/1, the head of the next request is due earlier.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// How long a connection that is told to end has for that.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves until the client goes away, or asks for nothing for too long. Otherwise clients that keep silent would take
/// all places for ever.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    // Small answers must not wait for an acknowledgement; a failure costs only time.
    drop(stream.set_nodelay(true));
    let moved = watch::Sender::new(());
    let moves = moved.subscribe();
    let service = service_fn(move |request: Request<Incoming>| {
        let (shared, moved) = (Arc::clone(&shared), moved.clone());
        moved.send_replace(());
        async move {
            let (head, body) = respond(&shared, request).await.into_parts();
            // A body that comes at once keeps its length.
            let body = match body.size_hint().exact() {
                Some(_) => body,
                None => body
                    .map_frame(move |frame| {
                        moved.send_replace(());
                        frame
                    })
                    .boxed(),
            };
            Ok::<_, Infallible>(Response::from_parts(head, body))
        }
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // Why a client went away is its own business.
        _ = connection.as_mut() => return,
        () = idle(moves) => {}
    }
    connection.as_mut().graceful_shutdown();
    drop(timeout(CLOSE_TIMEOUT, connection).await);
}

/// The answer to one request.
async fn respond(shared: &Arc<Shared>, request: Request<Incoming>) -> Response {
    if let Err(Refused(status, what)) = guard::check(&request, &shared.access) {
        return answer::error(status, what);
    }
    if request.method() == Method::POST {
        receive::receive(shared, request).await
    } else {
        api::answer(shared, &request)
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(64 << 10);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .keep_alive_interval(Some(HEAD_TIMEOUT))
        .max_header_list_size(64 << 10);
    builder
}

/// Until nothing has moved for too long.
async fn idle(mut moves: watch::Receiver<()>) {
    let mut limit = HEAD_TIMEOUT;
    // The sender is gone only if the connection is.
    while timeout(limit, moves.changed())
        .await
        .is_ok_and(|moved| moved.is_ok())
    {
        limit = IDLE_TIMEOUT;
    }
}
