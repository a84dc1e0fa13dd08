//! The meanings of errors of Entra's token endpoint for an agent.

use super::rule::RuleId;

/// An error of Entra's token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenError {
    /// The code, such as `AADSTS65001`.
    pub code: &'static str,
    /// The usual cause.
    pub cause: &'static str,
    /// The remedy.
    pub remedy: &'static str,
    /// The rule of the contract that is broken, if there is one.
    pub rule: Option<RuleId>,
}

/// The errors that senders to Agent 365 have seen.
pub static TOKEN_ERRORS: &[TokenError] = &[
    TokenError {
        code: "AADSTS82001",
        cause: "An agent's application or blueprint asks for an app-only token directly, or by token exchange.",
        remedy: "Use the chain: a token of the blueprint first, then the agent's.",
        rule: None,
    },
    TokenError {
        code: "AADSTS82002",
        cause: "The flow is forbidden for an agent identity.",
        remedy: "Use the chain.",
        rule: None,
    },
    TokenError {
        code: "AADSTS82008",
        cause: "`fmi_path` is missing, or stands in the query. Some libraries drop it.",
        remedy: "Send `fmi_path` as a form field of the first request.",
        rule: Some(RuleId::R41),
    },
    TokenError {
        code: "AADSTS7002134",
        cause: "Blueprint and agent do not belong together.",
        remedy: "Use the blueprint that made this agent.",
        rule: None,
    },
    TokenError {
        code: "AADSTS1002012",
        cause: "A scope other than `/.default` was asked for with client credentials, or without the chain.",
        remedy: "Ask for `/.default`, and use the chain.",
        rule: None,
    },
    TokenError {
        code: "AADSTS65001",
        cause: "Nobody consented for this agent and resource, or the stored grant has a blank before the scope.",
        remedy: "Consent once per tenant, or write the grant again.",
        rule: Some(RuleId::R42),
    },
    TokenError {
        code: "AADSTS500011",
        cause: "The tenant does not have the resource.",
        remedy: "Onboard the tenant to Agent 365.",
        rule: None,
    },
    TokenError {
        code: "AADSTS500113",
        cause: "The address for consent has no reply URL.",
        remedy: "Add one, or grant through Microsoft Graph.",
        rule: None,
    },
    TokenError {
        code: "AADSTS500133",
        cause: "The assertion is outside its time range.",
        remedy: "Get a new assertion, and never send one twice.",
        rule: Some(RuleId::R40),
    },
    TokenError {
        code: "AADSTS50013",
        cause: "The assertion is invalid; usually the audience of the user's token is not the blueprint.",
        remedy: "Ask for `api://{blueprint}/access_as_user`.",
        rule: None,
    },
    TokenError {
        code: "AADSTS700211",
        cause: "The issuer of the federated credential differs; across tenants, the first token was asked for in the blueprint's tenant.",
        remedy: "Ask in the home tenant of the agent, and correct the credential.",
        rule: Some(RuleId::R60),
    },
    TokenError {
        code: "AADSTS700213",
        cause: "The subject of the federated credential differs; across tenants, the first token was asked for in the blueprint's tenant.",
        remedy: "Ask in the home tenant of the agent, and correct the credential.",
        rule: Some(RuleId::R60),
    },
    TokenError {
        code: "AADSTS70021",
        cause: "The federated credential is not known everywhere yet.",
        remedy: "Wait some minutes, and retry.",
        rule: None,
    },
    TokenError {
        code: "AADSTS7000215",
        cause: "The secret is wrong, often its id instead of its value.",
        remedy: "Use the value of a secret of the blueprint.",
        rule: None,
    },
    TokenError {
        code: "AADSTS7000216",
        cause: "No secret or assertion was sent.",
        remedy: "Send a credential of the blueprint.",
        rule: None,
    },
    TokenError {
        code: "AADSTS7000222",
        cause: "The secret has expired.",
        remedy: "Make a new secret for the blueprint.",
        rule: None,
    },
    TokenError {
        code: "AADSTS53003",
        cause: "A policy of Conditional Access forbids it.",
        remedy: "Ask the owner of the policy.",
        rule: None,
    },
    TokenError {
        code: "AADSTS530035",
        cause: "The device code is forbidden for the set-up tool.",
        remedy: "Sign in another way.",
        rule: None,
    },
    TokenError {
        code: "AADSTS70007",
        cause: "The set-up tool is too old.",
        remedy: "Update it.",
        rule: None,
    },
];

/// The known error in an answer of the token endpoint, if there is one.
///
/// ```
/// use agentspan_model::agent365::contract::token_error;
///
/// let error = token_error("AADSTS700213: no matching federated identity").ok_or("unknown")?;
/// assert_eq!(error.code, "AADSTS700213");
/// assert!(token_error("AADSTS7002139").is_none());
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn token_error(answer: &str) -> Option<&'static TokenError> {
    let ends_here = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_digit());
    TOKEN_ERRORS.iter().find(|error| {
        let mut rests = answer.split(error.code).skip(1);
        rests.any(ends_here)
    })
}
