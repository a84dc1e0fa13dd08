//! OTLP over HTTP, configured by the environment.

use agentspan_discovery::Environment;

use crate::destination::Destination;
use crate::install_error::InstallError;
use crate::otlp::Otlp;

pub(super) fn destination(
    environment: &Environment,
    _protocol: &str,
) -> Result<Option<Destination>, InstallError> {
    Ok(Some(Destination::otlp_http_in(&Otlp::new(), environment)?))
}
