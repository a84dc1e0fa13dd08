//! The formats of `OTEL_PROPAGATORS`.

use agentspan_discovery::{Environment, standard_variables as names, values};
use agentspan_otel::Propagation;

use crate::environment::{first, ignored};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    TraceContext,
    Baggage,
    None,
}

const FORMATS: [(&str, Format); 3] = [
    ("tracecontext", Format::TraceContext),
    ("baggage", Format::Baggage),
    ("none", Format::None),
];

/// The propagation that the environment asks for. Unknown formats are ignored; if no known format
/// is left, the whole variable is ignored.
pub(crate) fn propagation(environment: &Environment) -> Propagation {
    let both = Propagation::new();
    let Some((name, text)) = first(environment, [names::OTEL_PROPAGATORS]) else {
        return both;
    };
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for entry in values::list(text) {
        match values::word(entry, &FORMATS) {
            Some(format) => known.push(format),
            None => unknown.push(entry),
        }
    }
    if !unknown.is_empty() {
        ignored(name, &unknown.join(","), "tracecontext, baggage, none");
    }
    if known.is_empty() {
        return both;
    }
    let mut asked = both;
    if !known.contains(&Format::TraceContext) {
        asked = asked.without_trace_context();
    }
    if !known.contains(&Format::Baggage) {
        asked = asked.without_baggage();
    }
    asked
}
