//! The claims of a token that the contract needs.

/// The resource (audience) of tokens for the service; also written as `api://` and this id.
pub const OBSERVABILITY_RESOURCE: &str = "9b975845-388f-4429-889e-eab1ef63949c";

/// The delegated scope and the application role, which have the same name.
pub const OBSERVABILITY_PERMISSION: &str = "Agent365.Observability.OtelWrite";

/// The claims of a token that the contract needs. They are not verified; only the service decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TokenClaims<'a> {
    /// `aud`.
    pub audience: Option<&'a str>,
    /// `azp`, or `appid`.
    pub application: Option<&'a str>,
    /// `scp`: the scopes of a delegated token, with blanks between. An app-only token has none.
    pub scopes: Option<&'a str>,
    /// `roles`.
    pub roles: &'a [&'a str],
    /// `xms_mirid`: the resource of a managed identity.
    pub managed_identity: Option<&'a str>,
    /// `exp`, in seconds since the Unix epoch.
    pub expires: Option<u64>,
}

impl<'a> TokenClaims<'a> {
    /// Whether the token was issued on behalf of a user.
    #[must_use]
    pub fn is_delegated(&self) -> bool {
        self.scopes.is_some()
    }

    /// Whether the token is for the service.
    #[must_use]
    pub fn is_for_the_service(&self) -> bool {
        self.bare_audience()
            .is_some_and(|audience| audience.eq_ignore_ascii_case(OBSERVABILITY_RESOURCE))
    }

    /// Whether the token is an intermediate result on the way to a token for the service.
    #[must_use]
    pub fn is_intermediate(&self) -> bool {
        self.bare_audience()
            .is_some_and(|audience| audience.eq_ignore_ascii_case("AzureADTokenExchange"))
    }

    fn bare_audience(&self) -> Option<&'a str> {
        let audience = self.audience?.trim_end_matches('/');
        Some(audience.strip_prefix("api://").unwrap_or(audience))
    }
}
