//! Attributes that are added to finished spans, or taken from them, before they are sent.

use std::fmt;
use std::sync::Arc;

use agentspan_model::keys;
use agentspan_model::mapping::normal::Usage;
use agentspan_queue::contain::{self, Foreign, Panicked};
use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use crate::attributes::Keys;
use crate::price;

/// The changes that an enricher makes to a span's attributes.
///
/// Attributes are set first and removed afterwards, as in the enriched span of
/// `microsoft-agents-a365-observability-core` 2.0.0.
///
/// ```
/// use agentspan_record::Enrichment;
/// use opentelemetry::KeyValue;
///
/// let enrichment = Enrichment::none()
///     .with_attribute(KeyValue::new("team", "weather"))
///     .without_attribute("internal.note");
/// assert_ne!(enrichment, Enrichment::none());
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Enrichment {
    set: Vec<KeyValue>,
    removed: Vec<Key>,
}

/// Shows the keys and no values.
impl fmt::Debug for Enrichment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrichment")
            .field("set", &Keys(&self.set))
            .field("removed", &self.removed)
            .finish()
    }
}

type Enricher = Arc<dyn Fn(&SpanData) -> Enrichment + Send + Sync>;

/// The enrichers of finished spans, which run before a span is sent.
///
/// They run on the thread that exports, once for each span.
#[derive(Clone, Default)]
#[must_use = "it changes nothing by itself"]
pub struct SpanEnrichers {
    /// With the method that added each.
    enrichers: Vec<(&'static str, Foreign<Enricher>)>,
    suppresses_invoke_agent_input: bool,
}

/// The operation, and the beginning of the name, of a span of an invoked agent.
const INVOKE_AGENT: &str = "invoke_agent";

impl Enrichment {
    /// Changes nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Sets an attribute. If the span already has the key, the attribute keeps its place and gets the new
    /// value.
    #[must_use]
    pub fn with_attribute(mut self, attribute: KeyValue) -> Self {
        self.set.push(attribute);
        self
    }

    /// Leaves an attribute out.
    #[must_use]
    pub fn without_attribute(mut self, key: impl Into<Key>) -> Self {
        self.removed.push(key.into());
        self
    }

    fn apply(self, attributes: &mut Vec<KeyValue>) {
        for attribute in self.set {
            // The last one of a key counts.
            let mut present = attributes.iter_mut().rev();
            match present.find(|present| present.key == attribute.key) {
                Some(present) => present.value = attribute.value,
                None => attributes.push(attribute),
            }
        }
        if !self.removed.is_empty() {
            attributes.retain(|attribute| !self.removed.contains(&attribute.key));
        }
    }
}

impl SpanEnrichers {
    /// Changes nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Calls `enricher` for each span, after the enrichers that were added before. Each sees the changes
    /// of the previous ones. If it panics, the panic is logged, and the span stays as it was.
    pub fn with_span_enricher(
        self,
        enricher: impl Fn(&SpanData) -> Enrichment + Send + Sync + 'static,
    ) -> Self {
        self.with("with_span_enricher", enricher)
    }

    fn with(
        mut self,
        setting: &'static str,
        enricher: impl Fn(&SpanData) -> Enrichment + Send + Sync + 'static,
    ) -> Self {
        let enricher: Enricher = Arc::new(enricher);
        self.enrichers.push((setting, Foreign::new(enricher)));
        self
    }

    /// Adds the cost of model calls: `gen_ai.usage.cost`, or `llm.cost.total` in OpenInference, as a
    /// number.
    ///
    /// `price` gets the tokens of a call and the model that answered, and returns the cost, usually in US
    /// dollars, or `None` for an unknown model. Spans that repeat the sum of their calls get no cost.
    pub fn with_price(
        self,
        price: impl Fn(&Usage, &str) -> Option<f64> + Send + Sync + 'static,
    ) -> Self {
        self.with("with_price", move |span| price::enrichment(span, &price))
    }

    /// Leaves the input messages out of the spans of invoked agents, after the enrichers.
    pub fn without_invoke_agent_input(mut self) -> Self {
        self.suppresses_invoke_agent_input = true;
        self
    }

    /// Changes `spans`, and gives the number of panics in enrichers, which it logs.
    pub(crate) fn apply(&self, spans: &mut [SpanData]) -> u64 {
        let mut panics = self.change(spans);
        let all = panics.len() as u64;
        panics.sort_unstable();
        for same in panics.chunk_by(|one, other| one == other) {
            // Nor does a subscriber that panics change what becomes of the spans.
            contain::log(|| {
                tracing::error!(
                    target: "agentspan::record::enrichment",
                    setting = same.first(),
                    panics = same.len(),
                    "a closure of the program panicked, and the spans stay as they were"
                );
            });
        }
        all
    }

    /// Whether nothing is asked and nothing is left out.
    pub(crate) fn is_empty(&self) -> bool {
        self.enrichers.is_empty() && !self.suppresses_invoke_agent_input
    }

    /// Changes `spans`, and gives the settings whose closures panicked, once for each panic.
    fn change(&self, spans: &mut [SpanData]) -> Vec<&'static str> {
        let mut panics = Vec::new();
        if self.is_empty() {
            return panics;
        }
        for span in spans {
            for (setting, enricher) in &self.enrichers {
                let Some(enricher) = enricher.get() else {
                    continue;
                };
                match contain::call(|| enricher(span)) {
                    Ok(enrichment) => enrichment.apply(&mut span.attributes),
                    Err(Panicked { .. }) => panics.push(*setting),
                }
            }
            if self.suppresses_invoke_agent_input && is_invoke_agent(span) {
                let is_kept =
                    |attribute: &KeyValue| attribute.key.as_str() != keys::GEN_AI_INPUT_MESSAGES;
                span.attributes.retain(is_kept);
            }
        }
        panics
    }
}

fn is_invoke_agent(span: &SpanData) -> bool {
    let mut attributes = span.attributes.iter().rev();
    let operation =
        attributes.find(|attribute| attribute.key.as_str() == keys::GEN_AI_OPERATION_NAME);
    span.name.starts_with(INVOKE_AGENT)
        && operation.is_some_and(|operation| {
            matches!(&operation.value, Value::String(name) if name.as_str() == INVOKE_AGENT)
        })
}

impl fmt::Debug for SpanEnrichers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanEnrichers")
            .field("enrichers", &self.enrichers.len())
            .field(
                "suppresses_invoke_agent_input",
                &self.suppresses_invoke_agent_input,
            )
            .finish()
    }
}
