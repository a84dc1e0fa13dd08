//! The authentication scope of token requests.

/// The authentication scope of token requests, for runtime 0.1.0.
///
/// It is the same in every environment. Runtime 2.0.0 has
/// [another scope](crate::runtime_v2::authentication_scope), which the environment can override.
#[must_use]
pub fn authentication_scope() -> &'static str {
    "https://api.powerplatform.com/.default"
}
