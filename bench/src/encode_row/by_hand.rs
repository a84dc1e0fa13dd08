//! The body by hand: constants as literals, ids by table, text in blocks of 32 bytes.
//!
//! It says what [`json`](super::json) says and leaves out what that leaves out. A block is stored before anybody
//! looks at it; what lies behind a byte that needs an escape is stored again.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use wide::u8x16;

/// Bytes that are looked at together.
const BLOCK: usize = 32;

/// A body that grows in memory that is kept.
pub(super) struct ByHand {
    /// What is before the first span: resource and instrumentation scope.
    head: Vec<u8>,
    /// As long as the longest body so far.
    memory: Vec<u8>,
    at: usize,
}

impl ByHand {
    /// `head` is the body of a request up to its first span.
    pub(super) fn new(head: Vec<u8>) -> Self {
        Self {
            head,
            memory: Vec::new(),
            at: 0,
        }
    }

    /// Writes the body.
    pub(super) fn encode(&mut self, spans: &[SpanData]) -> &[u8] {
        self.at = 0;
        let head = std::mem::take(&mut self.head);
        self.raw(&head);
        self.head = head;
        for (number, span) in spans.iter().enumerate() {
            if number > 0 {
                self.raw(b",");
            }
            self.span(span);
        }
        self.raw(b"]}]}]}");
        self.memory.get(..self.at).unwrap_or_default()
    }

    fn span(&mut self, span: &SpanData) {
        self.raw(b"{\"traceId\":\"");
        self.hex(&span.span_context.trace_id().to_bytes());
        self.raw(b"\",\"spanId\":\"");
        self.hex(&span.span_context.span_id().to_bytes());
        if span.parent_span_id == SpanId::INVALID {
            self.raw(b"\",\"parentSpanId\":null,\"name\":\"");
        } else {
            self.raw(b"\",\"parentSpanId\":\"");
            self.hex(&span.parent_span_id.to_bytes());
            self.raw(b"\",\"name\":\"");
        }
        self.text(&span.name);
        self.raw(match span.span_kind {
            SpanKind::Client => b"\",\"kind\":\"CLIENT\",\"startTimeUnixNano\":",
            SpanKind::Server => b"\",\"kind\":\"SERVER\",\"startTimeUnixNano\":",
            SpanKind::Producer => b"\",\"kind\":\"PRODUCER\",\"startTimeUnixNano\":",
            SpanKind::Consumer => b"\",\"kind\":\"CONSUMER\",\"startTimeUnixNano\":",
            SpanKind::Internal => b"\",\"kind\":\"INTERNAL\",\"startTimeUnixNano\":",
        });
        self.time(span.start_time);
        self.raw(b",\"endTimeUnixNano\":");
        self.time(span.end_time);
        self.raw(b",\"attributes\":");
        self.attributes(&span.attributes);
        if span.events.is_empty() {
            self.raw(b",\"events\":null");
        } else {
            self.raw(b",\"events\":[");
            for (number, event) in span.events.iter().enumerate() {
                self.raw(if number > 0 {
                    b",{\"timeUnixNano\":"
                } else {
                    b"{\"timeUnixNano\":"
                });
                self.time(event.timestamp);
                self.raw(b",\"name\":\"");
                self.text(&event.name);
                self.raw(b"\",\"attributes\":");
                self.attributes(&event.attributes);
                self.raw(b"}");
            }
            self.raw(b"]");
        }
        self.raw(b",\"links\":null,\"status\":{\"code\":\"");
        match &span.status {
            Status::Unset => self.raw(b"UNSET\",\"message\":\""),
            Status::Ok => self.raw(b"OK\",\"message\":\""),
            Status::Error { description } => {
                self.raw(b"ERROR\",\"message\":\"");
                self.text(description);
            }
        }
        self.raw(b"\"}}");
    }

    fn attributes(&mut self, attributes: &[KeyValue]) {
        self.raw(b"{");
        for (number, attribute) in attributes.iter().enumerate() {
            self.raw(if number > 0 { b",\"" } else { b"\"" });
            self.text(attribute.key.as_str());
            self.raw(b"\":\"");
            self.text(&attribute.value.as_str());
            self.raw(b"\"");
        }
        self.raw(b"}");
    }

    fn time(&mut self, time: SystemTime) {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanos = since.as_secs() * 1_000_000_000 + u64::from(since.subsec_nanos());
        self.raw(itoa::Buffer::new().format(nanos).as_bytes());
    }

    fn hex<const N: usize>(&mut self, bytes: &[u8; N]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let place = self.place(2 * N);
        for (pair, byte) in place.chunks_exact_mut(2).zip(bytes) {
            let digits = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
            pair.copy_from_slice(&digits);
        }
        self.at += 2 * N;
    }

