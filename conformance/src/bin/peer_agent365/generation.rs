//! The generations of the contract, each of which has a package to compare with.

use agentspan_model::agent365::Profile;
use agentspan_model::keys;

/// What differs between the comparisons of two generations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Generation {
    pub(crate) profile: Profile,
    /// The vectors with exports; batches made from seeds keep to the first file's rules.
    pub(crate) files: &'static [&'static str],
    /// The file of scenarios beside the driver.
    pub(crate) scenarios: &'static str,
    /// The attribute that names the tenant.
    pub(crate) tenant_key: &'static str,
    /// Whether turns of conversations are compared. Those of the first generation are in its vectors.
    pub(crate) has_turns: bool,
}

const V0_1: Generation = Generation {
    profile: Profile::V0_1,
    files: &["export_v0_1", "retry_v0_1"],
    scenarios: "agent365-scenarios.json",
    tenant_key: keys::TENANT_ID,
    has_turns: false,
};

const V2: Generation = Generation {
    profile: Profile::V2,
    files: &["export_v2", "retry_v2"],
    scenarios: "agent365-v2-scenarios.json",
    tenant_key: keys::MICROSOFT_TENANT_ID,
    has_turns: true,
};

/// The steps of `retry_v3` ask for another clock; `cargo xtask conformance` plays them.
const V3: Generation = Generation {
    profile: Profile::V3,
    files: &["export_v3"],
    scenarios: "agent365-v3-scenarios.json",
    tenant_key: keys::MICROSOFT_TENANT_ID,
    has_turns: true,
};

impl Generation {
    /// The generation of this name, as `cargo xtask peers agent365 --profile` takes it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "v0.1" => Some(V0_1),
            "v2" => Some(V2),
            "v3" => Some(V3),
            _ => None,
        }
    }
}
