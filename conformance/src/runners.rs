//! The runners, one module per vector file.

mod baggage_v0_1;
mod discovery;
mod jwt;
mod recorded_spans;
mod scopes_v0_1;
mod turn_context;

use crate::Runner;

/// All runners.
#[must_use]
pub fn all() -> Vec<Box<dyn Runner>> {
    vec![
        Box::new(baggage_v0_1::BaggageV01),
        Box::new(discovery::Discovery),
        Box::new(jwt::Jwt),
        Box::new(scopes_v0_1::ScopesV01),
        Box::new(turn_context::TurnContext),
    ]
}
