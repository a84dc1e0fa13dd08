//! The additions and changes of `microsoft-agents-a365-runtime` 2.0.0 since 0.1.0.
//!
//! Endpoints, switches, the app id of a token and the resolution of an agent's identity are the
//! same in both, and are in the root of this crate.

mod agent_id;
mod application_name;
mod authentication_scope;
mod user_agent;

pub use agent_id::unverified_agent_id;
pub use application_name::application_name;
pub use authentication_scope::authentication_scope;
pub use user_agent::UserAgent;
