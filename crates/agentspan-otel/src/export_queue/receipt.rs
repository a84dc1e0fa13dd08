//! A receiver's answer to a batch, or why there is none.

use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Poll, Waker};

use agentspan_model::received::Withheld;
use agentspan_queue::{PerProcess, lock};

/// How many characters of a receiver's message are kept.
const MAX_MESSAGE: usize = 200;

/// What the result of an export cannot express: how many spans of an accepted batch the receiver
/// rejected, why, and whether its answer was read to the end; and why a batch failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    rejected: u64,
    message: Option<String>,
    failure: Option<String>,
    is_confirmed: bool,
}

impl Receipt {
    /// The receiver's whole answer was read.
    #[must_use]
    pub fn confirmed() -> Self {
        Self {
            rejected: 0,
            message: None,
            failure: None,
            is_confirmed: true,
        }
    }

    /// The head of the answer says that the receiver accepted the batch. The rest, which may reject
    /// single spans, was cut off, late or not understood.
    #[must_use]
    pub fn unconfirmed() -> Self {
        Self {
            is_confirmed: false,
            ..Self::confirmed()
        }
    }

    /// Sets how many spans of the batch the receiver rejected. A retry cannot help.
    #[must_use]
    pub fn with_rejected(mut self, spans: u64) -> Self {
        self.rejected = spans;
        self
    }

    /// Sets the receiver's message: why it rejected spans or refused the batch, or a warning. The
    /// message is escaped and cut to 200 characters. An empty text is no message.
    ///
    /// A receiver may repeat the request: see
    /// [`with_message_withholding`](Self::with_message_withholding).
    #[must_use]
    pub fn with_message(self, text: &str) -> Self {
        self.with_message_withholding(text, &Withheld::new())
    }

    /// Like [`with_message`](Self::with_message), but removes the parts that repeat `withheld`
    /// texts, such as the keys in the headers of the request.
    #[must_use]
    pub fn with_message_withholding(mut self, text: &str, withheld: &Withheld<'_>) -> Self {
        let shown = withheld.show(text, MAX_MESSAGE);
        self.message = Some(shown).filter(|text| !text.is_empty());
        self
    }

    /// Sets why the batch failed, in the exporter's own words: the report shows them. They must
    /// hold no secret and no text from elsewhere. The text is escaped and cut to 200 characters.
    #[must_use]
    pub fn with_failure(mut self, text: &str) -> Self {
        let shown = Withheld::new().show(text, MAX_MESSAGE);
        self.failure = Some(shown).filter(|text| !text.is_empty());
        self
    }

    /// The number of rejected spans in the batch.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// The receiver's message, escaped and cut.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Why the batch failed, escaped and cut.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Whether the whole answer was read.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }
}

/// Passes [`Receipt`]s from an exporter to the [`ExportQueue`](crate::ExportQueue) in front of it.
///
/// The exporter keeps one, and
/// [`with_receipts`](crate::export_queue::ExportQueueBuilder::with_receipts) gives the queue a
/// clone. Wrappers between the two need not be aware of it.
#[derive(Clone, Debug, Default)]
pub struct Receipts {
    desk: Arc<PerProcess<Desk>>,
    name: Arc<OnceLock<Arc<str>>>,
}

/// What passes between an exporter and its queue.
#[derive(Debug, Default)]
struct Desk {
    put: Mutex<Option<Receipt>>,
    hurry: Mutex<Hurry>,
}

/// The flushes and the shutdowns so far, and the task of the exporter that waits for the next.
#[derive(Debug, Default)]
struct Hurry {
    calls: u64,
    waiting: Option<Waker>,
}

impl Receipts {
    /// Creates one without a receipt.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The name of the queue, for the log; empty until the queue is built.
    #[must_use]
    pub fn queue_name(&self) -> &str {
        self.name.get().map_or("", |name| name)
    }

    /// The first queue counts.
    pub(super) fn set_queue_name(&self, name: &Arc<str>) {
        self.name.get_or_init(|| Arc::clone(name));
    }

    /// Sets the receipt of a batch, before its export returns; the last one counts. If the export
    /// returns an error, only the message and the failure of the receipt are used. An exporter that
    /// tries again puts one after each failed try: a shutdown that does not wait any longer takes
    /// the failure from it.
    pub fn put(&self, receipt: Receipt) {
        *lock(&self.desk().put) = Some(receipt);
    }

    /// The receipt that was put since the last call, or else what `Ok` means alone.
    pub(super) fn take(&self) -> Receipt {
        let put = lock(&self.desk().put).take();
        put.unwrap_or_else(Receipt::confirmed)
    }

    /// Why the batch in flight has failed so far.
    pub(super) fn failure(&self) -> Option<String> {
        lock(&self.desk().put).as_ref()?.failure.clone()
    }

    /// Whether the receiver said something about the batch in flight.
    pub(super) fn has_message(&self) -> bool {
        let put = lock(&self.desk().put);
        put.as_ref()
            .is_some_and(|receipt| receipt.message.is_some())
    }

    /// Completes once a flush or a shutdown of the queue begins, from this call on. An exporter that
    /// pauses before its next try ends the pause then, unless the receiver asked for it.
    pub fn hurried(&self) -> impl Future<Output = ()> + Send + '_ {
        let seen = lock(&self.desk().hurry).calls;
        poll_fn(move |task| {
            let mut hurry = lock(&self.desk().hurry);
            if hurry.calls != seen {
                return Poll::Ready(());
            }
            hurry.waiting = Some(task.waker().clone());
            Poll::Pending
        })
    }

    /// A flush or a shutdown begins.
    pub(super) fn hurry(&self) {
        let mut hurry = lock(&self.desk().hurry);
        hurry.calls = hurry.calls.wrapping_add(1);
        let waiting = hurry.waiting.take();
        drop(hurry);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    fn desk(&self) -> &Desk {
        self.desk.get(|_| Desk::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_escaped_and_cut() {
        let shown = |text: &str| {
            let receipt = Receipt::confirmed().with_message(text);
            receipt.message().map(str::to_owned)
        };
        assert_eq!(shown(""), None);
        assert_eq!(shown("too old").unwrap(), "too old");
        assert_eq!(
            shown("a\n\u{1b}[2J\u{202e}b").unwrap(),
            "a\\n\\u{1b}[2J\\u{202e}b"
        );
        assert_eq!(shown(&"ä".repeat(200)).unwrap(), "ä".repeat(200));
        assert_eq!(shown(&"ä".repeat(1_000)).unwrap(), "ä".repeat(200) + "…");
        assert_eq!(shown(&"\n".repeat(1_000)).unwrap(), "\\n".repeat(100) + "…");
    }

    #[test]
    fn t11_a_message_repeats_nothing_that_is_withheld() {
        let withheld = Withheld::new().with_secret(b"s3cret");
        let receipt = Receipt::confirmed().with_message_withholding("no S3cret!", &withheld);
        assert_eq!(receipt.message(), Some("no …!"));
    }
}