    #[inline(always)]
    fn raw(&mut self, bytes: &[u8]) {
        self.place(bytes.len()).copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// Text, escaped.
    #[inline(always)]
    fn text(&mut self, text: &str) {
        let text = text.as_bytes();
        // Two loads that overlap cover what is short, and most of that is plain.
        match (text.first_chunk::<16>(), text.last_chunk::<16>()) {
            (Some(first), Some(last)) if text.len() <= BLOCK && marks(first) | marks(last) == 0 => {
                self.both(text.len(), first, last);
                return;
            }
            (None, _) => {
                if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>())
                {
                    let mut lanes = [0; 16];
                    lanes[..8].copy_from_slice(first);
                    lanes[8..].copy_from_slice(last);
                    if marks(&lanes) == 0 {
                        self.both(text.len(), first, last);
                        return;
                    }
                }
            }
            _ => {}
        }
        self.long_text(text);
    }

    #[inline(always)]
    fn both<const N: usize>(&mut self, length: usize, first: &[u8; N], last: &[u8; N]) {
        let place = self.place(length);
        place[..N].copy_from_slice(first);
        place[length - N..].copy_from_slice(last);
        self.at += length;
    }

    #[inline(never)]
    fn long_text(&mut self, text: &[u8]) {
        // Every byte may need six, and a block is stored as a whole.
        let place = self.place(6 * text.len() + 2 * BLOCK);
        let mut at = 0;
        let mut rest = text;
        while let Some((block, after)) = rest.split_first_chunk::<BLOCK>() {
            let mut marked = marks_of_block(block);
            place[at..at + BLOCK].copy_from_slice(block);
            let mut begin = 0;
            while marked != 0 {
                let plain = marked.trailing_zeros() as usize;
                marked &= marked - 1;
                at += plain - begin;
                begin = plain + 1;
                let (escape, length) = escape(block[plain]);
                place[at..at + 6].copy_from_slice(&escape);
                at += length;
                // As much as there is after the escape, of which the rest of the block counts.
                match rest[begin..].first_chunk::<BLOCK>() {
                    Some(next) => place[at..at + BLOCK].copy_from_slice(next),
                    None => place[at..at + BLOCK - begin].copy_from_slice(&block[begin..]),
                }
            }
            at += BLOCK - begin;
            rest = after;
        }
        for byte in rest {
            if *byte < 0x20 || matches!(byte, b'"' | b'\\') {
                let (escape, length) = escape(*byte);
                place[at..at + 6].copy_from_slice(&escape);
                at += length;
            } else {
                place[at] = *byte;
                at += 1;
            }
        }
        self.at += at;
    }

    /// Room for `bytes` more.
    #[inline(always)]
    fn place(&mut self, bytes: usize) -> &mut [u8] {
        let end = self.at + bytes;
        if self.memory.len() < end {
            self.memory.resize(2 * end, 0);
        }
        &mut self.memory[self.at..end]
    }
}

/// One bit for each byte, set where an escape is needed.
#[inline(always)]
fn marks_of_block(block: &[u8; BLOCK]) -> u32 {
    let mut low = [0; 16];
    let mut high = [0; 16];
    low.copy_from_slice(&block[..16]);
    high.copy_from_slice(&block[16..]);
    marks(&low) | marks(&high) << 16
}

/// One bit for each byte, set where an escape is needed.
#[inline(always)]
fn marks(lanes: &[u8; 16]) -> u32 {
    let bytes = u8x16::new(*lanes);
    let control = bytes.min(u8x16::splat(0x1f)).cmp_eq(bytes);
    let quote = bytes.cmp_eq(u8x16::splat(b'"'));
    let backslash = bytes.cmp_eq(u8x16::splat(b'\\'));
    (control | quote | backslash).move_mask().unsigned_abs()
}

/// The escape of a byte that needs one, and its length.
#[inline(always)]
fn escape(byte: u8) -> ([u8; 6], usize) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let digits =
                [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]);
            return ([b'\\', b'u', b'0', b'0', digits[0], digits[1]], 6);
        }
    };
    ([b'\\', letter, 0, 0, 0, 0], 2)
}

#[cfg(test)]
mod tests {
    use agentspan_testkit::turn;

    use crate::encode_row::{head, json};

    use super::*;

    #[test]
    fn it_says_what_others_say() {
        let (mut spans, resource) = (turn::spans(3, 1), turn::resource());
        let every = (0..200).map(char::from).collect::<String>();
        spans[1].attributes.push(KeyValue::new("every", every));
        spans[2].status = Status::error("a \"quoted\" error");
        let mut expected = Vec::new();
        json::stream(&resource, &spans, &mut expected);
        let mut by_hand = ByHand::new(head(&resource, &spans));
        for _ in 0..2 {
            let body = String::from_utf8(by_hand.encode(&spans).to_vec()).unwrap();
            assert_eq!(body, String::from_utf8(expected.clone()).unwrap());
        }
    }
}
