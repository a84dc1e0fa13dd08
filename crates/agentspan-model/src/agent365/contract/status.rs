//! The meanings of the service's statuses.

/// The meaning of a refusal, by its status and by the error code in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusMeaning {
    /// The lowest status that has this meaning.
    pub status: u16,
    /// The highest status that has this meaning.
    pub last_status: u16,
    /// The error code in the answer, such as `TenantIdInvalid`; empty if there is no known code.
    pub code: &'static str,
    /// The problem.
    pub meaning: &'static str,
    /// The way in which a sender should handle the request.
    pub cure: Cure,
    /// The role that can fix it.
    pub mender: Mender,
    /// The remedy.
    pub remedy: &'static str,
}

/// The way in which a sender should handle a refused request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cure {
    /// Drop it: a retry would be refused again.
    Final,
    /// Replace the token, and retry once.
    Renew,
    /// Retry after a pause.
    Retry,
    /// Divide the spans between several requests.
    Divide,
}

/// The role that can fix a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mender {
    /// The developer or operator of the program.
    Program,
    /// The administrator of the tenant.
    Administrator,
    /// The service.
    Service,
}

/// The known meanings. For each status, meanings with a code come first.
pub static STATUSES: &[StatusMeaning] = &[
    StatusMeaning {
        status: 400,
        last_status: 400,
        code: "TenantIdInvalid",
        meaning: "The bearer token is empty or malformed, the path names a blueprint, the tenant is not onboarded, or the token is stale.",
        cure: Cure::Final,
        mender: Mender::Program,
        remedy: "Await the token before it is used, use the id of the agent instance, and onboard the tenant.",
    },
    StatusMeaning {
        status: 400,
        last_status: 400,
        code: "EndpointInvalid",
        meaning: "The bearer token is empty or malformed, the path names a blueprint, the tenant is not onboarded, or the token is stale.",
        cure: Cure::Final,
        mender: Mender::Program,
        remedy: "Await the token before it is used, use the id of the agent instance, and onboard the tenant.",
    },
    StatusMeaning {
        status: 400,
        last_status: 400,
        code: "",
        meaning: "The service cannot read the body: its wire form is wrong, a tool result is no text, or it is too large.",
        cure: Cure::Final,
        mender: Mender::Program,
        remedy: "Send text values, tool results as one text, and less than 900,000 bytes.",
    },
    StatusMeaning {
        status: 401,
        last_status: 401,
        code: "UnsupportedAccessTokenType",
        meaning: "An app-only token was sent to the route of delegated tokens.",
        cure: Cure::Final,
        mender: Mender::Program,
        remedy: "Send app-only tokens to `/observabilityService/`.",
    },
    StatusMeaning {
        status: 401,
        last_status: 401,
        code: "AuthenticationSchemeNotSupported",
        meaning: "The path has no `/otlp`.",
        cure: Cure::Final,
        mender: Mender::Program,
        remedy: "Use the current path.",
    },
    StatusMeaning {
        status: 401,
        last_status: 401,
        code: "MSAuth10AuthenticatorTypeUnknown",
        meaning: "A gateway of early previews does not know the path.",
        cure: Cure::Final,
        mender: Mender::Service,
        remedy: "Ask the service's support; current gateways know the path.",
    },
    StatusMeaning {
        status: 401,
        last_status: 401,
        code: "InvalidAudience",
        meaning: "The token is for another resource.",
        cure: Cure::Renew,
        mender: Mender::Program,
        remedy: "Ask for a token of the resource `9b975845-388f-4429-889e-eab1ef63949c`.",
    },
    StatusMeaning {
        status: 401,
        last_status: 401,
        code: "",
        meaning: "The token has expired, its audience is wrong, or a delegated token was sent to the route of app-only tokens.",
        cure: Cure::Renew,
        mender: Mender::Program,
        remedy: "Get a new token once; if that is refused, compare its audience and its kind with the route.",
    },
    StatusMeaning {
        status: 403,
        last_status: 403,
        code: "insufficient_scope",
        meaning: "The token lacks `Agent365.Observability.OtelWrite`.",
        cure: Cure::Final,
        mender: Mender::Administrator,
        remedy: "Grant the permission to the application of the token, and consent to it.",
    },
    StatusMeaning {
        status: 403,
        last_status: 403,
        code: "",
        meaning: "The agent in the path is not the token's application, an app-only token was sent to the route of delegated tokens, the tenant is not onboarded, or it has no license.",
        cure: Cure::Final,
        mender: Mender::Administrator,
        remedy: "Compare the agent's id with `azp` or `appid` of the token, and the route with the kind of the token; then ask the tenant's administrator.",
    },
    StatusMeaning {
        status: 408,
        last_status: 408,
        code: "",
        meaning: "The service did not get the request in time.",
        cure: Cure::Retry,
        mender: Mender::Service,
        remedy: "Send it again later.",
    },
    StatusMeaning {
        status: 413,
        last_status: 413,
        code: "",
        meaning: "The body is too large.",
        cure: Cure::Divide,
        mender: Mender::Program,
        remedy: "Divide the spans between requests.",
    },
    StatusMeaning {
        status: 429,
        last_status: 429,
        code: "",
        meaning: "The identity sends too much.",
        cure: Cure::Retry,
        mender: Mender::Service,
        remedy: "Pause for as long as `Retry-After` asks.",
    },
    StatusMeaning {
        status: 500,
        last_status: 599,
        code: "",
        meaning: "The service has a fault.",
        cure: Cure::Retry,
        mender: Mender::Service,
        remedy: "Send it again later.",
    },
];

/// The meaning of a status and of the answer's body or challenge. `None` for a success or an
/// unknown status.
///
/// ```
/// use agentspan_model::agent365::contract::{Cure, status_meaning};
///
/// let meaning = status_meaning(401, "UnsupportedAccessTokenType").ok_or("unknown")?;
/// assert_eq!(meaning.cure, Cure::Final);
/// assert_eq!(meaning.remedy, "Send app-only tokens to `/observabilityService/`.");
/// assert!(status_meaning(200, "").is_none());
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn status_meaning(status: u16, answer: &str) -> Option<&'static StatusMeaning> {
    let answer = answer.to_ascii_lowercase();
    let mut of_status = STATUSES
        .iter()
        .filter(|meaning| (meaning.status..=meaning.last_status).contains(&status));
    of_status.find(|meaning| answer.contains(&meaning.code.to_ascii_lowercase()))
}

impl Cure {
    /// The cure in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::Renew => "new token, once",
            Self::Retry => "retry",
            Self::Divide => "divide",
        }
    }
}

impl Mender {
    /// The mender in a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Administrator => "administrator",
            Self::Service => "service",
        }
    }
}
