//! A normal span in the words of a rendering.

use super::facts::{NormalSpan, OperationName};
use super::words::text;
use super::{gen_ai, open_inference};
use crate::attribute::KeyVisitor;
use crate::keys::{self, dialects};
use crate::mapping::Rendering;
use crate::mapping::gen_ai_v0_1::InWordsOfV0_1;

impl NormalSpan {
    /// Shows what the span says in the words of a rendering. No key is shown twice.
    ///
    /// A fact for which a vocabulary has no word is shown in that of the GenAI conventions.
    /// [`Rendering::AgentSpec`] shows nothing: that vocabulary is that of Agent Spec spans.
    pub fn visit(&self, rendering: Rendering, visitor: &mut impl KeyVisitor) {
        let visitor: &mut dyn KeyVisitor = visitor;
        match rendering {
            Rendering::AgentSpec => return,
            Rendering::GenAi | Rendering::Agent365(_) => gen_ai::visit(self, rendering, visitor),
            Rendering::GenAiV0_1 => {
                let runs_agent = matches!(
                    self.operation,
                    OperationName::InvokeAgent | OperationName::InvokeWorkflow
                );
                let mut words = InWordsOfV0_1::new(visitor, runs_agent && !self.is_client);
                gen_ai::visit(self, rendering, &mut words);
            }
            Rendering::OpenInference => open_inference::visit(self, visitor),
        }
        let error_type = self.error.as_ref().and_then(|e| e.error_type.as_deref());
        text(keys::ERROR_TYPE, error_type, visitor);
    }
}

/// Whether an attribute says nothing but how `tracing` is used.
#[must_use]
pub fn is_tracing_noise(key: &str) -> bool {
    let prefixes = dialects::TRACING_NOISE_PREFIXES;
    dialects::TRACING_NOISE.contains(&key) || prefixes.iter().any(|prefix| key.starts_with(prefix))
}
