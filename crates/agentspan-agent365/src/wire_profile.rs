//! The meaning of a generation of the contract on the wire: paths, tries, pauses, tokens.
//!
//! This is the one place of the crate that knows what differs between profiles.

use std::time::Duration;

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::Wire;
use agentspan_model::keys;
use opentelemetry::Value;

use self::PathPart::{Agent, Tenant, Text};
use crate::retry::{Cooldown, Pauses, RetryPolicy};
use crate::retry_after::pause_of;

/// The wire of one profile.
#[derive(Debug)]
pub(crate) struct WireProfile {
    pub(crate) host: Host,
    /// The path and the query.
    pub(crate) path: &'static [PathPart],
    /// The same for service-to-service calls.
    pub(crate) service_path: &'static [PathPart],
    /// The same for tokens of a user, if the token decides.
    pub(crate) delegated_path: &'static [PathPart],
    /// Which of them is taken, if nobody says.
    pub(crate) route: PathChoice,
    /// Whether the environment may say it.
    pub(crate) reads_route: bool,
    /// The key of the user that an agent acts as, if spans of several such users do not go together.
    pub(crate) agentic_user: Option<&'static str>,
    /// The values of `gen_ai.operation.name` whose spans are sent; `None` sends all spans.
    pub(crate) operations: Option<&'static [&'static str]>,
    /// How bodies are written, if nobody says.
    pub(crate) form: Wire,
    /// How long a span may be as JSON in ASCII, in bytes. Longer ones are cut.
    pub(crate) max_span_bytes: Option<usize>,
    /// How many tenths of its length the text of a value takes by estimate.
    pub(crate) text_tenths: u64,
    /// How long the body of a request may be, by estimate, in bytes. `None` sends all in one.
    pub(crate) max_payload_bytes: Option<usize>,
    pub(crate) retry: RetryPolicy,
    /// Whether `Retry-After` may be a date.
    pub(crate) retry_after_dates: bool,
    pub(crate) missing_token: MissingToken,
    /// Whether its keys are those that the service documents.
    pub(crate) has_contract: bool,
    /// For a whole try: connect, send, head and body of the answer.
    pub(crate) timeout: Duration,
}

/// Which host the requests of a tenant go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// One per tenant, in the cloud of the cluster category.
    TenantIsland,
    /// One for all, in all clouds. The environment may name another.
    Common(&'static str),
}

/// Which path of the profile spans are sent to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PathChoice {
    #[default]
    Usual,
    /// The one for service-to-service calls.
    Service,
    /// The one for tokens of a user or that for service-to-service calls, as the token says.
    ByToken,
}

/// A part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathPart {
    Text(&'static str),
    /// The id of the tenant, as one segment.
    Tenant,
    /// The id of the agent, as one segment.
    Agent,
}

/// The treatment of the spans of an identity without a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingToken {
    /// They are sent without the `authorization` header.
    SendWithout,
    /// They are dropped and counted.
    Drop,
}

/// `microsoft-agents-a365-observability-core` 0.1.0. The service's `Retry-After` is ignored there.
static V0_1: WireProfile = WireProfile {
    host: Host::TenantIsland,
    path: V0_1_PATH,
    delegated_path: V0_1_PATH,
    service_path: &[
        Text("/maven/agent365/service/agents/"),
        Agent,
        Text("/traces?api-version=1"),
    ],
    operations: None,
    form: Wire::Flat,
    max_span_bytes: None,
    text_tenths: 10,
    max_payload_bytes: None,
    route: PathChoice::Usual,
    reads_route: false,
    agentic_user: None,
    retry: RetryPolicy::Tries {
        tries: 4,
        pauses: Pauses::Growing(Duration::from_millis(200)),
        longest_asked: None,
    },
    retry_after_dates: false,
    missing_token: MissingToken::SendWithout,
    has_contract: false,
    timeout: Duration::from_secs(30),
};

/// `microsoft-agents-a365-observability-core` 2.0.0. The cluster category and the switch for
/// service-to-service calls are ignored there.
static V2: WireProfile = WIRE_OF_V2;

/// `microsoft-opentelemetry` 1.5.0. The cluster category is ignored there. That package leaves
/// `text_completion` and `generate_content` out, though its own scopes write them; here they are sent.
static V3: WireProfile = WireProfile {
    path: DELEGATED_PATH,
    route: PathChoice::ByToken,
    reads_route: true,
    agentic_user: Some(keys::MICROSOFT_AGENT_USER_ID),
    text_tenths: 11,
    retry: RetryPolicy::Cooldown(COOLDOWN_OF_V3),
    retry_after_dates: true,
    ..WIRE_OF_V2
};

/// The contract that Microsoft's pages for senders without an SDK document, of November 2026: the
/// four operations that the attribute reference lists, the limits of the service, and `Retry-After`
/// in both forms.
static DIRECT: WireProfile = WireProfile {
    operations: Some(&["invoke_agent", "execute_tool", "chat", "output_messages"]),
    form: Wire::Standard,
    delegated_path: DELEGATED_PATH,
    route: PathChoice::ByToken,
    reads_route: true,
    agentic_user: Some(keys::MICROSOFT_AGENT_USER_ID),
    text_tenths: 11,
    retry_after_dates: true,
    ..WIRE_OF_V2
};

