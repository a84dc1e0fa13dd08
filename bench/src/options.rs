//! What the command line asks for.

use crate::error::BenchError;
use crate::rows;

/// The text of `--help`.
pub(crate) fn help() -> String {
    let rows = rows::NAMES.join(", ");
    format!(
        "\
usage: cargo xtask bench [--quick] [--instructions] [ROW ...]

  --quick         a fifth of the rounds, at least three
  --instructions  count instructions with valgrind's callgrind in all rows whose work stays on one thread
  ROW             one of those below; by default all but those with -long in their names

rows: {rows}

It never fails because something was slow.
"
    )
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) help: bool,
    pub(crate) quick: bool,
    pub(crate) instructions: bool,
    pub(crate) rows: Vec<&'static str>,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, BenchError> {
        let mut options = Self {
            help: false,
            quick: false,
            instructions: false,
            rows: Vec::new(),
        };
        for argument in arguments {
            match argument.as_str() {
                // Cargo adds this one.
                "--bench" => {}
                "--help" | "-h" => options.help = true,
                "--quick" => options.quick = true,
                "--instructions" => options.instructions = true,
                name => match rows::NAMES.iter().find(|row| **row == name) {
                    Some(row) => options.rows.push(row),
                    None => {
                        return Err(BenchError::Usage {
                            given: name.to_owned(),
                        });
                    }
                },
            }
        }
        if options.rows.is_empty() {
            options.rows = rows::NAMES.to_vec();
            options.rows.retain(|name| !name.ends_with("-long"));
        }
        Ok(options)
    }

    /// How many of `rounds` are run.
    pub(crate) fn rounds(&self, rounds: usize) -> usize {
        if self.quick {
            (rounds / 5).max(3).min(rounds)
        } else {
            rounds
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, BenchError> {
        let arguments: Vec<_> = arguments.iter().map(|&one| one.to_owned()).collect();
        Options::parse(&arguments)
    }

    #[test]
    fn all_rows_are_run_unless_some_are_named() {
        let all = parse(&["--bench"]).unwrap().rows;
        assert!(all.contains(&"scope") && all.iter().all(|name| !name.ends_with("-long")));
        assert_eq!(parse(&["scope", "--quick"]).unwrap().rows, ["scope"]);
    }

    #[test]
    fn what_is_not_known_is_named() {
        let error = parse(&["--fast"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot understand \"--fast\", see --help"
        );
    }

    #[test]
    fn quick_runs_a_fifth_of_the_rounds_and_at_least_three() {
        let quick = parse(&["--quick"]).unwrap();
        assert_eq!((quick.rounds(50), quick.rounds(5)), (10, 3));
        assert_eq!(parse(&[]).unwrap().rounds(50), 50);
    }
}
