//! The dump of a span: reads or is refused, and what reads writes back without loss.

#![no_main]

use agentspan_model::agentspec::{Disclosure, Span};
use fuzz::{check_round_trip, show};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|dump: &str| {
    match Span::from_json(dump) {
        Ok(span) => check_round_trip(
            &span,
            Span::from_json,
            |span| {
                let dump = span.dump(Disclosure::Clear);
                serde_json::to_string(&dump).expect("the span can be written")
            },
            Span::masked,
        ),
        Err(error) => show(&error),
    }
});
