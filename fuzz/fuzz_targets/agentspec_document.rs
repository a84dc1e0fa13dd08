//! An Agent Spec document: its references lead somewhere or it is refused, and its dump reads.

#![no_main]

use agentspan_model::agentspec::{Component, DocumentReader};
use fuzz::show;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &str| {
    let reader = DocumentReader::new();
    match reader.read(document) {
        Ok(component) => check(&component),
        Err(error) => show(&error),
    }
    match reader.read_referenced(document) {
        Ok(components) => components.values().for_each(check),
        Err(error) => show(&error),
    }
});

/// References multiply: a short document may have a dump that is too long to be read here.
const MAX_DUMP: usize = 1 << 20;

fn check(component: &Component) {
    let dump = component.dump();
    if dump.len() > MAX_DUMP {
        return;
    }
    let again = Component::from_json(dump).expect("the dump reads");
    assert_eq!(dump, again.dump(), "it is written the same again");
    let _ = format!("{component:?}");
    let _ = (component.inputs(), component.outputs());
}
