//! Delivers OpenTelemetry spans to Agent 365: grouped by identity, encoded once, retried, counted.
