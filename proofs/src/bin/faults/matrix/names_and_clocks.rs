//! F11, F23: names that lead nowhere at first or at all, and clocks that jump. No name leaves the
//! machine.

use std::time::{Duration, SystemTime};

use agentspan_testkit::Answer;

use super::spans::bodies_are_json;
use crate::defence::Defence::{Queue, Retry};
use crate::front::{OTLP, V2, WIRE};
use crate::row::Row;
use crate::stage::{Connection, Settings};
use crate::wire::Wire;

/// Longer than any clock has been right.
const SIXTY_YEARS: Duration = Duration::from_secs(60 * 365 * 24 * 60 * 60);

pub(super) fn rows() -> Vec<Row> {
    let named = |connection| Settings {
        connection,
        ..Settings::new()
    };
    vec![
        Wire {
            settings: named(Connection::NoName),
            ..Wire::new()
        }
        .losing("retries_exhausted", "export_failed")
        .row("F11", "a name that does not resolve", OTLP, &[Queue]),
        Wire {
            settings: named(Connection::Localhost),
            ..Wire::new()
        }
        .row("F11", "a name of which only one address answers", OTLP, &[])
        .because("the connector has all addresses of a name, and no switch"),
        Wire {
            start_time: |number| match number % 3 {
                0 => SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(1)),
                1 => SystemTime::now().checked_add(SIXTY_YEARS),
                _ => SystemTime::now().checked_sub(SIXTY_YEARS),
            },
            ..Wire::new()
        }
        .checking(bodies_are_json)
        .row("F23", "a wall clock that jumps between spans", WIRE, &[])
        .because("no wait is measured by the wall clock"),
        Wire {
            settings: Settings {
                build: |builder| builder.with_retry_after_dates(),
                ..Settings::new()
            },
            ..Wire::playing(|_| {
                let date = "Sun, 01 Nov 2065 08:49:37 GMT";
                vec![Answer::refusal(503, "Busy").header("retry-after", date); 2]
            })
        }
        .row("F23", "retry-after by a clock 40 years ahead", V2, &[Retry]),
    ]
}
