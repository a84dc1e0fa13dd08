//! Log lines reach the subscriber of the program, which may panic: the containment writes them.

use super::Finding;
use super::source::{Source, TokenKind};

/// Both catch the panic.
const CONTAINED: [&str; 2] = ["contain : : log (", "setup_log : : log ("];

const MACROS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

/// Finds log lines outside of `contain::log`.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let is_library = source.path.starts_with("crates/") && source.path.contains("/src/");
    if !is_library || source.path.starts_with("crates/agentspan-testkit/") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut at = 0;
    while let Some(token) = source.tokens.get(at) {
        if CONTAINED.iter().any(|call| source.matches_at(at, call)) {
            at = end_of_group(source, at + 4);
        } else if is_log_macro(source, at) && !token.in_test {
            let message = "logs outside of `contain::log`, so that a subscriber's panic gets out";
            findings.push(Finding::at(&source.path, token.line, message));
        }
        at += 1;
    }
    findings
}

fn is_log_macro(source: &Source, at: usize) -> bool {
    let name = source.tokens.get(at).map(|token| &token.kind);
    let is_name = matches!(name, Some(TokenKind::Word(word)) if MACROS.contains(&word.as_str()));
    is_name && source.matches_at(at + 1, "! (")
}

/// Where the group ends whose opening bracket is at a position.
fn end_of_group(source: &Source, open: usize) -> usize {
    let mut depth = 0_usize;
    for at in open..source.tokens.len() {
        if source.matches_at(at, "(") {
            depth += 1;
        } else if source.matches_at(at, ")") {
            depth -= 1;
            if depth == 0 {
                return at;
            }
        }
    }
    source.tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<Option<usize>> {
        let findings = check(&Source::parse(path, text).unwrap());
        findings.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_log_line_is_found_unless_the_containment_writes_it() {
        let text = "fn a() {\n    tracing::warn!(b = 1, \"c\");\n    contain::log(|| {\n        \
                    tracing::error!(d = f(), \"e\");\n    });\n    debug!(\"g\");\n    \
                    setup_log::log(|| info!(\"h\"));\n}";
        assert_eq!(lines("crates/a/src/b.rs", text), [Some(2), Some(6)]);
        assert_eq!(lines("crates/a/tests/it/b.rs", text), []);
        assert_eq!(lines("xtask/src/b.rs", text), []);
    }

    #[test]
    fn a_function_of_that_name_is_none() {
        assert_eq!(
            lines("crates/a/src/b.rs", "fn a() { warn(b); error.c(); }"),
            []
        );
    }
}
