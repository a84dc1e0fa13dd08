//! All rules, by where they are broken.

mod of_runs;
mod of_spans;
mod of_tokens;
mod of_traces;

use super::rule::Rule;

/// Each rule once.
pub(super) static ALL: [&[Rule]; 4] = [
    of_spans::OF_SPANS,
    of_traces::OF_TRACES,
    of_tokens::OF_TOKENS,
    of_runs::OF_RUNS,
];
