//! Code asks the profile; only the profile's own modules compare it.

use super::Finding;
use super::source::{Source, Token, TokenKind};

/// The files that know what differs between the generations.
fn may_compare(path: &str) -> bool {
    path.ends_with("/profile.rs")
        || path.ends_with("/wire_profile.rs")
        || path == "crates/agentspan-model/src/agent365/mapping.rs"
        || path.starts_with("crates/agentspan-model/src/agent365/mapping/")
}

/// Finds variants of `Profile` in patterns and comparisons.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    if !source.path.starts_with("crates/") || may_compare(&source.path) {
        return Vec::new();
    }
    source
        .positions("Profile : :")
        .filter(|&at| names_variant(source.tokens.get(at + 3)))
        .filter(|&at| source.tokens.get(at).is_some_and(|token| !token.in_test))
        .filter(|&at| is_compared(source, at))
        .map(|at| {
            let message = "compares a profile: ask it instead, with a method in a profile module";
            Finding::at(&source.path, source.tokens[at].line, message)
        })
        .collect()
}

fn names_variant(token: Option<&Token>) -> bool {
    matches!(token.map(|token| &token.kind), Some(TokenKind::Word(word)) if word.starts_with('V'))
}

/// Whether the variant at a position is part of a pattern or an operand of `==` or `!=`.
fn is_compared(source: &Source, at: usize) -> bool {
    let start = path_start(source, at);
    let before = |pattern: &str, length: usize| {
        start
            .checked_sub(length)
            .is_some_and(|from| source.matches_at(from, pattern))
    };
    let mut after = at + 4;
    // A tuple of patterns ends before its arrow.
    while [",", ")", "_"]
        .iter()
        .any(|part| source.matches_at(after, part))
    {
        after += 1;
    }
    let ends_arm = ["= >", "if"]
        .iter()
        .any(|part| source.matches_at(after, part));
    let is_operand = ["= =", "! ="]
        .iter()
        .any(|part| source.matches_at(at + 4, part));
    let alternative = source.matches_at(at + 4, "|") || before("|", 1) && !before("| |", 2);
    ends_arm
        || is_operand
        || alternative
        || before("= =", 2)
        || before("! =", 2)
        || before("let", 1)
        || is_in_matches(source, start)
}

/// Where a path such as `model::agent365::Profile` begins.
fn path_start(source: &Source, at: usize) -> usize {
    let mut start = at;
    while start >= 3 && source.matches_at(start - 2, ": :") {
        start -= 3;
    }
    start
}

/// Whether the position is the pattern of `matches!(value, pattern)`.
fn is_in_matches(source: &Source, at: usize) -> bool {
    let mut depth = 0_usize;
    for index in (0..at).rev() {
        if source.matches_at(index, ")") {
            depth += 1;
        } else if source.matches_at(index, ";") || source.matches_at(index, "{") {
            return false;
        } else if source.matches_at(index, "(") {
            if depth == 0 {
                return index >= 2 && source.matches_at(index - 2, "matches !");
            }
            depth -= 1;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&Source::parse(path, text).unwrap()).len()
    }

    #[test]
    fn a_comparison_of_a_profile_is_found() {
        for body in [
            "if profile == Profile::V2 { a() }",
            "if Profile::V2 != profile { a() }",
            "match profile { Profile::V2 => a(), Profile::V0_1 => b() }",
            "match profile { agent365::Profile::V0_1 | agent365::Profile::V2 => a() }",
            "match (x, profile) { (1, Profile::V2) => a(), _ => b() }",
            "if let Profile::V2 = profile { a() }",
            "matches!(profile, Profile::V2)",
        ] {
            let text = format!("fn f() {{ {body} }}");
            assert_ne!(count("crates/a/src/b.rs", &text), 0, "{body}");
            assert_eq!(count("crates/a/src/profile.rs", &text), 0, "{body}");
        }
    }

    #[test]
    fn the_use_of_a_profile_as_a_value_is_fine() {
        for body in [
            "Builder::new(Profile::V0_1)",
            "let profile = Profile::V0_1; a(profile)",
            "Self { profile: Profile::V0_1, b }",
            "a(b, Profile::V0_1).c()",
            "a.unwrap_or_else(|| Profile::V0_1)",
            "Profile::default() == profile",
        ] {
            let text = format!("fn f() {{ {body} }}");
            assert_eq!(count("crates/a/src/b.rs", &text), 0, "{body}");
        }
    }
}
