//! Says which feature is missing.

use std::time::Duration;

use super::SidecarError;
use crate::destination::Destination;

pub(super) fn destination(_url: String, _timeout: Duration) -> Result<Destination, SidecarError> {
    Err(SidecarError::MissingFeature {
        feature: "otlp-grpc",
    })
}
