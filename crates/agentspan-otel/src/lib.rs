//! Agent 365 scopes, baggage and turn context on OpenTelemetry.
