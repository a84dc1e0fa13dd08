//! Captures logs, so that a test can check that a secret was not logged.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// The bytes that are kept of the logs; what comes after them is lost.
const KEPT_BYTES: usize = 64 * 1024 * 1024;

/// The text of everything that was logged through `tracing`, at every level.
///
/// [`on_this_thread`](Self::on_this_thread) captures the logs of one thread.
/// [`everywhere`](Self::everywhere) captures the logs of all threads of the process, also through
/// `log`, which HTTP and TLS libraries use. Use it to test that a secret is never logged.
///
/// ```
/// use agentspan_testkit::CapturedLogs;
///
/// let logs = CapturedLogs::everywhere();
/// tracing::trace!(status = 503, "export attempt failed");
/// assert!(logs.contains("status=503"));
/// assert!(!logs.contains("the token"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct CapturedLogs {
    text: Arc<Mutex<Vec<u8>>>,
}

impl CapturedLogs {
    /// Captures the logs of this thread until the guard is dropped.
    #[must_use]
    pub fn on_this_thread() -> (Self, DefaultGuard) {
        let logs = Self::default();
        let guard = tracing::subscriber::set_default(logs.subscriber());
        (logs, guard)
    }

    /// Captures the logs of the whole process, from the first call on.
    ///
    /// All callers in a process share one text, so each test must search for its own unique secrets
    /// and marks.
    ///
    /// # Panics
    ///
    /// If other code has set the process's subscriber or logger.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a test that captures nothing must not pass"
    )]
    pub fn everywhere() -> Self {
        static EVERYWHERE: OnceLock<CapturedLogs> = OnceLock::new();
        let logs = EVERYWHERE.get_or_init(|| {
            let logs = Self::default();
            tracing::subscriber::set_global_default(logs.subscriber())
                .expect("no other subscriber in this process");
            tracing_log::LogTracer::init().expect("no other logger in this process");
            logs
        });
        logs.clone()
    }

    /// All logs so far, one line per record.
    #[must_use]
    pub fn text(&self) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Whether `part` occurs in the logs.
    #[must_use]
    pub fn contains(&self, part: &str) -> bool {
        self.text().contains(part)
    }

    /// The number of lines with `part`.
    #[must_use]
    pub fn count(&self, part: &str) -> usize {
        let text = self.text();
        text.lines().filter(|line| line.contains(part)).count()
    }

    fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish()
    }
}

/// Appends to the text that the tests read.
impl io::Write for CapturedLogs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        if text.len() + bytes.len() <= KEPT_BYTES {
            text.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for CapturedLogs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
