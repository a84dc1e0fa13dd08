//! Which tenant an agent works for.

use serde::{Deserialize, Serialize};

use super::TenantId;

/// Which tenant an agent works for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TenantDetails {
    /// The tenant's id.
    pub tenant_id: TenantId,
}

impl TenantDetails {
    /// With what must be known; the rest is optional.
    #[must_use]
    pub fn new(tenant_id: TenantId) -> Self {
        Self { tenant_id }
    }
}
