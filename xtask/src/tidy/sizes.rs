//! A file over 800 lines is several files.

use super::source::Source;
use super::{Finding, layers};

const LIMIT: usize = 800;
const ARCHITECTURE_LIMIT: usize = 200;

/// Finds long files; the lines of test modules inside a file are not counted.
pub(super) fn check(source: &Source) -> Option<Finding> {
    let lines = source.lines.saturating_sub(source.test_lines);
    (lines > LIMIT).then(|| {
        Finding::in_file(
            &source.path,
            format!("has {lines} lines, {LIMIT} are allowed: split it by concept"),
        )
    })
}

/// Finds a missing or a long description of the architecture.
pub(super) fn check_architecture(text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    (lines == 0 || lines >= ARCHITECTURE_LIMIT).then(|| {
        Finding::in_file(
            layers::ARCHITECTURE,
            format!("has {lines} lines, fewer than {ARCHITECTURE_LIMIT} are allowed"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(text: &str) -> bool {
        check(&Source::parse("crates/a/src/b.rs", text).unwrap()).is_some()
    }

    #[test]
    fn the_line_after_the_limit_is_found() {
        assert!(!is_found(&"use a::b;\n".repeat(LIMIT)));
        assert!(is_found(&"use a::b;\n".repeat(LIMIT + 1)));
    }

    #[test]
    fn tests_inside_a_file_do_not_count() {
        let tests = format!(
            "#[cfg(test)]\nmod tests {{\n{}}}\n",
            "use a::b;\n".repeat(LIMIT)
        );
        assert!(!is_found(&tests));
    }

    #[test]
    fn a_missing_or_long_architecture_is_found() {
        assert!(check_architecture("").is_some());
        assert!(check_architecture(&"line\n".repeat(ARCHITECTURE_LIMIT - 1)).is_none());
        assert!(check_architecture(&"line\n".repeat(ARCHITECTURE_LIMIT)).is_some());
    }
}
