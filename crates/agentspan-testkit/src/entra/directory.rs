//! The known applications and users.

use std::collections::{HashMap, HashSet};

use super::proof::Proof;
use crate::id::Id;

/// Blueprints, agents with their tenants, and users of agents.
#[derive(Debug, Default)]
pub(super) struct Directory {
    blueprints: HashMap<Id, Proof>,
    agents: HashMap<Id, Agent>,
    consents: HashSet<(Id, Id)>,
}

#[derive(Debug)]
pub(super) struct Agent {
    pub(super) tenant: Id,
    pub(super) blueprint: Id,
    /// Object id and principal name.
    users: Vec<(String, String)>,
}

impl Directory {
    pub(super) fn replace_proof(&mut self, blueprint: &str, proof: Proof) {
        self.blueprints.insert(Id::new(blueprint), proof);
    }

    pub(super) fn add_agent(&mut self, tenant: &str, id: &str, blueprint: &str) {
        let agent = Agent {
            tenant: Id::new(tenant),
            blueprint: Id::new(blueprint),
            users: Vec::new(),
        };
        self.agents.insert(Id::new(id), agent);
    }

    pub(super) fn add_user(&mut self, agent: &str, id: &str, name: &str) {
        if let Some(agent) = self.agents.get_mut(&Id::new(agent)) {
            agent.users.push((id.to_owned(), name.to_owned()));
        }
    }

    pub(super) fn consent(&mut self, tenant: &str, agent: &str) {
        self.consents.insert((Id::new(tenant), Id::new(agent)));
    }

    pub(super) fn has_consent(&self, tenant: &str, agent: &str) -> bool {
        self.consents.contains(&(Id::new(tenant), Id::new(agent)))
    }

    pub(super) fn blueprint(&self, id: &str) -> Option<&Proof> {
        self.blueprints.get(&Id::new(id))
    }

    pub(super) fn agent(&self, id: &str) -> Option<&Agent> {
        self.agents.get(&Id::new(id))
    }
}

impl Agent {
    /// The object id of the user with this id or name.
    pub(super) fn user(&self, id: Option<&str>, name: Option<&str>) -> Option<&str> {
        let is_it = |user: &&(String, String)| match (id, name) {
            (Some(id), None) => user.0.eq_ignore_ascii_case(id),
            (None, Some(name)) => user.1.eq_ignore_ascii_case(name),
            _ => false,
        };
        let (id, _) = self.users.iter().find(is_it)?;
        Some(id)
    }
}
