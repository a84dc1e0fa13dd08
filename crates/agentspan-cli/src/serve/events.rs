//! Server-sent events: rows of changed traces, and losses.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde_json::json;
use tokio::sync::watch;

use super::server::Shared;
use crate::store::Lost;

/// Events of one trace are merged over this time.
const PAUSE: Duration = Duration::from_millis(100);

/// A comment is sent when nothing else was, so that a connection that is gone is noticed.
const ALIVE: Duration = Duration::from_secs(15);

/// How many rows one batch of events has.
const BATCH: usize = 200;

/// A client of events, and what it knows.
#[derive(Debug)]
struct Client {
    shared: Arc<Shared>,
    changes: watch::Receiver<u64>,
    last: u64,
    lost: Lost,
}

/// The body of the answer.
pub(super) struct Events {
    next: Pin<Box<dyn Future<Output = (Client, Bytes)> + Send + Sync>>,
}

impl Events {
    /// Events after the one with this id. An id of another process says nothing of the changes in this one: whoever
    /// reconnects fetches again what is shown.
    pub(super) fn after(shared: &Arc<Shared>, last: Option<&str>) -> Self {
        let changes = shared.changes();
        let (now, lost) = shared.look(|store| (store.last_change(), store.lost()));
        let last = last.and_then(|id| change_of(id, shared.process()));
        let client = Client {
            shared: Arc::clone(shared),
            changes,
            last: last.unwrap_or(now),
            lost,
        };
        // Something at once, so that the page knows that it is connected.
        let hello = Bytes::from_static(b"retry: 1000\n\n");
        Self {
            next: Box::pin(async move { (client, hello) }),
        }
    }
}

/// The number of the change in the id of an event, if this process sent it.
fn change_of(id: &str, process: u128) -> Option<u64> {
    let (of, number) = id.split_once('-')?;
    number.parse().ok().filter(|_| of == format!("{process:x}"))
}

impl Client {
    async fn next(mut self) -> (Self, Bytes) {
        loop {
            let text = self.events();
            if !text.is_empty() {
                return (self, text.into());
            }
            match tokio::time::timeout(ALIVE, self.changes.changed()).await {
                Ok(_) => tokio::time::sleep(PAUSE).await,
                Err(_) => return (self, Bytes::from_static(b":\n\n")),
            }
        }
    }

    /// What happened since the last time.
    fn events(&mut self) -> String {
        self.changes.mark_unchanged();
        let (last, seen) = (self.last, self.lost);
        let (rows, lost) = self.shared.look(|store| {
            let changed = store.changed_after(last, BATCH);
            let rows = changed.map(|(number, trace)| (number, trace.row().to_json()));
            (rows.collect::<Vec<_>>(), store.lost())
        });
        let process = self.shared.process();
        let mut text = String::new();
        for (number, row) in rows {
            self.last = number;
            // Writing to a `String` does not fail.
            let _ = write!(
                text,
                "id: {process:x}-{number}\nevent: trace\ndata: {row}\n\n"
            );
        }
        if lost != seen {
            self.lost = lost;
            let data = json!({"traces": lost.traces, "spans": lost.spans});
            let _ = write!(text, "event: lost\ndata: {data}\n\n");
        }
        text
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let (client, bytes) = ready!(self.next.as_mut().poll(context));
        self.next = Box::pin(client.next());
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}
