//! One call at a time for each identity.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use agentspan_model::agent365::Identity;
use agentspan_queue::lock;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// The identities for which a call runs or waits.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<Identity, Arc<Semaphore>>>);

/// The turn of an identity, which the next call for it waits for. It is over when this is dropped.
pub(super) struct Turn {
    turns: Arc<Turns>,
    identity: Identity,
    permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// Waits until no other call for `identity` runs.
    pub(super) async fn wait_for(
        self: &Arc<Self>,
        identity: &Identity,
    ) -> Result<Turn, AcquireError> {
        let calls = Arc::clone(
            lock(&self.0)
                .entry(identity.clone())
                .or_insert_with(|| Arc::new(Semaphore::new(1))),
        );
        // Forgets the identity if waiting is given up.
        let mut turn = Turn {
            turns: Arc::clone(self),
            identity: identity.clone(),
            permit: None,
        };
        turn.permit = Some(calls.acquire_owned().await?);
        Ok(turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut turns = lock(&self.turns.0);
        drop(self.permit.take());
        let is_idle = |calls: &Arc<Semaphore>| Arc::strong_count(calls) == 1;
        if turns.get(&self.identity).is_some_and(is_idle) {
            turns.remove(&self.identity);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use agentspan_model::agent365::{AgentId, TenantId};

    use super::*;

    fn identity(agent: &str) -> Identity {
        Identity::new(
            TenantId::parse("tenant").unwrap(),
            AgentId::parse(agent).unwrap(),
        )
    }

    #[test]
    fn one_call_runs_for_an_identity_and_what_is_over_is_forgotten() {
        let turns = Arc::new(Turns::default());
        let mut context = Context::from_waker(Waker::noop());
        let (a, b) = (identity("a"), identity("b"));
        let Poll::Ready(Ok(first)) = pin!(turns.wait_for(&a)).poll(&mut context) else {
            panic!("the first call waits for nobody");
        };
        let Poll::Ready(Ok(other)) = pin!(turns.wait_for(&b)).poll(&mut context) else {
            panic!("another identity waits for nobody");
        };
        {
            let mut second = pin!(turns.wait_for(&a));
            assert!(second.as_mut().poll(&mut context).is_pending());
            let mut given_up = Box::pin(turns.wait_for(&a));
            assert!(given_up.as_mut().poll(&mut context).is_pending());
            drop(given_up);
            drop(first);
            assert!(second.as_mut().poll(&mut context).is_ready());
        }
        drop(other);
        assert_eq!(lock(&turns.0).len(), 0);
    }
}
