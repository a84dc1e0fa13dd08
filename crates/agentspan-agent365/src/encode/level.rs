//! Divides room fairly: what is highest is trimmed to one height, and what is lower stays whole.

/// Something that may be trimmed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// The bytes that it takes.
    pub(super) height: usize,
    /// The bytes that it takes if trimmed at all, for values that are of no use in parts.
    pub(super) stump: Option<usize>,
}

/// To which height columns are trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// The most that a column takes that can be trimmed anywhere.
    pub(super) height: usize,
    /// Columns of at least this height, of those that are of no use in parts, become stumps.
    pub(super) felled: usize,
}

impl Level {
    /// Nothing is trimmed.
    const NONE: Self = Self {
        height: usize::MAX,
        felled: usize::MAX,
    };

    /// Everything is trimmed as far as it can be.
    pub(super) const LOWEST: Self = Self {
        height: 0,
        felled: 0,
    };

    /// The highest level at which the columns take at least `excess` less. No column is trimmed below
    /// `floor`. `None` if that is not enough.
    pub(super) fn find(
        columns: impl IntoIterator<Item = Column>,
        excess: usize,
        floor: usize,
    ) -> Option<Self> {
        if excess == 0 {
            return Some(Self::NONE);
        }
        let is_above = |column: &Column| column.height > column.stump.unwrap_or(floor);
        let mut highest: Vec<Column> = columns.into_iter().filter(is_above).collect();
        highest.sort_unstable_by_key(|column| std::cmp::Reverse(column.height));
        let mut felled = usize::MAX;
        // The bytes saved by the felled values, and the sum of the others, which are trimmed.
        let mut saved = 0_usize;
        let mut trimmed = Trimmed::default();
        let mut rest = highest.iter().peekable();
        while let Some(column) = rest.next() {
            match column.stump {
                Some(stump) => {
                    felled = column.height;
                    saved += column.height - stump;
                }
                None => trimmed.add(column.height),
            }
            // A level fells all columns of one height, so they count together.
            if rest.peek().is_some_and(|next| next.height == column.height) {
                continue;
            }
            let next = rest.peek().map_or(floor, |next| next.height.max(floor));
            if saved + trimmed.saved_at(next) >= excess {
                let texts = highest.iter().filter(|column| column.stump.is_none());
                let texts = texts.map(|column| column.height);
                let height = height_of(texts, excess.saturating_sub(saved), floor);
                return Some(Self { height, felled });
            }
        }
        None
    }
}

/// The height at which texts of these heights, the highest first, take `excess` less.
fn height_of(heights: impl Iterator<Item = usize>, excess: usize, floor: usize) -> usize {
    if excess == 0 {
        return usize::MAX;
    }
    let mut trimmed = Trimmed::default();
    let mut heights = heights.peekable();
    while let Some(height) = heights.next() {
        trimmed.add(height);
        let next = heights.peek().map_or(floor, |next| (*next).max(floor));
        if trimmed.saved_at(next) >= excess {
            break;
        }
    }
    trimmed.height_saving(excess).max(floor)
}

/// Columns that are all trimmed to one height.
#[derive(Default)]
struct Trimmed {
    count: usize,
    sum: usize,
}

impl Trimmed {
    fn add(&mut self, height: usize) {
        self.count += 1;
        self.sum += height;
    }

    /// The bytes that they save at a height that is not above any of them.
    fn saved_at(&self, height: usize) -> usize {
        self.sum - self.count * height
    }

    fn height_saving(&self, excess: usize) -> usize {
        self.sum
            .saturating_sub(excess)
            .checked_div(self.count)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(heights: &[usize], room: usize, floor: usize, expected: Option<usize>) {
        let columns = heights.iter().map(|height| Column {
            height: *height,
            stump: None,
        });
        let excess = heights.iter().sum::<usize>().saturating_sub(room);
        let found = Level::find(columns, excess, floor);
        assert_eq!(
            found.map(|level| level.height),
            expected,
            "{heights:?} in {room}"
        );
    }

    #[test]
    fn the_highest_are_trimmed_to_one_height_and_the_lower_stay() {
        check(&[360, 256], 256, 10, Some(128));
        check(&[360, 256, 20], 276, 10, Some(128));
        check(&[100, 50, 50], 150, 10, Some(50));
        check(&[100, 50, 50], 160, 10, Some(60));
        check(&[5, 5], 10, 1, Some(usize::MAX));
        check(&[50, 50], 10, 10, None);
        check(&[50, 50], 20, 10, Some(10));
        check(&[], 0, 10, Some(usize::MAX));
    }

    #[test]
    fn what_is_of_no_use_in_parts_is_felled_and_leaves_its_room_to_others() {
        let columns = [(300, Some(20)), (200, None), (100, Some(20)), (50, None)];
        let columns = columns.map(|(height, stump)| Column { height, stump });
        let find = |excess| Level::find(columns, excess, 10);
        let level = |height, felled| Some(Level { height, felled });
        assert_eq!(find(100), level(usize::MAX, 300));
        assert_eq!(find(300), level(180, 300));
        assert_eq!(find(400), level(160, 100));
        assert_eq!(find(590), level(10, 100));
        assert_eq!(find(591), None);
    }

    #[test]
    fn columns_of_one_height_are_felled_together_and_spare_the_texts() {
        let columns = [(365, Some(0)), (399, None), (365, Some(0))];
        let columns = columns.map(|(height, stump)| Column { height, stump });
        let level = Level {
            height: usize::MAX,
            felled: 365,
        };
        assert_eq!(Level::find(columns, 366, 0), Some(level));
    }

    proptest! {
        #[test]
        fn a_level_saves_enough_and_no_higher_one_does(
            columns in proptest::collection::vec((0_usize..500, proptest::option::of(0_usize..40)), 0..12),
            excess in 0_usize..3_000,
            floor in 0_usize..60,
        ) {
            let columns: Vec<Column> = columns
                .into_iter()
                .map(|(height, stump)| Column { height, stump })
                .collect();
            let takes = |column: &Column, level: Level| match column.stump {
                Some(stump) if column.height >= level.felled => stump.min(column.height),
                Some(_) => column.height,
                None => column.height.min(level.height.max(floor)),
            };
            let total: usize = columns.iter().map(|column| column.height).sum();
            let saved = |level: Level| {
                total - columns.iter().map(|column| takes(column, level)).sum::<usize>()
            };
            match Level::find(columns.iter().copied(), excess, floor) {
                Some(level) => {
                    prop_assert!(saved(level) >= excess);
                    // One byte more for each text would be too much.
                    if excess > 0 && level.height < usize::MAX {
                        let higher = Level { height: level.height + 1, ..level };
                        prop_assert!(saved(higher) < excess);
                    }
                }
                None => prop_assert!(saved(Level::LOWEST) < excess),
            }
        }
    }
}
