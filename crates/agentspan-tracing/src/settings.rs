//! The settings of the layer.

use std::fmt;
use std::sync::Arc;

use tracing::Metadata;
use tracing_subscriber::filter::LevelFilter;

use crate::choice::Choice;

/// The `tracing` data to capture.
///
/// By default, the layer captures GenAI spans and the spans around them. A GenAI span has a field
/// of the GenAI conventions, of OpenInference or of OpenLLMetry, at any level. A span around it has
/// the level `INFO` or above, and has a GenAI span, a scope, an Agent Spec span or another
/// OpenTelemetry span below it.
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

    /// Settings that capture nothing.
    pub fn nothing() -> Self {
        Self {
            choice: Choice::Nothing,
            events: LevelFilter::OFF,
            has_noise: false,
        }
    }

    /// Captures all spans of all levels that reach the layer. To select spans, use `with_filter` of
    /// `tracing-subscriber`.
    pub fn with_all_spans(mut self) -> Self {
        self.choice = Choice::All;
        self
    }

    /// Captures exactly the spans for which `choice` returns true, independent of the spans below
    /// them.
    ///
    /// `choice` runs when a span is created, on the creating thread. A panic of `choice` is caught,
    /// and counts as false.
    pub fn with_spans(
        mut self,
        choice: impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.choice = Choice::Own(Arc::new(choice));
        self
    }

    /// Sets which log records inside a captured span become events of the span. The default is
    /// `WARN` and above.
    ///
    /// A log record may hold contents: rig writes whole prompts at `TRACE`. The texts are masked
    /// for each destination that does not show contents, and are removed for Agent 365.
    pub fn with_events(mut self, least: LevelFilter) -> Self {
        self.events = least;
        self
    }

    /// Records on each span the source location and the thread that created it, its target, and its
    /// busy and idle times. By default, spans have none of these.
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
