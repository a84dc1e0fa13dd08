//! The environment variables of Agent 365's packages and of `agentspan` itself, and whether we
//! support them.
//!
//! Microsoft's packages are those for Python up to `microsoft-opentelemetry` 1.5.0, for Node up to
//! `@microsoft/opentelemetry` 1.4.0, and for .NET.

use agentspan_model::agent365::environment as names;

use crate::Variable;

/// The path of the file that `otlp_file` writes. This variable is ours, because OpenTelemetry's
/// [file exporter] has none.
///
/// [file exporter]: https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
pub const AGENTSPAN_OTLP_FILE: &str = "AGENTSPAN_OTLP_FILE";

/// All of these variables. The table in `docs/configuration.md` has the same, in this order.
pub const ALL: &[Variable] = &[
    Variable::honoured(names::ENABLE_OBSERVABILITY),
    Variable::honoured(names::ENABLE_A365_OBSERVABILITY),
    Variable::honoured(names::ENABLE_A365_OBSERVABILITY_EXPORTER),
    Variable::honoured(names::ENABLE_OTLP_EXPORTER),
    Variable::honoured(AGENTSPAN_OTLP_FILE),
    Variable::honoured(names::ENABLE_A365_OBSERVABILITY_SIDECAR),
    Variable::honoured(names::SPECTRA_ENDPOINT),
    Variable::honoured(names::SPECTRA_PROTOCOL),
    Variable::honoured(names::ENABLE_A365_OBSERVABILITY_PER_REQUEST_EXPORT),
    Variable::honoured(names::A365_PER_REQUEST_MAX_TRACES),
    Variable::honoured(names::A365_PER_REQUEST_MAX_SPANS_PER_TRACE),
    Variable::honoured(names::A365_PER_REQUEST_FLUSH_GRACE_MS),
    Variable::honoured(names::A365_PER_REQUEST_MAX_TRACE_AGE_MS),
    Variable::honoured(names::A365_PER_REQUEST_MAX_CONCURRENT_EXPORTS),
    Variable::honoured(names::A365_SUPPRESS_INVOKE_AGENT_INPUT),
    Variable::honoured(names::A365_OBSERVABILITY_DOMAIN_OVERRIDE),
    Variable::honoured(names::A365_OBSERVABILITY_SCOPE_OVERRIDE),
    Variable::honoured(names::A365_OBSERVABILITY_SCOPES_OVERRIDE),
    Variable::honoured(names::AGENT365_APPLICATION_NAME),
    Variable::honoured(names::PYTHON_ENVIRONMENT),
    Variable::honoured(names::A365_USE_S2S_ENDPOINT),
    Variable::unread("A365_CLUSTER_CATEGORY"),
    Variable::unread("CLUSTER_CATEGORY"),
    Variable::honoured(names::A365_TENANT_ID),
    Variable::honoured(names::A365_AGENT_ID),
    Variable::honoured(names::A365_AGENT_APP_INSTANCE_ID),
    Variable::honoured(names::A365_AGENTIC_USER_ID),
    Variable::honoured(names::CONNECTION_CLIENT_ID),
    Variable::honoured(names::CONNECTION_CLIENT_SECRET),
    Variable::honoured(names::CONNECTION_TENANT_ID),
    Variable::unread("A365_OBSERVABILITY_TOKEN_EXCHANGE_TIMEOUT_MS"),
    Variable::unread("A365_OBSERVABILITY_LOG_LEVEL"),
    Variable::unread(names::TRACE_CONTENTS),
    Variable::unread("OPENINFERENCE_HIDE_*"),
];
