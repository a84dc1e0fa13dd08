//! The spans of one identity of a batch, waiting for their turn.

use std::sync::Arc;

use opentelemetry_sdk::trace::SpanData;
use tokio::time::Instant;

use super::lanes::Size;
use super::press::Press;
use super::ticket::Ticket;
use super::turn::Resume;
use crate::encode::EncodedResource;

/// Spans that are in no request yet. Whoever drops them has lost them.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) ticket: Ticket,
    pub(super) spans: Vec<SpanData>,
    pub(super) resource: Arc<EncodedResource>,
    /// When they were taken from the queue.
    pub(super) since: Instant,
}

/// An item that waits in a lane.
#[derive(Debug)]
pub(super) enum Item {
    /// Spans whose turn has not come yet.
    Load(Box<Load>),
    /// A request that had its turn.
    Request(Resume),
}

impl Item {
    /// The size that its lane holds for it, if it has had no turn.
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

    /// Says that spans whose turn has not come yet wait for the pause of their lane.
    pub(super) fn pauses(&mut self) {
        if let Self::Load(load) = self {
            load.ticket.queued(Vec::new());
        }
    }

    pub(super) fn since(&self) -> Instant {
        match self {
            Self::Load(load) => load.since,
            Self::Request(resume) => resume.since,
        }
    }
}
