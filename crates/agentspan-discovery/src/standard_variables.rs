//! The environment variables of OpenTelemetry, and whether we support them.
//!
//! Names and meanings follow the [specification] 1.60.0 and the GenAI semantic conventions. The SDK
//! reads some of them from the process, too. `agentspan` sets the resulting values itself, so that
//! an explicit [`Environment`](crate::Environment) takes effect.
//!
//! [specification]: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/

use crate::Variable;

/// Switches all telemetry off: `true`.
pub const OTEL_SDK_DISABLED: &str = "OTEL_SDK_DISABLED";
/// The name of the program, `service.name` of the resource.
pub const OTEL_SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
/// Attributes of the resource: a comma-separated list of `name=value`, with percent-encoded names
/// and values.
pub const OTEL_RESOURCE_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
/// The formats for context propagation: `tracecontext`, `baggage` or `none`.
pub const OTEL_PROPAGATORS: &str = "OTEL_PROPAGATORS";
/// The sampler, for instance `parentbased_traceidratio`.
pub const OTEL_TRACES_SAMPLER: &str = "OTEL_TRACES_SAMPLER";
/// The argument of the sampler: the ratio of traces, from 0 to 1, for samplers with a ratio.
pub const OTEL_TRACES_SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";
/// The batch delay, in milliseconds.
pub const OTEL_BSP_SCHEDULE_DELAY: &str = "OTEL_BSP_SCHEDULE_DELAY";
/// The timeout of an export, in milliseconds. Zero is no limit.
pub const OTEL_BSP_EXPORT_TIMEOUT: &str = "OTEL_BSP_EXPORT_TIMEOUT";
/// The maximum number of queued spans.
pub const OTEL_BSP_MAX_QUEUE_SIZE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
/// The maximum number of spans in a batch.
pub const OTEL_BSP_MAX_EXPORT_BATCH_SIZE: &str = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
/// The maximum number of attributes of a span, an event or a link, unless a more specific variable
/// is set.
pub const OTEL_ATTRIBUTE_COUNT_LIMIT: &str = "OTEL_ATTRIBUTE_COUNT_LIMIT";
/// The maximum number of attributes of a span.
pub const OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: &str = "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT";
/// The maximum number of links of a span.
pub const OTEL_SPAN_LINK_COUNT_LIMIT: &str = "OTEL_SPAN_LINK_COUNT_LIMIT";
/// The maximum number of attributes of an event.
pub const OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: &str = "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT";
/// The maximum number of attributes of a link.
pub const OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: &str = "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT";
/// The exporters of spans: `otlp`, `otlp_file`, `console` or `none`, or a comma-separated list.
pub const OTEL_TRACES_EXPORTER: &str = "OTEL_TRACES_EXPORTER";
/// The protocol of OTLP: `http/protobuf` or `grpc`.
pub const OTEL_EXPORTER_OTLP_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
/// Like [`OTEL_EXPORTER_OTLP_PROTOCOL`], for spans only. Takes precedence over it.
pub const OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
/// The URL of the receiver; over HTTP, `/v1/traces` is added to it.
pub const OTEL_EXPORTER_OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// The whole URL of the receiver of spans. Takes precedence over [`OTEL_EXPORTER_OTLP_ENDPOINT`].
pub const OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
/// The timeout of an export, in milliseconds.
pub const OTEL_EXPORTER_OTLP_TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";
/// Like [`OTEL_EXPORTER_OTLP_TIMEOUT`], for spans only. Takes precedence over it.
pub const OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT";
/// The path of a PEM file with the certificate authorities for the receiver.
pub const OTEL_EXPORTER_OTLP_CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";
/// Like [`OTEL_EXPORTER_OTLP_CERTIFICATE`], for spans only. Takes precedence over it.
pub const OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE";
/// Headers of requests, which may hold secrets: a comma-separated list of `name=value`, with
/// percent-encoded values.
pub const OTEL_EXPORTER_OTLP_HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
/// Like [`OTEL_EXPORTER_OTLP_HEADERS`], for spans only. Replaces it.
pub const OTEL_EXPORTER_OTLP_TRACES_HEADERS: &str = "OTEL_EXPORTER_OTLP_TRACES_HEADERS";
/// The compression of requests: `gzip` or `none`.
pub const OTEL_EXPORTER_OTLP_COMPRESSION: &str = "OTEL_EXPORTER_OTLP_COMPRESSION";
/// Like [`OTEL_EXPORTER_OTLP_COMPRESSION`], for spans only. Takes precedence over it.
pub const OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: &str = "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION";
/// Whether a gRPC endpoint without a scheme uses http: `true` or `false`.
pub const OTEL_EXPORTER_OTLP_INSECURE: &str = "OTEL_EXPORTER_OTLP_INSECURE";
/// Like [`OTEL_EXPORTER_OTLP_INSECURE`], for spans only. Takes precedence over it.
pub const OTEL_EXPORTER_OTLP_TRACES_INSECURE: &str = "OTEL_EXPORTER_OTLP_TRACES_INSECURE";
/// Where contents are recorded: `NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY` or `SPAN_AND_EVENT`.
pub const OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: &str =
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
/// The opt-in to new conventions: a comma-separated list, for instance with
/// `gen_ai_latest_experimental`.
pub const OTEL_SEMCONV_STABILITY_OPT_IN: &str = "OTEL_SEMCONV_STABILITY_OPT_IN";

