//! What a program sees of an overload: running counts, and lines in its log.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use agentspan::Telemetry;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber, span};

/// How long the delivery waits for a batch to fill, by default.
pub(super) const BATCH_DELAY: Duration = Duration::from_secs(5);

/// Looks at the running counts.
#[derive(Debug, Default)]
pub(super) struct Watch {
    wrong: Cell<u64>,
}

impl Watch {
    /// Counts adds up if every span that was accepted is somewhere.
    pub(super) fn look(&self, telemetry: &Telemetry) {
        if let Some(stats) = telemetry.agent365_stats()
            && stats.accepted != stats.exported + stats.dropped() + stats.queued
        {
            self.wrong.set(self.wrong.get() + 1);
        }
    }

    pub(super) fn miscounted(&self) -> u64 {
        self.wrong.get()
    }
}

/// Counts lines of the levels that programs show by default.
#[derive(Clone, Debug, Default)]
pub(super) struct LogLines(Arc<AtomicU64>);

impl LogLines {
    /// Counts those of the whole process from now on.
    pub(super) fn install() -> Self {
        let lines = Self::default();
        // A program of this row is a process of its own, and nobody else has installed one.
        let _ = tracing::subscriber::set_global_default(lines.clone());
        lines
    }

    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Subscriber for LogLines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &Event<'_>) {
        // Nothing is read through this number.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
