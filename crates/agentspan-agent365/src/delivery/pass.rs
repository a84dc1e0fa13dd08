//! The pass that a request holds while it is sent: its identity's turn, and a slot.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::event::Event;
use super::lanes::{Cause, Outcome};
use super::press::Parcel;
use super::turn::{GaveUp, Place, Resume, Step};

/// A turn of a lane. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Pass {
    events: UnboundedSender<Event>,
    /// `None` while there is none.
    place: Option<Place>,
    /// How often the lane has failed since the service last took something.
    pub(super) failures: u32,
    /// Grows when the service takes something of the lane.
    pub(super) taken: u64,
    /// When the spans were taken from the queue.
    pub(super) since: Instant,
    /// Whether the slot is kept whatever is waited for.
    keeps_slot: bool,
    /// Whether the last answer was not waited for.
    was_cut: bool,
}

impl Pass {
    pub(super) fn new(
        events: UnboundedSender<Event>,
        place: Place,
        since: Instant,
        keeps_slot: bool,
    ) -> Self {
        Self {
            events,
            failures: place.failures,
            taken: place.taken,
            place: Some(place),
            since,
            keeps_slot,
            was_cut: false,
        }
    }

    /// The service has answered, or did not. One that was not waited for is not blamed.
    pub(super) fn answered(&mut self, outcome: Outcome) {
        let outcome = match std::mem::take(&mut self.was_cut) {
            true => Outcome::Failed,
            false => outcome,
        };
        self.tell(Step::Answered(outcome));
    }

    /// This is what is sent next.
    pub(super) fn sends(&mut self, parcel: &Parcel) {
        if let Some(place) = &mut self.place {
            place.room.resize(parcel.memory);
        }
    }

    /// Waits for the service; `None` if it takes so long that others come first.
    pub(super) async fn answer<F: Future>(&mut self, answer: F) -> Option<F::Output> {
        let mut answer = pin!(answer);
        let answer = poll_fn(|cx| {
            if let Poll::Ready(output) = answer.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            match &mut self.place {
                // The other end is thrown away with the turn, when nobody polls this.
                Some(place) if !place.cut.is_terminated() => {
                    match Pin::new(&mut place.cut).poll(cx) {
                        Poll::Ready(Ok(())) => Poll::Ready(None),
                        Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
                    }
                }
                _ => Poll::Pending,
            }
        })
        .await;
        self.was_cut = answer.is_none();
        answer
    }

    /// Waits for something else than the service, without the slot if that takes time.
    pub(super) async fn aside<F: Future>(
        &mut self,
        other: F,
        room: u64,
    ) -> Result<F::Output, GaveUp> {
        let mut other = pin!(other);
        if self.keeps_slot {
            return Ok(other.await);
        }
        let first = poll_fn(|cx| Poll::Ready(other.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = first {
            return Ok(output);
        }
        if let Some(place) = &mut self.place {
            // There is no body yet, and others have some.
            place.room.resize(0);
        }
        self.tell(Step::Aside);
        let output = other.await;
        self.resumed(Step::Back, room).await?;
        Ok(output)
    }

    /// Waits until the lane has paused and it is this request's turn again. Its body is gone by then.
    pub(super) async fn pause(
        &mut self,
        pause: Duration,
        asked: Option<Duration>,
        cause: Cause,
        room: u64,
    ) -> Result<(), GaveUp> {
        let again = |resume| Step::Again {
            pause,
            asked,
            cause,
            resume,
        };
        self.resumed(again, room).await
    }

    async fn resumed(
        &mut self,
        step: impl FnOnce(Resume) -> Step,
        room: u64,
    ) -> Result<(), GaveUp> {
        let (reply, turn) = oneshot::channel();
        let since = self.since;
        self.end(step(Resume { since, room, reply }));
        // Whoever throws the other end away ends the delivery.
        let place = turn.await.unwrap_or(Err(GaveUp::Shutdown))?;
        self.failures = place.failures;
        self.taken = place.taken;
        self.place = Some(place);
        Ok(())
    }

    fn tell(&self, step: Step) {
        if let Some(Place { turn, .. }) = self.place {
            let _ = self.events.send(Event::Step { turn, step });
        }
    }

    /// Gives the turn back, and what it holds before that.
    fn end(&mut self, step: Step) {
        if let Some(Place { turn, room, .. }) = self.place.take() {
            drop(room);
            let _ = self.events.send(Event::Step { turn, step });
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.end(Step::Over);
    }
}
