//! A risk that a guardian found.

use serde::{Deserialize, Serialize};

use super::{GuardrailDecision, RiskSeverity};

/// A risk that a guardian found (Agent 365 2.0.0). One evaluation may find several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GuardrailFinding {
    /// The kind of risk, such as `prompt_injection`, `jailbreak` or `pii`.
    pub risk_category: String,
    /// The severity of the risk.
    pub risk_severity: RiskSeverity,
    /// The decision of the policy alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_decision_type: Option<GuardrailDecision>,
    /// The id of the policy that found the risk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    /// The name of the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
    /// The version of the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<String>,
    /// The confidence of the guardian, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_score: Option<f64>,
    /// Facts about the risk. They must hold neither contents nor personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_metadata: Option<Vec<String>>,
}

impl GuardrailFinding {
    /// Creates it with the required values. The other values are optional.
    #[must_use]
    pub fn new(risk_category: impl Into<String>, risk_severity: impl Into<RiskSeverity>) -> Self {
        Self {
            risk_category: risk_category.into(),
            risk_severity: risk_severity.into(),
            policy_decision_type: None,
            policy_id: None,
            policy_name: None,
            policy_version: None,
            risk_score: None,
            risk_metadata: None,
        }
    }

    /// Sets the decision of the policy alone.
    #[must_use]
    pub fn with_policy_decision(mut self, decision: impl Into<GuardrailDecision>) -> Self {
        self.policy_decision_type = Some(decision.into());
        self
    }

    /// Sets the id of the policy that found it.
    #[must_use]
    pub fn with_policy_id(mut self, policy_id: impl Into<String>) -> Self {
        self.policy_id = Some(policy_id.into());
        self
    }

    /// Sets the name of the policy.
    #[must_use]
    pub fn with_policy_name(mut self, policy_name: impl Into<String>) -> Self {
        self.policy_name = Some(policy_name.into());
        self
    }

    /// Sets the version of the policy.
    #[must_use]
    pub fn with_policy_version(mut self, policy_version: impl Into<String>) -> Self {
        self.policy_version = Some(policy_version.into());
        self
    }

    /// Sets the confidence of the guardian, from 0 to 1.
    #[must_use]
    pub fn with_risk_score(mut self, risk_score: f64) -> Self {
        self.risk_score = Some(risk_score);
        self
    }

    /// Sets facts about the risk, without contents and personal data.
    #[must_use]
    pub fn with_risk_metadata(
        mut self,
        risk_metadata: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.risk_metadata = Some(risk_metadata.into_iter().map(Into::into).collect());
        self
    }
}
