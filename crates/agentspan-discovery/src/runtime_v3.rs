//! The differences of `microsoft-opentelemetry` 1.5.0 from runtime 2.0.0.

use crate::Environment;
use crate::scope_override::scope_override;

/// The authentication scope of token requests: the permission to write telemetry, for tokens that
/// an agent gets on behalf of a user.
///
/// `A365_OBSERVABILITY_SCOPE_OVERRIDE` overrides it unless it is blank, or else
/// `A365_OBSERVABILITY_SCOPES_OVERRIDE`, which is the spelling of the package for Node and may name
/// several.
///
/// ```
/// use agentspan_discovery::{Environment, runtime_v3};
///
/// let environment = Environment::from_iter([("A365_OBSERVABILITY_SCOPE_OVERRIDE", " api://x/.default")]);
/// assert_eq!(runtime_v3::authentication_scope(&environment), "api://x/.default");
/// ```
#[must_use]
pub fn authentication_scope(environment: &Environment) -> &str {
    scope_override(environment)
        .unwrap_or("api://9b975845-388f-4429-889e-eab1ef63949c/Agent365.Observability.OtelWrite")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_replaces_the_default_unless_it_is_blank() {
        let default = "api://9b975845-388f-4429-889e-eab1ef63949c/Agent365.Observability.OtelWrite";
        for (given, expected) in [("", default), (" \t", default), (" a\n", "a")] {
            let variables = [("A365_OBSERVABILITY_SCOPE_OVERRIDE", given)];
            let environment = Environment::from_iter(variables);
            assert_eq!(authentication_scope(&environment), expected, "{given:?}");
        }
        assert_eq!(authentication_scope(&Environment::default()), default);
    }
}
