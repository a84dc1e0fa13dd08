//! The records of the service: requests, connections, and waiting for them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};

/// How many bytes are kept of a connection that has not become a request.
const KEPT_BYTES: usize = 64 * 1024;

/// How much of the requests is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recording {
    /// All of it.
    #[default]
    Everything,
    /// Only their number and the number of their bytes, for benchmarks. Closures and routes then
    /// see requests without a body.
    CountsOnly,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The place of the request in the order of arrival over all connections, from 0.
    pub order: usize,
    /// The number of its connection in the order of acceptance, from 0.
    pub connection: usize,
    /// The name that the client asked for in its TLS greeting.
    pub tls_server_name: Option<String>,
    /// The method.
    pub method: Method,
    /// Path and query as sent.
    pub target: String,
    /// The headers in their order. The value of `authorization` is hidden from `Debug`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body, empty with [`Recording::CountsOnly`].
    pub body: Bytes,
    /// When the request was complete.
    pub received_at: Instant,
    /// Whether its answer takes it: with a status of 2xx, and no code of gRPC but 0. `None` if the
    /// answer has no head that says so or not, and for closures that are asked for it.
    pub is_taken: Option<bool>,
}

impl RecordedRequest {
    /// The first header of this name, in any case, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_values(name).first().copied()
    }

    /// All headers of this name that are text.
    #[must_use]
    pub fn header_values(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(found, _)| found.as_str().eq_ignore_ascii_case(name))
            .filter_map(|(_, value)| value.to_str().ok())
            .collect()
    }

    /// The `host` header.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.header("host")
    }

    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The query without its question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// When the body is not JSON.
    pub fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

/// A connection that was accepted.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ConnectionRecord {
    /// How many requests came over it.
    pub requests: usize,
    /// How many bytes came over it, of TLS or of HTTP.
    pub wire_bytes: u64,
    /// How many bytes of HTTP came over it: of a failed TLS handshake, none.
    pub http_bytes: u64,
    /// The name that the client asked for in its TLS greeting.
    pub tls_server_name: Option<String>,
    /// Why the TLS handshake failed, if it did.
    pub tls_error: Option<String>,
    /// The first bytes (at most 64 KiB) that came before the first request was complete; empty
    /// afterwards.
    pub unserved: Vec<u8>,
}

impl ConnectionRecord {
    pub(crate) fn received(&mut self, bytes: &[u8]) {
        self.wire_bytes += bytes.len() as u64;
        if self.requests == 0 {
            let room = KEPT_BYTES.saturating_sub(self.unserved.len());
            self.unserved
                .extend(bytes.iter().take(room.min(bytes.len())));
        }
    }
}

/// The awaited records did not come in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} of {wanted} {what} after {waited:?}")]
#[non_exhaustive]
pub struct WaitError {
    /// `requests` or `ended connections`.
    pub what: &'static str,
    /// How many were waited for.
    pub wanted: usize,
    /// How many there were.
    pub found: usize,
    /// For how long.
    pub waited: Duration,
}

/// The record that the service's thread writes and tests read.
#[derive(Debug, Default)]
pub(crate) struct Record {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) requests: Vec<RecordedRequest>,
    pub(crate) request_count: usize,
    pub(crate) body_bytes: u64,
    pub(crate) ended_connections: usize,
    pub(crate) connections: Vec<Arc<Mutex<ConnectionRecord>>>,
}

impl Record {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the record and wakes who waits for it.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.notify_all();
        changed
    }

    /// Waits until `count` has reached `wanted`.
    pub(crate) fn wait_for(
        &self,
        what: &'static str,
        count: impl Fn(&State) -> usize,
        wanted: usize,
        timeout: Duration,
    ) -> Result<MutexGuard<'_, State>, WaitError> {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), timeout, |state| count(state) < wanted)
            .unwrap_or_else(PoisonError::into_inner);
        let found = count(&state);
        if found < wanted {
            return Err(WaitError {
                what,
                wanted,
                found,
                waited: timeout,
            });
        }
        Ok(state)
    }
}

/// Locks one connection's record; what a panicking thread left in it is still a count.
pub(crate) fn locked(connection: &Mutex<ConnectionRecord>) -> MutexGuard<'_, ConnectionRecord> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}
