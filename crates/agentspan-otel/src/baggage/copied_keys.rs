//! The baggage keys that become attributes, in the order of the reference.

use agentspan_model::keys;

/// How many keys are copied to every span; the others are copied to spans of invocations only.
pub(super) const COMMON: usize = 15;

/// The keys, those for every span first.
pub(super) const COPIED_KEYS: [&str; 30] = [
    keys::TENANT_ID,
    keys::CUSTOM_PARENT_SPAN_ID,
    keys::CUSTOM_SPAN_NAME,
    keys::CORRELATION_ID,
    keys::GEN_AI_CONVERSATION_ID,
    keys::GEN_AI_CONVERSATION_ITEM_LINK,
    keys::GEN_AI_OPERATION_NAME,
    keys::GEN_AI_AGENT_ID,
    keys::GEN_AI_AGENT_NAME,
    keys::GEN_AI_AGENT_DESCRIPTION,
    keys::GEN_AI_AGENT_USER_ID,
    keys::GEN_AI_AGENT_UPN,
    keys::GEN_AI_AGENT_BLUEPRINT_ID,
    keys::GEN_AI_AGENT_AUID,
    keys::GEN_AI_AGENT_TYPE,
    keys::GEN_AI_CALLER_ID,
    keys::GEN_AI_CALLER_NAME,
    keys::GEN_AI_CALLER_UPN,
    keys::GEN_AI_CALLER_USER_ID,
    keys::GEN_AI_CALLER_TENANT_ID,
    keys::GEN_AI_CALLER_AGENT_ID,
    keys::GEN_AI_CALLER_AGENT_NAME,
    keys::GEN_AI_CALLER_AGENT_USER_ID,
    keys::GEN_AI_CALLER_AGENT_UPN,
    keys::GEN_AI_CALLER_AGENT_TENANT_ID,
    keys::GEN_AI_CALLER_AGENT_APPLICATION_ID,
    keys::GEN_AI_EXECUTION_TYPE,
    keys::GEN_AI_EXECUTION_SOURCE_ID,
    keys::GEN_AI_EXECUTION_SOURCE_NAME,
    keys::GEN_AI_EXECUTION_SOURCE_DESCRIPTION,
];

/// The place of `key` among the copied ones.
pub(super) fn place_of(key: &str) -> Option<usize> {
    COPIED_KEYS.iter().position(|copied| *copied == key)
}
