//! What a receiver answers: bytes of somebody else, made fit to be read and to be shown.
//!
//! Answers come from services and from whatever stands before them, and say what became of spans. Two
//! things are done with them, for Agent 365 and for OTLP alike: [`ReceivedJson`] reads JSON as far as it
//! can be read, and [`Withheld`] shows the receiver's own words without what they must not repeat.

mod echo;
mod json;
mod refusal;
mod unescape;
mod withheld;

pub use self::json::{ReceivedJson, span_count};
pub use self::refusal::words_of_body;
pub use self::withheld::{Withheld, enough_of};
