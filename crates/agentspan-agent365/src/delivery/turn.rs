//! A turn of a lane: what a request is given, asks for, and says of it.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::lanes::{Cause, Outcome};
use crate::stats::Room;

/// A turn, and what is known of its lane.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) turn: u64,
    pub(super) failures: u32,
    pub(super) taken: u64,
    /// For the body.
    pub(super) room: Room,
    /// Says that others need what the turn holds.
    pub(super) cut: oneshot::Receiver<()>,
}

/// The signal that a task without a turn waits for.
#[derive(Debug)]
pub(super) struct Resume {
    pub(super) since: Instant,
    /// How much memory the body will take.
    pub(super) room: u64,
    pub(super) reply: oneshot::Sender<Result<Place, GaveUp>>,
}

/// Why a request gets no further turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GaveUp {
    /// The spans have waited for too long.
    TooOld,
    /// Its identity has more than its share of the queue.
    QueueShare,
    /// The delivery ends before the next try.
    Shutdown,
}

/// An event that happens to a turn.
#[derive(Debug)]
pub(crate) enum Step {
    Answered(Outcome),
    /// Something else than the service is waited for.
    Aside,
    /// It was waited for, and a slot is wanted.
    Back(Resume),
    /// The try failed.
    Again {
        pause: Duration,
        /// How much of it the service asked for.
        asked: Option<Duration>,
        cause: Cause,
        resume: Resume,
    },
    Over,
}

impl Resume {
    /// Gives the task its turn. `false` if the task is gone.
    pub(super) fn go(self, place: Place) -> bool {
        self.reply.send(Ok(place)).is_ok()
    }

    /// Tells the task that it gets no further turn.
    pub(super) fn give_up(self, why: GaveUp) {
        let _ = self.reply.send(Err(why));
    }
}
