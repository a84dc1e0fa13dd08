//! Baggage of one request: what every span of the request is to carry.

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
/// It is added to the baggage of a context: on this thread until a guard is dropped
/// ([`enter`](Self::enter)), for a closure ([`in_baggage`](Self::in_baggage)), for a future
/// ([`ScopeFutureExt::with_baggage`](crate::ScopeFutureExt::with_baggage)) or in a context that is
/// handed on ([`to_context`](Self::to_context)). Cheap to clone.
///
/// # Limits
///
/// OpenTelemetry keeps 64 entries of 8192 bytes together, with keys that are tokens of HTTP. What
/// does not fit is left out, logged once per call with its number, and counted, see
/// [`dropped_baggage_entries`]. Entries set here go before those that the context had, so that a
/// caller with much baggage of its own cannot push them out.
#[derive(Clone)]
pub struct RequestBaggage {
    pairs: Arc<[(Key, StringValue)]>,
    /// The keys that become attributes beside those of the profile.
    custom: Arc<[Key]>,
    /// For the spans of the request.
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

    /// The pairs that were set, in the order in which their keys were set first.
    #[must_use]
    pub fn pairs(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// The keys that become attributes of spans beside those of the profile, see
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

    /// Runs `work` with the baggage added.
    pub fn in_baggage<T>(&self, work: impl FnOnce() -> T) -> T {
        let _request = self.enter();
        work()
    }

    /// `context` with the baggage added; a key that it has already gets the new value.
    ///
    /// What is added can be of another request than `context`. If it names another tenant, or both
    /// the tenant and another agent, nothing stays of the baggage of `context`, and no token that
    /// was entered there: enter the token after the baggage. If it names another agent only, the
    /// baggage that describes the agent goes (its name, blueprint, user and so on), and the
    /// request's stays, such as the conversation.
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

/// Shows the keys. Values may name people.
impl Debug for RequestBaggage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.pairs.iter().map(|(key, _)| key.as_str()))
            .finish()
    }
}

/// The baggage of a request is there on this thread as long as this lives, see
/// [`RequestBaggage::enter`].
#[derive(Debug)]
#[expect(dead_code, reason = "the guard is kept for its drop")]
#[must_use = "the baggage is there until the guard is dropped"]
pub struct ActiveBaggage(Option<ThreadBound<ContextGuard>>);

/// Counts entries that did not fit, and says so once for all of them.
pub(crate) fn count_dropped_entries(dropped: u64) {
    if dropped == 0 {
        return;
    }
    // Relaxed: the count guards no other memory.
    DROPPED.fetch_add(dropped, Ordering::Relaxed);
    contain::log(|| {
        tracing::error!(
            target: "agentspan::otel::baggage",
            dropped,
            "baggage entries left out: the limits are 64 entries, 8192 bytes, and keys that are tokens"
        );
    });
}

/// Counts entries of a header that others sent, and says so once: whoever sends them could fill the
/// log.
pub(crate) fn count_dropped_of_header(dropped: u64) {
    static WAS_TOLD: AtomicBool = AtomicBool::new(false);
    if dropped == 0 {
        return;
    }
    // Relaxed: see `count_dropped_entries`.
    DROPPED.fetch_add(dropped, Ordering::Relaxed);
    // Relaxed: one of the threads finds that nobody was told.
    if WAS_TOLD.swap(true, Ordering::Relaxed) {
        return;
    }
    contain::log(|| {
        tracing::warn!(
            target: "agentspan::otel::baggage",
            dropped,
            "entries of a request's baggage header cannot be read, or are too many, and are left out; \
             further ones are only counted"
        );
    });
}

/// How many entries this process left out because they did not fit, see [`RequestBaggage`] and
/// [`Propagation`](crate::Propagation).
#[must_use]
pub fn dropped_baggage_entries() -> u64 {
    // Relaxed: see where it is counted.
    DROPPED.load(Ordering::Relaxed)
}
