//! A conversation of 200 messages, which must arrive whole.

use agentspan_model::agentspec::{
    Component, LlmConfig, LlmGenerationRequest, LlmGenerationResponse, LlmGenerationSpan, Message,
};
use agentspan_processor::{Span, TraceError};

use crate::assistant::component;

/// More attributes than the SDK keeps by default, when each message is flattened into its own.
const MESSAGES: usize = 200;

/// Asks the model with all that was said before.
pub(crate) fn work() -> Result<(), TraceError> {
    let model = Component::builder("OpenAiConfig", "main model")
        .with_text("model_id", "gpt-4o")
        .build();
    let model: LlmConfig = component(model);
    let prompt = (0..MESSAGES)
        .map(|index| {
            let role = if index % 2 == 0 { "user" } else { "assistant" };
            Message::new(role, format!("message {index} of the conversation"))
        })
        .collect();
    Span::builder(LlmGenerationSpan::new(model.clone())).in_span(|span| {
        span.add_event(LlmGenerationRequest::new(model.clone(), prompt, "ask-1"))?;
        let response = LlmGenerationResponse::new(model, "ask-1")
            .with_content("message 200 of the conversation")
            .with_input_tokens(1400)
            .with_output_tokens(7);
        span.add_event(response)
    })
}
