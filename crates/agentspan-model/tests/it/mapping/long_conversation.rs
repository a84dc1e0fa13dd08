//! Long conversations are whole in every vocabulary.

use agentspan_model::agent365::Profile;
use agentspan_model::agentspec::{
    Component, Event, Id, LlmConfig, LlmGenerationRequest, LlmGenerationSpan, Message, Span,
    Timestamp,
};
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};

use super::shown::Shown;

fn conversation(messages: usize) -> Span {
    let model = Component::builder("OpenAiConfig", "main")
        .with_id("llm")
        .with_text("model_id", "gpt-4o")
        .build();
    let model = LlmConfig::try_from(model).unwrap();
    let prompt = (0..messages)
        .map(|n| Message::new("user", format!("message-{n}-end")))
        .collect();
    let request = LlmGenerationRequest::new(model.clone(), prompt, "request-1");
    let event = Event::new(Id::from("e"), Timestamp::from_unix_nanos(1), request);
    Span::new(Id::from("s"), LlmGenerationSpan::new(model)).with_event(event)
}

#[test]
fn a_conversation_of_200_messages_is_whole_in_every_vocabulary() {
    let span = conversation(200);
    for (rendering, most_keys) in [
        (Rendering::GenAi, 128),
        (Rendering::Agent365(Profile::V0_1), 128),
        (Rendering::Agent365(Profile::V2), 128),
        (Rendering::OpenInference, 500),
    ] {
        let mapping = Mapping::new(rendering).with_capture(ContentCapture::SpanOnly);
        let shown = Shown::of_span(&mapping, &span);
        assert!(shown.0.len() < most_keys, "{rendering:?}");
        for n in 0..200 {
            let text = format!("message-{n}-end");
            assert!(shown.contains(&text), "{rendering:?} lacks {text}");
        }
    }
}

#[test]
fn each_message_of_open_inference_has_its_own_keys() {
    let mapping = Mapping::new(Rendering::OpenInference).with_capture(ContentCapture::SpanOnly);
    let shown = Shown::of_span(&mapping, &conversation(200));
    shown.check("llm.input_messages.199.message.content", "message-199-end");
}
