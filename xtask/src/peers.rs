//! `cargo xtask peers`: reference packages run live beside ours.

use crate::error::XtaskError;
use crate::workspace::Workspace;

/// Runs the reference package of Agent 365 and our exporter over the same spans.
pub(crate) fn agent365(_workspace: &Workspace) -> Result<(), XtaskError> {
    Err(XtaskError::Usage {
        given: "peers agent365".to_owned(),
    })
}
