//! The tenant of an agent.

use serde::{Deserialize, Serialize};

use super::TenantId;

/// The tenant of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TenantDetails {
    /// The tenant's id.
    pub tenant_id: TenantId,
}

impl TenantDetails {
    /// Creates it with the required values. The other values are optional.
    #[must_use]
    pub fn new(tenant_id: TenantId) -> Self {
        Self { tenant_id }
    }
}