/// All variables of the specification. The table in `docs/configuration.md` has the same, in this order.
pub const ALL: &[Variable] = &[
    Variable::honoured(OTEL_SDK_DISABLED),
    Variable::refused("OTEL_ENTITIES"),
    Variable::honoured(OTEL_RESOURCE_ATTRIBUTES),
    Variable::honoured(OTEL_SERVICE_NAME),
    Variable::unread("OTEL_LOG_LEVEL"),
    Variable::honoured(OTEL_PROPAGATORS),
    Variable::honoured(OTEL_TRACES_SAMPLER),
    Variable::honoured(OTEL_TRACES_SAMPLER_ARG),
    Variable::honoured(OTEL_BSP_SCHEDULE_DELAY),
    Variable::honoured(OTEL_BSP_EXPORT_TIMEOUT),
    Variable::honoured(OTEL_BSP_MAX_QUEUE_SIZE),
    Variable::honoured(OTEL_BSP_MAX_EXPORT_BATCH_SIZE),
    Variable::refused("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
    Variable::refused("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
    Variable::honoured(OTEL_ATTRIBUTE_COUNT_LIMIT),
    Variable::honoured(OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT),
    Variable::refused("OTEL_SPAN_EVENT_COUNT_LIMIT"),
    Variable::honoured(OTEL_SPAN_LINK_COUNT_LIMIT),
    Variable::honoured(OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT),
    Variable::honoured(OTEL_LINK_ATTRIBUTE_COUNT_LIMIT),
    Variable::honoured(OTEL_TRACES_EXPORTER),
    Variable::honoured(OTEL_EXPORTER_OTLP_PROTOCOL),
    Variable::honoured(OTEL_EXPORTER_OTLP_TRACES_PROTOCOL),
    Variable::honoured(OTEL_EXPORTER_OTLP_ENDPOINT),
    Variable::honoured(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT),
    Variable::honoured(OTEL_EXPORTER_OTLP_INSECURE),
    Variable::honoured(OTEL_EXPORTER_OTLP_TRACES_INSECURE),
    Variable::unread("OTEL_EXPORTER_OTLP_SPAN_INSECURE"),
    Variable::honoured(OTEL_EXPORTER_OTLP_CERTIFICATE),
    Variable::honoured(OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE),
    Variable::refused("OTEL_EXPORTER_OTLP_CLIENT_KEY"),
    Variable::refused("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY"),
    Variable::refused("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
    Variable::refused("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE"),
    Variable::honoured(OTEL_EXPORTER_OTLP_HEADERS),
    Variable::honoured(OTEL_EXPORTER_OTLP_TRACES_HEADERS),
    Variable::honoured(OTEL_EXPORTER_OTLP_COMPRESSION),
    Variable::honoured(OTEL_EXPORTER_OTLP_TRACES_COMPRESSION),
    Variable::honoured(OTEL_EXPORTER_OTLP_TIMEOUT),
    Variable::honoured(OTEL_EXPORTER_OTLP_TRACES_TIMEOUT),
    Variable::honoured(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT),
    Variable::honoured(OTEL_SEMCONV_STABILITY_OPT_IN),
    Variable::refused("OTEL_CONFIG_FILE"),
    Variable::refused("OTEL_EXPERIMENTAL_CONFIG_FILE"),
    Variable::unread("OTEL_EXPORTER_ZIPKIN_*"),
    Variable::unread("OTEL_METRICS_EXPORTER"),
    Variable::unread("OTEL_METRICS_EXEMPLAR_FILTER"),
    Variable::unread("OTEL_METRIC_EXPORT_INTERVAL"),
    Variable::unread("OTEL_METRIC_EXPORT_TIMEOUT"),
    Variable::unread("OTEL_EXPORTER_OTLP_METRIC_INSECURE"),
    Variable::unread("OTEL_EXPORTER_OTLP_METRICS_*"),
    Variable::unread("OTEL_EXPORTER_PROMETHEUS_*"),
    Variable::unread("OTEL_LOGS_EXPORTER"),
    Variable::unread("OTEL_EXPORTER_OTLP_LOGS_*"),
    Variable::unread("OTEL_BLRP_*"),
    Variable::unread("OTEL_LOGRECORD_*"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Support, agent365_variables};

    #[test]
    fn each_variable_is_listed_once_and_a_family_is_never_read() {
        let all = || ALL.iter().chain(agent365_variables::ALL);
        let names: BTreeSet<_> = all().map(Variable::name).collect();
        assert_eq!(names.len(), all().count());
        for variable in all() {
            let is_family = variable.name().ends_with('*');
            assert!(!is_family || variable.support() == Support::Unread);
        }
    }

    #[test]
    fn the_tables_of_the_documentation_list_the_same_variables() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let document = std::fs::read_to_string(path).unwrap();
        for (title, all) in [
            ("## Variables of OpenTelemetry", ALL),
            ("## Variables of Agent 365", agent365_variables::ALL),
        ] {
            let section = document.split_once(title).unwrap().1;
            let section = section.split("\n## ").next().unwrap();
            let rows = section.lines().filter(|line| line.starts_with("| `"));
            let listed: Vec<_> = rows.flat_map(of_row).collect();
            let expected = all.iter().map(|it| (it.name().to_owned(), it.support()));
            assert_eq!(listed, expected.collect::<Vec<_>>(), "{title}");
        }
    }

    /// The variables of a row, and what its second cell says of them.
    fn of_row(row: &str) -> Vec<(String, Support)> {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let names = cells.next().unwrap().split(", ");
        let support = match cells.next().unwrap() {
            "yes" => Support::Honoured,
            "no, with a warning" => Support::Refused,
            "no" => Support::Unread,
            other => panic!("{other}: {row}"),
        };
        assert!(
            !cells.next().unwrap().is_empty(),
            "no meaning or reason: {row}"
        );
        let names = names.map(|name| (name.trim_matches('`').to_owned(), support));
        names.collect()
    }
}
