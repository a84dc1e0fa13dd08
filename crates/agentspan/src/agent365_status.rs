//! The status of the delivery to Agent 365.

/// Whether spans go to the Agent 365 service, and if not, why.
///
/// If they do not, and no other [`Destination`](crate::Destination) is configured, they go to the
/// console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Agent365Status {
    /// Spans go to Agent 365.
    Delivers,
    /// Spans go to the [`Sidecar`](crate::Sidecar), which delivers them to Agent 365.
    ThroughSidecar,
    /// Spans do not go to Agent 365, because the switch `ENABLE_A365_OBSERVABILITY_EXPORTER` is not
    /// on.
    WithoutSwitch,
    /// Spans do not go to Agent 365, because there is no token resolver.
    WithoutTokenResolver,
    /// No spans are recorded, because `OTEL_SDK_DISABLED` switches all telemetry off.
    SdkDisabled,
}
