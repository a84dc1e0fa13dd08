//! The tables.

use std::io::{self, Write};

use crate::error::BenchError;
use crate::goal::Goal;
use crate::metric::{Metric, Readings};
use crate::placement::Placement;
use crate::row::Row;
use crate::versions;

/// What came out for one goal.
pub(crate) struct Line {
    row: &'static str,
    goal: Goal,
    number: f64,
}

/// Writes on what machine and against what is measured.
pub(crate) fn write_head(
    out: &mut dyn Write,
    processors: usize,
    placement: Placement,
) -> io::Result<()> {
    let peers = versions::PEERS.map(|peer| {
        let version = versions::version(peer).unwrap_or("?");
        format!("{peer} {version}")
    });
    writeln!(
        out,
        "{} {} on {}, {processors} processors; agentspan {}",
        std::env::consts::ARCH,
        versions::processor(),
        std::env::consts::OS,
        env!("CARGO_PKG_VERSION"),
    )?;
    writeln!(out, "{}", peers.join(", "))?;
    let placement = match placement {
        Placement::Fixed => {
            "contenders that take turns share one processor, the service has another"
        }
        Placement::Free => "threads run where the system puts them, which moves export times",
    };
    writeln!(out, "{placement}")?;
    writeln!(
        out,
        "medians of interleaved rounds; absolute numbers are indicative, ratios are of this run"
    )
}

/// Writes the table of one row and gives what came out for each of its goals.
pub(crate) fn write_row(
    out: &mut dyn Write,
    row: &Row,
    measured: &[Readings],
) -> io::Result<Vec<Line>> {
    let names = row.names();
    let columns: Vec<Metric> = Metric::ALL
        .into_iter()
        .filter(|metric| measured.iter().any(|readings| readings.has(*metric)))
        .collect();
    let ratio_of = columns.first().copied().unwrap_or(Metric::Caller);
    let ours = measured.first().map_or(f64::NAN, |all| all.value(ratio_of));
    writeln!(out, "\n{}: {}", row.name, row.title)?;
    write!(out, "  {:58}", "")?;
    for (number, metric) in columns.iter().enumerate() {
        write!(out, " {:>15}", metric.head(row.unit))?;
        if number == 0 {
            write!(out, " {:>8}", "ours is")?;
        }
    }
    writeln!(out)?;
    for (name, readings) in names.iter().zip(measured) {
        write!(out, "  {name:58}")?;
        for (number, metric) in columns.iter().enumerate() {
            let value = readings.value(*metric);
            let cell = if value.is_nan() {
                "-".to_owned()
            } else {
                metric.cell(value)
            };
            write!(out, " {cell:>15}")?;
            // Parentheses are around what is no peer.
            if number == 0 && name.starts_with('(') {
                write!(out, " {:>8}", "-")?;
            } else if number == 0 {
                write!(out, " {:>8}", format!("{:.2}x", ours / value))?;
            }
        }
        writeln!(out)?;
    }
    for (name, readings) in names.iter().zip(measured) {
        let lost = readings.value(Metric::Lost);
        // Where losses are the subject, they have a column.
        if lost > 0.0 && !row.wants(Metric::Lost) && !row.wants(Metric::Delivered) {
            let unit = row.unit;
            writeln!(
                out,
                "  note: {name} lost {lost:.0} {unit}s, which it did not have to work for"
            )?;
        }
    }
    let find = |name: &str| {
        let mut all = names.iter().zip(measured);
        all.find(|(one, _)| **one == name)
            .map(|(_, readings)| readings)
    };
    let lines: Vec<Line> = row
        .goals
        .iter()
        .map(|goal| Line {
            row: row.name,
            goal: *goal,
            number: goal.measured(find),
        })
        .collect();
    for line in &lines {
        let Line { goal, number, .. } = line;
        let against = match goal.against() {
            "" => String::new(),
            peer => format!(" of {peer}"),
        };
        writeln!(
            out,
            "  {}: {}{against}, goal {}: {}",
            goal.what,
            goal.show(*number),
            goal.bound(),
            goal.verdict(*number)
        )?;
    }
    Ok(lines)
}

/// Writes what came out for all goals, those of figures first.
pub(crate) fn write_summary(out: &mut dyn Write, lines: &[Line]) -> Result<(), BenchError> {
    writeln!(out, "\nsummary")?;
    writeln!(
        out,
        "| figure | row | what | beside | goal | measured | |\n|---|---|---|---|---|---|---|"
    )?;
    let mut sorted: Vec<&Line> = lines.iter().collect();
    sorted.sort_by_key(|line| line.goal.figure.unwrap_or(u8::MAX));
    for Line { row, goal, number } in sorted {
        let figure = goal
            .figure
            .map_or_else(String::new, |number| number.to_string());
        writeln!(
            out,
            "| {figure} | {row} | {} | {} | {} | {} | {} |",
            goal.what,
            goal.against(),
            goal.bound(),
            goal.show(*number),
            goal.verdict(*number)
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::row::Contender;

    use super::*;

    struct Named(&'static str);

    impl Contender for Named {
        fn name(&self) -> &'static str {
            self.0
        }

        fn run(&mut self) {}
    }

    fn tables(lost: f64) -> (String, String) {
        let row = Row::turns("row", "what it compares", 1)
            .contender(Named("ours"))
            .contender(Named("peer"))
            .contender(Named("(release)"))
            .goal(
                Goal::new("time", Metric::Caller, "ours")
                    .over("peer")
                    .at_most(0.5),
            )
            .goal(
                Goal::new("allocations", Metric::Allocations, "ours")
                    .at_most(0.0)
                    .of_figure(3),
            );
        let time = |nanos| Readings::default().with(Metric::Caller, nanos);
        let ours = time(30.0)
            .with(Metric::Allocations, 0.25)
            .with(Metric::Lost, lost);
        let mut table = Vec::new();
        let lines = write_row(&mut table, &row, &[ours, time(60.0), time(10.0)]).unwrap();
        let mut summary = Vec::new();
        write_summary(&mut summary, &lines).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(table), text(summary))
    }

    #[test]
    fn a_table_has_a_line_for_each_contender_and_goal() {
        let (table, _) = tables(0.0);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 8, "{table}");
        assert!(
            lines[3].starts_with("  ours ") && lines[3].contains("1.00x"),
            "{table}"
        );
        assert!(lines[4].contains("0.50x"), "{table}");
        assert!(!lines[5].contains('x'), "{table}");
        assert_eq!(lines[6], "  time: 0.50 x of peer, goal <= 0.5 x: reached");
        assert_eq!(lines[7], "  allocations: 0.250, goal <= 0: MISSED");
    }

    #[test]
    fn what_was_lost_is_said() {
        let (table, _) = tables(7.0);
        let note = "  note: ours lost 7 spans, which it did not have to work for";
        assert!(table.lines().any(|line| line == note), "{table}");
    }

    #[test]
    fn the_summary_begins_with_the_figures() {
        let (_, summary) = tables(0.0);
        let lines: Vec<_> = summary.lines().skip(4).collect();
        assert_eq!(
            lines,
            [
                "| 3 | row | allocations |  | <= 0 | 0.250 | MISSED |",
                "|  | row | time | peer | <= 0.5 x | 0.50 x | reached |"
            ]
        );
    }
}
