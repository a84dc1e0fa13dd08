//! Estimates the memory of spans and events, for queues that are bounded in bytes.

use std::borrow::Cow;

use super::{
    Agent, Component, ComponentValue, Event, Flow, Id, Json, JsonObject, LlmConfig, ManagerWorkers,
    Node, Sensitive, Span, Swarm, Timestamp, Tool,
};

/// A value that holds memory of its own, outside of itself.
pub(crate) trait Held {
    /// How many bytes it holds, roughly: the capacity of texts and lists. Components are shared, so that they
    /// count for nothing.
    fn held_bytes(&self) -> usize;
}

impl Event {
    /// An estimate of the memory that the event holds beside its own size, in bytes.
    ///
    /// Components are not counted: spans and events share them.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.id.held_bytes()
            + self.name.held_bytes()
            + self.description.held_bytes()
            + self.metadata.held_bytes()
            + self.details.held_bytes()
            + self.unknown.held_bytes()
    }
}

impl Span {
    /// An estimate of the memory that the span and its events hold beside its own size, in bytes.
    ///
    /// Components are not counted: spans and events share them.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let events = self.events.iter();
        let events = events.map(|event| size_of::<Event>() + event.held_bytes());
        self.id.held_bytes()
            + self.name.held_bytes()
            + self.description.held_bytes()
            + self.metadata.held_bytes()
            + self.details.held_bytes()
            + self.unknown_held_bytes()
            + events.sum::<usize>()
    }
}

macro_rules! hold_nothing {
    ($($type:ty),* $(,)?) => {
        $(
            impl Held for $type {
                #[inline]
                fn held_bytes(&self) -> usize {
                    0
                }
            }
        )*
    };
}

hold_nothing!(
    Agent,
    bool,
    Component,
    f64,
    Flow,
    i64,
    LlmConfig,
    ManagerWorkers,
    Node,
    Swarm,
    Timestamp,
    Tool,
);

impl Held for String {
    fn held_bytes(&self) -> usize {
        self.capacity()
    }
}

impl Held for Cow<'static, str> {
    fn held_bytes(&self) -> usize {
        match self {
            Self::Borrowed(_) => 0,
            Self::Owned(text) => text.held_bytes(),
        }
    }
}

impl Held for Id {
    fn held_bytes(&self) -> usize {
        self.heap_bytes()
    }
}

impl Held for Json {
    fn held_bytes(&self) -> usize {
        self.as_str().len()
    }
}

impl Held for JsonObject {
    fn held_bytes(&self) -> usize {
        if self.is_empty() {
            0
        } else {
            self.as_str().len()
        }
    }
}

impl Held for ComponentValue {
    fn held_bytes(&self) -> usize {
        match self {
            Self::Component(_) => 0,
            Self::List(values) => held_by_each(values),
            Self::Map(members) => held_by_members(members),
            Self::Json(json) => json.held_bytes(),
        }
    }
}

/// The bytes that named values and their list hold.
pub(crate) fn held_by_members(members: &[(Box<str>, ComponentValue)]) -> usize {
    let each = members.iter().map(|(name, value)| {
        size_of::<(Box<str>, ComponentValue)>() + name.len() + value.held_bytes()
    });
    each.sum()
}

fn held_by_each<T: Held>(values: &[T]) -> usize {
    let each = values.iter().map(Held::held_bytes);
    size_of_val(values) + each.sum::<usize>()
}

impl<T: Held> Held for Vec<T> {
    fn held_bytes(&self) -> usize {
        held_by_each(self)
    }
}

impl<T: Held> Held for Option<T> {
    fn held_bytes(&self) -> usize {
        self.as_ref().map_or(0, Held::held_bytes)
    }
}

impl<T: Held> Held for Sensitive<T> {
    fn held_bytes(&self) -> usize {
        self.reveal().map_or(0, Held::held_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agentspec::{
        EventDetails, ExceptionRaised, HumanInTheLoopRequest, LlmGenerationRequest,
        LlmGenerationResponse, Message, SpanDetails, ToolCall, ToolExecutionRequest,
    };

    const TEXT: usize = 100_000;

    fn text() -> String {
        "x".repeat(TEXT)
    }

    /// Each content counts once, and little else does.
    #[track_caller]
    fn check(details: impl Into<EventDetails>, texts: usize) {
        let event = Event::new(Id::random(), Timestamp::from_unix_nanos(0), details);
        let held = event.held_bytes();
        assert!(
            (texts * TEXT..texts * TEXT + 2_000).contains(&held),
            "{held} bytes for {texts} texts in {event:?}"
        );
        let span = Span::new(Id::random(), SpanDetails::Plain).with_event(event);
        let of_span = span.held_bytes();
        assert!((held..held + 2_000).contains(&of_span), "{of_span} bytes");
    }

    #[test]
    fn what_people_models_and_tools_say_counts_with_its_length() {
        let llm = LlmConfig::try_from(
            Component::builder("OpenAiConfig", "m")
                .with_text("model_id", text())
                .build(),
        )
        .unwrap();
        let tool = Tool::try_from(Component::builder("ServerTool", "t").build()).unwrap();
        let json = || JsonObject::from_serialize(&serde_json::json!({"a": text()})).unwrap();

        check(EventDetails::Plain, 0);
        let prompt = vec![Message::new("user", text()), Message::new("user", text())];
        check(LlmGenerationRequest::new(llm.clone(), prompt, "id"), 2);
        let call = ToolCall::new("call", text(), text());
        let answer = LlmGenerationResponse::new(llm, "id")
            .with_content(text())
            .with_tool_calls(vec![call]);
        check(answer, 3);
        check(ToolExecutionRequest::new(tool, json(), "id"), 1);
        check(ExceptionRaised::new("Timeout", text()), 1);
        check(HumanInTheLoopRequest::new(text(), json()), 2);
    }

    #[test]
    fn what_an_unknown_type_of_event_says_counts_too() {
        let dump = serde_json::json!({
            "type": "Newer", "id": "1", "name": "n", "description": "", "metadata": {},
            "timestamp": 1, "content": text(), "list": [{"more": text()}],
        });
        let event = Event::from_json(&dump.to_string()).unwrap();
        let held = event.held_bytes();
        assert!((2 * TEXT..2 * TEXT + 2_000).contains(&held), "{held} bytes");
    }
}
