//! A list that has each key once: a key that is set again moves to the end, as in the reference.

use std::hash::{BuildHasher, Hash};

use hashbrown::DefaultHashBuilder;
use hashbrown::hash_table::{Entry, HashTable};
use opentelemetry::{Key, KeyValue};

/// As long as a list is shorter than this, a new item is compared with those that are there. A
/// longer list has an index.
const FEW: usize = 16;

/// A value with a key.
pub(crate) trait Keyed {
    type Key: Eq + Hash;

    fn key(&self) -> &Self::Key;

    /// A number that costs next to nothing, equal for equal keys and mostly different for others.
    fn fingerprint(&self) -> u64;
}

impl Keyed for KeyValue {
    type Key = Key;

    #[inline]
    fn key(&self) -> &Key {
        &self.key
    }

    /// Of the length and both ends: keys of one vocabulary begin alike and end differently.
    #[inline]
    fn fingerprint(&self) -> u64 {
        let key = self.key.as_str().as_bytes();
        let (first, last) = match (key.first_chunk(), key.last_chunk()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => (
                0,
                key.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
            ),
        };
        // Numbers without a pattern, so that nothing is multiplied by zero.
        let first = first ^ key.len() as u64 ^ 0x9e37_79b9_7f4a_7c15;
        let product = u128::from(first) * u128::from(last ^ 0xd6e8_feb8_6659_fd93);
        product as u64 ^ (product >> 64) as u64
    }
}

/// Which of two items with one key stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The one that was set last.
    Own,
    /// As an own one, set by other code.
    Other,
    /// The other one, unless it is free, too: what the scope, the baggage or other code says under
    /// its key, so that nobody overwrites an identity by accident.
    Free,
    /// As a free one, and also another free one that was there before.
    Filling,
}

impl Standing {
    fn is_free(self) -> bool {
        match self {
            Self::Own | Self::Other => false,
            Self::Free | Self::Filling => true,
        }
    }

    /// That of an item that replaces one of the other standing: what is recorded stays so, whoever
    /// sets it again.
    fn in_place_of(self, other: Self) -> Self {
        match (self, other) {
            (Self::Other, Self::Own) => Self::Own,
            _ => self,
        }
    }

    /// Whether an item gives way to one of its key that is there already.
    fn gives_way_to(self, is_other_free: bool) -> bool {
        match self {
            Self::Own | Self::Other => false,
            Self::Free => !is_other_free,
            Self::Filling => true,
        }
    }
}

/// The latest item of each key.
///
/// A free item gives way to one that is not, be it older or newer. Setting an item costs the same
/// however many there are.
#[derive(Debug)]
pub(crate) struct Latest<T> {
    items: Vec<T>,
    /// The standing of each item; empty as long as all are own ones.
    standings: Vec<Standing>,
    /// Only for long lists.
    long: Option<Box<Long>>,
}

/// The index that a long list has besides its items.
#[derive(Debug)]
struct Long {
    seen: Seen,
    /// Made for the first key that may be there already. Most lists have none, and a filter costs
    /// less.
    index: Option<Index>,
    /// When each item was set, as numbers that grow; empty as long as the items lie in that order.
    ///
    /// In a long list an item takes the place of the older one, because to move all that are behind
    /// it would take longer the more there are.
    set_at: Vec<usize>,
    /// The number of the next item.
    next: usize,
}

impl<T: Keyed> Latest<T> {
    /// Items that all have keys of their own.
    pub(crate) fn new(items: Vec<T>) -> Self {
        Self {
            items,
            standings: Vec::new(),
            long: None,
        }
    }

    /// Sets an item; one of its key that is there already moves to the end.
    #[inline]
    pub(crate) fn put(&mut self, item: T, standing: Standing) {
        if self.items.len() < FEW {
            self.put_in_short(item, standing);
        } else {
            self.put_in_long(item, standing);
        }
    }

    fn put_in_short(&mut self, item: T, mut standing: Standing) {
        let mut items = self.items.iter();
        if let Some(at) = items.position(|other| other.key() == item.key()) {
            if standing.gives_way_to(self.is_free(at)) {
                return;
            }
            standing = standing.in_place_of(self.standing(at));
            self.items.remove(at);
            if at < self.standings.len() {
                self.standings.remove(at);
            }
        }
        self.push(item, standing);
    }

