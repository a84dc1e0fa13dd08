//! The switches, set in code or by the environment, and the warning about the missing ones.

use agentspan_discovery::{Environment, Switches, standard_variables as names};
use agentspan_model::agent365::{Profile, environment};
use agentspan_otel::scopes::{set_disabled_by_default, set_enabled};

use crate::agent365_status::Agent365Status;
use crate::environment::is_on;
use crate::setup_log;

/// Whether scopes and the delivery are on.
#[derive(Clone, Copy, Debug)]
pub(super) struct EffectiveSwitches {
    pub(super) scopes: ScopeSwitch,
    pub(super) exporter: bool,
}

/// Whether scopes are on, and if not, whether anybody wants that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeSwitch {
    On,
    /// A variable says no.
    Off,
    /// Nothing asks for scopes. If the program starts one all the same, it says so.
    OffByDefault,
}

impl ScopeSwitch {
    pub(super) fn set(self) {
        match self {
            Self::On => set_enabled(true),
            Self::Off => set_enabled(false),
            Self::OffByDefault => set_disabled_by_default(),
        }
    }
}

impl EffectiveSwitches {
    pub(super) fn read(environment: &Environment, profile: Profile, is_asked_for: bool) -> Self {
        let switches = Switches::read(environment);
        let scopes = match switches.scopes_enabled(profile, is_asked_for) {
            true => ScopeSwitch::On,
            false if switches.observability_refused() => ScopeSwitch::Off,
            false => ScopeSwitch::OffByDefault,
        };
        Self {
            scopes,
            exporter: switches.exporter_enabled(),
        }
    }
}

/// Whether the environment switches all telemetry off, which takes precedence over the code. Logs
/// one warning.
pub(super) fn is_sdk_disabled(environment: &Environment) -> bool {
    let is_disabled = is_on(environment, [names::OTEL_SDK_DISABLED]);
    if is_disabled {
        setup_log::log(|| {
            tracing::warn!(
                target: "agentspan::configure",
                variable = names::OTEL_SDK_DISABLED,
                "the environment switches all telemetry off: nothing is recorded or sent"
            );
        });
    }
    is_disabled
}

/// The setting that is missing for a delivery to Agent 365. Nothing is missing in a program that
/// does not want one.
pub(super) fn missing(agent365: Agent365Status, wants_agent365: bool) -> Option<&'static str> {
    let missing = match agent365 {
        Agent365Status::Delivers | Agent365Status::ThroughSidecar => None,
        Agent365Status::WithoutSwitch => Some(environment::ENABLE_A365_OBSERVABILITY_EXPORTER),
        Agent365Status::WithoutTokenResolver => Some("a token resolver"),
        Agent365Status::SdkDisabled => Some(names::OTEL_SDK_DISABLED),
    };
    missing.filter(|_| wants_agent365)
}

/// What to do about the missing setting.
fn remedy(agent365: Agent365Status) -> Option<&'static str> {
    match agent365 {
        Agent365Status::Delivers | Agent365Status::ThroughSidecar => None,
        Agent365Status::WithoutSwitch => Some("set it to true, or call with_switches_on()"),
        Agent365Status::WithoutTokenResolver => {
            Some("call with_token_resolver() or with_delivery()")
        }
        Agent365Status::SdkDisabled => Some("unset it"),
    }
}

pub(super) fn warn_of(missing: Option<&'static str>, agent365: Agent365Status) {
    if let Some(missing) = missing {
        setup_log::log(move || {
            tracing::warn!(
                target: "agentspan::configure",
                missing,
                ?agent365,
                remedy = remedy(agent365),
                "agents are not observed in Agent 365"
            );
        });
    }
}
