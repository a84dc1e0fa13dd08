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
/// [`shutdown`](Self::shutdown). When everything is dropped without a shutdown, what waits is still
/// sent for at most five seconds, without anybody waiting for it.
///
/// After a fork without `exec` the child's delivery starts empty and counts from zero: what was queued is the
/// parent's to send. The first span that the child hands over starts a thread of its own, with connections of
/// its own.
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

    /// The service's last message about spans that it rejected or did not route, or as a remark:
    /// see [`ServiceReason`](crate::service_reason::ServiceReason). The reports have all of its
    /// reasons.
    #[must_use]
    pub fn receiver_message(&self) -> Option<String> {
        self.shared().receiver_message()
    }

    /// Why spans were lost last, in one sentence: of spans that waited until the deadline of a
    /// shutdown, what they waited for, such as a token that the identity provider refuses. `None`
    /// while nothing is lost, and if spans that were lost waited for nothing but their turn. It
    /// holds ids of tenants and agents, and no secret.
    #[must_use]
    pub fn last_failure(&self) -> Option<String> {
        self.shared().last_failure()
    }

    /// What spans wait for just now, for the longest time: the answer of the token resolver, that of the
    /// service to a try, or the end of a pause after a failure. `None` if there is nothing of these. It
    /// holds ids of tenants and agents, and no secret.
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
    /// `Timeout` when the time passed first: the spans stay where they are. With no time at all, it
    /// succeeds if nothing is queued. `InternalFailure` when
    /// spans were lost of which no flush has told yet, be it before the call: it names the reasons,
    /// which [`stats`](Self::stats) and the reports explain. Spans that are not meant for Agent 365 are
    /// no loss. `InternalFailure`, too, when it is called on the delivery's own thread.
    /// `AlreadyShutdown` after a shutdown.
    pub fn flush(&self, timeout: Duration) -> OTelSdkResult {
        self.shared().flush(timeout)
    }

    /// Sends what waits, for at most `timeout`, ends the thread and waits for its end.
    ///
    /// All fronts are shut down with it. A second call does nothing more.
    ///
    /// # Errors
    ///
    /// `Timeout` when the time passed first: what was not delivered by then is dropped and counted as
    /// [`ShutdownDeadline`](crate::DropReason::ShutdownDeadline), whatever the thread is busy with.
    /// `InternalFailure` when spans were lost for other reasons of which no flush has told yet, the deadline
    /// beside them if it passed, and when it is called on the delivery's own thread.
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
