//! The decisions of a guardian.

use super::open_text::open_text;

open_text! {
    /// The decision of a guardian about content or an action (Agent 365 2.0.0).
    pub enum GuardrailDecision {
        /// The content or action is allowed.
        Allow = "allow",
        /// It is allowed, and kept for review.
        Audit = "audit",
        /// It is blocked.
        Deny = "deny",
        /// It was changed, for example redacted.
        Modify = "modify",
        /// It is allowed with a warning.
        Warn = "warn",
    }
}
