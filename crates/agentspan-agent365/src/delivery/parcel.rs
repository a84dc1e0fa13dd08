//! The spans of one identity, packed into requests.

use std::borrow::{Borrow, Cow};

use bytes::Bytes;
use opentelemetry_sdk::trace::SpanData;

use super::buffers::Buffers;
use super::lineage::key;
use crate::chunking::{chunk_by_bytes, estimated_span_bytes};
use crate::encode::{BodyEncoder, EncodedResource};
use crate::receipt::SpanKey;

/// The body of one request.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) body: Bytes,
    pub(super) spans: Vec<SpanKey>,
}

/// The requests of one identity, in order.
#[derive(Debug, Default)]
pub(super) struct Parcels {
    pub(super) list: Vec<Parcel>,
    /// How many spans were cut.
    pub(super) truncated: usize,
}

/// What is needed to pack.
pub(super) struct Packing<'a> {
    pub(super) encoder: &'a mut BodyEncoder,
    pub(super) buffers: &'a Buffers,
    /// For the body of one request.
    pub(super) max_payload_bytes: Option<usize>,
}

impl Packing<'_> {
    /// Encodes `spans` in order, into as many bodies as the limit asks for.
    pub(super) fn pack<S: Borrow<SpanData>>(
        mut self,
        resource: &EncodedResource,
        spans: &[S],
    ) -> Parcels {
        let mut parcels = Parcels::default();
        match self.encoder.fit_all(spans) {
            Some(fitted) => {
                parcels.truncated = fitted
                    .iter()
                    .filter(|span| matches!(span, Cow::Owned(_)))
                    .count();
                self.split(resource, &fitted, &mut parcels);
            }
            None => self.split(resource, spans, &mut parcels),
        }
        parcels
    }

    /// `spans` are as they are sent.
    fn split<S: Borrow<SpanData>>(
        &mut self,
        resource: &EncodedResource,
        spans: &[S],
        parcels: &mut Parcels,
    ) {
        let Some(limit) = self.max_payload_bytes else {
            self.add(resource, spans, None, parcels);
            return;
        };
        let sizes: Vec<u64> = spans
            .iter()
            .map(|span| estimated_span_bytes(span.borrow()))
            .collect();
        for chunk in chunk_by_bytes(&sizes, limit as u64) {
            if let Some(spans) = spans.get(chunk) {
                self.add(resource, spans, Some(limit), parcels);
            }
        }
    }

    /// Adds one request, or two with a half of the spans each if the body became longer than the
    /// limit: the estimate knows nothing of the resource, of links and of escapes.
    fn add<S: Borrow<SpanData>>(
        &mut self,
        resource: &EncodedResource,
        spans: &[S],
        limit: Option<usize>,
        parcels: &mut Parcels,
    ) {
        let mut body = self.buffers.take();
        self.encoder.encode_fitted(resource, spans, &mut body);
        let is_too_long = limit.is_some_and(|limit| body.len() > limit);
        let body = self.buffers.lend(body);
        if is_too_long && spans.len() > 1 {
            drop(body);
            let (first, second) = spans.split_at(spans.len() / 2);
            self.add(resource, first, limit, parcels);
            self.add(resource, second, limit, parcels);
            return;
        }
        parcels.list.push(Parcel {
            body,
            spans: spans.iter().map(|span| key(span.borrow())).collect(),
        });
    }
}
