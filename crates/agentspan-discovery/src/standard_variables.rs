//! Names of the environment variables that OpenTelemetry defines, as far as they are read here, and of one of
//! ours beside them.
//!
//! The SDK reads others itself.

/// Where spans go: `otlp`, `otlp_file`, `console` or `none`, or several of them with commas.
pub const OTEL_TRACES_EXPORTER: &str = "OTEL_TRACES_EXPORTER";
/// The path of the file that `otlp_file` writes. Ours: OpenTelemetry's [file exporter] has no variable for it.
///
/// [file exporter]: https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
pub const AGENTSPAN_OTLP_FILE: &str = "AGENTSPAN_OTLP_FILE";
/// How OTLP is spoken: `http/protobuf` or `grpc`.
pub const OTEL_EXPORTER_OTLP_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
/// As [`OTEL_EXPORTER_OTLP_PROTOCOL`], for spans only. Goes before it.
pub const OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
/// The URL of the receiver; over HTTP, `/v1/traces` is added to it.
pub const OTEL_EXPORTER_OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// The whole URL of the receiver of spans. Goes before [`OTEL_EXPORTER_OTLP_ENDPOINT`].
pub const OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
/// How long an export may take, in milliseconds.
pub const OTEL_EXPORTER_OTLP_TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";
/// As [`OTEL_EXPORTER_OTLP_TIMEOUT`], for spans only. Goes before it.
pub const OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT";
/// The path of a file with the certificates, in PEM, of the authorities that the receiver's is checked with.
pub const OTEL_EXPORTER_OTLP_CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";
/// As [`OTEL_EXPORTER_OTLP_CERTIFICATE`], for spans only. Goes before it.
pub const OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE";
/// Headers of requests, which may hold secrets: `name=value` with commas, values percent-encoded.
pub const OTEL_EXPORTER_OTLP_HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
/// As [`OTEL_EXPORTER_OTLP_HEADERS`], for spans only. Takes its place.
pub const OTEL_EXPORTER_OTLP_TRACES_HEADERS: &str = "OTEL_EXPORTER_OTLP_TRACES_HEADERS";
/// Whether requests are compressed: `gzip` or `none`.
pub const OTEL_EXPORTER_OTLP_COMPRESSION: &str = "OTEL_EXPORTER_OTLP_COMPRESSION";
/// As [`OTEL_EXPORTER_OTLP_COMPRESSION`], for spans only. Goes before it.
pub const OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: &str = "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION";
/// Whether an endpoint of gRPC without a scheme is http: `true` or `false`.
pub const OTEL_EXPORTER_OTLP_INSECURE: &str = "OTEL_EXPORTER_OTLP_INSECURE";
/// As [`OTEL_EXPORTER_OTLP_INSECURE`], for spans only. Goes before it.
pub const OTEL_EXPORTER_OTLP_TRACES_INSECURE: &str = "OTEL_EXPORTER_OTLP_TRACES_INSECURE";
/// Where contents are recorded: `NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY` or `SPAN_AND_EVENT`.
pub const OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: &str =
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
