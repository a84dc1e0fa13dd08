//! Every crate takes the workspace's lints.

use super::Finding;

/// Finds manifests of crates without `[lints] workspace = true`.
pub(super) fn check(path: &str, text: &str) -> Option<Finding> {
    if !path.ends_with("/Cargo.toml") {
        return None;
    }
    let mut lines = text
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[lints]")
        .skip(1);
    let inherits = lines.next() == Some("workspace = true");
    (!inherits).then(|| Finding::in_file(path, "has no `[lints]` table with `workspace = true`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_with_lints_of_its_own_is_found() {
        let path = "crates/a/Cargo.toml";
        assert_eq!(
            check(path, "[package]\n\n[lints]\nworkspace = true\n"),
            None
        );
        for text in [
            "[package]\n",
            "[lints]\nrust.unsafe_code = \"allow\"\n",
            "[dependencies]\nworkspace = true\n",
        ] {
            assert!(check(path, text).is_some(), "{text}");
        }
        assert_eq!(check("Cargo.toml", "[workspace]\n"), None);
    }
}
