//! The environment's override of an authentication scope.

use agentspan_model::agent365::environment as names;

use crate::Environment;
use crate::python_text::strip;

/// The spelling of the packages for Python and .NET first, then that of the package for Node.
const SPELLINGS: [&str; 2] = [
    names::A365_OBSERVABILITY_SCOPE_OVERRIDE,
    names::A365_OBSERVABILITY_SCOPES_OVERRIDE,
];

/// The value of the first spelling that is not blank, without surrounding white space.
pub(crate) fn scope_override(environment: &Environment) -> Option<&str> {
    overrides(environment).into_iter().flatten().next()
}

/// Whether `A365_OBSERVABILITY_SCOPE_OVERRIDE` and `A365_OBSERVABILITY_SCOPES_OVERRIDE` are both set, to different
/// scopes. The first takes precedence.
///
/// ```
/// use agentspan_discovery::{Environment, scope_overrides_disagree};
///
/// let environment = Environment::from_iter([
///     ("A365_OBSERVABILITY_SCOPE_OVERRIDE", "api://x/.default"),
///     ("A365_OBSERVABILITY_SCOPES_OVERRIDE", "api://x/.default api://y/.default"),
/// ]);
/// assert!(scope_overrides_disagree(&environment));
/// ```
#[must_use]
pub fn scope_overrides_disagree(environment: &Environment) -> bool {
    let [Some(one), Some(other)] = overrides(environment) else {
        return false;
    };
    !one.split_whitespace().eq(other.split_whitespace())
}

fn overrides(environment: &Environment) -> [Option<&str>; 2] {
    SPELLINGS.map(|name| {
        let scope = environment.value(name).map(strip);
        scope.filter(|scope| !scope.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(singular: &str, plural: &str, expected: Option<&str>, disagree: bool) {
        let variables = SPELLINGS.into_iter().zip([singular, plural]);
        let environment = Environment::from_iter(variables);
        let shown = format!("{singular:?} {plural:?}");
        assert_eq!(scope_override(&environment), expected, "{shown}");
        assert_eq!(scope_overrides_disagree(&environment), disagree, "{shown}");
    }

    #[test]
    fn the_spelling_of_python_takes_precedence_over_that_of_node() {
        check("", " \t", None, false);
        check(" a ", "", Some("a"), false);
        check(" ", " a b\n", Some("a b"), false);
        check("a", "b", Some("a"), true);
        check("a", "a b", Some("a"), true);
    }

    #[test]
    fn the_same_scopes_agree_whatever_white_space_is_between_them() {
        check("a b", " a  b ", Some("a b"), false);
        check("a b", "b a", Some("a b"), true);
    }
}
