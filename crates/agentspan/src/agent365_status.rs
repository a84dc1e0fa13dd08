//! Whether spans go to Agent 365.

/// Whether spans go to the Agent 365 service, and if not, why.
///
/// If they do not, and there is no other [`Destination`](crate::Destination), they go to the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Agent365Status {
    /// They do.
    Delivers,
    /// They go to the [`Sidecar`](crate::Sidecar), which delivers them.
    ThroughSidecar,
    /// They do not, because the switch `ENABLE_A365_OBSERVABILITY_EXPORTER` is not on.
    WithoutSwitch,
    /// They do not, because there is no token resolver.
    WithoutTokenResolver,
    /// They do not, and no spans are made, because `OTEL_SDK_DISABLED` switches all telemetry off.
    SdkDisabled,
}
