//! A batch whose identities are being sent out one after the other.

use std::sync::Arc;

use agentspan_model::agent365::Identity;
use opentelemetry_sdk::trace::SpanData;

use super::claim::Claim;
use super::event::{QueuedSpan, TokenSource};
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
    pub(super) tokens: TokenSource,
}

/// The resources of the spans of a batch.
#[derive(Debug)]
pub(crate) enum Resources {
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

    /// Where the token of an identity of this batch comes from.
    ///
    /// The token of a request goes to one tenant only, and to none, now and later, if there are several
    /// when that is decided.
    pub(super) fn tokens_for(&self, identity: &Identity) -> TokenSource {
        let TokenSource::Request(Some(token)) = &self.tokens else {
            return self.tokens.clone();
        };
        let groups = self.grouping.groups.iter();
        let tenants = groups.map(|group| &group.identity.tenant);
        let is_theirs = token.belongs_to(&identity.tenant, tenants);
        TokenSource::Request(is_theirs.then(|| token.clone()))
    }
}

impl Resources {
    /// Takes single spans apart into `spans`. Gives their resources and their estimated memory.
    pub(super) fn split_off(
        queued: impl Iterator<Item = QueuedSpan>,
        spans: &mut Vec<SpanData>,
    ) -> Option<(Self, u64)> {
        let mut resources: Vec<Arc<EncodedResource>> = Vec::new();
        let mut bytes = 0;
        for queued in queued {
            spans.push(queued.span);
            resources.push(queued.resource);
            bytes += queued.bytes;
        }
        let first = resources.first()?;
        let resources = if resources.iter().all(|other| Arc::ptr_eq(first, other)) {
            Self::One(Arc::clone(first))
        } else {
            Self::PerSpan(resources)
        };
        Some((resources, bytes))
    }

    fn of(&self, span: usize) -> Option<&EncodedResource> {
        match self {
            Self::One(resource) => Some(resource),
            Self::PerSpan(resources) => resources.get(span).map(Arc::as_ref),
        }
    }
}
