//! The one pipeline behind both fronts, and the handle to it.

mod advice;
mod buffers;
mod caller_losses;
mod claim;
mod courier;
mod event;
mod flushes;
mod in_flight;
mod lanes;
mod ledger;
mod lineage;
mod load;
mod log;
mod outbox;
mod parent;
mod pass;
mod press;
mod queued_span;
mod reparent;
mod requests;
mod setup;
mod shared;
mod thread;
mod ticket;
mod token_source;
mod turn;
mod waits;
mod worker;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use agentspan_queue::PerProcess;
use opentelemetry_sdk::error::OTelSdkResult;

use crate::stats::DeliveryStats;

pub(crate) use self::courier::Courier;
pub(crate) use self::setup::{Observer, Recipe, Setup};
pub(crate) use self::shared::Shared;
use self::thread::prepare_child;

/// How long the spans that wait are still sent after everything was dropped without a shutdown.
const AFTER_DROP: Duration = Duration::from_secs(5);

/// The delivery of spans to Agent 365: a queue, and one thread that does all input and output.
///
/// The thread is named `agentspan-export`, is started by
/// [`DeliveryBuilder::build`](crate::DeliveryBuilder::build), and has a Tokio runtime of its own,
/// so that a program needs none. It ends, and is joined, when the last front is shut down or with
/// [`shutdown`](Self::shutdown). If everything is dropped without a shutdown, the thread still sends
/// queued spans for at most five seconds, and nobody waits for it.
///
/// After a fork without `exec`, the child's delivery starts empty and counts from zero, because the
/// parent sends the spans that were queued. The first span that the child hands over starts a thread
/// with connections of its own.
///
/// Clones are handles to the same delivery.
#[derive(Clone, Debug)]
pub struct Delivery {
    inner: Arc<Inner>,
}

/// Ends the thread when the last handle and the last front are gone.
struct Inner {
    process: PerProcess<Shared>,
    recipe: Box<Recipe>,
}

impl Delivery {
    /// Counts of the spans so far.
    #[must_use]
    pub fn stats(&self) -> DeliveryStats {
        self.shared().counters.snapshot()
    }

    /// The service's last remark, or its last message about spans that it rejected or did not route:
    /// see [`ServiceReason`](crate::service_reason::ServiceReason). The reports have all of its
    /// reasons.
    #[must_use]
    pub fn receiver_message(&self) -> Option<String> {
        self.shared().receiver_message()
    }

    /// The cause of the last loss, in one sentence. For spans that waited until the deadline of a
    /// shutdown, the sentence says what they waited for, such as a token that the identity provider
    /// refuses. `None` if no span was lost, or if the lost spans only waited for their turn. The text
    /// contains ids of tenants and agents, and no secret.
    #[must_use]
    pub fn last_failure(&self) -> Option<String> {
        self.shared().last_failure()
    }

    /// What the spans that have waited longest are waiting for: the token resolver, the service's
    /// answer, or the end of a pause after a failure. `None` if no span waits for any of these. The
    /// text contains ids of tenants and agents, and no secret.
    #[must_use]
    pub fn awaited(&self) -> Option<String> {
        self.shared().awaited()
    }

    /// Waits until all spans that were handed over before are delivered or dropped.
    ///
    /// Blocks the calling thread for at most `timeout`.
    ///
    /// # Errors
    ///
    /// `Timeout` if the time passed first: the spans stay queued. With a timeout of zero, the flush
    /// succeeds if nothing is queued. `InternalFailure` if spans were lost that no flush has reported,
    /// also before this call: it names the reasons, which [`stats`](Self::stats) and the reports
    /// explain. Spans that are not meant for Agent 365 are no loss. `InternalFailure`, too, on the
    /// delivery's own thread. `AlreadyShutdown` after a shutdown.
    pub fn flush(&self, timeout: Duration) -> OTelSdkResult {
        self.shared().flush(timeout)
    }

    /// Sends the queued spans, for at most `timeout`, ends the thread and waits for its end.
    ///
    /// All fronts are shut down, too. A second call does nothing. `shutdown(Duration::ZERO)` succeeds
    /// if nothing is queued.
    ///
    /// # Errors
    ///
    /// `Timeout` if the time passed first: spans that were not delivered by then are dropped and
    /// counted as [`ShutdownDeadline`](crate::DropReason::ShutdownDeadline), whatever the thread is
    /// doing. `InternalFailure` if spans were lost for other reasons that no flush has reported, in
    /// addition to the deadline if it passed, and on the delivery's own thread.
    pub fn shutdown(&self, timeout: Duration) -> OTelSdkResult {
        self.shared().stop(timeout)
    }

    /// Starts the thread.
    pub(crate) fn start(recipe: Box<Recipe>) -> io::Result<Self> {
        let process = PerProcess::new(thread::start(&recipe)?);
        Ok(Self {
            inner: Arc::new(Inner { process, recipe }),
        })
    }

    /// The state of this process.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        let Inner { process, recipe } = &*self.inner;
        process.get(|parent| prepare_child(parent, recipe))
    }

    /// The state of this process, if it has used the delivery.
    pub(crate) fn known_shared(&self) -> Option<&Arc<Shared>> {
        self.inner.process.known()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.process.fmt(f)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A child of a fork that did not use it has nothing to stop.
        if let Some(shared) = self.process.known() {
            shared.ask_to_stop(AFTER_DROP);
        }
    }
}
