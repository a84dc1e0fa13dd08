//! What others do for the same work.

pub(crate) mod fast;
pub(crate) mod replay;
pub(crate) mod sdk;
