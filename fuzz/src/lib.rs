//! What the targets have in common: how a value is checked that was read from a dump, and spans with their
//! bodies.

pub mod body;
pub mod spans;
pub mod tree;

use std::fmt::Debug;

use agentspan_model::agentspec::Component;
use serde::Serialize;

/// Checks that what was read writes back to text that reads as the same and is written the same
/// again, that its masked form reads and is masked already, and that it can be shown.
///
/// # Panics
///
/// That is how a target says that a rule does not hold.
pub fn check_round_trip<T, E, C, M>(
    value: &T,
    read: impl Fn(&str) -> Result<T, E>,
    clear: impl Fn(&T) -> C,
    masked: impl Fn(&T) -> M,
) where
    T: Debug + PartialEq,
    E: Debug,
    C: AsRef<str>,
    M: Serialize,
{
    let text = clear(value);
    let again = read(text.as_ref()).expect("what was written reads");
    assert_eq!(*value, again, "what was written reads as the same");
    let text_again = clear(&again);
    assert_eq!(
        text.as_ref(),
        text_again.as_ref(),
        "it is written the same again"
    );
    let write_masked =
        |value| serde_json::to_string(&masked(value)).expect("the masked form can be written");
    let text = write_masked(value);
    let again = read(&text).expect("the masked form reads");
    assert_eq!(text, write_masked(&again), "what is masked stays as it is");
    let _ = format!("{value:?}");
}

/// Checks that an error can be shown, with its causes.
pub fn show(error: &dyn std::error::Error) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let _ = format!("{error} {error:?}");
        cause = error.source();
    }
}

/// References multiply: a short document may have a dump that is too long to be read here.
const MAX_DUMP: usize = 1 << 20;

/// Checks that the dump of what a document says reads, and is written the same again.
///
/// # Panics
///
/// That is how a target says that a rule does not hold.
pub fn check_component(component: &Component) {
    let dump = component.dump();
    if dump.len() > MAX_DUMP {
        return;
    }
    let again = Component::from_json(dump).expect("the dump reads");
    assert_eq!(dump, again.dump(), "it is written the same again");
    let _ = format!("{component:?}");
    let _ = (component.inputs(), component.outputs());
}
