//! What should come out of a row.

use crate::metric::{Metric, Readings};

/// A number of a row and its bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// The number of the figure in `docs/benchmarks.md`, if it is one of those.
    pub figure: Option<u8>,
    /// What the number says, in the summary.
    pub what: &'static str,
    metric: Metric,
    ours: Term,
    peer: Option<Term>,
    bound: Bound,
}

/// What a contender measured, or how much more than another of the row.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Term {
    of: &'static str,
    above: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    /// A goal about `metric` of our contender `ours`. Without a bound it is met by nothing.
    #[must_use]
    pub fn new(what: &'static str, metric: Metric, ours: &'static str) -> Self {
        Self {
            figure: None,
            what,
            metric,
            ours: Term {
                of: ours,
                above: None,
            },
            peer: None,
            bound: Bound::AtMost(f64::NAN),
        }
    }

    /// Makes it part of a figure.
    #[must_use]
    pub fn of_figure(mut self, number: u8) -> Self {
        self.figure = Some(number);
        self
    }

    /// Takes off what this contender measured.
    #[must_use]
    pub fn above(mut self, other: &'static str) -> Self {
        self.ours.above = Some(other);
        self
    }

    /// As a multiple of what this contender measured.
    #[must_use]
    pub fn over(mut self, peer: &'static str) -> Self {
        self.peer = Some(Term {
            of: peer,
            above: None,
        });
        self
    }

    /// As a multiple of how much more `peer` measured than `other`.
    #[must_use]
    pub fn over_above(mut self, peer: &'static str, other: &'static str) -> Self {
        self.peer = Some(Term {
            of: peer,
            above: Some(other),
        });
        self
    }

    /// The greatest number that meets it.
    #[must_use]
    pub fn at_most(mut self, most: f64) -> Self {
        self.bound = Bound::AtMost(most);
        self
    }

    /// The least number that meets it.
    #[must_use]
    pub fn at_least(mut self, least: f64) -> Self {
        self.bound = Bound::AtLeast(least);
        self
    }

    /// What it looks at.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// What came out, where `readings` knows the contenders of the row by name.
    pub(crate) fn measured<'a>(&self, readings: impl Fn(&str) -> Option<&'a Readings>) -> f64 {
        let value = |name: &str| readings(name).map_or(f64::NAN, |all| all.value(self.metric));
        let value = |term: Term| value(term.of) - term.above.map_or(0.0, value);
        match self.peer {
            None => value(self.ours),
            Some(peer) => value(self.ours) / value(peer),
        }
    }

    /// The number as a table shows it.
    pub(crate) fn show(&self, number: f64) -> String {
        match self.peer {
            Some(_) => format!("{number:.2} x"),
            None => self.metric.cell(number),
        }
    }

    /// The bound as a table shows it.
    pub(crate) fn bound(&self) -> String {
        let (sign, number) = match self.bound {
            Bound::AtMost(most) => ("<=", most),
            Bound::AtLeast(least) => (">=", least),
        };
        match self.peer {
            Some(_) => format!("{sign} {number} x"),
            None if matches!(
                self.metric,
                Metric::Peak | Metric::PeakOverIdle | Metric::LongCall
            ) =>
            {
                format!("{sign} {}", self.metric.cell(number))
            }
            None => format!("{sign} {number}"),
        }
    }

    /// All contenders that it is about.
    pub(crate) fn contenders(&self) -> impl Iterator<Item = &'static str> {
        let terms = [Some(self.ours), self.peer].into_iter().flatten();
        terms.flat_map(|term| [Some(term.of), term.above].into_iter().flatten())
    }

    /// Whom ours is compared with.
    pub(crate) fn against(&self) -> &'static str {
        self.peer.map_or("", |peer| peer.of)
    }

    /// Whether the number is within the bound, and by how much it is not.
    pub(crate) fn verdict(&self, number: f64) -> String {
        let (met, bound, missed) = match self.bound {
            Bound::AtMost(most) => (number <= most, most, number / most),
            Bound::AtLeast(least) => (number >= least, least, least / number),
        };
        // A number that is not one meets nothing.
        if met {
            "reached".to_owned()
        } else if number.is_nan() {
            "not measured".to_owned()
        } else if bound == 0.0 {
            "MISSED".to_owned()
        } else {
            format!("MISSED by a factor of {missed:.2}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number, the bound and the verdict of a goal about ours with 30 ns, a peer with 70 and a rest of 10.
    fn check(goal: Goal, expected: [&str; 3]) {
        let time = |nanos| Readings::default().with(Metric::Caller, nanos);
        let all = [
            ("ours", time(30.0)),
            ("peer", time(70.0)),
            ("rest", time(10.0)),
        ];
        let number = goal.measured(|name| {
            let found = all.iter().find(|(one, _)| *one == name);
            found.map(|(_, readings)| readings)
        });
        assert_eq!(
            [goal.show(number), goal.bound(), goal.verdict(number)],
            expected
        );
    }

    fn ours() -> Goal {
        Goal::new("what", Metric::Caller, "ours")
    }

    #[test]
    fn a_goal_is_reached_up_to_its_bound() {
        let goal = ours().over("peer");
        check(goal.at_most(0.5), ["0.43 x", "<= 0.5 x", "reached"]);
        check(
            goal.at_most(0.2),
            ["0.43 x", "<= 0.2 x", "MISSED by a factor of 2.14"],
        );
        check(
            goal.at_least(0.6),
            ["0.43 x", ">= 0.6 x", "MISSED by a factor of 1.40"],
        );
    }

    #[test]
    fn what_others_do_is_taken_off() {
        check(
            ours().over_above("peer", "rest").at_most(0.5),
            ["0.50 x", "<= 0.5 x", "reached"],
        );
        check(
            ours().above("rest").at_most(20.0),
            ["20.00", "<= 20", "reached"],
        );
    }

    #[test]
    fn nothing_but_none_is_none() {
        check(ours().at_most(0.0), ["30.00", "<= 0", "MISSED"]);
    }

    #[test]
    fn what_was_not_measured_reaches_nothing() {
        check(
            ours().over("nobody").at_most(9.0),
            ["NaN x", "<= 9 x", "not measured"],
        );
        check(ours(), ["30.00", "<= NaN", "MISSED by a factor of NaN"]);
    }
}
