//! Where Agent 365 lives and what the environment asks for: endpoints, switches, claims of a token.
//!
//! Nothing here talks to a network. Everything is a function of what it is given, except
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
//! - [`ClusterCategory`]: the clouds, and the hosts that each of them has for tokens and tenants.
//! - [`Environment`] and [`Switches`]: the variables that are read, and what they mean.
//! - [`standard_variables`] and [`agent365_variables`]: the variables that exist, and which of them count;
//!   [`values`]: how their values are read.
//! - [`DomainOverride`]: another host than the service's own.
//! - [`unverified_app_id`], [`resolve_agent_identity`]: what a token or an activity *says* about who
//!   is calling. Their result is an [`UnverifiedId`], because nobody has checked it.
//! - [`unverified_permissions`], [`unverified_expiry`]: what a token says it is good for, and until when.
//! - [`authentication_scope`]: the scope to request a token for.
//! - [`ShownValue`]: what logs and errors show of a value from outside.
//! - [`runtime_v2`]: what runtime 2.0.0 added or does differently.
//!
//! Unless a page says otherwise, behaviour is that of `microsoft-agents-a365-runtime` 0.1.0.

pub mod agent365_variables;
mod agent_identity;
mod authentication_scope;
mod cluster_category;
mod domain_override;
mod environment;
mod python_text;
pub mod runtime_v2;
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
pub use shown_value::ShownValue;
pub use switches::Switches;
pub use tenant_endpoint::TenantEndpointError;
pub use token_claims::unverified_app_id;
pub use token_grants::{unverified_expiry, unverified_permissions};
pub use unverified_id::{NIL_ID, UnverifiedId};
pub use variable::{Support, Variable};
