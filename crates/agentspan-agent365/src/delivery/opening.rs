//! A batch whose identities are being sent out one after the other.

use std::sync::Arc;

use opentelemetry_sdk::trace::SpanData;

use super::claim::Claim;
use super::parcel::{Packing, Parcels};
use crate::encode::EncodedResource;
use crate::grouping::{Group, Grouping};

/// A batch that still holds spans which are in no request yet.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) batch: u64,
    pub(super) spans: Vec<SpanData>,
    pub(super) resources: Resources,
    pub(super) grouping: Grouping,
    /// How many groups were sent out.
    pub(super) sent_out: usize,
    /// For the spans of the groups that were not.
    pub(super) claim: Claim,
}

/// The resources of the spans of a batch.
#[derive(Debug)]
pub(super) enum Resources {
    /// All spans have the same.
    One(Arc<EncodedResource>),
    /// One per span, because the spans may come from several providers.
    PerSpan(Vec<Arc<EncodedResource>>),
}

impl Opening {
    /// The next group to send out.
    pub(super) fn next_group(&self) -> Option<&Group> {
        self.grouping.groups.get(self.sent_out)
    }

    /// The requests with the spans of `group`. Its resource is that of its first span.
    pub(super) fn pack(&self, group: &Group, packing: Packing<'_>) -> Parcels {
        let Some(resource) = self.resources.of(group.first()) else {
            return Parcels::default();
        };
        if group.len == self.spans.len() {
            return packing.pack(resource, &self.spans);
        }
        let mut spans = Vec::with_capacity(group.len);
        spans.extend(self.grouping.spans_of(group, &self.spans));
        packing.pack(resource, &spans)
    }
}

impl Resources {
    fn of(&self, span: usize) -> Option<&EncodedResource> {
        match self {
            Self::One(resource) => Some(resource),
            Self::PerSpan(resources) => resources.get(span).map(Arc::as_ref),
        }
    }
}
