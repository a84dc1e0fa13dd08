//! The severities of risks.

use super::open_text::open_text;

open_text! {
    /// The severity of a finding's risk (Agent 365 2.0.0). Any text is allowed.
    pub enum RiskSeverity {
        /// No risk.
        None = "none",
        /// A low risk.
        Low = "low",
        /// A medium risk.
        Medium = "medium",
        /// A high risk.
        High = "high",
        /// A risk that needs immediate action.
        Critical = "critical",
    }
}
