//! Some spans of a trace in compressed bytes.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::Compression;
use flate2::bufread::DeflateDecoder;
use flate2::write::DeflateEncoder;
use prost::Message;
use prost::encoding::decode_varint;

use super::head::{Head, Heads};
use super::record::{Origin, Record};
use crate::search::Trigrams;
use crate::span::{INDEX_BYTES, Span};

/// How many spans a pack has at most. To read one of them, all are decompressed.
pub(super) const PACK_SPANS: usize = 64;

/// How many bytes of spans go into one pack. A larger span is alone in its pack.
pub(super) const PACK_BYTES: usize = 256 << 10;

/// How hard the compression tries, of 9.
const LEVEL: u32 = 6;

/// Spans of one trace, which are read together.
#[derive(Debug)]
pub(super) struct Pack {
    bytes: Box<[u8]>,
    /// How many bytes these are when they are decompressed.
    plain: usize,
    spans: usize,
    /// How many of them were replaced since.
    replaced: usize,
    origins: Box<[Origin]>,
    trigrams: Trigrams,
    is_broken: AtomicBool,
}

impl Pack {
    pub(super) fn spans(&self) -> usize {
        self.spans
    }

    pub(super) fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// Whether one of its texts may have a word.
    pub(super) fn trigrams(&self) -> &Trigrams {
        &self.trigrams
    }

    /// Counts a span that was replaced. Says whether that is more than half of them.
    pub(super) fn replace(&mut self) -> bool {
        self.replaced += 1;
        self.replaced * 2 > self.spans
    }

    /// Whether all of its spans were replaced.
    pub(super) fn is_replaced(&self) -> bool {
        self.replaced >= self.spans
    }

    /// About how many bytes its spans take while they are packed or merged.
    pub(super) fn plain(&self) -> usize {
        self.plain
    }

    /// How much memory it takes, about.
    pub(super) fn bytes(&self) -> usize {
        let of_spans = self.bytes.len() + self.trigrams.bytes() + self.spans * INDEX_BYTES;
        size_of::<Self>() + of_spans + size_of_val(&*self.origins)
    }

    /// The heads of its spans, for which only its beginning is decompressed. `None` if it is broken.
    pub(super) fn heads(&self) -> Option<Vec<Head>> {
        let mut plain = DeflateDecoder::new(&*self.bytes);
        let mut first = [0; 10];
        let read = read_some(&mut plain, &mut first)?;
        let mut rest = first.get(..read)?;
        let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
        if length > self.plain {
            return None;
        }
        let mut heads = vec![0; length];
        let (known, unknown) = heads.split_at_mut_checked(rest.len().min(length))?;
        known.copy_from_slice(rest.get(..known.len())?);
        plain.read_exact(unknown).ok()?;
        Some(Heads::decode(&*heads).ok()?.heads)
    }

    /// Its spans, also those that were replaced, with their places in the trace. `None` if it is broken.
    pub(super) fn unpacked(&self, trace_id: &str) -> Option<Vec<(u32, Span)>> {
        let mut plain = Vec::with_capacity(self.plain);
        let longest = u64::try_from(self.plain).ok()?.checked_add(1)?;
        let mut decoder = DeflateDecoder::new(&*self.bytes).take(longest);
        decoder.read_to_end(&mut plain).ok()?;
        let mut rest = plain.as_slice();
        let heads = Heads::decode_length_delimited(&mut rest).ok()?.heads;
        let spans = heads.into_iter().map(|head| {
            let record = Record::decode_length_delimited(&mut rest).ok()?;
            let place = head.place;
            Some((place, record.into_span(trace_id, head, &self.origins)?))
        });
        spans.collect()
    }

    /// Whether it is told for the first time that it cannot be read.
    pub(super) fn breaks(&self) -> bool {
        !self.is_broken.swap(true, Ordering::SeqCst)
    }
}

/// Reads until the buffer is full, or nothing more comes.
fn read_some(from: &mut impl Read, buffer: &mut [u8]) -> Option<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest).ok()? {
            0 => break,
            read => filled += read,
        }
    }
    Some(filled)
}

/// Packs spans, with one state of the compression for all.
pub(super) struct Packer {
    encoder: DeflateEncoder<Vec<u8>>,
    buffer: Vec<u8>,
    loose_spans: usize,
    /// How many spans it packed, each as often as it did.
    packed: u64,
}

impl Packer {
    pub(super) fn new(loose_spans: usize) -> Self {
        Self {
            encoder: DeflateEncoder::new(Vec::new(), Compression::new(LEVEL)),
            buffer: Vec::new(),
            loose_spans,
            packed: 0,
        }
    }

    /// How many spans of all traces stay as they came.
    pub(super) fn loose_spans(&self) -> usize {
        self.loose_spans
    }

    /// How many spans it packed, each as often as it did.
    #[cfg(test)]
    pub(super) fn packed(&self) -> u64 {
        self.packed
    }

    /// Packs spans, which come with their places in the trace.
    ///
    /// # Errors
    ///
    /// They cannot be compressed. The spans are still there.
    pub(super) fn pack<'a>(
        &mut self,
        spans: impl Iterator<Item = (u32, &'a Span)> + Clone,
    ) -> io::Result<Pack> {
        let trigrams = Trigrams::of(spans.clone().map(|(_, span)| &*span.json));
        let heads = spans.clone().map(|(place, span)| Head::of(place, span));
        let heads = Heads {
            heads: heads.collect(),
        };
        let count = heads.heads.len();
        let mut plain = self.write(&heads)?;
        let mut origins: Vec<Origin> = Vec::new();
        for (_, span) in spans {
            let known = origins.iter().rposition(|origin| origin.is_of(span));
            let origin = known.unwrap_or_else(|| {
                origins.push(Origin::of(span));
                origins.len() - 1
            });
            let origin = u32::try_from(origin).unwrap_or(u32::MAX);
            plain += self.write(&Record::of(span.clone(), origin))?;
        }
        // The buffer is as large as the largest span, and most are small.
        self.buffer.shrink_to(PACK_BYTES);
        let bytes = self.encoder.reset(Vec::new())?;
        self.packed += count as u64;
        Ok(Pack {
            bytes: bytes.into_boxed_slice(),
            plain,
            spans: count,
            replaced: 0,
            origins: origins.into_boxed_slice(),
            trigrams,
            is_broken: AtomicBool::new(false),
        })
    }

    fn write(&mut self, message: &impl Message) -> io::Result<usize> {
        self.buffer.clear();
        message.encode_length_delimited(&mut self.buffer)?;
        self.encoder.write_all(&self.buffer)?;
        Ok(self.buffer.len())
    }
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Packer");
        debug.field("packed", &self.packed).finish_non_exhaustive()
    }
}
