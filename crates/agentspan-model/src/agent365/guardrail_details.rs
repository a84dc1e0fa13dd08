//! An evaluation by a guardian.

use serde::{Deserialize, Serialize};

use super::{GuardrailDecision, GuardrailTarget};
use crate::masked::debug_masked;

/// An evaluation of content or an action by a guardian (Agent 365 2.0.0).
///
/// `Debug` masks the reason, which may repeat the evaluated content.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GuardrailDetails {
    /// The kind of content or action that is evaluated.
    pub target_type: GuardrailTarget,
    /// The guardian's decision. The scope can record a later decision.
    pub decision_type: GuardrailDecision,
    /// The name of the guardian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian_name: Option<String>,
    /// The id of the guardian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian_id: Option<String>,
    /// The provider of the guardian, such as `azure.ai.content_safety`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian_provider_name: Option<String>,
    /// The version of the guardian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian_version: Option<String>,
    /// The id of the evaluated content or action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    /// The reason of the decision, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_reason: Option<String>,
    /// The reason code of the decision, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_code: Option<String>,
    /// The id of the policy that led to the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    /// The name of the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
    /// The version of the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<String>,
    /// The hash of the content, to identify it later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_input_hash: Option<String>,
    /// Whether the guardian changed the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_modified: Option<bool>,
    /// The id of the evaluation in another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_event_id: Option<String>,
}

debug_masked!(GuardrailDetails
    shows {
        target_type, decision_type, guardian_name, guardian_id, guardian_provider_name, guardian_version, target_id,
        decision_code, policy_id, policy_name, policy_version, content_input_hash, content_modified, external_event_id
    }
    hides { decision_reason });

macro_rules! setters {
    ($($(#[$doc:meta])* $setter:ident => $field:ident;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $setter(mut self, $field: impl Into<String>) -> Self {
                self.$field = Some($field.into());
                self
            }
        )*
    };
}

impl GuardrailDetails {
    /// Creates it with the required values. The other values are optional.
    #[must_use]
    pub fn new(
        target_type: impl Into<GuardrailTarget>,
        decision_type: impl Into<GuardrailDecision>,
    ) -> Self {
        Self {
            target_type: target_type.into(),
            decision_type: decision_type.into(),
            guardian_name: None,
            guardian_id: None,
            guardian_provider_name: None,
            guardian_version: None,
            target_id: None,
            decision_reason: None,
            decision_code: None,
            policy_id: None,
            policy_name: None,
            policy_version: None,
            content_input_hash: None,
            content_modified: None,
            external_event_id: None,
        }
    }

    setters! {
        /// Sets the name of the guardian, which becomes part of the span's name.
        with_guardian_name => guardian_name;
        /// Sets the id of the guardian.
        with_guardian_id => guardian_id;
        /// Sets the provider of the guardian.
        with_guardian_provider_name => guardian_provider_name;
        /// Sets the version of the guardian.
        with_guardian_version => guardian_version;
        /// Sets the id of the evaluated content or action.
        with_target_id => target_id;
        /// Sets the reason of the decision, for people.
        with_decision_reason => decision_reason;
        /// Sets the reason code of the decision, for programs.
        with_decision_code => decision_code;
        /// Sets the id of the policy that led to the decision.
        with_policy_id => policy_id;
        /// Sets the name of the policy.
        with_policy_name => policy_name;
        /// Sets the version of the policy.
        with_policy_version => policy_version;
        /// Sets the hash of the content.
        with_content_input_hash => content_input_hash;
        /// Sets the id of the evaluation in another system.
        with_external_event_id => external_event_id;
    }

    /// Sets whether the guardian changed the content.
    #[must_use]
    pub fn with_content_modified(mut self, content_modified: impl Into<Option<bool>>) -> Self {
        self.content_modified = content_modified.into();
        self
    }
}