    #[inline]
    fn push(&mut self, item: T, standing: Standing) {
        if standing != Standing::Own || !self.standings.is_empty() {
            if self.standings.is_empty() {
                // At once: the list that it goes along with has grown already.
                self.standings.reserve(self.items.capacity().max(FEW));
                self.standings.resize(self.items.len(), Standing::Own);
            }
            self.standings.push(standing);
        }
        self.items.push(item);
    }

    fn put_in_long(&mut self, item: T, standing: Standing) {
        let items = &self.items;
        let long = self.long.get_or_insert_with(|| Box::new(Long::of(items)));
        let Some(at) = long.find_or_add(items, &item) else {
            long.has_grown();
            self.push(item, standing);
            return;
        };
        let older = self.standings.get(at).copied().unwrap_or(Standing::Own);
        if standing.gives_way_to(older.is_free()) {
            return;
        }
        long.has_moved(at, self.items.len());
        if let Some(place) = self.items.get_mut(at) {
            *place = item;
        }
        if let Some(place) = self.standings.get_mut(at) {
            *place = standing.in_place_of(older);
        }
    }

    fn standing(&self, at: usize) -> Standing {
        self.standings.get(at).copied().unwrap_or(Standing::Own)
    }

    fn is_free(&self, at: usize) -> bool {
        self.standing(at).is_free()
    }

    /// The items, in no order.
    pub(crate) fn items(&self) -> &[T] {
        &self.items
    }

    /// Takes the items out, each where it was set last. If they are more than `limit`, the own items
    /// come before all others, because limits leave out the last ones.
    pub(crate) fn take(&mut self, limit: usize) -> Vec<T> {
        self.sort();
        let standings = std::mem::take(&mut self.standings);
        let items = std::mem::take(&mut self.items);
        let is_other = |standing: &Standing| *standing != Standing::Own;
        if items.len() <= limit || standings.is_sorted_by_key(is_other) {
            return items;
        }
        let mut own = Vec::with_capacity(items.len());
        let mut others = Vec::with_capacity(items.len());
        for (item, standing) in items.into_iter().zip(standings) {
            let list = if is_other(&standing) {
                &mut others
            } else {
                &mut own
            };
            list.push(item);
        }
        own.append(&mut others);
        own
    }

    /// Puts the items in the order in which they were set, and forgets what a long list has
    /// besides.
    fn sort(&mut self) {
        let Some(long) = self.long.take().filter(|long| !long.set_at.is_empty()) else {
            return;
        };
        let items = std::mem::take(&mut self.items).into_iter().enumerate();
        let mut items: Vec<_> = long.set_at.into_iter().zip(items).collect();
        items.sort_unstable_by_key(|(set_at, _)| *set_at);
        if !self.standings.is_empty() {
            let standings = items.iter().map(|(_, (at, _))| self.standing(*at));
            self.standings = standings.collect();
        }
        self.items = items.into_iter().map(|(_, (_, item))| item).collect();
    }

    /// The items that are not free, in no order.
    pub(crate) fn own(&self) -> impl DoubleEndedIterator<Item = &T> + Clone {
        let items = self.items.iter().enumerate();
        items
            .filter(|(at, _)| !self.is_free(*at))
            .map(|(_, item)| item)
    }

    /// Adds items that were there before all others. They give way to items that are not free, and
    /// free items give way to them.
    pub(crate) fn put_before(&mut self, mut before: Vec<T>) {
        if before.is_empty() {
            return;
        }
        self.sort();
        before.retain(|older| self.own().all(|own| own.key() != older.key()));
        let standings = std::mem::take(&mut self.standings);
        let standings = standings
            .into_iter()
            .chain(std::iter::repeat(Standing::Own));
        let items = std::mem::take(&mut self.items).into_iter();
        let items = items.zip(standings).filter(|(item, standing)| {
            !standing.is_free() || before.iter().all(|older| older.key() != item.key())
        });
        let later: Vec<_> = items.collect();
        self.items = before;
        for (item, standing) in later {
            self.push(item, standing);
        }
    }
}

impl Long {
    fn of<T: Keyed>(items: &[T]) -> Self {
        Self {
            seen: Seen::of(items),
            index: None,
            set_at: Vec::new(),
            next: items.len(),
        }
    }

    /// The place of the item that has the key of this one. If there is none, this one goes to the
    /// end.
    #[inline]
    fn find_or_add<T: Keyed>(&mut self, items: &[T], item: &T) -> Option<usize> {
        let index = match &mut self.index {
            Some(index) => index,
            None if self.seen.adds(items, item) => return None,
            place @ None => place.insert(Index::of(items)),
        };
        index.find_or_add(items, items.len(), item.key())
    }

