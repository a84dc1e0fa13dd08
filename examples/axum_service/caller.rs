//! The caller of a request: replace this with your authentication.

use std::collections::HashMap;

use agentspan::model::agent365::IdentityError;
use agentspan::prelude::*;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// A tenant, and the agent that works for it.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) tenant: TenantDetails,
    pub(crate) agent: AgentDetails,
}

impl Caller {
    /// For whom a request of this caller is served.
    pub(crate) fn identity(&self) -> Identity {
        Identity::new(self.tenant.tenant_id.clone(), self.agent.agent_id.clone())
    }
}

/// The callers by their keys.
#[derive(Debug)]
pub(crate) struct Directory(HashMap<&'static str, Caller>);

impl Directory {
    pub(crate) fn new() -> Result<Self, IdentityError> {
        let caller = |tenant: &str, agent: &str| {
            Ok(Caller {
                tenant: TenantDetails::new(TenantId::parse(tenant)?),
                agent: AgentDetails::new(AgentId::parse(agent)?).with_name("Librarian"),
            })
        };
        Ok(Self(HashMap::from([
            (
                "key-of-contoso",
                caller("e3064512-cc6d-4703-be71-a2ecaecaa98a", "a-contoso")?,
            ),
            (
                "key-of-fabrikam",
                caller("0c1f2ab5-6a6e-4f0b-8b6f-1f6d3f6f5b11", "a-fabrikam")?,
            ),
        ])))
    }

    /// The caller whose key the headers hold. What they say about tenants is not asked.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Option<&Caller> {
        let authorization = headers.get(AUTHORIZATION)?.to_str().ok()?;
        self.0.get(authorization.strip_prefix("Bearer ")?)
    }
}
