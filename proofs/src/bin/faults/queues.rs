//! F1, F7, F12, F19, F24: exporters and processors that misbehave behind their queues.

mod background;
mod export;
mod gate;

use crate::row::Row;

/// All rows about code of the program that a queue calls.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = export::rows();
    rows.extend(background::rows());
    rows
}
