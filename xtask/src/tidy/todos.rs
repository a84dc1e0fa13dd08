//! Work that is left over has an issue, or it is not left over.

use super::Finding;

/// The words of postponed work. Written in two parts, so that this file is not found.
const WORDS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

/// Finds such a word without the number of an issue after it, as in `word(#12)`.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    if !(path.ends_with(".rs") || path.ends_with(".toml") || path.ends_with(".py")) {
        return Vec::new();
    }
    let lines = text.lines().enumerate().filter(|(_, line)| is_found(line));
    lines
        .map(|(index, _)| {
            Finding::at(
                path,
                index + 1,
                "postpones work without an issue: write (#number) after the word",
            )
        })
        .collect()
}

fn is_found(line: &str) -> bool {
    WORDS.iter().any(|word| {
        line.match_indices(word).any(|(at, _)| {
            let is_letter = |character: char| character.is_alphanumeric() || character == '_';
            let before = line[..at].chars().next_back();
            let after = &line[at + word.len()..];
            let is_word = !before.is_some_and(is_letter) && !after.starts_with(is_letter);
            is_word && !has_issue(after)
        })
    })
}

fn has_issue(after: &str) -> bool {
    after
        .strip_prefix("(#")
        .is_some_and(|number| number.starts_with(|digit: char| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postponed_work_without_an_issue_is_found() {
        for word in WORDS {
            assert_eq!(
                check("a.rs", &format!("a\n// {word}: later\n")).len(),
                1,
                "{word}"
            );
            assert_eq!(
                check("a.rs", &format!("// {word}(later)\n")).len(),
                1,
                "{word}"
            );
            assert_eq!(
                check("a.rs", &format!("// {word}(#12): later\n")),
                [],
                "{word}"
            );
            assert_eq!(
                check("a.rs", &format!("const {word}S: u8 = 1;\n")),
                [],
                "{word}"
            );
        }
    }
}
