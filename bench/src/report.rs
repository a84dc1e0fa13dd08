//! The tables.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::children::Allocated;
use crate::placement::Placement;
use crate::row::{Goal, Per, Row, Unit};
use crate::versions;

/// What was measured of one row.
pub(crate) struct Measured {
    /// Nanoseconds per span, in the order of the contenders.
    pub(crate) times: Vec<f64>,
    pub(crate) allocations: BTreeMap<String, Allocated>,
    /// Instructions per span, where they were asked for and can be had.
    pub(crate) instructions: Option<Vec<f64>>,
    /// The peak of memory in bytes, where it was asked for and the system tells.
    pub(crate) peaks: Option<Vec<Option<u64>>>,
}

impl Measured {
    fn time_of(&self, row: &Row, name: &str) -> f64 {
        let contenders = row.contenders.iter().zip(&self.times);
        contenders
            .filter(|(contender, _)| contender.name() == name)
            .map(|(_, time)| *time)
            .next()
            .unwrap_or(f64::NAN)
    }

    fn allocated(&self, name: &str) -> Option<Allocated> {
        self.allocations.get(name).copied()
    }

    /// The cell of a contender's peak of memory, and nothing in a table without them.
    fn peak(&self, number: usize) -> String {
        let Some(peaks) = &self.peaks else {
            return String::new();
        };
        match peaks.get(number).copied().flatten() {
            Some(bytes) => format!(" {:>12.1}", bytes as f64 / 1e6),
            None => format!(" {:>12}", "?"),
        }
    }

    fn reached(&self, row: &Row, goal: &Goal) -> f64 {
        let ours = self.time_of(row, goal.ours);
        match goal.per {
            Per::TimeOf(peer) => ours / self.time_of(row, peer),
            Per::TimeOfWithout(peer, other) => {
                ours / (self.time_of(row, peer) - self.time_of(row, other))
            }
            Per::AllocationsPerSpan => self.allocated(goal.ours).map_or(f64::NAN, |all| all.count),
            Per::BytesPerSpan => self.allocated(goal.ours).map_or(f64::NAN, |all| all.bytes),
        }
    }
}

/// Writes on what machine and against what is measured.
pub(crate) fn write_head(
    out: &mut dyn Write,
    cores: usize,
    placement: Placement,
) -> io::Result<()> {
    writeln!(
        out,
        "{cores} cores, {} {}",
        std::env::consts::OS,
        std::env::consts::ARCH
    )?;
    let peers: Vec<_> = versions::PEERS
        .iter()
        .filter_map(|name| Some(format!("{name} {}", versions::version(name)?)))
        .collect();
    writeln!(out, "{}", peers.join(", "))?;
    let placement = match placement {
        Placement::Fixed => "the clients share one processor, the service has another",
        Placement::Free => "threads run where the system puts them, which moves export times",
    };
    writeln!(out, "{placement}")?;
    writeln!(
        out,
        "CPU time, median of interleaved rounds; absolute times are indicative, ratios are of this run"
    )
}

/// Writes the table of one row and gives a line per goal for the summary.
pub(crate) fn write_row(
    out: &mut dyn Write,
    row: &Row,
    measured: &Measured,
) -> io::Result<Vec<String>> {
    let (unit, per_unit, digits) = match row.unit {
        Unit::NanosPerSpan => ("ns/span", 1.0, 0),
        Unit::NanosPerEvent => ("ns/event", 1.0, 0),
        Unit::SecondsPerMillionSpans => ("s/M spans", 1e3, 3),
        Unit::NanosPerByte => ("ns/byte", 1.0, 2),
    };
    let one = counted(row);
    let ours = measured.times.first().copied().unwrap_or(f64::NAN);
    writeln!(out, "\n{}: {}", row.name, row.title)?;
    writeln!(
        out,
        "  {:44} {unit:>10} {:>8} {:>12} {:>12} {:>12}{}",
        "",
        "ours is",
        format!("allocs/{one}"),
        format!("bytes/{one}"),
        format!("instr/{one}"),
        measured.peaks.as_ref().map_or("", |_| "      peak MB")
    )?;
    for (number, (contender, time)) in row.contenders.iter().zip(&measured.times).enumerate() {
        let (allocations, bytes) = match measured.allocated(contender.name()) {
            Some(Allocated { count, bytes }) => (format!("{count:.2}"), format!("{bytes:.0}")),
            None => ("?".to_owned(), "?".to_owned()),
        };
        let instructions = measured
            .instructions
            .as_ref()
            .and_then(|counts| counts.get(number));
        let instructions =
            instructions.map_or_else(|| "-".to_owned(), |count| format!("{count:.0}"));
        // Parentheses are around what is no peer.
        let ratio = match contender.name().starts_with('(') {
            true => "-".to_owned(),
            false => format!("{:.2}x", ours / time),
        };
        writeln!(
            out,
            "  {:44} {:>10.digits$} {ratio:>8} {allocations:>12} {bytes:>12} {instructions:>12}{}",
            contender.name(),
            time / per_unit,
            measured.peak(number),
        )?;
    }
    let mut lines = Vec::new();
    for goal in &row.goals {
        let line = goal_line(row, goal, measured.reached(row, goal));
        writeln!(out, "  {line}")?;
        lines.push(format!("{:11} {line}", row.name));
    }
    Ok(lines)
}

