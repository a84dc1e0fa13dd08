//! The layer for agents that emit `tracing` spans.

use agentspan_tracing::TracingSettings;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::Telemetry;

impl Telemetry {
    /// A layer for `tracing-subscriber` that captures agents whose framework emits `tracing` spans with GenAI fields,
    /// such as rig and `genai`, unchanged.
    ///
    /// It captures the spans of agents and the spans around them, see [`TracingSettings`]. They
    /// nest with scopes and Agent Spec spans in any order. Their tenant and agent come from the
    /// enclosing scope, from baggage, or from
    /// [`Configuration::with_identity`](crate::Configuration::with_identity). Each destination gets
    /// the spans in its own vocabulary, with contents masked unless
    /// [`Destination::with_disclosure`](crate::Destination::with_disclosure) allows them.
    ///
    /// The layer needs the telemetry, so `install` runs before there is a subscriber. Warnings of
    /// `install` that nobody heard are logged again with the first span that ends, or at the
    /// shutdown.
    ///
    /// Put a filter such as `EnvFilter` on the layer of your log, and not on the registry. There, it
    /// filters this layer, too: without `RUST_LOG`, it lets only errors pass, and no span is captured.
    ///
    /// ```
    /// use agentspan::model::agent365::Identity;
    /// use tracing_subscriber::filter::LevelFilter;
    /// use tracing_subscriber::fmt;
    /// use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
    /// use tracing_subscriber::util::SubscriberInitExt as _;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let telemetry = agentspan::configure()
    ///     .with_identity(Identity::parse("tenant-1", "agent-1")?)
    ///     .install()?;
    /// tracing_subscriber::registry()
    ///     .with(fmt::layer().with_filter(LevelFilter::WARN)) // your log
    ///     .with(telemetry.tracing_layer())
    ///     .init();
    /// // … an agent of rig, as it is.
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "a layer does nothing until it is part of a subscriber"]
    pub fn tracing_layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        self.tracing_layer_with(TracingSettings::new())
    }

    /// Like [`tracing_layer`](Self::tracing_layer), with settings.
    #[must_use = "a layer does nothing until it is part of a subscriber"]
    pub fn tracing_layer_with<S>(
        &self,
        settings: TracingSettings,
    ) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let settings = if self.pipeline.is_disabled() {
            TracingSettings::nothing()
        } else {
            settings
        };
        agentspan_tracing::layer(self.pipeline.provider(), settings)
    }
}
