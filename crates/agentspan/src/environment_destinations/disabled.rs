//! Stands in for a protocol whose feature is off: returns an error that names the feature.

use agentspan_discovery::Environment;

use crate::destination::Destination;
use crate::install_error::InstallError;
use crate::setup_log;

#[expect(clippy::unnecessary_wraps, reason = "the interface of the enabled one")]
pub(super) fn destination(
    _environment: &Environment,
    protocol: &str,
) -> Result<Option<Destination>, InstallError> {
    let protocol = protocol.to_owned();
    let feature = if protocol == "grpc" {
        "otlp-grpc"
    } else {
        "otlp-http"
    };
    setup_log::log(move || {
        tracing::warn!(
            target: "agentspan::configure",
            protocol,
            feature,
            "the environment asks for otlp, and the feature for its protocol is not enabled"
        );
    });
    Ok(None)
}
