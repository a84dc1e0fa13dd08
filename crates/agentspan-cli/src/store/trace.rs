//! One trace of the store: spans as they came, and spans that are packed.

mod growing;
mod packing;
mod size;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use agentspan_model::agent365::Profile;

use super::head::Head;
use super::pack::Pack;
use super::tally::Tally;
use crate::group::Group;
use crate::judging::Judged;
use crate::row::Row;
use crate::search::Trigrams;
use crate::span::Span;

use size::Lengths;

pub(super) use size::{Size, TRACE_BYTES};

/// What all traces of a store share.
#[derive(Debug)]
pub(super) struct Common {
    /// The generation whose exporter decides which spans are refused.
    pub(super) package: Profile,
    keys: RandomState,
    /// How many packed spans could not be read.
    pub(super) broken: AtomicU64,
}

impl Common {
    pub(super) fn new(package: Profile) -> Self {
        Self {
            package,
            keys: RandomState::new(),
            broken: AtomicU64::new(0),
        }
    }

    /// A few bits of an id, which nobody can choose.
    #[expect(clippy::cast_possible_truncation, reason = "a part is enough")]
    fn hash(&self, id: &str) -> u32 {
        self.keys.hash_one(id) as u32
    }
}

/// Where a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Among the loose ones.
    Loose(u32),
    /// In the pack with this number.
    Packed(u32),
}

/// The spans of one trace.
#[derive(Debug)]
pub(crate) struct Trace {
    id: Arc<str>,
    common: Arc<Common>,
    /// The number of its last change.
    changed: u64,
    /// Where each span is, those that came first first.
    at: Vec<At>,
    /// The places of spans by a hash of their ids.
    index: BTreeSet<(u32, u32)>,
    /// The spans that are not packed, and the place of each.
    loose: Vec<Span>,
    places: Vec<u32>,
    /// A pack stays at its number, even if all of its spans were replaced.
    packs: Vec<Pack>,
    /// Packs of which more than half was replaced.
    worn: Vec<u32>,
    loose_bytes: usize,
    packed_bytes: usize,
    /// It stays as it is until it changes, since there was no room to pack it.
    is_left: bool,
    /// What its spans take when none is packed.
    plain: usize,
    /// What it takes beside its spans.
    own_bytes: usize,
    /// The lengths of the longest texts that its row may have.
    longest: Lengths,
    row: OnceLock<Box<Row>>,
    /// The findings, if they were computed since the last change.
    judged: OnceLock<Box<Judged>>,
}

/// A span that a later one may replace.
#[derive(Clone, Debug)]
pub(super) struct Earlier {
    at: At,
    head: Head,
}

impl Trace {
    pub(super) fn new(number: u64, id: Arc<str>, common: &Arc<Common>) -> Self {
        Self {
            id,
            common: Arc::clone(common),
            changed: number,
            at: Vec::new(),
            index: BTreeSet::new(),
            loose: Vec::new(),
            places: Vec::new(),
            packs: Vec::new(),
            worn: Vec::new(),
            loose_bytes: 0,
            packed_bytes: 0,
            is_left: false,
            plain: 0,
            own_bytes: TRACE_BYTES,
            longest: Lengths::default(),
            row: OnceLock::new(),
            judged: OnceLock::new(),
        }
    }

    /// Its id, which all of its spans have.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The number of its last change.
    pub(crate) fn changed(&self) -> u64 {
        self.changed
    }

    /// Leaves the sums of the traces that have not changed since this number, if it is one of these.
    pub(super) fn leave(&self, tally: &mut Tally, tallied: u64) {
        if self.changed <= tallied {
            tally.subtract(self.row());
        }
    }

    /// How many spans it has.
    pub(crate) fn len(&self) -> usize {
        self.at.len()
    }

