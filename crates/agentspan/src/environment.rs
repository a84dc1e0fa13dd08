//! What the variables of the environment say, and a warning for each that is not followed.

use agentspan_discovery::{
    Environment, ShownValue, Support, Variable, agent365_variables, scope_overrides_disagree,
    standard_variables, values,
};
use agentspan_model::agent365::{Identity, environment as names};
use agentspan_queue::contain;

/// The meaning of the first of these variables that is understood. Those that are not are ignored with a warning.
pub(crate) fn understood<T>(
    environment: &Environment,
    names: impl IntoIterator<Item = &'static str>,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    environment.understood(names, parse, ignored)
}

/// Whether the first of these switches that is set is on. What is neither `true` nor `false` leaves it off, with a
/// warning, and does not pass the question on to the next: that might switch on what was meant to be off.
pub(crate) fn is_on(
    environment: &Environment,
    names: impl IntoIterator<Item = &'static str>,
) -> bool {
    let Some((name, value)) = first(environment, names) else {
        return false;
    };
    values::boolean(value).unwrap_or_else(|| {
        ignored(name, value);
        false
    })
}

/// The first of these variables that is set: that of one signal takes precedence over that of all.
pub(crate) fn first(
    environment: &Environment,
    names: impl IntoIterator<Item = &'static str>,
) -> Option<(&'static str, &str)> {
    let mut set = names
        .into_iter()
        .filter_map(|name| Some((name, environment.non_blank(name)?)));
    set.next()
}

/// A program is not kept from its work by a variable that another one understands.
pub(crate) fn ignored(variable: &str, value: &str) {
    contain::log(|| {
        tracing::warn!(
            target: "agentspan::configure",
            variable,
            value = %ShownValue(value),
            "a variable of the environment is ignored"
        );
    });
}

/// The tenant and the agent of spans that name none. One without the other names nobody.
pub(crate) fn identity(environment: &Environment) -> Option<Identity> {
    let tenant = environment.non_blank(names::A365_TENANT_ID);
    let agent = environment.non_blank(names::A365_AGENT_ID);
    match (tenant, agent) {
        (Some(tenant), Some(agent)) => match Identity::parse(tenant, agent) {
            Ok(identity) => Some(identity),
            Err(_) => {
                ignored(names::A365_TENANT_ID, tenant);
                ignored(names::A365_AGENT_ID, agent);
                None
            }
        },
        (Some(tenant), None) => {
            ignored(names::A365_TENANT_ID, tenant);
            None
        }
        (None, Some(agent)) => {
            ignored(names::A365_AGENT_ID, agent);
            None
        }
        (None, None) => None,
    }
}

/// As [`ignored`], for a variable whose value may hold a secret.
pub(crate) fn ignored_unseen(variable: &str) {
    contain::log(|| {
        tracing::warn!(
            target: "agentspan::configure",
            variable,
            "a variable of the environment is ignored, since its value is broken"
        );
    });
}

/// Says so if two spellings of one variable have different values.
pub(crate) fn warn_of_disagreement(environment: &Environment) {
    if scope_overrides_disagree(environment) {
        contain::log(|| {
            tracing::warn!(
                target: "agentspan::configure",
                honoured = names::A365_OBSERVABILITY_SCOPE_OVERRIDE,
                ignored = names::A365_OBSERVABILITY_SCOPES_OVERRIDE,
                "two variables of the environment name different scopes of tokens"
            );
        });
    }
}

/// Names the variables that are set and do nothing here, although who set them expects something of them.
pub(crate) fn warn_of_refused(environment: &Environment) {
    let all = standard_variables::ALL
        .iter()
        .chain(agent365_variables::ALL);
    let refused = all.filter(|variable| variable.support() == Support::Refused);
    for variable in refused.map(Variable::name) {
        if environment.non_blank(variable).is_some() {
            contain::log(|| {
                tracing::warn!(
                    target: "agentspan::configure",
                    variable,
                    "a variable of the environment is not supported; docs/configuration.md says why"
                );
            });
        }
    }
}
