//! An Agent Spec document: its references lead somewhere or it is refused, and its dump reads.

#![no_main]

use agentspan_model::agentspec::DocumentReader;
use fuzz::{check_component, show};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &str| {
    let reader = DocumentReader::new();
    match reader.read(document) {
        Ok(component) => check_component(&component),
        Err(error) => show(&error),
    }
    match reader.read_referenced(document) {
        Ok(components) => components.values().for_each(check_component),
        Err(error) => show(&error),
    }
});
