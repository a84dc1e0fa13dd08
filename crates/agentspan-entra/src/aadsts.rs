//! The codes of Entra's refusals, with what they mean for agents.
//!
//! Microsoft documents them at <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>. The
//! causes and remedies here are those that were met on the way to a token for Agent 365.

/// The meaning of a code, and its remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The number after `AADSTS`.
    pub code: u32,
    /// The problem.
    pub cause: &'static str,
    /// The remedy.
    pub remedy: &'static str,
}

const fn known(code: u32, cause: &'static str, remedy: &'static str) -> Explanation {
    Explanation {
        code,
        cause,
        remedy,
    }
}

/// All that are known, in order.
pub const ALL: &[Explanation] = &[
    known(
        50_013,
        "an assertion is not valid; most often the user's token is not for the blueprint",
        "ask for the user's token with the scope api://{blueprint}/access_as_user",
    ),
    known(
        53_003,
        "a policy of Conditional Access forbids it",
        "have the owner of the policy allow this agent or blueprint",
    ),
    known(
        65_001,
        "nobody has consented that this agent uses Agent 365 in this tenant",
        "have an administrator consent once per tenant; a stored grant must have no blank before its scope",
    ),
    known(
        70_011,
        "the scope does not exist or cannot be asked for like this",
        "check the scope, or leave the one of this crate",
    ),
    known(
        70_021,
        "the federated credential does not fit, or is new and not known everywhere yet",
        "wait a few minutes; then compare issuer, subject and audience with those of the assertion",
    ),
    known(
        82_001,
        "an agent or a blueprint asked for an app-only token directly",
        "ask by the blueprint's assertion, as this crate does, with the blueprint's id as the client",
    ),
    known(
        82_002,
        "an agent asked in a way that agents may not use",
        "ask by the blueprint's assertion, as this crate does",
    ),
    known(
        82_008,
        "the field fmi_path is missing",
        "check that nothing on the way changes the form; the client must be a blueprint",
    ),
    known(
        90_002,
        "the tenant does not exist",
        "check the tenant of the spans, and the cloud of the authority",
    ),
    known(
        500_011,
        "the tenant has no service principal of Agent 365",
        "sign the tenant up for Agent 365",
    ),
    known(
        500_113,
        "the address for consent names no reply URL",
        "add a reply URL to the application, or grant the permission through Microsoft Graph",
    ),
    known(
        500_133,
        "an assertion is not valid at this time",
        "get a fresh token of the user, and check the clock of this machine",
    ),
    known(
        530_035,
        "a policy forbids this way to sign in",
        "sign in in another way",
    ),
    known(
        700_016,
        "the application is not in this tenant",
        "check the id of the blueprint or agent, and that it was made or approved in this tenant",
    ),
    known(
        700_021,
        "the client assertion is not one of the application",
        "check the credential of the blueprint",
    ),
    known(
        700_024,
        "the client assertion is not valid at this time",
        "check the clock of this machine",
    ),
    known(
        700_027,
        "the signature of the client assertion is wrong",
        "add the certificate to the blueprint, and use the key that belongs to it",
    ),
    known(
        700_211,
        "no federated credential has the issuer of the assertion",
        "ask in the agent's home tenant, and correct the issuer of the federated credential",
    ),
    known(
        700_213,
        "no federated credential has the subject of the assertion",
        "ask in the agent's home tenant, and correct the subject of the federated credential",
    ),
    known(
        1_002_012,
        "a scope of an app-only token is not .default, or the chain is left out",
        "end the scope with /.default",
    ),
    known(
        7_000_215,
        "the client secret is wrong",
        "use the value of a secret of the blueprint, not the secret's id",
    ),
    known(
        7_000_216,
        "nothing proves who the client is",
        "give the blueprint a credential; agents have none of their own",
    ),
    known(
        7_000_222,
        "the client secret has expired",
        "add a new secret to the blueprint, or use a certificate or a federated credential",
    ),
    known(
        7_002_134,
        "the blueprint and the agent do not belong together",
        "use the blueprint that the agent was made from",
    ),
];

/// The explanation of a code, if there is one.
///
/// ```
/// use agentspan_entra::aadsts;
///
/// let expired = aadsts::explain(7_000_222).unwrap();
/// assert_eq!(expired.cause, "the client secret has expired");
/// assert_eq!(aadsts::explain(1), None);
/// ```
#[must_use]
pub fn explain(code: u32) -> Option<&'static Explanation> {
    let at = ALL.binary_search_by_key(&code, |known| known.code).ok()?;
    ALL.get(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found() {
        assert!(ALL.is_sorted_by(|one, next| one.code < next.code));
        for known in ALL {
            assert_eq!(explain(known.code), Some(known));
        }
        assert_eq!(explain(0), None);
    }
}
