//! Connections that no request uses, kept for the next one.

use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use agentspan_queue::lock;
use hashbrown::HashMap;
use http::uri::Authority;
use hyper::rt::Executor;

use super::connection::Connection;
use super::silence::SilentExecutor;

/// How long a connection without requests is kept: a few batches long. Every tenant has a host of its
/// own, so a longer time would keep very many connections open.
const IDLE: Duration = Duration::from_secs(20);

/// Keeps connections by host and port.
pub(super) struct Pool {
    most_per_host: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The one that was used last is the last of a list, and the first to be used again.
    idle: HashMap<Authority, Vec<Idle>>,
    /// Whether a task closes those that are too old.
    is_swept: bool,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(super) fn new(most_per_host: usize) -> Arc<Self> {
        Arc::new(Self {
            most_per_host,
            kept: Mutex::default(),
        })
    }

    pub(super) fn most_per_host(&self) -> usize {
        self.most_per_host
    }

    /// A connection that a request can be sent over at once, as far as is known.
    pub(super) fn take(&self, host: &Authority) -> Option<Connection> {
        loop {
            let idle = lock(&self.kept).idle.get_mut(host)?.pop()?;
            if idle.connection.is_ready() && idle.since.elapsed() < IDLE {
                return Some(idle.connection);
            }
        }
    }

    /// Keeps a connection whose last answer was read to its end.
    pub(super) fn keep(self: &Arc<Self>, host: &Authority, connection: Connection) {
        let since = Instant::now();
        let mut kept = lock(&self.kept);
        let list = kept.idle.entry(host.clone()).or_default();
        if list.len() < self.most_per_host {
            list.push(Idle { connection, since });
        }
        if !std::mem::replace(&mut kept.is_swept, true) {
            drop(kept);
            SilentExecutor.execute(sweep(Arc::downgrade(self)));
        }
    }

    /// Closes all. Those that requests use are not in here.
    pub(super) fn close(&self) {
        let idle = std::mem::take(&mut lock(&self.kept).idle);
        drop(idle);
    }

    /// Closes what nobody has used for a while. Says whether any is left.
    fn close_old(&self) -> bool {
        let now = Instant::now();
        let is_young = |idle: &Idle| now.saturating_duration_since(idle.since) < IDLE;
        let mut old = Vec::new();
        let mut kept = lock(&self.kept);
        kept.idle.retain(|_, list| {
            let first = list.iter().position(is_young).unwrap_or(list.len());
            old.extend(list.drain(..first));
            !list.is_empty()
        });
        kept.is_swept = !kept.idle.is_empty();
        kept.is_swept
    }
}

/// Looks at the connections now and then, until none is kept.
async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(IDLE).await;
        if !pool.upgrade().is_some_and(|pool| pool.close_old()) {
            return;
        }
    }
}
