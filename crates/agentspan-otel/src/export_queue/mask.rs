//! Hides contents in a copy of a span.

use agentspan_model::agentspec::MASK;
use agentspan_model::keys;
use opentelemetry::KeyValue;
use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::SpanData;

pub(super) fn mask(span: &mut SpanData) {
    mask_attributes(&mut span.attributes);
    for event in &mut span.events.events {
        mask_attributes(&mut event.attributes);
    }
    for link in &mut span.links.links {
        mask_attributes(&mut link.attributes);
    }
    // An error's description is the text that `error.message` holds too.
    if let Status::Error { description } = &mut span.status {
        if !description.is_empty() {
            *description = MASK.into();
        }
    }
}

fn mask_attributes(attributes: &mut [KeyValue]) {
    for attribute in attributes {
        if is_content(attribute.key.as_str()) {
            attribute.value = MASK.into();
        }
    }
}

fn is_content(key: &str) -> bool {
    keys::CONTENT.contains(&key)
        || key.starts_with(keys::LLM_INPUT_MESSAGES)
        || key.starts_with(keys::LLM_OUTPUT_MESSAGES)
}
