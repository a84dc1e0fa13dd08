//! Server-sent events: rows of changed traces, changed spans of the one that is watched, and losses.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde_json::json;
use tokio::sync::watch;

use super::shared::Shared;
use crate::skeleton;
use crate::store::{Lost, Trace};

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
    watched: Option<Watched>,
    /// Longer than [`PAUSE`] if it takes long to find what changed, which holds the store.
    pause: Duration,
}

/// The trace that the client shows, and hashes of what it knows of the spans.
#[derive(Debug)]
struct Watched {
    trace: String,
    known: HashMap<String, u64>,
}

impl Watched {
    /// The spans that the client does not know as they are now.
    fn changed(&mut self, trace: &Trace) -> Vec<String> {
        match trace.id() == self.trace {
            true => skeleton::changed(trace, &mut self.known),
            false => Vec::new(),
        }
    }
}

/// The body of the answer.
pub(super) struct Events {
    next: Pin<Box<dyn Future<Output = (Client, Bytes)> + Send + Sync>>,
}

impl Events {
    /// Events after the one with this id. An id of another process says nothing of the changes in this one: whoever
    /// reconnects fetches again what is shown.
    ///
    /// Of the trace that is watched, changed spans are sent from now on.
    pub(super) fn after(shared: &Arc<Shared>, last: Option<&str>, watch: Option<String>) -> Self {
        let changes = shared.changes();
        let mut watched = watch.map(|trace| Watched {
            trace,
            known: HashMap::new(),
        });
        let (now, lost) = shared.look(|store| {
            if let Some(watched) = &mut watched {
                let trace = store.trace(&watched.trace);
                trace.map(|trace| watched.changed(trace));
            }
            (store.last_change(), store.lost())
        });
        let last = last.and_then(|id| change_of(id, shared.process()));
        let client = Client {
            shared: Arc::clone(shared),
            changes,
            last: last.unwrap_or(now),
            lost,
            watched,
            pause: PAUSE,
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
            let begun = Instant::now();
            let text = self.events();
            self.pause = PAUSE.max(begun.elapsed() * 9);
            if !text.is_empty() {
                return (self, text.into());
            }
            match tokio::time::timeout(ALIVE, self.changes.changed()).await {
                Ok(_) => tokio::time::sleep(self.pause).await,
                Err(_) => return (self, Bytes::from_static(b":\n\n")),
            }
        }
    }

    /// The events since the last call.
    fn events(&mut self) -> String {
        self.changes.mark_unchanged();
        let (last, seen) = (self.last, self.lost);
        let watched = &mut self.watched;
        let (rows, lost) = self.shared.look(|store| {
            let changed = store.changed_after(last, BATCH);
            let rows = changed.map(|(number, trace)| {
                let spans = watched.as_mut().map(|watched| watched.changed(trace));
                (number, trace.row().to_json(), spans.unwrap_or_default())
            });
            (rows.collect::<Vec<_>>(), store.lost())
        });
        let process = self.shared.process();
        let mut text = String::new();
        for (number, row, spans) in rows {
            self.last = number;
            // Writing to a `String` does not fail.
            let _ = write!(
                text,
                "id: {process:x}-{number}\nevent: trace\ndata: {row}\n\n"
            );
            if !spans.is_empty() {
                let spans = spans.join(",");
                let _ = write!(text, "event: span\ndata: [{spans}]\n\n");
            }
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
