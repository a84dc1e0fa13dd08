//! Single spans in the queue, and the resources of those of a batch.

use std::sync::Arc;

use agentspan_record::FinishedSpan;

use crate::encode::EncodedResource;

/// A span from a processor, waiting for others.
#[derive(Debug)]
pub(crate) struct QueuedSpan {
    pub(super) span: FinishedSpan,
    pub(super) resource: Arc<EncodedResource>,
    pub(super) bytes: u64,
}

/// The resources of the spans of a batch.
#[derive(Debug)]
pub(crate) enum Resources {
    /// All spans have the same.
    One(Arc<EncodedResource>),
    /// One per span, because the spans may come from several providers.
    PerSpan(Vec<Arc<EncodedResource>>),
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
