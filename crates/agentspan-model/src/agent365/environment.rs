//! Names of the environment variables that the reference packages and their siblings read.
//!
//! This crate reads none of them; `agentspan-discovery` does, once.

/// Switches scopes on: `true`, `1`, `yes` or `on`, in any case.
pub const ENABLE_OBSERVABILITY: &str = "ENABLE_OBSERVABILITY";
/// Switches scopes on when [`ENABLE_OBSERVABILITY`] is unset or empty.
pub const ENABLE_A365_OBSERVABILITY: &str = "ENABLE_A365_OBSERVABILITY";
/// Switches the Agent 365 exporter on. Otherwise, spans go to the console.
pub const ENABLE_A365_OBSERVABILITY_EXPORTER: &str = "ENABLE_A365_OBSERVABILITY_EXPORTER";
/// The name of the environment, `production` by default; `Development` in any case is a developer's.
pub const PYTHON_ENVIRONMENT: &str = "PYTHON_ENVIRONMENT";
/// Asks Azure SDKs to record contents. The reference defines the name, but does not read it.
pub const TRACE_CONTENTS: &str = "AZURE_TRACING_GEN_AI_CONTENT_RECORDING_ENABLED";
/// The name of the application, for the user agent (runtime 2.0.0).
pub const AGENT365_APPLICATION_NAME: &str = "AGENT365_APPLICATION_NAME";
/// Selects the route for service-to-service calls if it is `true`, `1`, `yes` or `on`, in any case,
/// and the route for delegated tokens for any other value (`microsoft-opentelemetry` 1.5.0).
pub const A365_USE_S2S_ENDPOINT: &str = "A365_USE_S2S_ENDPOINT";
/// The fallback tenant of spans, together with [`A365_AGENT_ID`]. No package for Python reads it.
pub const A365_TENANT_ID: &str = "A365_TENANT_ID";
/// The fallback agent of spans, together with [`A365_TENANT_ID`]. No package for Python reads it.
pub const A365_AGENT_ID: &str = "A365_AGENT_ID";
/// The application id of the agent for which tokens are requested (`microsoft-opentelemetry`
/// 1.5.0).
pub const A365_AGENT_APP_INSTANCE_ID: &str = "A365_AGENT_APP_INSTANCE_ID";
/// The object id of the agent's user (`microsoft-opentelemetry` 1.5.0).
pub const A365_AGENTIC_USER_ID: &str = "A365_AGENTIC_USER_ID";
/// The application id of the agent's blueprint (`microsoft-opentelemetry` 1.5.0).
pub const CONNECTION_CLIENT_ID: &str = "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTID";
/// The client secret of the agent's blueprint (`microsoft-opentelemetry` 1.5.0).
pub const CONNECTION_CLIENT_SECRET: &str =
    "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET";
/// The tenant in which tokens are requested (`microsoft-opentelemetry` 1.5.0).
pub const CONNECTION_TENANT_ID: &str = "CONNECTIONS__SERVICE_CONNECTION__SETTINGS__TENANTID";
/// The authentication scope to request instead of the default (runtime 2.0.0).
pub const A365_OBSERVABILITY_SCOPE_OVERRIDE: &str = "A365_OBSERVABILITY_SCOPE_OVERRIDE";
/// The authentication scopes to request instead of the default, separated by white space
/// (`@microsoft/opentelemetry` 1.4.0, for Node). [`A365_OBSERVABILITY_SCOPE_OVERRIDE`] takes
/// precedence.
pub const A365_OBSERVABILITY_SCOPES_OVERRIDE: &str = "A365_OBSERVABILITY_SCOPES_OVERRIDE";
/// Sends the spans of each request with the token of the request: `true`, `1`, `yes` or `on`, in any case.
/// Off by default (`@microsoft/agents-a365-observability` 0.2.0-preview, April 2026).
pub const ENABLE_A365_OBSERVABILITY_PER_REQUEST_EXPORT: &str =
    "ENABLE_A365_OBSERVABILITY_PER_REQUEST_EXPORT";
/// How many requests may be in flight, with per-request export. 1,000 by default
/// (`@microsoft/agents-a365-observability` 0.2.0-preview, April 2026).
pub const A365_PER_REQUEST_MAX_TRACES: &str = "A365_PER_REQUEST_MAX_TRACES";
/// How many spans a request may have, with per-request export. 5,000 by default
/// (`@microsoft/agents-a365-observability` 0.2.0-preview, April 2026).
pub const A365_PER_REQUEST_MAX_SPANS_PER_TRACE: &str = "A365_PER_REQUEST_MAX_SPANS_PER_TRACE";
/// How long to wait for open spans after their root has ended, in milliseconds. 250 by default
/// (`@microsoft/agents-a365-observability` 0.2.0-preview, April 2026).
pub const A365_PER_REQUEST_FLUSH_GRACE_MS: &str = "A365_PER_REQUEST_FLUSH_GRACE_MS";
/// How long a request may last, in milliseconds. 1,800,000 by default, which is half an hour
/// (`@microsoft/agents-a365-observability` 0.2.0-preview, April 2026).
pub const A365_PER_REQUEST_MAX_TRACE_AGE_MS: &str = "A365_PER_REQUEST_MAX_TRACE_AGE_MS";
/// How many requests are sent at the same time, with per-request export. 20 by default
/// (`@microsoft/agents-a365-observability` 0.2.0-preview, April 2026).
pub const A365_PER_REQUEST_MAX_CONCURRENT_EXPORTS: &str = "A365_PER_REQUEST_MAX_CONCURRENT_EXPORTS";
/// Removes the input messages from spans of invoked agents: `true`, `1`, `yes` or `on`, in any case
/// and with blanks around it (`microsoft-opentelemetry` 1.3.8, for Python).
pub const A365_SUPPRESS_INVOKE_AGENT_INPUT: &str = "A365_SUPPRESS_INVOKE_AGENT_INPUT";
/// Sends spans to an OTLP receiver, too: `true` in any case (observability 2.0.0).
pub const ENABLE_OTLP_EXPORTER: &str = "ENABLE_OTLP_EXPORTER";
/// Sends spans to the sidecar instead of the service. This variable is ours; no package of
/// Microsoft has one.
pub const ENABLE_A365_OBSERVABILITY_SIDECAR: &str = "ENABLE_A365_OBSERVABILITY_SIDECAR";
/// The address of the sidecar. `http://localhost:4317` by default over gRPC,
/// `http://localhost:4318` over HTTP (`microsoft-opentelemetry` 1.3.8, for Python).
pub const SPECTRA_ENDPOINT: &str = "SPECTRA_ENDPOINT";
/// The protocol of the sidecar: `grpc`, which is the default, or `http` (`microsoft-opentelemetry`
/// 1.3.8, for Python).
pub const SPECTRA_PROTOCOL: &str = "SPECTRA_PROTOCOL";
/// The domain or URL that replaces the service's own host (observability 2.0.0).
pub const A365_OBSERVABILITY_DOMAIN_OVERRIDE: &str = "A365_OBSERVABILITY_DOMAIN_OVERRIDE";
