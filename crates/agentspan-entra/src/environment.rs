//! A client as the environment describes it.

use std::fmt;

use agentspan_discovery::{Environment, runtime_v3};
use agentspan_model::agent365::environment as names;

use crate::agent_user::AgentUser;
use crate::builder::EntraBuilder;
use crate::credential::Credential;
use crate::entra::Entra;

/// The variables that a client cannot do without.
const NEEDED: [&str; 4] = [
    names::CONNECTION_CLIENT_ID,
    names::CONNECTION_CLIENT_SECRET,
    names::A365_AGENT_APP_INSTANCE_ID,
    names::A365_AGENTIC_USER_ID,
];

impl Entra {
    /// A client described by the environment variables of `microsoft-opentelemetry` 1.5.0:
    ///
    /// - `CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTID`: the blueprint, by its application id.
    /// - `CONNECTIONS__SERVICE_CONNECTION__SETTINGS__CLIENTSECRET`: the secret of the blueprint.
    /// - `A365_AGENT_APP_INSTANCE_ID`: the agent, by its application id.
    /// - `A365_AGENTIC_USER_ID`: the user of the agent, by its object id.
    /// - `CONNECTIONS__SERVICE_CONNECTION__SETTINGS__TENANTID`: the tenant of all tokens. By default,
    ///   it is the tenant of the spans.
    /// - `A365_OBSERVABILITY_SCOPE_OVERRIDE`, or else `A365_OBSERVABILITY_SCOPES_OVERRIDE`: the scope of
    ///   the tokens. By default, it is the permission to write telemetry to Agent 365.
    ///
    /// The variables are read now, and a blank value counts as unset. All tokens are those of this agent and its
    /// user, so use the client for the spans of one agent. It sends the same requests to Entra as the package. The
    /// package uses the credential of the host where a variable is missing, but Agent 365 refuses such tokens;
    /// give the builder a [`Credential`] to prove the blueprint's identity without a secret.
    ///
    /// ```
    /// use agentspan_discovery::Environment;
    /// use agentspan_entra::Entra;
    ///
    /// let missing = Entra::builder_from_environment(&Environment::default()).unwrap_err();
    /// assert!(missing.names().any(|name| name == "A365_AGENT_APP_INSTANCE_ID"));
    /// ```
    ///
    /// # Errors
    ///
    /// [`MissingVariables`] names those of the first four that are unset or blank.
    pub fn builder_from_environment(
        environment: &Environment,
    ) -> Result<EntraBuilder, MissingVariables> {
        let set = NEEDED.map(|name| environment.non_blank(name));
        let [Some(blueprint), Some(secret), Some(agent), Some(user)] = set else {
            return Err(MissingVariables(set.map(|value| value.is_none())));
        };
        let builder = Self::builder(blueprint, Credential::secret(secret))
            .with_agent(agent)
            .with_agent_user(AgentUser::id(user))
            .with_delegated_scope(runtime_v3::authentication_scope(environment))
            .with_forms_of_the_reference();
        Ok(match environment.non_blank(names::CONNECTION_TENANT_ID) {
            Some(tenant) => builder.with_tenant(tenant),
            None => builder,
        })
    }
}

/// The environment does not describe a client, because these variables are unset or blank. Set them, or describe the
/// client in code with [`Entra::builder`].
#[derive(Clone, PartialEq, Eq)]
pub struct MissingVariables([bool; NEEDED.len()]);

impl MissingVariables {
    /// The names of the variables.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        let all = NEEDED.into_iter().zip(self.0);
        all.filter_map(|(name, is_missing)| is_missing.then_some(name))
    }
}

/// As a list of the names.
impl fmt::Debug for MissingVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        list.entries(self.names()).finish()
    }
}

impl fmt::Display for MissingVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.names().collect();
        write!(f, "unset or blank: {}", names.join(", "))
    }
}

impl std::error::Error for MissingVariables {}
