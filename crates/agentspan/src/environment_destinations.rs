//! The destinations that the environment asks for.

#[cfg(not(all(feature = "otlp-grpc", feature = "otlp-http")))]
mod disabled;
#[cfg(feature = "otlp-grpc")]
#[path = "environment_destinations/grpc_enabled.rs"]
mod grpc;
#[cfg(feature = "otlp-http")]
#[path = "environment_destinations/http_enabled.rs"]
mod http;

use agentspan_discovery::agent365_variables::AGENTSPAN_OTLP_FILE;
use agentspan_discovery::{Environment, ShownValue, Switches, standard_variables as names, values};
use agentspan_model::mapping::{ContentCapture, Rendering};
use agentspan_otel::{ConsoleExporter, OtlpJsonLines};

#[cfg(not(feature = "otlp-grpc"))]
use self::disabled as grpc;
#[cfg(not(feature = "otlp-http"))]
use self::disabled as http;
use crate::destination::Destination;
use crate::environment::{first, ignored, understood};
use crate::install_error::InstallError;
use crate::setup_log;
use crate::shown_url::ShownUrl;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Exporter {
    None,
    Console,
    OtlpFile,
    Otlp,
}

const EXPORTERS: [(&str, Exporter); 4] = [
    ("none", Exporter::None),
    ("console", Exporter::Console),
    ("otlp_file", Exporter::OtlpFile),
    ("otlp", Exporter::Otlp),
];

#[derive(Clone, Copy)]
enum Protocol {
    Http,
    Grpc,
}

const PROTOCOLS: [(&str, Protocol); 2] =
    [("http/protobuf", Protocol::Http), ("grpc", Protocol::Grpc)];

/// The destinations of `OTEL_TRACES_EXPORTER`, none if it is unset, and `otlp` if `ENABLE_OTLP_EXPORTER`
/// says so, as the reference 2.0.0 understands it.
///
/// We do not follow the standard's default, `otlp`: a library should not send traces to a port
/// without being asked.
pub(crate) fn destinations(environment: &Environment) -> Result<Vec<Destination>, InstallError> {
    let text = environment.non_blank(names::OTEL_TRACES_EXPORTER);
    let (mut wanted, mut unknown) = (Vec::new(), Vec::new());
    for name in values::list(text.unwrap_or_default()) {
        match values::word(name, &EXPORTERS) {
            // Whoever names one twice wants no span twice.
            Some(exporter) if wanted.contains(&exporter) => {}
            Some(exporter) => wanted.push(exporter),
            None => unknown.push(name),
        }
    }
    let is_otlp_wanted = Switches::read(environment).otlp_exporter_enabled();
    if is_otlp_wanted && !wanted.contains(&Exporter::Otlp) {
        wanted.push(Exporter::Otlp);
    }
    let mut destinations = Vec::new();
    for exporter in wanted {
        match exporter {
            Exporter::None => {}
            Exporter::Console => destinations.push(Destination::console(ConsoleExporter::new())),
            Exporter::OtlpFile => destinations.extend(otlp_file(environment)?),
            Exporter::Otlp => destinations.extend(otlp(environment)?),
        }
    }
    if !unknown.is_empty() {
        let expected = "otlp, otlp_file, console, none";
        ignored(names::OTEL_TRACES_EXPORTER, &unknown.join(","), expected);
    }
    Ok(destinations)
}

/// Whether `OTEL_TRACES_EXPORTER` asks for no exporter at all, and so for no console either.
pub(crate) fn are_unwanted(environment: &Environment) -> bool {
    let text = environment.non_blank(names::OTEL_TRACES_EXPORTER);
    let mut exporters = values::list(text.unwrap_or_default())
        .filter_map(|name| values::word(name, &EXPORTERS))
        .peekable();
    exporters.peek().is_some() && exporters.all(|exporter| exporter == Exporter::None)
}

/// Warns, where nothing else gets the spans, that a variable names a receiver and none asks for it.
pub(crate) fn warn_of_unused_receiver(environment: &Environment) {
    let variables = [
        names::OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
        names::OTEL_EXPORTER_OTLP_ENDPOINT,
    ];
    // An exporter that is not understood has a warning of its own.
    let is_exporter_set = environment.non_blank(names::OTEL_TRACES_EXPORTER).is_some();
    if let Some((variable, url)) = first(environment, variables).filter(|_| !is_exporter_set) {
        let shown = format!("{:?}", ShownUrl(url));
        ignored(variable, &shown, "OTEL_TRACES_EXPORTER=otlp beside it");
    }
}

/// The environment's setting for contents, if there is one. An invalid value never switches
/// contents on.
pub(crate) fn capture(environment: &Environment) -> Option<ContentCapture> {
    let name = names::OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT;
    let value = environment.non_blank(name)?;
    Some(value.parse().unwrap_or_else(|_| {
        ignored(
            name,
            value,
            "NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT",
        );
        ContentCapture::NoContent
    }))
}

/// The default vocabulary of destinations.
pub(crate) fn rendering(environment: &Environment) -> Rendering {
    let value = environment.non_blank(names::OTEL_SEMCONV_STABILITY_OPT_IN);
    let mut choices = value.unwrap_or_default().split(',').map(str::trim);
    // Choices for other conventions are not meant for us.
    if choices.any(|choice| choice == "gen_ai_latest_experimental") {
        Rendering::GenAiV0_1
    } else {
        Rendering::GenAi
    }
}

fn otlp_file(environment: &Environment) -> Result<Option<Destination>, InstallError> {
    let Some(path) = environment.non_blank(AGENTSPAN_OTLP_FILE) else {
        // Nobody has said which file, and one that nobody has named is not to appear anywhere.
        setup_log::log(|| {
            tracing::warn!(
                target: "agentspan::configure",
                variable = names::OTEL_TRACES_EXPORTER,
                value = "otlp_file",
                missing = AGENTSPAN_OTLP_FILE,
                expected = "the path of the file in AGENTSPAN_OTLP_FILE",
                "a variable of the environment is ignored"
            );
        });
        return Ok(None);
    };
    let file = OtlpJsonLines::append(path).map_err(|source| {
        let path = ShownValue(path).to_string();
        InstallError::Environment(Box::new(UnusableFile { path, source }))
    })?;
    Ok(Some(Destination::json_lines(file)))
}

/// The environment names a file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the file {path} that {AGENTSPAN_OTLP_FILE} names cannot be opened")]
struct UnusableFile {
    path: String,
    source: std::io::Error,
}

fn otlp(environment: &Environment) -> Result<Option<Destination>, InstallError> {
    let variables = [
        names::OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
        names::OTEL_EXPORTER_OTLP_PROTOCOL,
    ];
    let known = |text: &str| values::word(text, &PROTOCOLS);
    match understood(environment, variables, "http/protobuf or grpc", known)
        .unwrap_or(Protocol::Http)
    {
        Protocol::Grpc => grpc::destination(environment, "grpc"),
        Protocol::Http => http::destination(environment, "http/protobuf"),
    }
}
