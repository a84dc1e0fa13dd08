//! Selects the spans and log records for the layer.

use std::fmt;
use std::sync::Arc;

use agentspan_model::keys;
use agentspan_queue::contain;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Filter};

use crate::settings::TracingSettings;

/// Spans of other levels are captured only if they are of an agent.
const LEAST_LEVEL: Level = Level::INFO;

/// Which spans are captured.
#[derive(Clone)]
pub(crate) enum Choice {
    GenAi,
    All,
    Own(Arc<dyn Fn(&Metadata<'_>) -> bool + Send + Sync>),
    Nothing,
}

impl Choice {
    /// Whether a span is exported only if one of an agent is below it.
    pub(crate) fn may_be_ancestor(&self, span: &Metadata<'_>) -> bool {
        matches!(self, Self::GenAi) && !is_of_agent(span)
    }

    fn takes(&self, span: &Metadata<'_>) -> bool {
        match self {
            Self::GenAi => *span.level() <= LEAST_LEVEL || is_of_agent(span),
            Self::All => true,
            Self::Own(choice) => contain::call(|| choice(span)).unwrap_or(false),
            Self::Nothing => false,
        }
    }
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GenAi => "GenAi",
            Self::All => "All",
            Self::Own(_) => "Own(..)",
            Self::Nothing => "Nothing",
        })
    }
}

/// Whether a span has a field by which some convention says that it is one of an agent.
///
/// Which fields a span can have is known from its call site, also if they are empty yet.
fn is_of_agent(span: &Metadata<'_>) -> bool {
    let mut fields = span.fields().iter();
    fields.any(|field| keys::is_of_agent_convention(field.name()))
}

/// The spans and events that the layer hears of.
#[derive(Clone, Debug)]
pub(crate) struct SpanFilter {
    choice: Choice,
    events: LevelFilter,
}

impl SpanFilter {
    pub(crate) fn new(settings: TracingSettings) -> Self {
        Self {
            choice: settings.choice(),
            events: settings.events(),
        }
    }

    fn takes(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            self.choice.takes(metadata)
        } else {
            *metadata.level() <= self.events
        }
    }
}

impl<S> Filter<S> for SpanFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _context: &Context<'_, S>) -> bool {
        self.takes(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_span() && matches!(self.choice, Choice::Own(_)) {
            return Interest::sometimes();
        }
        if self.takes(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }
}

/// Keeps everything from a layer.
///
/// It gives no hint of a level: the layers of a pair do not agree on whose hint is the pair's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nothing;

impl<S> Filter<S> for Nothing {
    fn enabled(&self, _metadata: &Metadata<'_>, _context: &Context<'_, S>) -> bool {
        false
    }

    fn callsite_enabled(&self, _metadata: &'static Metadata<'static>) -> Interest {
        Interest::never()
    }
}
