//! The authentication scope of token requests, for runtime 2.0.0.

use crate::Environment;
use crate::scope_override::scope_override;

/// The authentication scope of token requests, for runtime 2.0.0: the default scope of the
/// observability service, for app-only tokens.
///
/// `A365_OBSERVABILITY_SCOPE_OVERRIDE` overrides it unless it is blank, or else
/// `A365_OBSERVABILITY_SCOPES_OVERRIDE`, which is the spelling of the package for Node. Surrounding
/// white space is removed.
#[must_use]
pub fn authentication_scope(environment: &Environment) -> &str {
    scope_override(environment).unwrap_or("api://9b975845-388f-4429-889e-eab1ef63949c/.default")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_override_does_not_count() {
        let default = "api://9b975845-388f-4429-889e-eab1ef63949c/.default";
        for (value, scope) in [("", default), (" \t", default), (" api://x \n", "api://x")] {
            let environment =
                Environment::from_iter([("A365_OBSERVABILITY_SCOPE_OVERRIDE", value)]);
            assert_eq!(authentication_scope(&environment), scope, "{value:?}");
        }
        assert_eq!(authentication_scope(&Environment::default()), default);
    }
}
