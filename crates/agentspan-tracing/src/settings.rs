//! What of `tracing` is captured.

use std::fmt;
use std::sync::Arc;

use tracing::Metadata;
use tracing_subscriber::filter::LevelFilter;

use crate::choice::Choice;

/// The `tracing` data to capture.
///
/// The default is GenAI spans and the spans around them: a span with a field of the GenAI conventions, of
/// OpenInference or of OpenLLMetry, of any level, and every span of level `INFO` and above that has such a span,
/// a scope, an Agent Spec span or another span of OpenTelemetry below it.
///
/// ```
/// use agentspan_tracing::TracingSettings;
/// use tracing_subscriber::filter::LevelFilter;
///
/// let settings = TracingSettings::new()
///     .with_all_spans()
///     .with_events(LevelFilter::INFO);
/// # drop(settings);
/// ```
#[derive(Clone)]
#[must_use = "settings do nothing until a layer is made of them"]
pub struct TracingSettings {
    choice: Choice,
    events: LevelFilter,
    has_noise: bool,
}

impl TracingSettings {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            choice: Choice::GenAi,
            events: LevelFilter::WARN,
            has_noise: false,
        }
    }

    /// Settings with which nothing is captured.
    pub fn nothing() -> Self {
        Self {
            choice: Choice::Nothing,
            events: LevelFilter::OFF,
            has_noise: false,
        }
    }

    /// Captures all spans of all levels that reach the layer. `with_filter` of `tracing-subscriber` narrows it.
    pub fn with_all_spans(mut self) -> Self {
        self.choice = Choice::All;
        self
    }

    /// Captures the spans for which `choice` is true, whatever is below them, and no others.
    ///
    /// It is asked for each span when it is created, on the thread that creates it. A panic of `choice` is
    /// contained, and counts as false.
    pub fn with_spans(
        mut self,
        choice: impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.choice = Choice::Own(Arc::new(choice));
        self
    }

    /// Sets which log records inside of a captured span become events of it. The default is `WARN` and above.
    ///
    /// A log record may hold anything: rig writes whole prompts at `TRACE`. Their texts are masked for each
    /// destination that does not show contents, and left out for Agent 365.
    pub fn with_events(mut self, least: LevelFilter) -> Self {
        self.events = least;
        self
    }

    /// Sets on each span where in the source and on which thread it was created, its target, and for how long it
    /// was busy and idle. The default is that spans have none of these.
    pub fn with_source_locations(mut self) -> Self {
        self.has_noise = true;
        self
    }

    pub(crate) fn has_noise(&self) -> bool {
        self.has_noise
    }

    pub(crate) fn choice(&self) -> Choice {
        self.choice.clone()
    }

    pub(crate) fn events(&self) -> LevelFilter {
        self.events
    }
}

impl Default for TracingSettings {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TracingSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracingSettings")
            .field("choice", &self.choice)
            .field("events", &self.events)
            .field("has_noise", &self.has_noise)
            .finish()
    }
}
