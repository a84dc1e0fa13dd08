//! The rows about services, in the order of the matrix.

mod answers;
mod endings;
mod identities;
mod names_and_clocks;
mod outages;
mod spans;
mod tls;

use crate::row::Row;

/// All rows about services.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = outages::rows();
    rows.extend(answers::rows());
    rows.extend(identities::rows());
    rows.extend(tls::rows());
    rows.extend(endings::rows());
    rows.extend(names_and_clocks::rows());
    rows.extend(spans::rows());
    rows
}
