//! Rows: a long prompt written in the words of a destination, by the message and by the byte.
//!
//! A call of a model that was asked 200 messages of 100 bytes, and one that was asked a message of
//! 1 MB. What the rendering shows is copied into a reused buffer, keys included.

use std::fmt::Write as _;
use std::hint::black_box;

use agentspan_model::agent365::{Profile, json_array_text};
use agentspan_model::agentspec::{
    Component, Event, Id, LlmConfig, LlmGenerationRequest, LlmGenerationResponse,
    LlmGenerationSpan, Message, Span, Timestamp,
};
use agentspan_model::attribute::{AttributeValue, Key};
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering, SpanInTrace};

use crate::error::BenchError;
use crate::goal::Goal;
use crate::metric::Metric;
use crate::row::{Contender, Row};

const RENDERINGS: [(&str, Rendering); 3] = [
    ("GenAI", Rendering::GenAi),
    ("OpenInference", Rendering::OpenInference),
    ("Agent 365 0.1.0", Rendering::Agent365(Profile::V0_1)),
];

const MESSAGES: usize = 200;

const MESSAGE_BYTES: usize = 100;

const LONG: usize = 1_000_000;

/// 200 messages of 100 bytes.
pub(crate) fn messages() -> Result<Row, BenchError> {
    let prompt = || vec![Message::new("user", words(MESSAGE_BYTES)); MESSAGES];
    let title = "a prompt of 200 messages of 100 bytes in the words of a destination";
    let row = Row::turns("render", title, MESSAGES).counting("message");
    with_goals(row, prompt, "a message of a prompt of 200", 600.0)
}

/// One message of a megabyte.
pub(crate) fn long() -> Result<Row, BenchError> {
    let prompt = || vec![Message::new("user", words(LONG))];
    let title = "a prompt of 1 MB in the words of a destination";
    let row = Row::turns("render-1mb", title, LONG)
        .counting("byte")
        .rounds(31);
    with_goals(row, prompt, "a byte of a prompt of 1 MB", 1.5)
}

fn with_goals(
    row: Row,
    prompt: impl Fn() -> Vec<Message>,
    what: &'static str,
    nanos: f64,
) -> Result<Row, BenchError> {
    RENDERINGS
        .into_iter()
        .try_fold(row, |row, (name, rendering)| {
            let goal = Goal::new(what, Metric::Caller, name);
            let row = row.contender(Rendered::new(name, rendering, prompt())?);
            Ok(row.goal(goal.at_most(nanos).of_figure(10)))
        })
}

/// Text with a quote now and then, as messages have them.
fn words(bytes: usize) -> String {
    let words = "Will it rain in \"Seattle\" tomorrow, and how much of it? ";
    words.chars().cycle().take(bytes).collect()
}

struct Rendered {
    name: &'static str,
    mapping: Mapping,
    span: Span,
    out: String,
}

impl Rendered {
    fn new(
        name: &'static str,
        rendering: Rendering,
        prompt: Vec<Message>,
    ) -> Result<Self, BenchError> {
        let model = Component::builder("OpenAiConfig", "main").with_text("model_id", "gpt-4o");
        let model = LlmConfig::try_from(model.build())
            .map_err(|error| BenchError::set_up("a model")(error.into()))?;
        let at = Timestamp::from_unix_nanos(1_765_000_000_000_000_000);
        let request = LlmGenerationRequest::new(model.clone(), prompt, "request");
        let response = LlmGenerationResponse::new(model.clone(), "request").with_content("Yes.");
        let mut span = Span::new(Id::random(), LlmGenerationSpan::new(model));
        span.events = vec![
            Event::new(Id::random(), at, request).into(),
            Event::new(Id::random(), at, response).into(),
        ];
        Ok(Self {
            name,
            mapping: Mapping::new(rendering).with_capture(ContentCapture::SpanAndEvent),
            span,
            out: String::new(),
        })
    }
}

impl Contender for Rendered {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self) {
        let out = &mut self.out;
        out.clear();
        let span = SpanInTrace::new(black_box(&self.span));
        self.mapping
            .visit_span(&span, &mut |key: Key, value: AttributeValue<'_>| {
                match key {
                    Key::Static(key) => out.push_str(key),
                    // Writing to memory cannot fail.
                    key => drop(write!(out, "{key}")),
                }
                match value {
                    AttributeValue::Str(text) => out.push_str(text),
                    AttributeValue::Static(text) => out.push_str(text),
                    AttributeValue::JsonArrayText(texts) => out.push_str(&json_array_text(texts)),
                    AttributeValue::JsonArrayOfStrs(texts) => {
                        out.push_str(&json_array_text(texts));
                    }
                    other => {
                        black_box(other);
                    }
                }
            });
        black_box(&self.out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rendering_shows_every_message() {
        for (name, rendering) in RENDERINGS {
            let prompt = vec![Message::new("user", words(MESSAGE_BYTES)); MESSAGES];
            let mut rendered = Rendered::new(name, rendering, prompt).unwrap();
            rendered.run();
            let found = rendered.out.matches("Will it rain in").count();
            assert!(found >= 2 * MESSAGES, "{name} shows {found}");
        }
    }
}
