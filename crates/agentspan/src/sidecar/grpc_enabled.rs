//! A sidecar over gRPC.

use std::time::Duration;

use agentspan_discovery::Environment;

use super::SidecarError;
use crate::destination::Destination;
use crate::otlp::Otlp;

pub(super) fn destination(
    url: String,
    timeout: Duration,
    environment: &Environment,
) -> Result<Destination, SidecarError> {
    let otlp = Otlp::new()
        .with_endpoint(url)
        .with_timeout(timeout)
        .of_sidecar();
    Destination::otlp_grpc_in(&otlp, environment)
        .map_err(|error| SidecarError::Exporter(error.into()))
}
