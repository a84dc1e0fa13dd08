//! The place in a file from which a span was read.

use std::path::Path;
use std::sync::Arc;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: Arc<Path>,
    /// Counted from one.
    pub(crate) line: usize,
}
