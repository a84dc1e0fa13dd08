//! What becomes of `tracing` spans, through the public API.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that tests share fail the test"
)]

mod d8_frameworks;
mod filters;
mod nesting_matrix;
mod odd_programs;
mod other_layers;
mod random_programs;
mod recorder;
