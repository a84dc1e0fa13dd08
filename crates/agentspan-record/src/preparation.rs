//! The preparation of finished spans before a destination gets them.

use std::borrow::Cow;
use std::sync::Arc;

use agentspan_model::agentspec::Disclosure;
use agentspan_model::mapping::{Mapping, PlacedSpan};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use crate::normalised::normalise;
use crate::render::{render_attributes, render_record};
use crate::{FinishedSpan, Hiding, SpanEnrichers};

/// Prepares finished spans for one destination.
///
/// In this order, each once: spans are rendered in a vocabulary, enriched, and masked. It takes time, so it has its
/// place on the thread that exports.
#[derive(Clone, Debug)]
#[must_use = "it changes nothing by itself"]
pub struct Preparation {
    mapping: Mapping,
    renders: Renders,
    enrichers: SpanEnrichers,
    hiding: Hiding,
}

/// The result of a [`Preparation`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Prepared {
    /// How many enrichers panicked, which is logged.
    pub panics: u64,
    /// Whether any span may be another one than before.
    pub is_changed: bool,
}

/// Which spans are rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Renders {
    /// All spans of agents, in whatever convention they are.
    All,
    /// Spans that have an Agent Spec span beside them, of which the attributes say nothing.
    Records,
}

impl Preparation {
    /// Renders all spans of agents with `mapping`: those of Agent Spec, those of scopes, and those of other
    /// frameworks in any convention that [`NormalSpan`](agentspan_model::mapping::normal::NormalSpan) reads. All
    /// other spans stay as they are.
    pub fn new(mapping: Mapping) -> Self {
        Self {
            mapping,
            renders: Renders::All,
            enrichers: SpanEnrichers::none(),
            hiding: Hiding::from(Disclosure::Clear),
        }
    }

    /// Renders spans that come with an Agent Spec span beside them, and leaves all others as they are.
    pub fn of_records(mapping: Mapping) -> Self {
        Self {
            renders: Renders::Records,
            ..Self::new(mapping)
        }
    }

    /// Renders all spans of agents with `mapping`, as [`new`](Self::new) does, and leaves the rest as it is.
    pub fn with_mapping(self, mapping: Mapping) -> Self {
        Self {
            enrichers: self.enrichers,
            hiding: self.hiding,
            ..Self::new(mapping)
        }
    }

    /// Sets what is asked about each span once it is rendered. The default is nothing.
    pub fn with_enrichers(mut self, enrichers: SpanEnrichers) -> Self {
        self.enrichers = enrichers;
        self
    }

    /// Sets what is hidden in the end. The default is nothing.
    pub fn with_hiding(mut self, hiding: Hiding) -> Self {
        self.hiding = hiding;
        self
    }

    /// Whether enrichers may change any span.
    #[must_use]
    pub fn enriches(&self) -> bool {
        self.renders == Renders::All || !self.enrichers.is_empty()
    }

    /// Prepares spans, and appends them to `prepared`.
    pub fn prepare(
        &self,
        spans: impl IntoIterator<Item = FinishedSpan>,
        prepared: &mut Vec<SpanData>,
    ) -> Prepared {
        let first = prepared.len();
        let mut records = Vec::new();
        prepared.extend(spans.into_iter().map(|span| {
            records.push(span.agent_spec);
            span.data
        }));
        self.prepare_in_place(prepared.get_mut(first..).unwrap_or_default(), records)
    }

    /// As [`prepare`](Self::prepare), of spans that are where they are to be. Each has its record in
    /// `records`, if it stands for an Agent Spec span.
    pub fn prepare_in_place(
        &self,
        spans: &mut [SpanData],
        records: impl IntoIterator<Item = Option<Arc<PlacedSpan>>>,
    ) -> Prepared {
        let mut is_changed = !self.enrichers.is_empty() || self.hiding != Hiding::Nothing;
        for (span, record) in spans.iter_mut().zip(records) {
            is_changed |= self.render(span, record);
        }
        let panics = self.enrichers.apply(spans);
        spans.iter_mut().for_each(|span| self.hiding.apply(span));
        Prepared { panics, is_changed }
    }

    /// The resource as the destination is to see it.
    #[must_use]
    pub fn resource<'a>(&self, resource: &'a Resource) -> Cow<'a, Resource> {
        let changed = self.hiding.apply_to_resource(resource);
        changed.map_or(Cow::Borrowed(resource), Cow::Owned)
    }

    /// Gives whether the span may be another one than before.
    fn render(&self, span: &mut SpanData, record: Option<Arc<PlacedSpan>>) -> bool {
        match (record, self.renders) {
            (Some(placed), _) => {
                render_record(&self.mapping, span, &placed.shown());
                true
            }
            (None, Renders::All) => {
                let is_rendered = render_attributes(&self.mapping, span);
                let is_rewritten = normalise(&self.mapping, span);
                is_rendered || is_rewritten
            }
            (None, Renders::Records) => false,
        }
    }
}
