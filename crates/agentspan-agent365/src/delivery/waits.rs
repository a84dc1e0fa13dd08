//! The answers and pauses that are waited for, to name their causes when a deadline passes first.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use crate::destination::Recipient;
use crate::export_error::ExportError;
use agentspan_queue::lock;

/// What is waited for just now, in the order of the tickets.
#[derive(Debug, Default)]
pub(super) struct Waits(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    tickets: u64,
    waiting: BTreeMap<u64, (Arc<Recipient>, Awaited)>,
}

/// What the spans of an identity wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Token,
    /// Of the service.
    Answer {
        tries: u32,
    },
    /// The end of a pause, because of the identity's obstacle.
    Pause,
}

impl Waits {
    /// The place of a ticket, which waits for nothing yet.
    pub(super) fn place(self: &Arc<Self>) -> Wait {
        let mut state = lock(&self.0);
        state.tickets += 1;
        Wait {
            all: Arc::clone(self),
            number: state.tickets,
        }
    }

    /// What is waited for longest, as the error that it would be if it never came.
    pub(super) fn first(&self) -> Option<Arc<ExportError>> {
        let state = lock(&self.0);
        let mut waiting = state.waiting.values();
        waiting.find_map(|(recipient, awaited)| awaited.as_error(recipient))
    }
}

impl Awaited {
    fn as_error(self, recipient: &Recipient) -> Option<Arc<ExportError>> {
        let identity = recipient.identity.clone();
        let error = match self {
            Self::Token => ExportError::TokenPending { identity },
            Self::Answer { tries } => ExportError::AnswerPending { identity, tries },
            Self::Pause => return recipient.obstacle(),
        };
        Some(Arc::new(error))
    }
}

/// What one ticket waits for.
#[derive(Debug)]
pub(super) struct Wait {
    all: Arc<Waits>,
    number: u64,
}

impl Wait {
    /// Runs until the answer is there, or the pause is over. If it is dropped before, the ticket
    /// still waits for it.
    pub(super) async fn until<T>(
        &self,
        awaited: Awaited,
        recipient: &Arc<Recipient>,
        answer: impl Future<Output = T>,
    ) -> T {
        let waiting = (Arc::clone(recipient), awaited);
        lock(&self.all.0).waiting.insert(self.number, waiting);
        let answer = answer.await;
        lock(&self.all.0).waiting.remove(&self.number);
        answer
    }

    /// The answer that never came.
    pub(super) fn awaited(&self) -> Option<Arc<ExportError>> {
        let state = lock(&self.all.0);
        let (recipient, awaited) = state.waiting.get(&self.number)?;
        awaited.as_error(recipient)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        lock(&self.all.0).waiting.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::destination::Recipients;
    use crate::destination::tests::destinations;
    use crate::wire_profile::PathChoice;

    #[test]
    fn an_answer_that_has_come_is_not_waited_for_any_longer() {
        let mut recipients = Recipients::new(destinations(PathChoice::Usual));
        let recipient = recipients.of("tenant", "a").unwrap();
        let waits = Arc::new(Waits::default());
        let wait = waits.place();
        let is_waited_for = || (waits.first().is_some(), wait.awaited().is_some());
        let answer = async { is_waited_for() };
        let answer = block_on(wait.until(Awaited::Token, &recipient, answer));
        assert_eq!(answer, (true, true));
        // The ticket may wait for its turn then.
        assert_eq!(is_waited_for(), (false, false));
    }
}
