//! What a guardian decided.

use super::open_text::open_text;

open_text! {
    /// The decision of a guardian about content or an action (Agent 365 2.0.0).
    pub enum GuardrailDecision {
        /// It may proceed.
        Allow = "allow",
        /// It may proceed, and is kept for review.
        Audit = "audit",
        /// It is blocked.
        Deny = "deny",
        /// It was changed, for example redacted.
        Modify = "modify",
        /// It may proceed with a warning.
        Warn = "warn",
    }
}
