//! How bad a risk is.

use super::open_text::open_text;

open_text! {
    /// How bad the risk of a finding is (Agent 365 2.0.0); any text will do.
    pub enum RiskSeverity {
        /// No risk.
        None = "none",
        /// A low risk.
        Low = "low",
        /// A medium risk.
        Medium = "medium",
        /// A high risk.
        High = "high",
        /// A risk that calls for action at once.
        Critical = "critical",
    }
}
