//! A sidecar over HTTP.

use std::time::Duration;

use super::SidecarError;
use crate::destination::Destination;
use crate::otlp::Otlp;

pub(super) fn destination(url: String, timeout: Duration) -> Result<Destination, SidecarError> {
    let otlp = Otlp::new()
        .with_endpoint(url)
        .with_timeout(timeout)
        .without_proxy();
    Destination::otlp_http(otlp).map_err(|error| SidecarError::Exporter(error.into()))
}