    /// An item was added.
    fn has_grown(&mut self) {
        if !self.set_at.is_empty() {
            self.set_at.push(self.next);
        }
        self.next += 1;
    }

    /// An item took the place of another one, in a list of this length.
    fn has_moved(&mut self, at: usize, length: usize) {
        if self.set_at.is_empty() {
            self.set_at.extend(0..length);
        }
        if let Some(place) = self.set_at.get_mut(at) {
            *place = self.next;
        }
        self.next += 1;
    }
}

/// A filter that knows most keys that are not there, a word for an item or more.
#[derive(Debug)]
struct Seen(Vec<u64>);

impl Seen {
    fn of<T: Keyed>(items: &[T]) -> Self {
        let mut seen = Self(vec![0; (4 * items.len()).next_power_of_two()]);
        items.iter().for_each(|item| {
            seen.add(item);
        });
        seen
    }

    /// Adds the key of an item. True if none of these has that key, false if one may have it.
    #[inline]
    fn adds<T: Keyed>(&mut self, items: &[T], item: &T) -> bool {
        if items.len() >= self.0.len() {
            *self = Self::of(items);
        }
        self.add(item)
    }

    /// True if the key was certainly not there.
    #[inline]
    fn add<T: Keyed>(&mut self, item: &T) -> bool {
        let fingerprint = item.fingerprint();
        let bit = |shift: u32| 1 << (fingerprint >> shift & 63);
        let bits = bit(0) | bit(6) | bit(12);
        let mask = self.0.len().wrapping_sub(1);
        match self.0.get_mut((fingerprint >> 18) as usize & mask) {
            Some(word) => {
                let is_new = *word & bits != bits;
                *word |= bits;
                is_new
            }
            None => false,
        }
    }
}

/// Where the item of each key is.
#[derive(Debug)]
struct Index {
    /// Seeded, so that nobody can choose keys whose hashes are the same.
    hasher: DefaultHashBuilder,
    places: HashTable<u32>,
}

impl Index {
    /// The place of each item. Their keys differ.
    fn of<T: Keyed>(items: &[T]) -> Self {
        let mut index = Self {
            hasher: DefaultHashBuilder::default(),
            places: HashTable::with_capacity(4 * items.len()),
        };
        for (at, item) in items.iter().enumerate() {
            index.find_or_add(items, at, item.key());
        }
        index
    }

    /// The place of the item with this key. If there is none, it is going to be at `next`.
    #[inline]
    fn find_or_add<T: Keyed>(&mut self, items: &[T], next: usize, key: &T::Key) -> Option<usize> {
        let Self { hasher, places } = self;
        let is_it = |at: &u32| key_at(items, *at) == Some(key);
        let hash_of = |at: &u32| key_at(items, *at).map_or(0, |key| hasher.hash_one(key));
        match places.entry(hasher.hash_one(key), is_it, hash_of) {
            Entry::Occupied(place) => Some(*place.get() as usize),
            Entry::Vacant(place) => {
                // No list of this process has more.
                place.insert(u32::try_from(next).unwrap_or(u32::MAX));
                None
            }
        }
    }
}

