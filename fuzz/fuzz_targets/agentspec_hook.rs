//! One line of a recording: reads or is refused, and what reads writes back without loss.

#![no_main]

use agentspan_model::agentspec::{Disclosure, RecordedHook};
use fuzz::{check_round_trip, show};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    match RecordedHook::from_json(line) {
        Ok(hook) => check_round_trip(
            &hook,
            RecordedHook::from_json,
            |hook| {
                let line = hook.line().with_disclosure(Disclosure::Clear);
                serde_json::to_string(&line).expect("the line can be written")
            },
            RecordedHook::clone,
        ),
        Err(error) => show(&error),
    }
});