const COOLDOWN_OF_V3: Cooldown = Cooldown {
    first: Duration::from_secs(10),
    longest: Duration::from_secs(3_600),
    max_age: Duration::from_secs(2 * 24 * 3_600),
};

const WIRE_OF_V2: WireProfile = WireProfile {
    host: Host::Common("agent365.svc.cloud.microsoft"),
    path: V2_PATH,
    service_path: V2_PATH,
    delegated_path: DELEGATED_PATH,
    operations: Some(&[
        "invoke_agent",
        "execute_tool",
        "output_messages",
        "apply_guardrail",
        "chat",
        "Chat",
        "text_completion",
        "generate_content",
    ]),
    form: Wire::Flat,
    max_span_bytes: Some(250 * 1024),
    text_tenths: 10,
    max_payload_bytes: Some(900_000),
    route: PathChoice::Usual,
    reads_route: false,
    agentic_user: None,
    retry: RetryPolicy::Tries {
        tries: 4,
        pauses: Pauses::Doubling(Duration::from_millis(500)),
        longest_asked: Some(Duration::from_secs(60)),
    },
    retry_after_dates: false,
    missing_token: MissingToken::Drop,
    has_contract: true,
    timeout: Duration::from_secs(30),
};

const V0_1_PATH: &[PathPart] = &[
    Text("/maven/agent365/agents/"),
    Agent,
    Text("/traces?api-version=1"),
];

const V2_PATH: &[PathPart] = &[
    Text("/observabilityService/tenants/"),
    Tenant,
    Text("/otlp/agents/"),
    Agent,
    Text("/traces?api-version=1"),
];

const DELEGATED_PATH: &[PathPart] = &[
    Text("/observability/tenants/"),
    Tenant,
    Text("/otlp/agents/"),
    Agent,
    Text("/traces?api-version=1"),
];

impl WireProfile {
    /// The wire of `profile`, or `None` when this version of the crate does not speak it.
    pub(crate) fn of(profile: Profile) -> Option<&'static Self> {
        match profile {
            Profile::V0_1 => Some(&V0_1),
            Profile::V2 => Some(&V2),
            Profile::V3 => Some(&V3),
            Profile::Direct => Some(&DIRECT),
            _ => None,
        }
    }

    /// Whether spans of this operation are sent.
    pub(crate) fn sends(&self, operation: Option<&Value>) -> bool {
        self.operations.is_none_or(
            |sent| matches!(operation, Some(Value::String(name)) if sent.contains(&name.as_str())),
        )
    }
}

/// For how many seconds an identity of [`Profile::V3`] sends nothing after a failed try.
///
/// `failures` is how many there were before it, `asked` what the service asks for, and `random` where in
/// the range of possible times it is: at least 0, at most 1.
#[must_use]
pub fn cooldown_seconds(failures: u32, asked: Option<f64>, random: f64) -> f64 {
    let asked = asked.and_then(pause_of);
    COOLDOWN_OF_V3
        .after(failures, asked, || random)
        .as_secs_f64()
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::retry::{self, Failed};

    fn check_pauses(wire: &WireProfile, asked: Option<Duration>, expected: [Option<u64>; 4]) {
        let pauses = [1, 2, 3, 4].map(|tries| {
            let failed = Failed {
                tries,
                failures: 0,
                asked,
                age: Duration::ZERO,
            };
            wire.retry.pause_after(failed, || 0.5)
        });
        assert_eq!(
            pauses,
            expected.map(|pause| pause.map(Duration::from_millis))
        );
    }

    #[test]
    fn every_profile_has_a_wire() {
        for profile in Profile::ALL {
            assert!(WireProfile::of(profile).is_some(), "{profile:?}");
        }
    }

    #[test]
    fn version_0_1_gives_each_try_thirty_seconds() {
        assert_eq!(V0_1.timeout, Duration::from_secs(30));
    }

    #[test]
    fn version_0_1_tries_four_times_with_growing_pauses() {
        check_pauses(&V0_1, None, [Some(200), Some(400), Some(600), None]);
        let asked = Some(Duration::from_secs(7));
        check_pauses(&V0_1, asked, [Some(200), Some(400), Some(600), None]);
    }

    #[test]
    fn version_2_tries_four_times_with_doubled_pauses() {
        check_pauses(&V2, None, [Some(500), Some(1_000), Some(2_000), None]);
    }

    #[test]
    fn version_2_pauses_as_long_as_the_service_asks_up_to_a_minute() {
        let asked = Some(Duration::from_millis(2_500));
        check_pauses(&V2, asked, [Some(2_500), Some(2_500), Some(2_500), None]);
        let asked = Some(Duration::from_secs(61));
        check_pauses(&V2, asked, [Some(60_000), Some(60_000), Some(60_000), None]);
    }

    #[test]
    fn every_version_repeats_408_429_and_5xx_only() {
        let repeated: Vec<u16> = (100..=999)
            .filter(|status| retry::repeats(StatusCode::from_u16(*status).unwrap()))
            .collect();
        let expected: Vec<u16> = [408, 429].into_iter().chain(500..600).collect();
        assert_eq!(repeated, expected);
    }
}
