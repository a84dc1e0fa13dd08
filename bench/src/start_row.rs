//! Row: a process that sets telemetry up, makes one span, delivers it and ends.

use crate::goal::Goal;
use crate::metric::Metric;
use crate::row::Row;

const OURS: &str = "agentspan";
const OTLP: &str = "opentelemetry_sdk + OTLP protobuf";
const NOTHING: &str = "nothing";

pub(crate) fn row() -> Row {
    let title = "a process that sets telemetry up, makes one span, delivers it and ends";
    let goal = Goal::new(
        "start-up, above a process that does nothing",
        Metric::Wall,
        OURS,
    );
    Row::starts("start", title, &[OURS, OTLP, NOTHING]).goal(
        goal.above(NOTHING)
            .over_above(OTLP, NOTHING)
            .at_most(0.25)
            .of_figure(11),
    )
}
