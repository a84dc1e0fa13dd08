//! A finished span, whoever made it.

use std::fmt;
use std::sync::Arc;

use agentspan_model::keys;
use agentspan_model::mapping::PlacedSpan;
use opentelemetry::Value;
use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;

use crate::attributes::Keys;
use crate::hand_over::{ScopeAttributes, handed_over};
use crate::span_limits::{SpanCuts, SpanLimits};

/// A finished span on its way to destinations.
///
/// It has two makers: the SDK of OpenTelemetry alone, or a processor of Agent Spec, which gives the
/// Agent Spec span as it is. Copies share the Agent Spec span.
///
/// `Debug` shows ids, name, times and keys of attributes, and no values, events or texts of errors.
#[derive(Clone)]
#[non_exhaustive]
pub struct FinishedSpan {
    /// The span of OpenTelemetry: ids, times, links, status, and what other code has said on it.
    pub data: SpanData,
    /// The Agent Spec span that it stands for. Nothing of it need be in the attributes, nor its
    /// name in the name, which is empty then.
    pub agent_spec: Option<Arc<PlacedSpan>>,
}

impl fmt::Debug for FinishedSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = &self.data;
        f.debug_struct("FinishedSpan")
            .field("span_context", &data.span_context)
            .field("parent_span_id", &data.parent_span_id)
            .field("span_kind", &data.span_kind)
            .field("name", &data.name)
            .field("start_time", &data.start_time)
            .field("end_time", &data.end_time)
            .field("attributes", &Keys(&data.attributes))
            .field("events", &data.events.len())
            .field("links", &data.links.len())
            .field("has_failed", &matches!(data.status, Status::Error { .. }))
            .field("agent_spec", &self.agent_spec)
            .finish_non_exhaustive()
    }
}

impl FinishedSpan {
    /// A span of the SDK that stands for `agent_spec`.
    #[must_use]
    pub fn of_agent_spec(data: SpanData, agent_spec: Arc<PlacedSpan>) -> Self {
        Self {
            data,
            agent_spec: Some(agent_spec),
        }
    }

    /// A span as a processor of the SDK gets it in `on_end`, with the Agent Spec span that the
    /// bridge [hands over](crate::hand_over()) meanwhile, or the attributes that a scope does. To
    /// be called on the thread that ends the span.
    #[must_use]
    #[inline]
    pub fn received(mut data: SpanData) -> Self {
        let (agent_spec, attributes) = handed_over(&data.span_context);
        if let Some(attributes) = attributes {
            attributes.add_to(&mut data);
        }
        Self { data, agent_spec }
    }

    /// The type of the Agent Spec span, for instance `ToolExecutionSpan`, from the record or from
    /// the attributes.
    #[must_use]
    pub fn agent_spec_type(&self) -> Option<&str> {
        if let Some(placed) = &self.agent_spec {
            return Some(placed.span.type_name());
        }
        let mut attributes = self.data.attributes.iter();
        let is_type = attributes.find(|a| a.key.as_str() == keys::AGENTSPEC_SPAN_TYPE)?;
        match &is_type.value {
            Value::String(name) => Some(name.as_str()),
            _ => None,
        }
    }

    /// Cuts what is over the limits. Gives what was cut, and the estimated memory of what is left.
    /// What the limits of the provider have left out counts, too.
    pub fn cut(&mut self, limits: &SpanLimits) -> (Option<SpanCuts>, u64) {
        let left_out = left_out(&self.data);
        let (mut cuts, bytes) = limits.cut(&mut self.data);
        if let Some(left_out) = left_out {
            let all = cuts.get_or_insert_default();
            *all += left_out;
            all.spans = 1;
        }
        (cuts, self.with_agent_spec(bytes))
    }

    /// With what the Agent Spec span takes besides `bytes`.
    #[inline]
    fn with_agent_spec(&self, bytes: u64) -> u64 {
        let placed = self.agent_spec.as_ref().map_or(0, |placed| {
            let texts = [&placed.first_input, &placed.last_output];
            let texts = texts.into_iter().flatten().map(String::len);
            size_of::<PlacedSpan>() + placed.span.held_bytes() + texts.sum::<usize>()
        });
        bytes.saturating_add(u64::try_from(placed).unwrap_or(u64::MAX))
    }
}

/// What the SDK has left out of a span, because it exceeded the limits of the provider.
fn left_out(span: &SpanData) -> Option<SpanCuts> {
    let cuts = SpanCuts {
        attributes: span.dropped_attributes_count.into(),
        events: span.events.dropped_count.into(),
        links: span.links.dropped_count.into(),
        ..SpanCuts::default()
    };
    (!cuts.is_empty()).then_some(cuts)
}

impl ScopeAttributes {
    fn add_to(self, span: &mut SpanData) {
        if span.attributes.is_empty() {
            span.attributes = self.attributes;
        } else {
            span.attributes.extend(self.attributes);
        }
        let dropped = span.attributes.len().saturating_sub(self.most);
        if dropped > 0 {
            span.attributes.truncate(self.most);
            let dropped = u32::try_from(dropped).unwrap_or(u32::MAX);
            span.dropped_attributes_count = span.dropped_attributes_count.saturating_add(dropped);
        }
    }
}

/// A span that no Agent Spec span is known of.
impl From<SpanData> for FinishedSpan {
    fn from(data: SpanData) -> Self {
        Self {
            data,
            agent_spec: None,
        }
    }
}
