//! The thread `agentspan-export`: its start, its runtime and its end.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use agentspan_queue::contain;
use opentelemetry::Context;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::unbounded_channel;

use super::courier::Courier;
use super::requests::Requests;
use super::shared::Shared;
use super::worker::{Observer, Worker};
use super::{Delivery, log};
use crate::destination::Destinations;
use crate::encode::BodyEncoder;
use crate::enrichment::SpanEnrichers;
use crate::per_request::PerRequestExport;
use crate::stats::{Counters, QueueBounds};
use crate::transport::io_runtime;

/// Threads for what the operating system only offers blocking: looking up hosts and reading root
/// certificates.
const MAX_BLOCKING_THREADS: usize = 4;

/// After so many panics of the worker something is broken for good, and going on would only repeat it.
const MAX_PANICS: usize = 64;

/// All that the thread needs.
pub(crate) struct Setup {
    pub(crate) bounds: QueueBounds,
    pub(crate) batch_spans: usize,
    pub(crate) batch_delay: Duration,
    /// Whether spans wait for the end of their requests.
    pub(crate) per_request: Option<PerRequestExport>,
    pub(crate) concurrency: usize,
    /// For the body of one request.
    pub(crate) max_payload_bytes: Option<usize>,
    pub(crate) enrichers: SpanEnrichers,
    pub(crate) destinations: Destinations,
    pub(crate) encoder: BodyEncoder,
    pub(crate) courier: Courier,
    pub(crate) observer: Option<Observer>,
}

/// Starts the thread.
pub(crate) fn start(setup: Setup) -> io::Result<Delivery> {
    let (events, from_callers) = unbounded_channel();
    let (queue, queued) = unbounded_channel();
    let shared = Arc::new(Shared::new(
        Counters::new(setup.bounds),
        setup.batch_spans,
        setup.per_request.clone().map(Requests::new),
        events,
        queue,
    ));
    let worker = Worker::new(Arc::clone(&shared), setup, from_callers, queued);
    // The runtime is made on the thread: if the thread cannot be started, there is none that would
    // have to be dropped here, which a caller's runtime may forbid.
    let (started, start) = sync_channel(1);
    let thread = thread::Builder::new()
        .name(String::from("agentspan-export"))
        .spawn(move || match io_runtime(MAX_BLOCKING_THREADS) {
            Ok(runtime) => {
                let _ = started.send(Ok(()));
                run(runtime, worker);
            }
            Err(error) => {
                let _ = started.send(Err(error));
            }
        })?;
    start
        .recv()
        .unwrap_or_else(|_| Err(io::Error::other("the thread ended at its start")))?;
    shared.set_thread(thread);
    Ok(Delivery::new(shared))
}

fn run(runtime: Runtime, mut worker: Worker) {
    // Nothing that happens on this thread makes telemetry that would come back to it.
    let _suppressed = Context::enter_telemetry_suppressed_scope();
    let shared = Arc::clone(worker.shared());
    runtime.block_on(async {
        for _ in 0..MAX_PANICS {
            match contain::future(|| worker.run()).await {
                Ok(()) => break,
                Err(_) => log::worker_panicked(),
            }
        }
        worker.close().await;
    });
    drop(worker);
    // Does not wait for a lookup that hangs.
    runtime.shutdown_background();
    log::finished(&shared.counters.snapshot());
    shared.set_finished();
}
