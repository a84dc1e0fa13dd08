//! Some spans of a trace in compressed bytes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use prost::Message;

use super::dictionary::{Dictionaries, Dictionary};
use super::head::{Head, Heads};
use super::record::{Origin, Record};
use crate::search::Trigrams;
use crate::span::{INDEX_BYTES, Span};

/// How many spans are packed at a time, at most. To read one of them, all are decompressed. A pack that was merged of
/// smaller ones may have four times as many.
pub(super) const PACK_SPANS: usize = 64;

/// How many bytes of spans go into one pack. A larger span is alone in its pack.
pub(super) const PACK_BYTES: usize = 256 << 10;

/// How hard the compression tries, of 9.
const LEVEL: u32 = 6;

/// Spans of one trace, which are read together.
#[derive(Debug)]
pub(super) struct Pack {
    bytes: Box<[u8]>,
    dictionary: Arc<Dictionary>,
    /// How many bytes these are when they are decompressed, and how many of them are the heads.
    plain: usize,
    heads: usize,
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

    /// Gives back what it holds, when all of its spans were replaced.
    pub(super) fn clear(&mut self, nothing: &Arc<Dictionary>) {
        *self = Self {
            bytes: Box::default(),
            dictionary: Arc::clone(nothing),
            plain: 0,
            heads: 0,
            spans: 0,
            replaced: 0,
            origins: Box::default(),
            trigrams: Trigrams::default(),
            is_broken: AtomicBool::new(false),
        };
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
        let heads = self.decompressed(self.heads)?;
        Some(Heads::decode(&*heads).ok()?.heads)
    }

    /// Its spans, also those that were replaced, with their places in the trace. `None` if it is broken.
    pub(super) fn unpacked(&self, trace_id: &str) -> Option<Vec<(u32, Span)>> {
        let plain = self.decompressed(self.plain)?;
        let (heads, mut rest) = plain.split_at_checked(self.heads)?;
        let heads = Heads::decode(heads).ok()?.heads;
        let spans = heads.into_iter().map(|head| {
            let record = Record::decode_length_delimited(&mut rest).ok()?;
            let place = head.place;
            Some((place, record.into_span(trace_id, head, &self.origins)?))
        });
        spans.collect()
    }

    /// So many bytes from its beginning.
    fn decompressed(&self, length: usize) -> Option<Vec<u8>> {
        let mut state = Decompress::new(false);
        let dictionary = self.dictionary.bytes();
        if !dictionary.is_empty() {
            state.set_dictionary(dictionary).ok()?;
        }
        let mut plain = Vec::with_capacity(length);
        let all = FlushDecompress::Finish;
        // With less room than all of it needs, this ends when the room is full.
        state.decompress_vec(&self.bytes, &mut plain, all).ok()?;
        plain.truncate(length);
        Some(plain).filter(|plain| plain.len() == length)
    }

    #[cfg(test)]
    pub(super) fn spoil(&mut self) {
        self.bytes.fill(0xff);
    }

    /// Whether it is told for the first time that it cannot be read.
    pub(super) fn breaks(&self) -> bool {
        !self.is_broken.swap(true, Ordering::SeqCst)
    }
}

/// Packs spans, with one state of the compression for all.
pub(super) struct Packer {
    state: Compress,
    dictionaries: Dictionaries,
    plain: Vec<u8>,
    loose_spans: usize,
    /// How many spans it packed, each as often as it did.
    packed: u64,
}

impl Packer {
    /// A packer that counts here how many bytes its dictionaries take.
    pub(super) fn new(loose_spans: usize, dictionaries: &Arc<AtomicUsize>) -> Self {
        Self {
            state: Compress::new(Compression::new(LEVEL), false),
            dictionaries: Dictionaries::new(dictionaries),
            plain: Vec::new(),
            loose_spans,
            packed: 0,
        }
    }

    /// How many spans of all traces stay as they came.
    pub(super) fn loose_spans(&self) -> usize {
        self.loose_spans
    }

    /// A dictionary without anything in it.
    pub(super) fn nothing(&self) -> &Arc<Dictionary> {
        self.dictionaries.nothing()
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
        self.plain.clear();
        heads.encode(&mut self.plain)?;
        let (count, heads) = (heads.heads.len(), self.plain.len());
        let mut origins: Vec<Origin> = Vec::new();
        for (_, span) in spans {
            let known = origins.iter().rposition(|origin| origin.is_of(span));
            let origin = known.unwrap_or_else(|| {
                origins.push(Origin::of(span));
                origins.len() - 1
            });
            let origin = u32::try_from(origin).unwrap_or(u32::MAX);
            Record::of(span.clone(), origin).encode_length_delimited(&mut self.plain)?;
        }
        let dictionary = Arc::clone(self.dictionaries.current());
        let bytes = self.compressed(dictionary.bytes())?;
        self.dictionaries.learn(&self.plain);
        self.packed += count as u64;
        let plain = self.plain.len();
        // It was as large as the largest span, and most are small.
        self.plain.clear();
        self.plain.shrink_to(PACK_BYTES);
        Ok(Pack {
            bytes,
            dictionary,
            plain,
            heads,
            spans: count,
            replaced: 0,
            origins: origins.into_boxed_slice(),
            trigrams,
            is_broken: AtomicBool::new(false),
        })
    }

    fn compressed(&mut self, dictionary: &[u8]) -> io::Result<Box<[u8]>> {
        self.state.reset();
        if !dictionary.is_empty() {
            self.state.set_dictionary(dictionary)?;
        }
        let mut bytes = Vec::with_capacity(self.plain.len() / 8 + 64);
        loop {
            let taken = usize::try_from(self.state.total_in()).unwrap_or(usize::MAX);
            let rest = self.plain.get(taken..).unwrap_or_default();
            let all = FlushCompress::Finish;
            if self.state.compress_vec(rest, &mut bytes, all)? == Status::StreamEnd {
                return Ok(bytes.into_boxed_slice());
            }
            bytes.reserve(bytes.len() / 4 + 64);
        }
    }
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Packer");
        debug.field("packed", &self.packed).finish_non_exhaustive()
    }
}
