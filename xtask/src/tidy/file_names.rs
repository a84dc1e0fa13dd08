//! A file is named after the one concept that it holds.

use super::Finding;

const FORBIDDEN: &[&str] = &["common", "helpers", "types", "utils"];

/// Finds `mod.rs` and names that say nothing.
pub(super) fn check(path: &str) -> Option<Finding> {
    let stem = path.strip_suffix(".rs")?;
    let mut parts = stem.split('/');
    if stem.ends_with("/mod") {
        return Some(Finding::in_file(
            path,
            "is a mod.rs: write foo.rs beside foo/",
        ));
    }
    parts.any(|part| FORBIDDEN.contains(&part)).then(|| {
        Finding::in_file(
            path,
            "has a name that says nothing: name it after its concept",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_nothing_are_found() {
        for path in [
            "crates/a/src/b/mod.rs",
            "crates/a/src/utils.rs",
            "crates/a/tests/common/b.rs",
            "xtask/src/types.rs",
        ] {
            assert!(check(path).is_some(), "{path}");
        }
        for path in [
            "crates/a/src/model.rs",
            "crates/a/src/datatypes.rs",
            "docs/types.md",
        ] {
            assert_eq!(check(path), None, "{path}");
        }
    }
}
