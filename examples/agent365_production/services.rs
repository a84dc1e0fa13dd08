//! Entra and Agent 365, played in this process.

use agentspan_testkit::{Agent365, Answer, Entra, Proof, StartError};

pub(crate) const BLUEPRINT: &str = "a0000000-0000-0000-0000-0000000000b1";
pub(crate) const SECRET: &str = "a-secret-for-the-loopback";

/// A tenant with its agent.
pub(crate) struct Customer {
    name: &'static str,
    pub(crate) tenant: &'static str,
    pub(crate) agent: &'static str,
}

pub(crate) const CONTOSO: Customer = Customer {
    name: "contoso",
    tenant: "e3064512-cc6d-4703-be71-a2ecaecaa98a",
    agent: "a0000000-0000-0000-0000-00000000000a",
};

pub(crate) const FABRIKAM: Customer = Customer {
    name: "fabrikam",
    tenant: "f3064512-cc6d-4703-be71-a2ecaecaa98b",
    agent: "a0000000-0000-0000-0000-00000000000c",
};

/// The name of a tenant that is known.
pub(crate) fn name_of(tenant: &str) -> &'static str {
    let known = [CONTOSO, FABRIKAM]
        .into_iter()
        .find(|one| one.tenant == tenant);
    known.map_or("a stranger", |one| one.name)
}

pub(crate) struct Services {
    pub(crate) entra: Entra,
    pub(crate) agent365: Agent365,
}

impl Services {
    /// Both customers are known to Entra, and one has no licence of Agent 365.
    pub(crate) fn start() -> Result<Self, StartError> {
        Ok(Self {
            entra: Entra::builder()
                .blueprint(BLUEPRINT, Proof::secret(SECRET))
                .agent(CONTOSO.tenant, CONTOSO.agent, BLUEPRINT)
                .agent(FABRIKAM.tenant, FABRIKAM.agent, BLUEPRINT)
                .start()?,
            agent365: Agent365::builder()
                .without_licence(FABRIKAM.tenant)
                .start()?,
        })
    }

    /// Agent 365 refuses the next request as it refuses a token that has expired.
    pub(crate) fn refuse_a_token(&self) {
        self.agent365.play([Answer::status(401)]);
    }

    /// How many spans Agent 365 has with all attributes that are mandatory.
    pub(crate) fn rows(&self) -> usize {
        let rows = self.agent365.rows();
        rows.iter().filter(|row| row.missing.is_empty()).count()
    }
}
