//! The spans of one identity of a batch, waiting for their turn.

use std::sync::Arc;

use agentspan_record::FinishedSpan;
use opentelemetry_sdk::trace::SpanData;
use tokio::time::Instant;

use super::claim::Ticket;
use super::event::{QueuedSpan, TokenSource};
use super::lanes::Size;
use super::pass::Resume;
use super::press::Press;
use crate::encode::EncodedResource;
use crate::grouping::Grouping;

/// Spans that are in no request yet. Whoever drops them has lost them.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) ticket: Ticket,
    pub(super) spans: Vec<SpanData>,
    pub(super) resource: Arc<EncodedResource>,
    /// When they were taken from the queue.
    pub(super) since: Instant,
}

/// What waits in a lane.
#[derive(Debug)]
pub(super) enum Item {
    /// Spans whose turn has not come yet.
    Load(Box<Load>),
    /// A request that had its turn.
    Request(Resume),
}

/// The resources of the spans of a batch.
#[derive(Debug)]
pub(crate) enum Resources {
    /// All spans have the same.
    One(Arc<EncodedResource>),
    /// One per span, because the spans may come from several providers.
    PerSpan(Vec<Arc<EncodedResource>>),
}

impl Item {
    /// What its lane holds for it, if it has had no turn.
    pub(super) fn held(&self) -> Option<Size> {
        match self {
            Self::Load(load) => Some(load.ticket.held),
            Self::Request(_) => None,
        }
    }

    /// How much memory its next body will take.
    pub(super) fn room(&self, press: &Press) -> u64 {
        match self {
            Self::Load(load) => press.forecast(load.ticket.held.bytes),
            Self::Request(resume) => resume.room,
        }
    }

    pub(super) fn since(&self) -> Instant {
        match self {
            Self::Load(load) => load.since,
            Self::Request(resume) => resume.since,
        }
    }
}

impl TokenSource {
    /// Where the tokens of the identities of a batch come from, in the order of its groups.
    ///
    /// The token of a request goes to one tenant only, and to none, now and later, if there are
    /// several when that is decided.
    pub(super) fn of_groups(&self, grouping: &Grouping) -> Vec<Self> {
        let groups = grouping.groups.iter();
        let tenants = groups.map(|group| &group.recipient.identity.tenant);
        let of = |tenant| match self {
            Self::Request(Some(token)) => {
                let is_theirs = token.belongs_to(tenant, tenants.clone());
                Self::Request(is_theirs.then(|| token.clone()))
            }
            _ => self.clone(),
        };
        tenants.clone().map(of).collect()
    }
}

impl Resources {
    /// Takes single spans apart into `spans` and the estimated memory of each. Gives their resources, and
    /// the memory of all.
    pub(super) fn split_off(
        queued: impl Iterator<Item = QueuedSpan>,
        spans: &mut Vec<FinishedSpan>,
        sizes: &mut Vec<u64>,
    ) -> Option<(Self, u64)> {
        let mut resources: Vec<Arc<EncodedResource>> = Vec::new();
        let mut bytes = 0;
        for queued in queued {
            spans.push(queued.span);
            resources.push(queued.resource);
            sizes.push(queued.bytes);
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

    pub(super) fn of(&self, span: usize) -> Option<&Arc<EncodedResource>> {
        match self {
            Self::One(resource) => Some(resource),
            Self::PerSpan(resources) => resources.get(span),
        }
    }
}
