//! OTLP over gRPC, as the environment says.

use agentspan_discovery::{Environment, standard_variables as names};

use crate::destination::Destination;
use crate::install_error::InstallError;
use crate::otlp::Otlp;

pub(super) fn destination(
    environment: &Environment,
    _protocol: &str,
) -> Result<Option<Destination>, InstallError> {
    let otlp = Otlp::from_environment(environment, |environment| {
        let endpoint = environment
            .non_empty(names::OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)
            .or_else(|| environment.non_empty(names::OTEL_EXPORTER_OTLP_ENDPOINT));
        endpoint.map(str::to_owned)
    });
    Ok(Some(Destination::otlp_grpc(otlp)?))
}
