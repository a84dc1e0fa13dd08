//! The scope that the environment gives in place of a default.

use agentspan_model::agent365::environment as names;

use crate::Environment;
use crate::python_text::strip;

/// What `A365_OBSERVABILITY_SCOPE_OVERRIDE` says without the white space around it, unless it is blank.
pub(crate) fn scope_override(environment: &Environment) -> Option<&str> {
    environment
        .value(names::A365_OBSERVABILITY_SCOPE_OVERRIDE)
        .map(strip)
        .filter(|scope| !scope.is_empty())
}
