//! A sidecar over gRPC.

use std::time::Duration;

use super::SidecarError;
use crate::destination::Destination;
use crate::otlp::Otlp;

pub(super) fn destination(url: String, timeout: Duration) -> Result<Destination, SidecarError> {
    let otlp = Otlp::new().with_endpoint(url).with_timeout(timeout);
    Destination::otlp_grpc(otlp).map_err(|error| SidecarError::Exporter(error.into()))
}
