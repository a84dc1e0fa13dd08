//! The differences of release 0.1.0 of the GenAI conventions from version 1.41.0.

use crate::agent365::mapping::INVOKE_AGENT;
use crate::attribute::AttributeValue::{self, Static, Str};
use crate::attribute::{Key, KeyVisitor};
use crate::keys;

/// Passes the attributes of 1.41.0 on in the words of 0.1.0.
///
/// A workflow is an agent. An agent that runs in the program has no provider, no version and no id of a provider.
pub(super) struct InWordsOfV0_1<'v> {
    visitor: &'v mut dyn KeyVisitor,
    is_internal_agent: bool,
}

impl<'v> InWordsOfV0_1<'v> {
    pub(super) fn new(visitor: &'v mut dyn KeyVisitor, is_internal_agent: bool) -> Self {
        Self {
            visitor,
            is_internal_agent,
        }
    }
}

impl KeyVisitor for InWordsOfV0_1<'_> {
    fn visit_key(&mut self, key: Key, value: AttributeValue<'_>) {
        let Key::Static(name) = key else {
            return self.visitor.visit_key(key, value);
        };
        let (name, value) = match (name, value) {
            (keys::GEN_AI_OPERATION_NAME, Str("invoke_workflow") | Static("invoke_workflow")) => {
                (name, Static(INVOKE_AGENT))
            }
            (keys::GEN_AI_WORKFLOW_NAME, name) => (keys::GEN_AI_AGENT_NAME, name),
            (keys::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS, tokens) => {
                (keys::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, tokens)
            }
            (
                keys::GEN_AI_AGENT_ID | keys::GEN_AI_AGENT_VERSION | keys::GEN_AI_PROVIDER_NAME,
                _,
            ) if self.is_internal_agent => return,
            other => other,
        };
        self.visitor.visit_key(name.into(), value);
    }
}
