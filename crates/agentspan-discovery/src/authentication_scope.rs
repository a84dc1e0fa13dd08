//! The scope that a token for the service is requested with.

/// The scope to request a token with, for runtime 0.1.0.
///
/// It is the same in every environment. Runtime 2.0.0 has
/// [another one](crate::runtime_v2::authentication_scope), which can be overridden.
#[must_use]
pub fn authentication_scope() -> &'static str {
    "https://api.powerplatform.com/.default"
}
