//! Headers that cannot be read: counted, and said once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use agentspan_queue::contain;

/// The count of the headers that a layer could not read. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Malformed(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    count: AtomicU64,
    trace_was_told: AtomicBool,
    identity_was_told: AtomicBool,
}

/// Which header it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// `traceparent`.
    Trace,
    /// The header of a tenant or an agent.
    Identity,
}

impl Malformed {
    /// Counts a header, of which `name` is no secret. The value is what somebody sent: it is not
    /// shown.
    pub(crate) fn add(&self, header: Header, name: &str) {
        // Relaxed: the count guards no other memory.
        self.0.count.fetch_add(1, Ordering::Relaxed);
        let was_told = match header {
            Header::Trace => &self.0.trace_was_told,
            Header::Identity => &self.0.identity_was_told,
        };
        // Relaxed: one of the threads finds that nobody was told.
        if was_told.swap(true, Ordering::Relaxed) {
            return;
        }
        contain::log(|| match header {
            Header::Trace => tracing::warn!(
                target: "agentspan::tower",
                header = name,
                "a request's trace header cannot be read: its spans are in a trace of their own; \
                 further ones are only counted"
            ),
            Header::Identity => tracing::warn!(
                target: "agentspan::tower",
                header = name,
                "a request's identity header cannot be read: its spans are refused at delivery; \
                 further ones are only counted"
            ),
        });
    }

    pub(crate) fn count(&self) -> u64 {
        // Relaxed: see where it is counted.
        self.0.count.load(Ordering::Relaxed)
    }
}
