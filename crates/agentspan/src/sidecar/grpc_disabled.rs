//! Stands in for gRPC without its feature: returns an error that names the feature.

use std::time::Duration;

use agentspan_discovery::Environment;

use super::SidecarError;
use crate::destination::Destination;

pub(super) fn destination(
    _url: String,
    _timeout: Duration,
    _environment: &Environment,
) -> Result<Destination, SidecarError> {
    Err(SidecarError::MissingFeature {
        feature: "otlp-grpc",
    })
}
