//! The spans of one identity that are still to be sent, and how they are divided into requests.

use std::collections::VecDeque;
use std::sync::Arc;

use opentelemetry_sdk::trace::SpanData;

use super::parent::key;
use super::press::{Parcel, Press};
use crate::encode::EncodedResource;
use crate::receipt::SpanKey;
use agentspan_record::estimated_bytes;

/// Spans in the order in which they are sent. They stay until the service has taken them, or will
/// not.
#[derive(Debug)]
pub(super) struct Outbox {
    spans: VecDeque<SpanData>,
    /// Their estimated memory.
    bytes: u64,
    resource: Arc<EncodedResource>,
    /// How many spans each of the next requests has, as far as that is decided.
    runs: VecDeque<usize>,
    /// The facts known about the next request since it was encoded.
    encoded: Option<Encoded>,
    /// The length of the shortest body that the service found too large. What is as long is divided
    /// without asking.
    too_large: usize,
    /// Of the requests that are settled.
    requests: usize,
    body_bytes: usize,
    truncated: usize,
}

/// The facts known about an encoded request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) spans: usize,
    pub(super) body_bytes: usize,
    /// How many of the spans were cut.
    pub(super) truncated: usize,
}

/// The spans of a request that are settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) spans: usize,
    /// Their estimated memory.
    pub(super) bytes: u64,
}

