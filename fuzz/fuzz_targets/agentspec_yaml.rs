//! An Agent Spec document in YAML: problems stand where the text is, and the dump of what is read reads.

#![no_main]

use agentspan_model::agentspec::{DocumentReader, ProblemKind, ReadError};
use fuzz::{check_component, show};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &str| {
    let reader = DocumentReader::new().with_any_version();
    match reader.read_yaml(document) {
        Ok(component) => check_component(&component),
        Err(error) => check(&error, document),
    }
    match reader.read_referenced_yaml(document) {
        Ok(components) => components.values().for_each(check_component),
        Err(error) => check(&error, document),
    }
});

fn check(error: &ReadError, document: &str) {
    show(error);
    assert!(!error.problems().is_empty(), "a refusal has a reason");
    let breaks = document.matches(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
    let lines = 1 + breaks.count();
    for problem in error.problems() {
        let position = match &problem.kind {
            ProblemKind::Yaml { position, .. } => Some(*position),
            _ => problem.position,
        };
        let position = position.expect("a document has places");
        assert!((1..=lines).contains(&position.line), "{problem:?}");
        let most = document.chars().count() + 1;
        assert!((1..=most).contains(&position.column), "{problem:?}");
    }
}