    /// Its spans, those that came first first. Packed ones are unpacked for the caller.
    pub(crate) fn spans(&self) -> Cow<'_, [Span]> {
        if self.packs.is_empty() {
            return Cow::Borrowed(&self.loose);
        }
        let mut slots: Vec<Option<Span>> = Vec::new();
        slots.resize_with(self.at.len(), || None);
        let loose = self.places.iter().copied().zip(self.loose.iter().cloned());
        let packed = (0..).zip(&self.packs);
        let packed = packed.flat_map(|(number, pack)| self.unpacked(number, pack));
        for (place, span) in packed.chain(loose) {
            if let Some(slot) = slots.get_mut(place as usize) {
                *slot = Some(span);
            }
        }
        Cow::Owned(slots.into_iter().flatten().collect())
    }

    /// The span with this id.
    pub(crate) fn span(&self, id: &str) -> Option<Cow<'_, Span>> {
        let earlier = self.find(id)?;
        match earlier.at {
            At::Loose(at) => self.loose.get(at as usize).map(Cow::Borrowed),
            At::Packed(number) => {
                let pack = self.packs.get(number as usize)?;
                let mut spans = self.unpacked(number, pack).into_iter();
                let found = spans.find(|(place, _)| *place == earlier.head.place);
                found.map(|(_, span)| Cow::Owned(span))
            }
        }
    }

    /// Whether the service, or an exporter before it, would not take the span with this id.
    pub(crate) fn is_refused(&self, id: &str) -> Option<bool> {
        self.find(id).map(|earlier| earlier.head.is_refused)
    }

    /// Whether a span meets a condition. Packs whose texts lack what it needs are not unpacked.
    pub(crate) fn has_span(
        &self,
        may_have: impl Fn(&Trigrams) -> bool,
        is_wanted: impl Fn(&Span) -> bool,
    ) -> bool {
        let in_pack = |(number, pack): (u32, &Pack)| {
            let spans = || self.unpacked(number, pack).into_iter();
            may_have(pack.trigrams()) && spans().any(|(_, span)| is_wanted(&span))
        };
        self.loose.iter().any(&is_wanted) || (0..).zip(&self.packs).any(in_pack)
    }

    /// Its line in the list, made once after each change.
    pub(crate) fn row(&self) -> &Row {
        self.row.get_or_init(|| Box::new(Row::of(&self.spans())))
    }

    /// The same, for those who have its spans at hand.
    pub(crate) fn row_of(&self, spans: &[Span]) -> &Row {
        self.row.get_or_init(|| Box::new(Row::of(spans)))
    }

    /// The findings in it. The rules are applied only once after each change.
    pub(crate) fn judged(&self) -> &Judged {
        let is_refused = |span: &Span| span.facts.is_refused;
        let judge = || Judged::of(&self.spans(), self.package(), is_refused);
        self.judged.get_or_init(|| Box::new(judge()))
    }

    /// The generation whose exporter decides which of its spans are refused.
    pub(crate) fn package(&self) -> Profile {
        self.common.package
    }

    /// The groups of its spans, each at least once.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Group> {
        let packed = self.packs.iter().flat_map(Pack::origins);
        let packed = packed.map(|origin| &*origin.group);
        self.loose.iter().map(|span| &*span.group).chain(packed)
    }

    /// What it takes, and how much of that can be packed.
    pub(super) fn size(&self) -> Size {
        let (loose, loose_bytes) = match self.is_left {
            true => (0, 0),
            false => (self.loose.len(), self.loose_bytes),
        };
        Size {
            bytes: self.own_bytes + self.packed_bytes + self.loose_bytes,
            loose,
            loose_bytes,
        }
    }

    /// Leaves its spans as they are until it changes.
    pub(super) fn leave_loose(&mut self) {
        self.is_left = true;
    }

    /// The span with this id, and where it is.
    pub(super) fn find(&self, id: &str) -> Option<Earlier> {
        let hash = self.common.hash(id);
        let mut places = self.index.range((hash, 0)..=(hash, u32::MAX));
        places.find_map(|(_, place)| self.at_place(*place).filter(|found| found.head.id == id))
    }

    fn at_place(&self, place: u32) -> Option<Earlier> {
        let at = *self.at.get(place as usize)?;
        let head = match at {
            At::Loose(at) => Head::of(place, self.loose.get(at as usize)?),
            At::Packed(number) => {
                let pack = self.packs.get(number as usize)?;
                let heads = self.read(pack, Pack::heads)?;
                heads.into_iter().find(|head| head.place == place)?
            }
        };
        Some(Earlier { at, head })
    }
}