impl Outbox {
    pub(super) fn new(spans: Vec<SpanData>, resource: Arc<EncodedResource>, bytes: u64) -> Self {
        Self {
            spans: spans.into(),
            bytes,
            resource,
            runs: VecDeque::new(),
            encoded: None,
            too_large: usize::MAX,
            requests: 0,
            body_bytes: 0,
            truncated: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many requests were made.
    pub(super) fn requests(&self) -> usize {
        self.requests + usize::from(self.encoded.is_some())
    }

    /// The length of their bodies.
    pub(super) fn body_bytes(&self) -> usize {
        self.body_bytes + self.ahead().body_bytes
    }

    /// How many of their spans were cut.
    pub(super) fn truncated(&self) -> usize {
        self.truncated + self.ahead().truncated
    }

    /// The request that was encoded last, if it is not settled or divided.
    pub(super) fn ahead(&self) -> Encoded {
        self.encoded.unwrap_or_default()
    }

    /// Encodes the next request.
    pub(super) fn encode(&mut self, press: &Press) -> Parcel {
        loop {
            let run = self.runs.front().copied();
            let parcel = press.next(
                &self.resource,
                self.spans.make_contiguous(),
                self.bytes,
                run,
            );
            if run.is_none() {
                self.runs.push_front(parcel.spans);
            }
            let length = parcel.body.len();
            let is_too_long =
                !parcel.is_complete || press.is_too_long(length) || length >= self.too_large;
            if !is_too_long || !self.divide() {
                self.encoded = Some(Encoded {
                    spans: parcel.spans,
                    body_bytes: length,
                    truncated: parcel.truncated,
                });
                return parcel;
            }
        }
    }

    /// The ids of the next request's spans.
    pub(super) fn keys(&self) -> Vec<SpanKey> {
        let run = self.runs.front().copied().unwrap_or(0);
        self.spans.iter().take(run).map(key).collect()
    }

    /// Divides the next request, which the service finds too large; `false` if it cannot be
    /// divided.
    pub(super) fn refuse(&mut self) -> bool {
        if let Some(refused) = self.encoded {
            self.too_large = self.too_large.min(refused.body_bytes);
        }
        self.divide()
    }

    /// Makes two requests of the next one; `false` if it has a single span.
    pub(super) fn divide(&mut self) -> bool {
        let Some(run) = self.runs.front_mut().filter(|run| **run > 1) else {
            return false;
        };
        let first = *run / 2;
        *run -= first;
        self.runs.push_front(first);
        self.encoded = None;
        true
    }

    /// The next request is settled: its spans go.
    pub(super) fn settle(&mut self) -> Settled {
        let before = self.spans.len();
        let spans = self.runs.pop_front().unwrap_or(0).min(self.spans.len());
        if let Some(encoded) = self.encoded.take() {
            self.requests += 1;
            self.body_bytes += encoded.body_bytes;
            self.truncated += encoded.truncated;
        }
        let settled = self.spans.drain(..spans);
        // The last request has what is left: most loads are one request.
        let bytes = match settled.len() == before {
            true => self.bytes,
            false => settled.map(|span| estimated_bytes(&span)).sum(),
        };
        self.bytes = self.bytes.saturating_sub(bytes);
        Settled { spans, bytes }
    }
}

#[cfg(test)]
mod tests {
    use agentspan_model::agent365::Profile;
    use opentelemetry::KeyValue;
    use opentelemetry_sdk::Resource;

    use super::super::press::{LONGEST_PIECE, PIECE};
    use super::*;
    use crate::chunking::Estimate;
    use crate::encode::BodyEncoder;
    use crate::span_of_test::span;

    fn outbox(spans: usize, text: &str) -> Outbox {
        let span = span(vec![KeyValue::new("text", text.to_owned())]);
        let resource = Resource::builder_empty().with_service_name("s").build();
        let bytes = estimated_bytes(&span) * spans as u64;
        let resource = Arc::new(EncodedResource::from(&resource));
        Outbox::new(vec![span; spans], resource, bytes)
    }

    fn press(max_payload_bytes: Option<usize>) -> Press {
        Press::new(
            BodyEncoder::new(Profile::V0_1),
            max_payload_bytes,
            Estimate::of(Profile::V0_1),
        )
    }

    /// How many spans the requests have.
    fn runs(outbox: &mut Outbox, press: &Press) -> Vec<usize> {
        let mut runs = Vec::new();
        while !outbox.is_empty() {
            let parcel = outbox.encode(press);
            let settled = outbox.settle();
            assert_eq!(settled.spans, parcel.spans);
            runs.push(parcel.spans);
        }
        runs
    }

    #[test]
    fn what_is_as_large_as_what_was_refused_is_divided_without_asking() {
        let (mut outbox, press) = (outbox(9, "text"), press(Some(8_700)));
        // The estimate of the reference puts four spans in a request.
        let first = outbox.encode(&press);
        assert_eq!(first.spans, 4);
        assert!(outbox.refuse());
        assert_eq!(runs(&mut outbox, &press), [2, 2, 2, 2, 1]);
        assert_eq!(outbox.requests(), 5);
    }

    #[test]
    fn a_single_span_is_not_divided() {
        let (mut outbox, press) = (outbox(1, "text"), press(None));
        let length = outbox.encode(&press).body.len();
        assert!(!outbox.refuse());
        assert_eq!((outbox.requests(), outbox.body_bytes()), (1, length));
        assert_eq!(outbox.encode(&press).body.len(), length);
        assert_eq!(outbox.settle().spans, 1);
        assert_eq!((outbox.requests(), outbox.body_bytes()), (1, length));
    }

    #[test]
    fn a13_a_body_that_is_longer_than_expected_is_given_up_before_it_is_complete() {
        let (long, press) = (outbox(30, &"\u{1}".repeat(100_000)), press(None));
        let spans: Vec<SpanData> = long.spans.into();
        let parcel = press.next(&long.resource, &spans, long.bytes, None);
        assert!(!parcel.is_complete);
        let memory = parcel.memory;
        assert!(memory <= 2 * LONGEST_PIECE as u64, "{memory} for a body");
        // One span is sent whatever its length.
        let parcel = press.next(&long.resource, &spans[..1], long.bytes, None);
        assert!(parcel.is_complete);
    }

    #[test]
    fn a13_a_profile_without_a_limit_sends_long_batches_in_pieces() {
        let plain = "x".repeat(100_000);
        let (mut long, press_of_plain) = (outbox(50, &plain), press(None));
        let full = usize::try_from(PIECE).unwrap() / 101_000;
        assert_eq!(runs(&mut long, &press_of_plain), [full, 50 - full]);
        // Six times as long as JSON, which shows at the first body.
        let control = "\u{1}".repeat(100_000);
        let (mut long, press_of_control) = (outbox(50, &control), press(None));
        let mut sent = 0;
        while !long.is_empty() {
            let parcel = long.encode(&press_of_control);
            assert!(parcel.body.len() <= LONGEST_PIECE, "{}", parcel.body.len());
            sent += long.settle().spans;
        }
        assert_eq!(sent, 50);
        assert!(press_of_control.forecast(300_000) > 1_700_000);
    }
}
