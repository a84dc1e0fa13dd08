//! How a generation writes its scopes: the first in its own way, all later ones in another, with few
//! differences among them.

use crate::agent365::Profile;
use crate::agent365::contract::Operation;

/// How the scopes of a generation are written.
#[derive(Clone, Copy)]
pub(super) enum Style {
    /// As 0.1.0 does.
    First,
    /// As 2.0.0 does, but for what the row says.
    Later(&'static Later),
}

/// The differences between the generations since 2.0.0, one row for each.
pub(super) struct Later {
    pub(super) profile: Profile,
    /// The value of `telemetry.sdk.name`.
    pub(super) sdk_name: &'static str,
    /// The value of `telemetry.sdk.version`.
    pub(super) sdk_version: &'static str,
    /// Whether the kind of agent is written.
    pub(super) has_agent_type: bool,
    /// Whether port 443 is written everywhere, and not on calls to models alone.
    pub(super) has_usual_port: bool,
    /// Whether the parameters of requests and answers are written.
    pub(super) has_parameters: bool,
    /// How the names of models are written.
    pub(super) models: Models,
    /// The parts of the request that a guardian evaluates, and their order.
    pub(super) guarded: Guarded,
    /// The order of the members of a finding, after the risk.
    pub(super) finding: Finding,
}

/// How the names of models are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Models {
    /// Without blanks around them; blank names are left out.
    Trimmed,
    /// As they are; empty names of models that are asked are left out.
    AsTheyAre,
}

/// The parts of the request that a guardian evaluates, and their order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Guarded {
    /// The content, and not the person; the decision stands before its target.
    Content,
    /// The person, and not the content, which is recorded on request; the target stands first.
    Person,
}

/// The order of the members of a finding, after the risk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    PolicyFirst,
    ScoreFirst,
}

static V2: Later = Later {
    profile: Profile::V2,
    sdk_name: "A365ObservabilitySDK",
    sdk_version: "2.0.0",
    has_agent_type: true,
    has_usual_port: false,
    has_parameters: false,
    models: Models::Trimmed,
    guarded: Guarded::Content,
    finding: Finding::PolicyFirst,
};

static V3: Later = Later {
    profile: Profile::V3,
    sdk_name: "agentspan",
    sdk_version: env!("CARGO_PKG_VERSION"),
    has_agent_type: false,
    has_usual_port: false,
    has_parameters: true,
    models: Models::AsTheyAre,
    guarded: Guarded::Person,
    finding: Finding::ScoreFirst,
};

static DIRECT: Later = Later {
    profile: Profile::Direct,
    sdk_name: "agentspan",
    sdk_version: env!("CARGO_PKG_VERSION"),
    has_agent_type: false,
    has_usual_port: true,
    has_parameters: true,
    models: Models::AsTheyAre,
    guarded: Guarded::Person,
    finding: Finding::ScoreFirst,
};

/// Whether the scopes of a generation leave out the port 443 of an operation's server. Calls to models have it.
pub(in crate::agent365) fn leaves_out_usual_port(profile: Profile, operation: Operation) -> bool {
    match Style::of(profile) {
        Style::First => true,
        Style::Later(row) => !row.has_usual_port && operation != Operation::Chat,
    }
}

impl Style {
    pub(super) fn of(profile: Profile) -> Self {
        match profile {
            Profile::V0_1 => Self::First,
            Profile::V2 => Self::Later(&V2),
            Profile::V3 => Self::Later(&V3),
            Profile::Direct => Self::Later(&DIRECT),
        }
    }
}
