//! The destinations that the environment asks for.

#[cfg(not(all(feature = "otlp-grpc", feature = "otlp-http")))]
mod disabled;
#[cfg(feature = "otlp-grpc")]
#[path = "environment_destinations/grpc_enabled.rs"]
mod grpc;
#[cfg(feature = "otlp-http")]
#[path = "environment_destinations/http_enabled.rs"]
mod http;

use std::collections::BTreeSet;

use agentspan_discovery::{Environment, ShownValue, Switches, standard_variables as names};
use agentspan_model::mapping::ContentCapture;
use agentspan_otel::{ConsoleExporter, OtlpJsonLines};
use agentspan_queue::contain;

#[cfg(not(feature = "otlp-grpc"))]
use self::disabled as grpc;
#[cfg(not(feature = "otlp-http"))]
use self::disabled as http;
use crate::destination::Destination;
use crate::install_error::InstallError;

/// The destinations of `OTEL_TRACES_EXPORTER`, none if it is unset, and `otlp` if `ENABLE_OTLP_EXPORTER`
/// says so, as the reference 2.0.0 understands it.
///
/// The standard's default is `otlp`. It is not followed, since a library that sends traces to a port of
/// the machine without being asked would surprise people.
pub(crate) fn destinations(environment: &Environment) -> Result<Vec<Destination>, InstallError> {
    let names = environment.non_empty(names::OTEL_TRACES_EXPORTER);
    let mut names = names.unwrap_or_default().to_owned();
    if Switches::read(environment).otlp_exporter_enabled() {
        names.push_str(",otlp");
    }
    let (mut destinations, mut known) = (Vec::new(), BTreeSet::new());
    let mut unknown = Vec::new();
    for name in names.split(',').map(str::trim) {
        // Whoever names one twice wants no span twice.
        if !known.insert(name) {
            continue;
        }
        match name {
            "" | "none" => {}
            "console" => destinations.push(Destination::console(ConsoleExporter::new())),
            "otlp_file" => destinations.extend(otlp_file(environment)?),
            "otlp" => destinations.extend(otlp(environment)?),
            _ => unknown.push(name),
        }
    }
    if !unknown.is_empty() {
        ignored(names::OTEL_TRACES_EXPORTER, &unknown.join(","));
    }
    Ok(destinations)
}

/// What the environment says about contents, if it says something; nothing that is not understood switches
/// them on.
pub(crate) fn capture(environment: &Environment) -> Option<ContentCapture> {
    let name = names::OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT;
    let value = environment.non_empty(name)?;
    Some(value.parse().unwrap_or_else(|_| {
        ignored(name, value);
        ContentCapture::NoContent
    }))
}

fn otlp_file(environment: &Environment) -> Result<Option<Destination>, InstallError> {
    let Some(path) = environment.non_empty(names::AGENTSPAN_OTLP_FILE) else {
        // Nobody has said which file, and one that nobody has named is not to appear anywhere.
        ignored(names::OTEL_TRACES_EXPORTER, "otlp_file");
        return Ok(None);
    };
    let file = OtlpJsonLines::append(path);
    let file = file.map_err(|error| InstallError::Environment(Box::new(error)))?;
    Ok(Some(Destination::json_lines(file)))
}

fn otlp(environment: &Environment) -> Result<Option<Destination>, InstallError> {
    let of = |name| Some((name, environment.non_empty(name)?));
    let protocol = of(names::OTEL_EXPORTER_OTLP_TRACES_PROTOCOL)
        .or_else(|| of(names::OTEL_EXPORTER_OTLP_PROTOCOL));
    let by_default = (names::OTEL_EXPORTER_OTLP_PROTOCOL, "http/protobuf");
    let (name, protocol) = protocol.unwrap_or(by_default);
    match protocol {
        protocol @ "http/protobuf" => http::destination(environment, protocol),
        protocol @ "grpc" => grpc::destination(environment, protocol),
        unknown => {
            ignored(name, unknown);
            Ok(None)
        }
    }
}

/// A program is not kept from its work by a variable that another one understands.
pub(crate) fn ignored(variable: &str, value: &str) {
    contain::log(|| {
        tracing::warn!(
            target: "agentspan::configure",
            variable,
            value = %ShownValue(value),
            "a variable of the environment is ignored"
        );
    });
}
