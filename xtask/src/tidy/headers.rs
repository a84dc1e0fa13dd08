//! Every source opens with `//!`: what the file holds and why.

use super::Finding;
use super::source::Source;

/// Finds files that start with something else.
pub(super) fn check(source: &Source) -> Option<Finding> {
    let has_header = source.first_line.starts_with("//! ");
    (!has_header).then(|| Finding::in_file(&source.path, "opens without a `//!` line"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_header_is_found() {
        for (text, found) in [
            ("//! A header.\n", false),
            ("use a::b;\n", true),
            ("// c\n", true),
            ("", true),
        ] {
            let source = Source::parse("crates/a/src/b.rs", text).unwrap();
            assert_eq!(check(&source).is_some(), found, "{text:?}");
        }
    }
}