/// What a row counts.
fn counted(row: &Row) -> &'static str {
    match row.unit {
        Unit::NanosPerEvent => "event",
        Unit::NanosPerByte => "byte",
        Unit::NanosPerSpan | Unit::SecondsPerMillionSpans => "span",
    }
}

fn goal_line(row: &Row, goal: &Goal, reached: f64) -> String {
    let Goal { ours, at_most, .. } = goal;
    let one = counted(row);
    // A number that is not one meets nothing.
    let verdict = if reached <= *at_most {
        "met"
    } else {
        "NOT met"
    };
    let several = row.goals.iter().any(|other| other.ours != *ours);
    let whose = if several {
        format!("{ours}: ")
    } else {
        String::new()
    };
    match goal.per {
        Per::TimeOf(peer) => {
            format!("{whose}{reached:.2} x {peer}, goal at most {at_most}: {verdict}")
        }
        Per::TimeOfWithout(peer, other) => {
            format!(
                "{whose}{reached:.2} x {peer} without {other}, goal at most {at_most}: {verdict}"
            )
        }
        Per::BytesPerSpan => {
            format!("{whose}{reached:.0} bytes per {one}, goal at most {at_most}: {verdict}")
        }
        Per::AllocationsPerSpan => {
            format!("{whose}{reached:.3} allocations per {one}, goal at most {at_most}: {verdict}")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::gauge::Clock;
    use crate::row::Contender;

    use super::*;

    struct Named(&'static str);

    impl Contender for Named {
        fn name(&self) -> &'static str {
            self.0
        }

        fn run(&mut self) {}
    }

    /// The lines about the goals of a row in which we take 30 ns, the peer 70 and release 10.
    fn check(per: Per, at_most: f64, expected: &str) {
        let goal = Goal {
            ours: "ours",
            per,
            at_most,
        };
        let row = Row {
            name: "row",
            title: "",
            spans: 1,
            runs: 1,
            rounds: 1,
            unit: Unit::NanosPerSpan,
            contenders: vec![
                Box::new(Named("ours")),
                Box::new(Named("peer")),
                Box::new(Named("(release)")),
            ],
            goals: vec![goal],
            clock: Clock::Thread,
        };
        let measured = Measured {
            times: vec![30.0, 70.0, 10.0],
            allocations: [(
                "ours".to_owned(),
                Allocated {
                    count: 0.002,
                    bytes: 12.0,
                },
            )]
            .into(),
            instructions: None,
            peaks: None,
        };
        let mut table = Vec::new();
        let lines = write_row(&mut table, &row, &measured).unwrap();
        assert_eq!(lines, [format!("row         {expected}")]);
        assert!(String::from_utf8(table).unwrap().contains(expected));
    }

    #[test]
    fn a_goal_is_met_up_to_its_bound() {
        check(
            Per::TimeOf("peer"),
            0.5,
            "0.43 x peer, goal at most 0.5: met",
        );
        check(
            Per::TimeOf("peer"),
            0.4,
            "0.43 x peer, goal at most 0.4: NOT met",
        );
    }

    #[test]
    fn what_the_peer_does_besides_is_taken_off() {
        check(
            Per::TimeOfWithout("peer", "(release)"),
            0.4,
            "0.50 x peer without (release), goal at most 0.4: NOT met",
        );
    }

    #[test]
    fn one_allocation_in_many_spans_is_not_none() {
        check(
            Per::AllocationsPerSpan,
            0.0,
            "0.002 allocations per span, goal at most 0: NOT met",
        );
    }

    #[test]
    fn bytes_are_counted_beside_allocations() {
        check(
            Per::BytesPerSpan,
            12.0,
            "12 bytes per span, goal at most 12: met",
        );
    }

    #[test]
    fn what_was_not_measured_meets_nothing() {
        check(
            Per::TimeOf("nobody"),
            1.0,
            "NaN x nobody, goal at most 1: NOT met",
        );
    }
}
