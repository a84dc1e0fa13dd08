//! Attribute keys are written once, in the model's `keys` module.
//!
//! Tests are free to write keys out: a test that uses the constant cannot see that it is wrong.
//! So is the test kit, which plays the part of other people's programs, and so are attributes such as
//! `#[serde(rename = "...")]`, which take no constants.

use std::collections::BTreeSet;

use super::Finding;
use super::source::{Source, TokenKind};

/// How a GenAI key begins; such a literal is found also when no constant has it.
const GEN_AI: &str = "gen_ai.";

/// The keys that have a constant.
#[derive(Debug)]
pub(super) struct Keys<'a>(BTreeSet<&'a str>);

impl<'a> Keys<'a> {
    /// Collects the keys of the model. Plain words, such as `exception`, mean other things elsewhere.
    pub(super) fn of(sources: &'a [Source]) -> Self {
        let sources = sources.iter().filter(|source| holds_keys(&source.path));
        let texts = sources.flat_map(texts).map(|(text, _)| text);
        Self(texts.filter(|text| text.contains('.')).collect())
    }

    /// Finds keys written out in a crate's code.
    pub(super) fn check(&self, source: &Source) -> Vec<Finding> {
        if !must_use_constants(&source.path) {
            return Vec::new();
        }
        texts(source)
            .filter(|(text, _)| self.0.contains(text) || text.starts_with(GEN_AI))
            .map(|(text, line)| {
                let message =
                    format!("writes the key `{text}`, use the constant in agentspan_model::keys");
                Finding::at(&source.path, line, message)
            })
            .collect()
    }
}

fn must_use_constants(path: &str) -> bool {
    path.starts_with("crates/")
        && !path.starts_with("crates/agentspan-testkit/")
        && !holds_keys(path)
}

fn holds_keys(path: &str) -> bool {
    path == "crates/agentspan-model/src/keys.rs"
        || path.starts_with("crates/agentspan-model/src/keys/")
}

/// The strings of a file's own code, and their lines.
fn texts(source: &Source) -> impl Iterator<Item = (&str, usize)> {
    let tokens = source
        .tokens
        .iter()
        .filter(|token| !token.in_test && !token.in_attribute);
    tokens.filter_map(|token| match &token.kind {
        TokenKind::Text(text) => Some((text.as_str(), token.line)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str =
        "//! Keys.\npub const A: &str = \"tenant.id\";\npub const B: &str = \"exception\";";

    fn lines(path: &str, text: &str) -> Vec<Option<usize>> {
        let sources = [
            Source::parse("crates/agentspan-model/src/keys.rs", KEYS).unwrap(),
            Source::parse(path, text).unwrap(),
        ];
        let keys = Keys::of(&sources);
        let findings = sources.iter().flat_map(|source| keys.check(source));
        findings.map(|finding| finding.line).collect()
    }

    #[test]
    fn a_key_in_code_is_found() {
        let text = "//! A.\nfn a() {\n    b(\"tenant.id\");\n    c(\"gen_ai.unknown\");\n    d(\"exception\");\n}";
        assert_eq!(lines("crates/a/src/b.rs", text), [Some(3), Some(4)]);
    }

    #[test]
    fn a_key_in_tests_documentation_and_attributes_is_fine() {
        let text = "/// \"tenant.id\"\n#[serde(rename = \"tenant.id\")]\nstruct A;\n\
                    #[cfg(test)]\nmod tests { const C: &str = \"tenant.id\"; }";
        assert_eq!(lines("crates/a/src/b.rs", text), []);
        let other = "const C: &str = \"tenant.id\";";
        assert_eq!(lines("crates/a/tests/it/b.rs", other), []);
        assert_eq!(lines("crates/agentspan-testkit/src/b.rs", other), []);
    }
}
