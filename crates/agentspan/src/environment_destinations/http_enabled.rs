//! OTLP over HTTP, as the environment says.

use agentspan_discovery::{Environment, standard_variables as names};

use crate::destination::Destination;
use crate::install_error::InstallError;
use crate::otlp::Otlp;

pub(super) fn destination(
    environment: &Environment,
    _protocol: &str,
) -> Result<Option<Destination>, InstallError> {
    let otlp = Otlp::from_environment(environment, |environment| {
        let whole = environment.non_empty(names::OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
        let base = environment.non_empty(names::OTEL_EXPORTER_OTLP_ENDPOINT);
        // Only the variable of one signal is taken as it is.
        whole
            .map(str::to_owned)
            .or_else(|| base.map(|base| format!("{}/v1/traces", base.trim_end_matches('/'))))
    });
    Ok(Some(Destination::otlp_http(otlp)?))
}
