//! A token resolver made from a closure that may block, on threads of its own.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use agentspan_queue::{PerProcess, lock};
use async_trait::async_trait;
use opentelemetry::Context;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;

use super::turns::Turns;
use super::{BoxError, TokenQuery, TokenResolver};
use crate::access_token::AccessToken;

/// How many calls of one closure run at the same time, each on a thread of its own.
const MAX_THREADS: usize = 32;

/// The resolver of [`token_from_fn`].
pub struct FnResolver<F> {
    resolve: Arc<F>,
    threads: PerProcess<Threads>,
}

/// The threads of one process: a forked child has none of its parent's.
struct Threads {
    /// One permit per thread. The call holds it, so that a closure that never returns takes one
    /// thread out of use and no call ever waits inside the pool, where it could not be cancelled.
    permits: Arc<Semaphore>,
    /// The call holds its identity's turn, too, so that a closure that never returns for an identity
    /// takes one thread, however often that identity needs a token.
    turns: Arc<Turns>,
    /// Started by the first call. A runtime only for its pool of threads: it drives nothing.
    pool: Mutex<Option<Runtime>>,
}

impl Default for Threads {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(MAX_THREADS)),
            turns: Arc::default(),
            pool: Mutex::new(None),
        }
    }
}

/// Makes a token resolver from a closure that may block.
///
/// The closure runs on up to 32 threads named `agentspan-token`, which end after ten idle seconds, and
/// only once at a time for each identity. A call that never returns blocks its thread until the process
/// ends, and leaves its identity without tokens; other identities are affected if all 32 threads are
/// blocked. The change of threads costs some ten microseconds per identity and batch. If tokens are at
/// hand, [`token_from_async_fn`](super::token_from_async_fn) avoids it.
///
/// ```
/// use agentspan_agent365::{AccessToken, token_from_fn};
///
/// let resolver = token_from_fn(|query| {
///     Ok(Some(AccessToken::new(format!("for-{}", query.identity.agent))?))
/// });
/// ```
pub fn token_from_fn<F>(resolve: F) -> FnResolver<F>
where
    F: Fn(&TokenQuery) -> Result<Option<AccessToken>, BoxError> + Send + Sync + 'static,
{
    FnResolver {
        resolve: Arc::new(resolve),
        threads: PerProcess::default(),
    }
}

impl Threads {
    fn pool(&self) -> Result<Handle, BoxError> {
        let mut pool = lock(&self.pool);
        if let Some(runtime) = &*pool {
            return Ok(runtime.handle().clone());
        }
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(MAX_THREADS)
            .thread_name("agentspan-token")
            .build()?;
        let handle = runtime.handle().clone();
        *pool = Some(runtime);
        Ok(handle)
    }
}

#[async_trait]
impl<F> TokenResolver for FnResolver<F>
where
    F: Fn(&TokenQuery) -> Result<Option<AccessToken>, BoxError> + Send + Sync + 'static,
{
    async fn resolve(&self, query: &TokenQuery) -> Result<Option<AccessToken>, BoxError> {
        let threads = self.threads.get(|_| Threads::default());
        let turn = threads.turns.wait_for(&query.identity).await?;
        let permit = Arc::clone(&threads.permits).acquire_owned().await?;
        let resolve = Arc::clone(&self.resolve);
        let query = query.clone();
        let call = threads.pool()?.spawn_blocking(move || {
            let _held = (permit, turn);
            let _suppressed = Context::enter_telemetry_suppressed_scope();
            resolve(&query)
        });
        match call.await {
            Ok(answer) => answer,
            // The delivery contains the panics of all resolvers in one place.
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(error) => Err(error.into()),
            },
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let pool = self.pool.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = pool.take() {
            // Dropping it would wait for a closure that never returns.
            runtime.shutdown_background();
        }
    }
}

impl<F> fmt::Debug for FnResolver<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FnResolver(..)")
    }
}
