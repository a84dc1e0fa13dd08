//! The generations of the contract, each of which has vector files of its own.

use agentspan_model::agent365::Profile;

/// A generation of the contract.
pub(super) trait Generation {
    const PROFILE: Profile;
    const FILES: Files;
    /// Which deviations are told apart.
    const RULES: Rules;
}

/// The vector files of a generation, without `.json`.
#[derive(Clone, Copy)]
pub(super) struct Files {
    pub(super) baggage: &'static str,
    pub(super) export: &'static str,
    pub(super) retry: &'static str,
    pub(super) scopes: &'static str,
    /// 0.1.0 has no sizes.
    pub(super) size: &'static str,
}

/// The generations as far as their deviations are concerned.
#[derive(Clone, Copy)]
pub(super) enum Rules {
    V01,
    V2,
    V3,
}

/// The first generation, 0.1.0.
pub(super) struct V01;

/// The second generation, 2.0.0.
pub(super) struct V2;

/// The third generation, `microsoft-opentelemetry` 1.5.0.
pub(super) struct V3;

impl Generation for V3 {
    const PROFILE: Profile = Profile::V3;
    const FILES: Files = Files {
        baggage: "baggage_v3",
        export: "export_v3",
        retry: "retry_v3",
        scopes: "scopes_v3",
        size: "size_v3",
    };
    const RULES: Rules = Rules::V3;
}

impl Generation for V01 {
    const PROFILE: Profile = Profile::V0_1;
    const FILES: Files = Files {
        baggage: "baggage_v0_1",
        export: "export_v0_1",
        retry: "retry_v0_1",
        scopes: "scopes_v0_1",
        size: "size_v0_1",
    };
    const RULES: Rules = Rules::V01;
}

impl Generation for V2 {
    const PROFILE: Profile = Profile::V2;
    const FILES: Files = Files {
        baggage: "baggage_v2",
        export: "export_v2",
        retry: "retry_v2",
        scopes: "scopes_v2",
        size: "size_v2",
    };
    const RULES: Rules = Rules::V2;
}
