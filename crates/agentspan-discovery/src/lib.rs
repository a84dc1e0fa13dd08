//! Endpoints of Agent 365, environment variables, and claims of tokens.
//!
//! The crate never opens a connection. All results depend only on the arguments, except for
//! [`Environment::from_process`], which reads the process's environment once.
//!
//! ```
//! use agentspan_discovery::{ClusterCategory, Environment, Switches};
//! use agentspan_model::agent365::TenantId;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tenant = TenantId::parse("e3064512-cc6d-4703-be71-a2ecaecaa98a")?;
//! let cluster: ClusterCategory = "prod".parse()?;
//! assert_eq!(
//!     cluster.tenant_island_cluster_endpoint(&tenant)?,
//!     "il-e3064512cc6d4703be71a2ecaecaa9.8a.tenant.api.powerplatform.com",
//! );
//!
//! let environment = Environment::from_iter([("ENABLE_OBSERVABILITY", "Yes")]);
//! assert!(Switches::read(&environment).observability_enabled());
//! # Ok(())
//! # }
//! ```
//!
//! # What is where
//!
//! - [`ClusterCategory`]: the clouds, and the hosts of each cloud for tokens and tenants.
//! - [`Environment`] and [`Switches`]: the variables that are read, and their meaning.
//! - [`standard_variables`] and [`agent365_variables`]: all variables, and whether we honour them.
//!   [`values`]: how their values are parsed.
//! - [`DomainOverride`]: a host that replaces the service's own.
//! - [`unverified_app_id`], [`resolve_agent_identity`]: the caller that a token or an activity *claims*. The
//!   result is an [`UnverifiedId`], because no signature was checked.
//! - [`unverified_permissions`], [`unverified_is_delegated`], [`unverified_expiry`]: the permissions that a token
//!   claims, whether they are of a user, and its expiry.
//! - [`authentication_scope`]: the scope to request a token for. [`scope_overrides_disagree`]: whether two variables
//!   name different ones.
//! - [`ShownValue`]: a value from outside, made safe for logs and errors.
//! - [`runtime_v2`]: additions and differences of runtime 2.0.0. [`runtime_v3`]: those of its successor.
//!
//! Unless an item says otherwise, it behaves like `microsoft-agents-a365-runtime` 0.1.0.

#![doc(html_root_url = "https://docs.rs/agentspan-discovery/latest")]

pub mod agent365_variables;
mod agent_identity;
mod authentication_scope;
mod cluster_category;
mod domain_override;
mod environment;
mod python_text;
pub mod runtime_v2;
pub mod runtime_v3;
mod scope_override;
mod shown_value;
pub mod standard_variables;
mod switches;
mod tenant_endpoint;
mod token_claims;
mod token_grants;
mod unverified_id;
pub mod values;
mod variable;

pub use agent_identity::{Activity, resolve_agent_identity};
pub use authentication_scope::authentication_scope;
pub use cluster_category::{ClusterCategory, UnknownClusterCategory};
pub use domain_override::{DomainOverride, DomainOverrideError};
pub use environment::Environment;
pub use scope_override::scope_overrides_disagree;
pub use shown_value::ShownValue;
pub use switches::Switches;
pub use tenant_endpoint::TenantEndpointError;
pub use token_claims::unverified_app_id;
pub use token_grants::{unverified_expiry, unverified_is_delegated, unverified_permissions};
pub use unverified_id::{NIL_ID, UnverifiedId};
pub use variable::{Support, Variable};
