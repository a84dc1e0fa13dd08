//! What a generation of the contract means on the wire: paths, tries, pauses, tokens.
//!
//! This is the one place of the crate that knows what differs between profiles.

use std::time::Duration;

use agentspan_model::agent365::Profile;
use http::StatusCode;

/// The wire of one profile.
#[derive(Debug)]
pub(crate) struct WireProfile {
    /// What stands before the agent's id in the path.
    pub(crate) path: &'static str,
    /// The same for service-to-service calls.
    pub(crate) service_path: &'static str,
    /// What follows the agent's id, the query included.
    pub(crate) tail: &'static str,
    pub(crate) retry: RetryPolicy,
    pub(crate) missing_token: MissingToken,
    /// For a whole try: connect, send, head and body of the answer.
    pub(crate) timeout: Duration,
}

/// What happens to the spans of an identity without a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingToken {
    /// They are sent without the `authorization` header.
    SendWithout,
}

/// When a failed try is repeated.
#[derive(Debug)]
pub(crate) struct RetryPolicy {
    tries: u32,
    /// The first pause. Each further one is longer by as much.
    pause_step: Duration,
}

/// `microsoft-agents-a365-observability-core` 0.1.0. The service's `Retry-After` is ignored there.
static V0_1: WireProfile = WireProfile {
    path: "/maven/agent365/agents/",
    service_path: "/maven/agent365/service/agents/",
    tail: "/traces?api-version=1",
    retry: RetryPolicy {
        tries: 4,
        pause_step: Duration::from_millis(200),
    },
    missing_token: MissingToken::SendWithout,
    timeout: Duration::from_secs(30),
};

impl WireProfile {
    /// The wire of `profile`, or `None` when this version of the crate does not speak it.
    pub(crate) fn of(profile: Profile) -> Option<&'static Self> {
        match profile {
            Profile::V0_1 => Some(&V0_1),
            _ => None,
        }
    }
}

impl RetryPolicy {
    /// The pause after the failed try with this number, counted from one. `None` after the last.
    pub(crate) fn pause_after(&self, tried: u32) -> Option<Duration> {
        (tried < self.tries).then(|| self.pause_step * tried)
    }

    /// Whether a request that was answered with `status` is worth another try.
    pub(crate) fn repeats(&self, status: StatusCode) -> bool {
        matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        ) || status.is_server_error()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_0_1_gives_each_try_thirty_seconds() {
        assert_eq!(V0_1.timeout, Duration::from_secs(30));
    }

    #[test]
    fn version_0_1_tries_four_times_with_growing_pauses() {
        let pauses: Vec<_> = (1..=4).map(|tried| V0_1.retry.pause_after(tried)).collect();
        let millis = |n| Some(Duration::from_millis(n));
        assert_eq!(pauses, [millis(200), millis(400), millis(600), None]);
    }

    #[test]
    fn version_0_1_repeats_408_429_and_5xx_only() {
        let repeated: Vec<u16> = (100..=999)
            .filter(|status| V0_1.retry.repeats(StatusCode::from_u16(*status).unwrap()))
            .collect();
        let expected: Vec<u16> = [408, 429].into_iter().chain(500..600).collect();
        assert_eq!(repeated, expected);
    }
}
