//! The baggage of a request: values for all of its spans.

mod builder;
mod custom_key;
mod entering;
mod local_identity;
mod meeting;
mod processor;
mod ready;
mod scope_identity;
mod text;

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use agentspan_queue::contain::{self, ThreadBound};
use opentelemetry::{Context, ContextGuard, Key, StringValue};

pub use self::builder::BaggageBuilder;
pub use self::custom_key::CustomKeyError;
pub(crate) use self::entering::{CurrentTrace, request_of, with_news};
use self::local_identity::LocalIdentity;
use self::meeting::with_local_baggage;
pub(crate) use self::meeting::with_merged_baggage;
pub use self::processor::{BaggageSpanProcessor, LastProcessor};
use self::ready::Ready;
pub(crate) use self::scope_identity::ScopeIdentity;
pub use self::text::BaggageText;

static DROPPED: AtomicU64 = AtomicU64::new(0);

/// The baggage of one request, made by [`BaggageBuilder`].
///
/// There are four ways to add it to a context: on this thread until a guard is dropped
/// ([`enter`](Self::enter)), for a closure ([`in_baggage`](Self::in_baggage)), for a future
/// ([`ScopeFutureExt::with_baggage`](crate::ScopeFutureExt::with_baggage)), or as a new context
/// ([`to_context`](Self::to_context)). It is cheap to clone.
///
/// # Limits
///
/// OpenTelemetry keeps at most 64 entries with 8192 bytes in total, whose keys are HTTP tokens.
/// Entries that do not fit are left out, logged once per call with their number, and counted
/// ([`dropped_baggage_entries`]). Entries set here take precedence over entries of the context, so
/// that a caller with much baggage cannot push them out.
#[derive(Clone)]
pub struct RequestBaggage {
    pairs: Arc<[(Key, StringValue)]>,
    /// The keys that become attributes in addition to the keys of the profile.
    custom: Arc<[Key]>,
    /// The attributes for the spans of the request, made once.
    ready: Arc<Ready>,
}

impl RequestBaggage {
    fn new(pairs: Vec<(Key, StringValue)>, custom: Vec<Key>) -> Self {
        Self {
            pairs: Arc::from(pairs),
            custom: Arc::from(custom),
            ready: Arc::default(),
        }
    }

    /// The pairs, in the order in which their keys were first set.
    #[must_use]
    pub fn pairs(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// The keys that become attributes of spans in addition to the keys of the profile, see
    /// [`BaggageBuilder::with_custom_attribute`].
    #[must_use]
    pub fn custom_keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.custom.iter().map(Key::as_str)
    }

    /// Adds the baggage to the current context of this thread until the guard is dropped.
    ///
    /// ```
    /// use agentspan_otel::BaggageBuilder;
    ///
    /// let baggage = BaggageBuilder::new().with_tenant_id("tenant-1").with_agent_id("agent-1").build();
    /// let _request = baggage.enter();
    /// // Spans that are started here belong to this tenant and agent.
    /// ```
    #[must_use = "the baggage is there until the guard is dropped"]
    pub fn enter(&self) -> ActiveBaggage {
        // Not while the current context is borrowed: what does not fit is logged.
        let attach = || self.to_context(&Context::current()).attach();
        ActiveBaggage(ThreadBound::make(attach).ok())
    }

    /// Runs `work` with the baggage added to the current context.
    pub fn in_baggage<T>(&self, work: impl FnOnce() -> T) -> T {
        let _request = self.enter();
        work()
    }

    /// Returns `context` with the baggage added. A key that the context already has gets the new
    /// value.
    ///
    /// The baggage may belong to another request than `context`. If it names another tenant, or
    /// both the tenant and another agent, it replaces the whole baggage of `context`, and the token
    /// that was entered there: enter the token after the baggage. If it only names another agent,
    /// it replaces the entries that describe the agent (name, blueprint, user and so on), and keeps
    /// the entries of the request, such as the conversation.
    #[must_use]
    pub fn to_context(&self, context: &Context) -> Context {
        if self.pairs.is_empty() {
            return context.clone();
        }
        match with_local_baggage(context, &self.pairs, &self.custom) {
            (context, true) => self.ready.add_to(&context),
            (context, false) => context,
        }
    }
}

impl PartialEq for RequestBaggage {
    fn eq(&self, other: &Self) -> bool {
        self.pairs == other.pairs && self.custom == other.custom
    }
}

impl Eq for RequestBaggage {}

/// Shows only the keys, because values may name people.
impl Debug for RequestBaggage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.pairs.iter().map(|(key, _)| key.as_str()))
            .finish()
    }
}

/// Keeps the baggage of a request current on this thread until it is dropped, see
/// [`RequestBaggage::enter`].
#[derive(Debug)]
#[expect(dead_code, reason = "the guard is kept for its drop")]
#[must_use = "the baggage is there until the guard is dropped"]
pub struct ActiveBaggage(Option<ThreadBound<ContextGuard>>);

/// Counts entries that did not fit. Logs once per process: callers send some of them, and cannot fill the log.
pub(crate) fn count_dropped_entries(dropped: u64) {
    static WAS_TOLD: AtomicBool = AtomicBool::new(false);
    if is_first_drop(dropped, &WAS_TOLD) {
        contain::log(|| {
            tracing::error!(
                target: "agentspan::otel::baggage",
                dropped,
                "baggage entries left out: the limits are 64 entries, 8192 bytes, and keys that are tokens; \
                 further ones are only counted"
            );
        });
    }
}

/// Counts entries of a caller's header that did not fit. Logs once per process.
pub(crate) fn count_dropped_of_header(dropped: u64) {
    static WAS_TOLD: AtomicBool = AtomicBool::new(false);
    if is_first_drop(dropped, &WAS_TOLD) {
        contain::log(|| {
            tracing::warn!(
                target: "agentspan::otel::baggage",
                dropped,
                "entries of a request's baggage header cannot be read, or are too many, and are left out; \
                 further ones are only counted"
            );
        });
    }
}

/// Counts entries, and says whether they are the first that `was_told` hears of.
fn is_first_drop(dropped: u64, was_told: &AtomicBool) -> bool {
    // Relaxed: the count guards no other memory, and one of the threads finds that nobody was told.
    DROPPED.fetch_add(dropped, Ordering::Relaxed);
    dropped > 0 && !was_told.swap(true, Ordering::Relaxed)
}

/// The number of entries that this process left out because they did not fit, see
/// [`RequestBaggage`] and [`Propagation`](crate::Propagation).
#[must_use]
pub fn dropped_baggage_entries() -> u64 {
    // Relaxed: see where it is counted.
    DROPPED.load(Ordering::Relaxed)
}
