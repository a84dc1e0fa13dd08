//! Encodes requests, each when it is about to be sent.

use std::borrow::Cow;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use agentspan_queue::lock;
use bytes::Bytes;
use opentelemetry_sdk::trace::SpanData;

use super::buffers::Buffers;
use crate::chunking::{Chunk, Estimate};
use crate::encode::{BodyEncoder, EncodedResource};
use agentspan_record::estimated_bytes;

/// How much memory the spans of one request have when the profile has no limit of its own: the
/// reference sends all spans of a batch in one request, whatever their length. The body may be
/// twice as long.
pub(super) const PIECE: u64 = 3 * 1024 * 1024;
pub(super) const LONGEST_PIECE: usize = 6 * 1024 * 1024;

/// The growth of spans whose bodies are as long as their estimated memory.
const SAME: u64 = 128;

/// Makes the bodies of requests. Each try has a body of its own, so that spans which wait have
/// none.
pub(super) struct Press {
    encoder: Mutex<BodyEncoder>,
    buffers: Buffers,
    /// For the body of one request.
    max_payload_bytes: Option<usize>,
    estimate: Estimate,
    /// How much longer bodies are than the estimated memory of their spans, in parts of [`SAME`].
    /// It rises at once, and falls slowly.
    growth: AtomicU64,
}

/// The body of one request.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) body: Bytes,
    /// Whether the body has all spans. One that has not is too long.
    pub(super) is_complete: bool,
    /// How much memory the body takes.
    pub(super) memory: u64,
    pub(super) spans: usize,
    /// How many of the spans were cut.
    pub(super) truncated: usize,
}

impl Press {
    pub(super) fn new(
        encoder: BodyEncoder,
        max_payload_bytes: Option<usize>,
        estimate: Estimate,
    ) -> Self {
        Self {
            estimate,
            encoder: Mutex::new(encoder),
            buffers: Buffers::default(),
            max_payload_bytes,
            growth: AtomicU64::new(SAME),
        }
    }

    /// How much memory the next body of a load of `bytes` takes, as far as the bodies before tell.
    pub(super) fn forecast(&self, bytes: u64) -> u64 {
        self.grown(bytes.min(PIECE)).min(self.longest() as u64)
    }

    fn longest(&self) -> usize {
        self.max_payload_bytes.unwrap_or(LONGEST_PIECE)
    }

    /// The body of the next request: with the first `run` of `spans`, or with as many as a request
    /// takes by estimate. All together take `bytes`.
    pub(super) fn next(
        &self,
        resource: &EncodedResource,
        spans: &[SpanData],
        bytes: u64,
        run: Option<usize>,
    ) -> Parcel {
        let all = (spans.len(), bytes);
        // Remains of a panic in the encoder show in no other body.
        let mut encoder = lock(&self.encoder);
        let (run, limit) = match (run, self.max_payload_bytes) {
            (Some(run), _) => (run, None),
            (None, None) => (self.piece(spans, bytes), None),
            (None, limit) => (spans.len(), limit),
        };
        let spans = spans.get(..run).unwrap_or(spans);
        let (cut, run) = if encoder.has_limit() || limit.is_some() {
            fit(&mut encoder, spans, limit, self.estimate)
        } else {
            (Vec::new(), spans.len())
        };
        let spans = spans.get(..run).unwrap_or(spans);
        let bytes = match all {
            (all, bytes) if all == spans.len() => bytes,
            _ => spans.iter().map(estimated_bytes).sum(),
        };
        let expected = usize::try_from(self.forecast(bytes)).unwrap_or(LONGEST_PIECE);
        let mut body = self.buffers.take(expected);
        let most = self.longest();
        let is_complete = if cut.is_empty() {
            encoder.encode_fitted(resource, spans, most, &mut body)
        } else {
            let mut fitted: Vec<&SpanData> = spans.iter().collect();
            for (index, span) in &cut {
                if let Some(place) = fitted.get_mut(*index) {
                    *place = span;
                }
            }
            encoder.encode_fitted(resource, &fitted, most, &mut body)
        };
        drop(encoder);
        self.learn(bytes, body.len() as u64);
        Parcel {
            memory: body.capacity() as u64,
            body: self.buffers.lend(body),
            is_complete,
            spans: spans.len(),
            truncated: cut.len(),
        }
    }

    /// Whether a body of this length is sent only if it cannot be divided. The estimates know
    /// nothing of the resource, of links and of escapes.
    pub(super) fn is_too_long(&self, body: usize) -> bool {
        body > self.longest()
    }

    /// How many spans make a piece, one at least. All together take `bytes`.
    fn piece(&self, spans: &[SpanData], bytes: u64) -> usize {
        if self.grown(bytes) <= PIECE {
            return spans.len();
        }
        let mut piece = Chunk::new(PIECE);
        let fits = |span: &&SpanData| piece.takes(self.grown(estimated_bytes(span)));
        spans.iter().take_while(fits).count()
    }

    fn grown(&self, bytes: u64) -> u64 {
        // Relaxed: only the delivery's thread uses it, and nothing depends on it.
        bytes.saturating_mul(self.growth.load(Relaxed)) / SAME
    }

    fn learn(&self, bytes: u64, body: u64) {
        let seen = body.saturating_mul(SAME) / bytes.max(1);
        let before = self.growth.load(Relaxed);
        let growth = match before.checked_sub(seen) {
            Some(fall) => before - fall / 8,
            None => seen,
        };
        self.growth.store(growth.max(SAME), Relaxed);
    }
}

/// The cut copies of those among the first spans that are too long for the profile, with their
/// places, and how many spans stay within `limit` by the estimate of the reference.
fn fit(
    encoder: &mut BodyEncoder,
    spans: &[SpanData],
    limit: Option<usize>,
    estimate: Estimate,
) -> (Vec<(usize, SpanData)>, usize) {
    let mut cut = Vec::new();
    let mut chunk = limit.map(|limit| Chunk::new(limit as u64));
    for (index, span) in spans.iter().enumerate() {
        let fitted = encoder.fit(span);
        if let Some(chunk) = &mut chunk {
            if !chunk.takes(estimate.span(&fitted)) {
                return (cut, index);
            }
        }
        if let Cow::Owned(span) = fitted {
            cut.push((index, span));
        }
    }
    (cut, spans.len())
}

impl fmt::Debug for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Press")
            .field("max_payload_bytes", &self.max_payload_bytes)
            .finish_non_exhaustive()
    }
}
