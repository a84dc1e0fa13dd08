//! The table of threats in `SECURITY.md` and the tests that show the defences name each other.

use std::collections::BTreeSet;

use super::Finding;
use super::source::{Source, TokenKind};

/// The page with the table.
pub(super) const SECURITY: &str = "SECURITY.md";

/// How many threats there are: T1 to T31.
const THREATS: usize = 31;

/// What a threat without a test says of its defence.
const DOES_NOT_APPLY: &str = "Does not apply: ";

/// A test that shows what stands against a threat, and the line that names it.
#[derive(Debug)]
struct Shown {
    path: String,
    test: String,
    line: usize,
}

/// Finds threats without a row, rows without a test, tests that are not there, and tests of a threat
/// that no row names.
pub(super) fn check(table: &str, sources: &[Source]) -> Vec<Finding> {
    let (shown, mut findings) = read(table);
    let listed: BTreeSet<_> = shown
        .iter()
        .map(|shown| (&shown.path, &shown.test))
        .collect();
    for Shown { path, test, line } in &shown {
        let source = sources.iter().find(|source| source.path == *path);
        if !source.is_some_and(|source| tests(source).any(|(name, _)| name == test)) {
            let message = format!("names the test {test}, which is not in {path}");
            findings.push(Finding::at(SECURITY, *line, message));
        }
    }
    for source in sources {
        for (name, line) in tests(source) {
            let is_listed = listed
                .iter()
                .any(|(path, test)| **path == source.path && *test == name);
            if number_of(name).is_some() && !is_listed {
                let message = format!("{name} shows a threat, and {SECURITY} does not list it");
                findings.push(Finding::at(&source.path, line, message));
            }
        }
    }
    findings
}

/// The tests that the table names, and what is wrong with its rows.
fn read(table: &str) -> (Vec<Shown>, Vec<Finding>) {
    let (mut shown, mut findings, mut next) = (Vec::new(), Vec::new(), 1);
    for (index, row) in table.lines().enumerate() {
        let Some((number, cells)) = row
            .strip_prefix("| T")
            .and_then(|row| row.split_once(" | "))
            .and_then(|(number, cells)| Some((number.parse::<usize>().ok()?, cells)))
        else {
            continue;
        };
        let line = index + 1;
        if number != next {
            let message = format!("has a row of T{number} where that of T{next} belongs");
            findings.push(Finding::at(SECURITY, line, message));
        }
        next = number + 1;
        let before = shown.len();
        // A reference reads `name` ([file](path)).
        for (name, rest) in cells.split('`').zip(cells.split('`').skip(1)).skip(1) {
            let path = rest.strip_prefix(" ([").and_then(|rest| {
                rest.split_once("](")?
                    .1
                    .split_once(')')
                    .map(|(path, _)| path)
            });
            if let Some(path) = path {
                if number_of(name) != Some(number) {
                    let message = format!("lists {name} as a test of T{number}");
                    findings.push(Finding::at(SECURITY, line, message));
                }
                shown.push(Shown {
                    path: path.to_owned(),
                    test: name.to_owned(),
                    line,
                });
            }
        }
        if (shown.len() == before) != cells.contains(DOES_NOT_APPLY) {
            let message = format!("T{number} needs tests, or a reason why it does not apply");
            findings.push(Finding::at(SECURITY, line, message));
        }
    }
    if next != THREATS + 1 {
        let message = format!("has no row of T{next}, or rows beyond T{THREATS}");
        findings.push(Finding::in_file(SECURITY, message));
    }
    (shown, findings)
}

/// The number of a threat at the beginning of the name of its test: `t07_…` shows T7. Any other
/// number of digits is a number, too, and of no row.
fn number_of(test: &str) -> Option<usize> {
    let (digits, _) = test.strip_prefix('t')?.split_once('_')?;
    let number = digits.parse().ok()?;
    Some(if digits.len() == 2 {
        number
    } else {
        usize::MAX
    })
}

/// The names of a file's tests and their lines.
fn tests(source: &Source) -> impl Iterator<Item = (&str, usize)> {
    source.positions("fn").filter_map(|at| {
        let token = source.tokens.get(at + 1)?;
        let TokenKind::Word(name) = &token.kind else {
            return None;
        };
        let before = source.tokens[..at].iter().rev();
        let mut attributes = before
            .skip_while(|token| matches!(&token.kind, TokenKind::Word(word) if word == "async"))
            .take_while(|token| token.in_attribute);
        attributes
            .any(|token| matches!(&token.kind, TokenKind::Word(word) if word == "test"))
            .then_some((name.as_str(), token.line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "crates/a/tests/it/b.rs";

    /// A table of which each row but the first does not apply.
    fn table(first: &str) -> String {
        let rest =
            (2..=THREATS).map(|number| format!("| T{number} | a | Does not apply: b. | – |\n"));
        format!("| T1 | a `b` | c | {first} |\n{}", rest.collect::<String>())
    }

    fn check_found(table: &str, text: &str, found: &[&str]) {
        let sources = [Source::parse(PATH, text).unwrap()];
        let findings = check(table, &sources);
        let findings: Vec<_> = findings.iter().map(Finding::to_string).collect();
        assert_eq!(findings, found);
    }

    #[test]
    fn a_row_whose_test_is_there_is_in_order() {
        let table = table(&format!(
            "`t01_a` ([b.rs]({PATH}))<br>`t01_c` ([b.rs]({PATH}))"
        ));
        let text = "#[test] fn t01_a() {} #[tokio::test(start_paused = true)] async fn t01_c() {}";
        check_found(&table, text, &[]);
        let missing = "SECURITY.md:1: names the test t01_c, which is not in crates/a/tests/it/b.rs";
        check_found(&table, "#[test] fn t01_a() {} fn t01_c() {}", &[missing]);
    }

    #[test]
    fn a_test_without_a_row_is_found() {
        let table = table(&format!("`t01_a` ([b.rs]({PATH}))"));
        let text = "#[test] fn t01_a() {}\n#[test]\nfn t02_b() {}\n#[test] fn t3_c() {}\n#[test] fn two() {}";
        check_found(
            &table,
            text,
            &[
                "crates/a/tests/it/b.rs:3: t02_b shows a threat, and SECURITY.md does not list it",
                "crates/a/tests/it/b.rs:4: t3_c shows a threat, and SECURITY.md does not list it",
            ],
        );
    }

    #[test]
    fn a_row_without_a_test_a_row_that_is_missing_and_a_test_of_another_row_are_found() {
        let needs = "SECURITY.md:1: T1 needs tests, or a reason why it does not apply";
        check_found(&table("–"), "", &[needs]);
        let other = table(&format!("`t02_a` ([b.rs]({PATH}))"));
        let lists = "SECURITY.md:1: lists t02_a as a test of T1";
        check_found(&other, "#[test] fn t02_a() {}", &[lists]);
        let rows = table(&format!("`t01_a` ([b.rs]({PATH}))"));
        let last = format!("| T{THREATS} |");
        let less = rows.replace("| T7 |", "| 7 |").replace(&last, "| last |");
        let beyond = format!("SECURITY.md: has no row of T{THREATS}, or rows beyond T{THREATS}");
        check_found(
            &less,
            "#[test] fn t01_a() {}",
            &[
                "SECURITY.md:8: has a row of T8 where that of T7 belongs",
                &beyond,
            ],
        );
    }
}
