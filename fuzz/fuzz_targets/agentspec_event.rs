//! The dump of an event: reads or is refused, and what reads writes back without loss.

#![no_main]

use agentspan_model::agentspec::{Disclosure, Event};
use fuzz::{check_round_trip, show};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|dump: &str| {
    match Event::from_json(dump) {
        Ok(event) => check_round_trip(
            &event,
            Event::from_json,
            |event| {
                let dump = event.dump(Disclosure::Clear);
                serde_json::to_string(&dump).expect("the event can be written")
            },
            Event::masked,
        ),
        Err(error) => show(&error),
    }
});
