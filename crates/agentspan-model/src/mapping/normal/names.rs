//! The name of a span, and its kind, in the words of a rendering.

use std::borrow::Cow;

use super::facts::{NormalSpan, OperationName};
use crate::agent365::{InferenceOperationType, mapping};
use crate::mapping::{Rendering, SpanKind};

impl NormalSpan {
    /// The operation's name in a rendering.
    #[must_use]
    pub fn operation_name(&self, rendering: Rendering) -> &str {
        let profile = match (rendering, &self.operation) {
            (Rendering::Agent365(profile), _) => profile,
            (Rendering::GenAiV0_1, OperationName::InvokeWorkflow) => return mapping::INVOKE_AGENT,
            _ => return self.operation.as_str(),
        };
        let inference = match &self.operation {
            OperationName::Chat => InferenceOperationType::Chat,
            OperationName::TextCompletion => InferenceOperationType::TextCompletion,
            OperationName::GenerateContent => InferenceOperationType::GenerateContent,
            // In Agent 365, whatever runs agents is invoked as an agent.
            OperationName::InvokeWorkflow => return mapping::INVOKE_AGENT,
            other => return other.as_str(),
        };
        profile.inference_operation(inference)
    }

    /// The name of the span: operation and model, agent or tool, as the conventions have it.
    ///
    /// `own` is the name that it has, which it keeps where the conventions say nothing else.
    #[must_use]
    pub fn span_name<'a>(&self, own: &'a str, rendering: Rendering) -> Cow<'a, str> {
        let of = match &self.operation {
            operation if operation.is_inference() => self.call.model(),
            OperationName::Embeddings => self.call.model(),
            OperationName::InvokeAgent
            | OperationName::CreateAgent
            | OperationName::InvokeWorkflow => self.agent.name.as_deref(),
            OperationName::ExecuteTool => self.tool.name.as_deref(),
            _ => return own.into(),
        };
        let operation = self.operation_name(rendering);
        match of {
            Some(of) => format!("{operation} {of}").into(),
            None if self.operation.is_inference() => operation.to_owned().into(),
            None => own.into(),
        }
    }

    /// The kind of the span, where the vocabulary has one for what it does.
    #[must_use]
    pub fn span_kind(&self, rendering: Rendering) -> Option<SpanKind> {
        let is_call = self.operation.is_inference() || self.operation == OperationName::Embeddings;
        let is_agent = matches!(
            self.operation,
            OperationName::InvokeAgent | OperationName::InvokeWorkflow
        );
        let is_remote = is_call || (is_agent && matches!(rendering, Rendering::Agent365(_)));
        is_remote.then_some(SpanKind::Client)
    }
}