#[inline]
fn key_at<T: Keyed>(items: &[T], at: u32) -> Option<&T::Key> {
    items.get(at as usize).map(Keyed::key)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::hash::Hasher;

    use proptest::prelude::*;

    use super::*;

    thread_local! {
        static EFFORT: Cell<usize> = const { Cell::new(0) };
    }

    /// A key that counts how often it is compared and hashed.
    #[derive(Clone, Debug, Eq)]
    struct Counted(usize);

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            EFFORT.set(EFFORT.get() + 1);
            self.0 == other.0
        }
    }

    impl Hash for Counted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            EFFORT.set(EFFORT.get() + 1);
            self.0.hash(state);
        }
    }

    impl Keyed for (Counted, usize) {
        type Key = Counted;

        fn key(&self) -> &Counted {
            &self.0
        }

        fn fingerprint(&self) -> u64 {
            KeyValue::new(self.0.0.to_string(), 0).fingerprint()
        }
    }

    fn latest(keys: impl IntoIterator<Item = usize>) -> Vec<(usize, usize)> {
        let mut list = Latest::new(Vec::new());
        for (value, key) in keys.into_iter().enumerate() {
            list.put((Counted(key), value), Standing::Own);
        }
        let items = list.take(usize::MAX).into_iter();
        items.map(|(key, value)| (key.0, value)).collect()
    }

    /// How often keys are compared and hashed while these are set.
    fn effort(keys: impl IntoIterator<Item = usize>) -> usize {
        EFFORT.set(0);
        latest(keys);
        EFFORT.get()
    }

    #[test]
    fn a14_many_attributes_cost_a_few_comparisons_each() {
        const ITEMS: usize = 16_384;
        assert_eq!(latest(0..ITEMS).len(), ITEMS);
        let of_different = effort(0..ITEMS);
        assert!(of_different < 4 * ITEMS, "{of_different}");
        assert_eq!(latest((0..ITEMS).map(|n| n % 100)).len(), 100);
        let of_same = effort((0..ITEMS).map(|n| n % 100));
        assert!(of_same < 8 * ITEMS, "{of_same}");
    }

    #[test]
    fn one_more_attribute_costs_the_same_however_many_there_are() {
        for keys in [32, 64, 128, 256, 512] {
            // The index grows now and then, so it is a matter of many.
            let more = effort(0..2 * keys) - effort(0..keys);
            assert!(more <= 3 * keys, "{more} for {keys} more");
            let again = effort((0..keys).chain(0..keys)) - effort(0..keys);
            assert!(again <= 4 * keys, "{again} for the same {keys} again");
        }
    }

    #[test]
    fn a_long_list_holds_each_key_once_at_any_time() {
        let mut list = Latest::new(Vec::new());
        for value in 0..10_000 {
            list.put((Counted(value % 40), value), Standing::Own);
            assert!(list.items().len() <= 40);
        }
        assert_eq!(list.items().len(), 40);
        let items = list.take(usize::MAX);
        assert!(items.iter().map(|(_, value)| *value).eq(9_960..10_000));
    }

    #[test]
    fn own_items_come_before_all_others_and_stay_own_whoever_sets_them_again() {
        for others in [32, 100] {
            let mut list = Latest::new(vec![(Counted(0), 0)]);
            let mut put = |key, value, standing| list.put((Counted(key), value), standing);
            // While the list is short.
            put(3, 6, Standing::Own);
            put(3, 7, Standing::Other);
            for key in 10..10 + others {
                put(key, 1, Standing::Other);
                put(100 + key, 2, Standing::Free);
            }
            put(1, 3, Standing::Own);
            put(2, 4, Standing::Own);
            put(0, 5, Standing::Other);
            let items = list.take(64);
            let first = items.iter().take(5).map(|(key, value)| (key.0, *value));
            let first: Vec<_> = first.collect();
            assert_eq!(first, [(3, 7), (1, 3), (2, 4), (0, 5), (10, 1)]);
            assert_eq!(items.len(), 4 + 2 * others);
        }
    }

    #[test]
    fn a_list_of_usual_length_keeps_the_order_in_which_its_items_were_set() {
        let mut list = Latest::new(Vec::new());
        for key in 0..64 {
            let standing = match key % 2 {
                0 => Standing::Other,
                _ => Standing::Own,
            };
            list.put((Counted(key), 0), standing);
        }
        let items = list.take(64);
        assert!(items.iter().map(|(key, _)| key.0).eq(0..64));
    }

    /// All keys have one hash.
    #[derive(Debug, PartialEq, Eq)]
    struct Colliding(usize);

    impl Hash for Colliding {
        fn hash<H: Hasher>(&self, state: &mut H) {
            0.hash(state);
        }
    }

    impl Keyed for (Colliding, usize) {
        type Key = Colliding;

        fn key(&self) -> &Colliding {
            &self.0
        }

        fn fingerprint(&self) -> u64 {
            0
        }
    }

    #[test]
    fn the_filter_knows_usual_keys_apart() {
        let keys = (0..512).map(|n| KeyValue::new(format!("app.attribute.number.{n}"), n));
        let keys: Vec<_> = keys.collect();
        let mut seen = Seen::of(&keys[..FEW]);
        let new = (FEW..512).filter(|at| seen.adds(&keys[..*at], &keys[*at]));
        assert!(new.count() >= 512 - FEW - 3);
        assert!(keys.iter().all(|key| !seen.adds(&keys[..0], key)));
    }

    #[test]
    fn keys_of_one_hash_are_told_apart() {
        let mut list = Latest::new(Vec::new());
        for value in 0..200 {
            list.put((Colliding(value % 50), value), Standing::Own);
        }
        let items = list.take(usize::MAX);
        let expected = (150..200).map(|value| (Colliding(value % 50), value));
        assert!(items.into_iter().eq(expected));
    }

    /// The items after these calls, of which those that are free say so, and the others.
    fn said(calls: &[(usize, bool)], before: &[usize], missing: &[usize]) -> Vec<(usize, usize)> {
        let item = |key: usize| move |value| (Counted(key), value);
        let mut list = Latest::new(Vec::new());
        for (value, (key, is_free)) in calls.iter().enumerate() {
            let standing = match is_free {
                true => Standing::Free,
                false => Standing::Own,
            };
            list.put(item(*key)(value), standing);
        }
        list.put_before(before.iter().map(|key| item(*key)(1_000)).collect());
        for key in missing {
            if list.own().all(|(known, _)| known.0 != *key) {
                list.put(item(*key)(2_000), Standing::Own);
            }
        }
        let items = list.take(usize::MAX).into_iter();
        items.map(|(key, value)| (key.0, value)).collect()
    }

    #[test]
    fn a_filling_item_takes_no_place_and_leaves_its_own_to_others() {
        let put = |list: &mut Latest<_>, key: usize, value: usize, standing| {
            list.put((Counted(key), value), standing);
        };
        // In a short list and in a long one.
        for others in [0, 40] {
            let mut list = Latest::new((100..100 + others).map(|n| (Counted(n), n)).collect());
            put(&mut list, 1, 1, Standing::Filling);
            put(&mut list, 1, 2, Standing::Filling);
            put(&mut list, 2, 3, Standing::Own);
            put(&mut list, 2, 4, Standing::Filling);
            put(&mut list, 3, 5, Standing::Filling);
            put(&mut list, 3, 6, Standing::Own);
            put(&mut list, 4, 7, Standing::Filling);
            list.put_before(vec![(Counted(4), 8)]);
            let items = list
                .take(usize::MAX)
                .into_iter()
                .map(|(key, value)| (key.0, value));
            let mut items: Vec<_> = items.filter(|(key, _)| *key < 100).collect();
            items.sort_unstable();
            assert_eq!(items, [(1, 1), (2, 3), (3, 6), (4, 8)]);
        }
    }

    #[test]
    fn a14_many_free_attributes_cost_a_few_comparisons_each() {
        const ITEMS: usize = 16_384;
        EFFORT.set(0);
        let calls: Vec<_> = (0..ITEMS).map(|n| (n, n % 2 == 0)).collect();
        assert_eq!(said(&calls, &[0, ITEMS], &[]).len(), ITEMS + 1);
        let effort = EFFORT.get();
        assert!(effort < 16 * ITEMS, "{effort}");
    }

    proptest! {
        #[test]
        fn free_items_give_way_and_keep_their_place(
            calls in proptest::collection::vec((0_usize..90, proptest::bool::ANY), 0..300),
            before in proptest::collection::btree_set(0_usize..90, 0..5),
            missing in proptest::collection::btree_set(0_usize..90, 0..3),
        ) {
            let before: Vec<_> = before.into_iter().collect();
            let missing: Vec<_> = missing.into_iter().collect();
            let is_own = |key: &usize| calls.contains(&(*key, false));
            let is_last = |at: usize| {
                let (key, is_free) = calls[at];
                calls[at + 1..].iter().all(|later| *later != (key, is_free))
            };
            let (mut expected, mut later) = (Vec::new(), Vec::new());
            expected.extend(before.iter().filter(|key| !is_own(key)).map(|key| (*key, 1_000)));
            for key in &missing {
                if !is_own(key) && !before.contains(key) {
                    later.push((*key, 2_000));
                }
            }
            let outer: Vec<_> = expected.iter().chain(&later).map(|(key, _)| *key).collect();
            for (value, (key, is_free)) in calls.iter().enumerate() {
                let gives_way = *is_free && (is_own(key) || outer.contains(key));
                if is_last(value) && !gives_way {
                    expected.push((*key, value));
                }
            }
            expected.extend(&later);
            let mut found = said(&calls, &before, &missing);
            // Free items at the end stand before or after what was missing.
            let sorted = |items: &mut Vec<(usize, usize)>| {
                items.sort_by_key(|(_, value)| *value == 2_000);
            };
            sorted(&mut found);
            sorted(&mut expected);
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn each_key_is_there_once_where_it_was_set_last(
            keys in proptest::collection::vec(0_usize..200, 0..600),
        ) {
            let mut expected: Vec<(usize, usize)> = Vec::new();
            for (value, key) in keys.iter().enumerate() {
                expected.retain(|(known, _)| known != key);
                expected.push((*key, value));
            }
            prop_assert_eq!(latest(keys), expected);
        }
    }
}
