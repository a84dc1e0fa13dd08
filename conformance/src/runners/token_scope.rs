//! The scope of tokens, which the environment overrides in two spellings.

use std::collections::BTreeMap;

use agentspan_model::agent365::environment as names;
use serde_json::Value;

use crate::{Case, Json, Predicate};

/// For the functions that say which scope to ask for.
pub(super) const SCOPE_IS_SPELLED_AS_FOR_NODE: Predicate = Predicate {
    name: "scope_is_spelled_as_for_node",
    applies: |case| scope(case).is_some(),
    instead: |case, expected| {
        let scope = scope(case).and_then(|scope| Json::of(&[scope]).ok());
        if let (Some(scope), Some(result)) = (scope, expected.member_mut("result")) {
            *result = scope;
        }
    },
};

/// What the spelling of Node says, where that of Python says nothing.
fn scope(case: &Case) -> Option<String> {
    let input: BTreeMap<String, Value> = case.input().ok()?;
    let function = input.get("function")?.as_str()?;
    // The first runtime has no variable for it.
    if input.get("runtime_version").is_some_and(|it| it == "0.1.0") {
        return None;
    }
    let is_asked = matches!(
        function,
        "authentication_scope" | "get_observability_authentication_scope"
    );
    let of = |name: &str| {
        let value = input.get("env")?.get(name)?.as_str()?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    match of(names::A365_OBSERVABILITY_SCOPE_OVERRIDE) {
        None if is_asked => of(names::A365_OBSERVABILITY_SCOPES_OVERRIDE),
        _ => None,
    }
}
