//! Tests neither sleep nor are switched off.

use super::Finding;
use super::source::Source;

/// Finds sleeps in tests, and tests that do not run.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let sleeps = [
        "thread : : sleep",
        "time : : sleep",
        "sleep_ms",
        "sleep_until",
    ];
    let sleeps = sleeps.into_iter().flat_map(|pattern| {
        let places = source
            .positions(pattern)
            .filter(|&at| source.tokens[at].in_test);
        places.map(|at| {
            (
                at,
                "sleeps: wait on a channel, a condition or a paused clock instead",
            )
        })
    });
    let ignored = source
        .positions("# [ ignore")
        .map(|at| (at, "is switched off: mend the test or remove it"));
    sleeps
        .chain(ignored)
        .map(|(at, message)| Finding::at(&source.path, source.tokens[at].line, message))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<Option<usize>> {
        let findings = check(&Source::parse(path, text).unwrap());
        findings.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_sleep_in_a_test_is_found() {
        let text = "fn a() {\n    std::thread::sleep(b);\n    tokio::time::sleep(c).await;\n}";
        assert_eq!(lines("crates/a/tests/it/b.rs", text), [Some(2), Some(3)]);
        assert_eq!(lines("crates/a/src/b.rs", text), []);
        let inline = format!("#[cfg(test)]\nmod tests {{\n{text}\n}}");
        assert_eq!(lines("crates/a/src/b.rs", &inline), [Some(4), Some(5)]);
    }

    #[test]
    fn a_test_that_does_not_run_is_found() {
        let text = "#[test]\n#[ignore]\nfn a() {}\n#[test]\n#[ignore = \"slow\"]\nfn b() {}";
        assert_eq!(lines("crates/a/src/b.rs", text), [Some(2), Some(5)]);
    }
}
