//! The sums of all traces of the store, kept up to date, so that the list need not read them all.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::row::Row;

/// How many tenants and agents there are to choose from.
const MAX_NAMES: usize = 200;

/// Sums over rows. They are exact: no number of rows that fits in memory overflows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) rows: usize,
    pub(crate) spans: i128,
    pub(crate) errors: i128,
    pub(crate) refused: i128,
    pub(crate) input: i128,
    pub(crate) output: i128,
    /// In billionths of a dollar.
    pub(crate) cost: i128,
}

impl Sums {
    pub(crate) fn add(&mut self, row: &Row) {
        self.rows += 1;
        self.each(row, |sum, part| *sum += part);
    }

    fn subtract(&mut self, row: &Row) {
        self.rows -= 1;
        self.each(row, |sum, part| *sum -= part);
    }

    fn each(&mut self, row: &Row, change: impl Fn(&mut i128, i128)) {
        let count = |count: usize| i128::try_from(count).unwrap_or(i128::MAX);
        change(&mut self.spans, count(row.spans));
        change(&mut self.errors, count(row.errors));
        change(&mut self.refused, count(row.refused));
        change(&mut self.input, row.input.into());
        change(&mut self.output, row.output.into());
        change(&mut self.cost, row.cost.into());
    }
}

/// Names, and of how many traces each is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(BTreeMap<String, usize>);

impl Names {
    /// The names to choose from, in order: those of most traces, if there are very many.
    pub(crate) fn to_choose_from(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.0.iter().collect();
        if names.len() > MAX_NAMES {
            names.select_nth_unstable_by_key(MAX_NAMES, |(name, count)| (Reverse(**count), *name));
            names.truncate(MAX_NAMES);
            names.sort_unstable();
        }
        names.into_iter().map(|(name, _)| name.as_str()).collect()
    }

    fn add(&mut self, name: Option<&str>) {
        let Some(name) = name else { return };
        match self.0.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                self.0.insert(name.to_owned(), 1);
            }
        }
    }

    fn subtract(&mut self, name: Option<&str>) {
        let Some(name) = name else { return };
        match self.0.get_mut(name) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                self.0.remove(name);
            }
        }
    }
}

/// The sums and the names of all traces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) sums: Sums,
    pub(crate) tenants: Names,
    pub(crate) agents: Names,
}

impl Tally {
    pub(super) fn add(&mut self, row: &Row) {
        self.sums.add(row);
        self.tenants.add(row.tenant.as_deref());
        self.agents.add(row.agent.as_deref());
    }

    pub(super) fn subtract(&mut self, row: &Row) {
        self.sums.subtract(row);
        self.tenants.subtract(row.tenant.as_deref());
        self.agents.subtract(row.agent.as_deref());
    }
}
