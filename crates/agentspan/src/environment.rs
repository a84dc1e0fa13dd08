//! Reads variables of the environment, and warns about each variable that is ignored.

use agentspan_discovery::{
    Environment, ShownValue, Support, Switches, Variable, agent365_variables,
    scope_overrides_disagree, standard_variables, values,
};
use agentspan_model::agent365::{Identity, environment as names};

use crate::setup_log;

/// The numbers that most variables expect.
pub(crate) const INTEGER: &str = "a whole number, at least 0";
pub(crate) const POSITIVE: &str = "a whole number above 0";
pub(crate) const MILLISECONDS: &str = "milliseconds, as a whole number, at least 0";

/// The parsed value of the first of these variables that is valid. Invalid values are ignored with
/// a warning that says what is expected.
pub(crate) fn understood<T>(
    environment: &Environment,
    names: impl IntoIterator<Item = &'static str>,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    environment.understood(names, parse, |name, value| ignored(name, value, expected))
}

/// Whether the first of these switches that is set is on. A value that is neither `true` nor
/// `false` counts as off, with a warning. It does not fall back to the next variable, which might
/// switch on what the invalid one was meant to switch off.
pub(crate) fn is_on(
    environment: &Environment,
    names: impl IntoIterator<Item = &'static str>,
) -> bool {
    let Some((name, value)) = first(environment, names) else {
        return false;
    };
    values::boolean(value).unwrap_or_else(|| {
        ignored(name, value, "true or false; this is the same as false");
        false
    })
}

/// The first of these variables that is set: the variable of one signal takes precedence over the
/// variable of all signals.
pub(crate) fn first(
    environment: &Environment,
    names: impl IntoIterator<Item = &'static str>,
) -> Option<(&'static str, &str)> {
    let mut set = names
        .into_iter()
        .filter_map(|name| Some((name, environment.non_blank(name)?)));
    set.next()
}

/// A variable that only another program understands must not stop this one.
pub(crate) fn ignored(variable: &'static str, value: &str, expected: &str) {
    let (value, expected) = (ShownValue(value).to_string(), expected.to_owned());
    setup_log::log(move || {
        tracing::warn!(
            target: "agentspan::configure",
            variable,
            value,
            expected,
            "a variable of the environment is ignored"
        );
    });
}

/// The fallback identity of spans. A tenant without an agent, or an agent without a tenant, is
/// none.
pub(crate) fn identity(environment: &Environment) -> Option<Identity> {
    let tenant = environment.non_blank(names::A365_TENANT_ID);
    let agent = environment.non_blank(names::A365_AGENT_ID);
    match (tenant, agent) {
        (Some(tenant), Some(agent)) => match Identity::parse(tenant, agent) {
            Ok(identity) => Some(identity),
            Err(error) => {
                // It repeats no id.
                let expected = format!("two ids without forbidden characters, but the {error}");
                ignored(names::A365_TENANT_ID, tenant, &expected);
                ignored(names::A365_AGENT_ID, agent, &expected);
                None
            }
        },
        (Some(tenant), None) => {
            ignored(names::A365_TENANT_ID, tenant, "A365_AGENT_ID beside it");
            None
        }
        (None, Some(agent)) => {
            ignored(names::A365_AGENT_ID, agent, "A365_TENANT_ID beside it");
            None
        }
        (None, None) => None,
    }
}

/// Like [`ignored`], for a variable whose value may hold a secret.
pub(crate) fn ignored_unseen(variable: &'static str, expected: &'static str) {
    setup_log::log(move || {
        tracing::warn!(
            target: "agentspan::configure",
            variable,
            expected,
            "a variable of the environment is ignored, since its value is broken"
        );
    });
}

/// Warns if two spellings of one variable have different values.
pub(crate) fn warn_of_disagreement(environment: &Environment) {
    if scope_overrides_disagree(environment) {
        setup_log::log(|| {
            tracing::warn!(
                target: "agentspan::configure",
                honoured = names::A365_OBSERVABILITY_SCOPE_OVERRIDE,
                ignored = names::A365_OBSERVABILITY_SCOPES_OVERRIDE,
                "two variables of the environment name different scopes of tokens"
            );
        });
    }
}

/// Warns about switches whose words are unknown, so that they are off.
pub(crate) fn warn_of_unknown_words(environment: &Environment) {
    for (variable, known) in Switches::unknown_words(environment) {
        setup_log::log(move || {
            tracing::warn!(
                target: "agentspan::configure",
                variable,
                known,
                "a switch of the environment is off, since its value is none of the known words"
            );
        });
    }
}

/// Warns about variables that are set but that we do not support.
pub(crate) fn warn_of_refused(environment: &Environment) {
    let all = standard_variables::ALL
        .iter()
        .chain(agent365_variables::ALL);
    let refused = all.filter(|variable| variable.support() == Support::Refused);
    for variable in refused.map(Variable::name) {
        if environment.non_blank(variable).is_some() {
            setup_log::log(move || {
                tracing::warn!(
                    target: "agentspan::configure",
                    variable,
                    "a variable of the environment is not supported; docs/configuration.md says why"
                );
            });
        }
    }
}
