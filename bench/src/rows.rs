//! The list of all rows.

use crate::error::BenchError;
use crate::placement::Place;
use crate::row::Row;
use crate::{
    agentspec_row, attributes_row, defaults_row, depth_row, encode_row, export_row, facade_row,
    growth_row, memory_row, metrics_row, off_row, overload_row, reading_row, render_row, scope_row,
    start_row, tracing_row,
};

/// The names of all rows.
pub(crate) const NAMES: [&str; 31] = [
    "agentspec-365",
    "scope-365",
    "agentspec",
    "agentspec-burst",
    "off",
    "attributes",
    "depth",
    "encode",
    "export-1",
    "export-10",
    "export-100",
    "overload",
    "render",
    "render-1mb",
    "start",
    "growth-spans",
    "growth-spans-long",
    "growth-identities",
    "growth-events",
    "defaults",
    "memory",
    "agentspec-off",
    "agentspec-events",
    "bridge",
    "scope",
    "scope-off",
    "tracing",
    "metrics",
    "read-json",
    "read-yaml",
    "read-recording",
];

/// Sets up the contenders of the row called `name`.
///
/// `sink` is the URL of the service that spans are sent to.
///
/// # Errors
///
/// [`BenchError::Usage`] when there is no such row, [`BenchError::SetUp`] when a contender does
/// not start.
pub(crate) fn set_up(name: &str, sink: &str) -> Result<Row, BenchError> {
    match name {
        "agentspec-365" => Ok(facade_row::agent_spec()),
        "scope-365" => Ok(facade_row::scopes()),
        "off" => off_row::row(),
        "attributes" => attributes_row::row(),
        "depth" => depth_row::row(),
        "overload" => Ok(overload_row::row()),
        "render" => render_row::messages(),
        "render-1mb" => render_row::long(),
        "start" => Ok(start_row::row()),
        "growth-spans" => Ok(growth_row::spans()),
        "growth-spans-long" => Ok(growth_row::spans_long()),
        "growth-identities" => Ok(growth_row::identities()),
        "growth-events" => Ok(growth_row::events()),
        "defaults" => Ok(defaults_row::row()),
        "memory" => Ok(memory_row::row()),
        "agentspec" => Ok(agentspec_row::sustained()),
        "agentspec-burst" => agentspec_row::burst(),
        "agentspec-off" => agentspec_row::unobserved(),
        "agentspec-events" => agentspec_row::long_span(),
        "bridge" => agentspec_row::bridged(),
        "scope" => scope_row::recording(),
        "scope-off" => scope_row::switched_off(),
        "tracing" => Ok(tracing_row::row()),
        "metrics" => metrics_row::row(),
        "encode" => Ok(encode_row::row()),
        "export-1" => export_row::row("export-1", 1, sink),
        "export-10" => export_row::row("export-10", 10, sink),
        "export-100" => export_row::row("export-100", 100, sink),
        "read-json" => Ok(reading_row::json()),
        "read-yaml" => Ok(reading_row::yaml()),
        "read-recording" => Ok(reading_row::recording()),
        _ => Err(BenchError::Usage {
            given: name.to_owned(),
        }),
    }
}

/// Where the threads of the row's contenders run.
pub(crate) fn place(name: &str) -> Place {
    let one = [
        "agentspec-burst",
        "agentspec-off",
        "off",
        "attributes",
        "depth",
        "agentspec-events",
        "bridge",
        "scope",
        "scope-off",
        "tracing",
        "metrics",
        "encode",
        "render",
        "render-1mb",
    ];
    if one.contains(&name) {
        Place::One
    } else {
        Place::All
    }
}

/// Whether the row's service takes its time for an answer.
pub(crate) fn is_slow(name: &str) -> bool {
    name.starts_with("overload")
}

#[cfg(test)]
mod tests {
    use agentspan_testkit::Service;

    use super::*;

    #[test]
    fn every_name_is_that_of_its_row_and_every_goal_names_contenders() {
        let service = Service::start().unwrap();
        for name in NAMES {
            let row = set_up(name, &service.url()).unwrap();
            assert_eq!(row.name, name);
            let names = row.names();
            for goal in &row.goals {
                for contender in goal.contenders() {
                    assert!(names.contains(&contender), "{name}: {contender}");
                }
            }
        }
        set_up("no such row", &service.url()).unwrap_err();
    }

    #[test]
    fn every_figure_has_a_goal() {
        let service = Service::start().unwrap();
        let rows = NAMES.map(|name| set_up(name, &service.url()).unwrap());
        let figures: Vec<u8> = rows
            .iter()
            .flat_map(|row| &row.goals)
            .filter_map(|goal| goal.figure)
            .collect();
        for figure in 1..=12 {
            assert!(figures.contains(&figure), "figure {figure}");
        }
    }
}
