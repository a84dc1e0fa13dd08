//! No `Debug` of a public type shows contents. The list of types is that of `docs/api`.

mod texts;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Stands for a prompt, an answer, or what a tool was given.
const CANARY: &str = "canary-9f1c2e";

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Types that can hold no contents, a line each.
const HARMLESS: &str = include_str!("debug_secrecy/harmless.txt");

/// The public structs and enums of all published crates, by the last part of their names.
fn public_types() -> BTreeSet<String> {
    let mut types = BTreeSet::new();
    for file in fs::read_dir(Path::new(PROJECT).join("docs/api")).unwrap() {
        for line in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let line = line.strip_prefix("#[non_exhaustive] ").unwrap_or(line);
            let kinds = ["pub struct ", "pub enum "];
            let Some(path) = kinds.iter().find_map(|kind| line.strip_prefix(kind)) else {
                continue;
            };
            let path = path.split(['<', '(', ' ']).next().unwrap_or_default();
            types.insert(path.rsplit("::").next().unwrap_or_default().to_owned());
        }
    }
    types
}

/// The names of types that a text of `Debug` shows the inside of.
fn types_in(text: &str) -> impl Iterator<Item = &str> {
    let ends = text.match_indices([' ', '(']).map(|(end, _)| end);
    let ends = ends.filter(
        |end| matches!(&text[*end..], rest if rest.starts_with(" {") || rest.starts_with('(')),
    );
    ends.filter_map(|end| {
        let before = text.get(..end)?;
        let start = before
            .rfind(|c: char| !c.is_alphanumeric())
            .map_or(0, |at| at + 1);
        before.get(start..).filter(|name| !name.is_empty())
    })
}

#[test]
fn t14_no_debug_of_a_public_type_shows_contents() {
    let texts = texts::with_canaries();
    for text in &texts {
        assert!(!text.contains(CANARY), "{text}");
    }
    let harmless: BTreeSet<_> = HARMLESS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let shown: BTreeSet<_> = texts.iter().flat_map(|text| types_in(text)).collect();
    let types = public_types();
    assert!(types.contains("FinishedSpan"), "{types:?}");
    let unknown: Vec<_> = types
        .iter()
        .filter(|name| !shown.contains(name.as_str()) && !harmless.contains(name.as_str()))
        .collect();
    assert!(
        unknown.is_empty(),
        "make one of each with a canary in debug_secrecy/texts.rs, or name it in debug_secrecy/harmless.txt if it \
         can hold no contents: {unknown:#?}"
    );
    let gone: Vec<_> = harmless
        .iter()
        .filter(|name| shown.contains(*name) || !types.contains(**name))
        .collect();
    assert!(
        gone.is_empty(),
        "harmless.txt names what is no type, or what is tested: {gone:#?}"
    );
}
