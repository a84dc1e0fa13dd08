//! Agent Spec spans while they are open, and what holds them.

use std::sync::{Arc, Mutex};

use agentspan_model::agentspec::{
    Disclosure, Event, ExceptionRaised, Id, LlmConfig, Message, SpanDetails, Timestamp, Tool,
    ToolCall,
};
use agentspan_processor::execution::{LlmGeneration, ToolExecution};
use agentspan_processor::{HookError, InMemory, Span, SpanEvent, SpanProcessor, Trace, TraceError};
use serde_json::json;

use super::CANARY;

/// Writes down what its hooks are called with.
#[derive(Clone, Debug, Default)]
struct Listener(Arc<Mutex<Vec<String>>>);

impl SpanProcessor for Listener {
    fn disclosure(&self) -> Disclosure {
        Disclosure::Clear
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        self.0
            .lock()
            .unwrap()
            .push(format!("{span:?} {:?}", span.to_record()));
        Ok(())
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        let events: Vec<_> = span.events().map(|event| format!("{event:?}")).collect();
        self.0.lock().unwrap().push(format!("{event:?} {events:?}"));
        Ok(())
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        self.on_start(span)
    }
}

pub(super) fn of_agent_spec() -> Vec<String> {
    let listener = Listener::default();
    let memory = InMemory::new().with_disclosure(Disclosure::Clear);
    let builder = Trace::builder()
        .with_processor(listener.clone())
        .with_processor(memory.clone());
    let mut texts = vec![format!("{builder:?}")];
    let trace = builder.start().unwrap();
    texts.push(format!("{trace:?}"));
    let tool = Tool::new("tool");
    let execution = || ToolExecution::of(&tool).with_inputs(&json!({ "q": CANARY }));
    texts.push(format!("{:?}", execution()));
    execution()
        .in_span(|span| {
            texts.push(format!("{span:?} {:?}", span.downgrade()));
            Ok::<_, TraceError>(json!(CANARY))
        })
        .unwrap();
    let model = LlmConfig::openai("gpt");
    let generation = || LlmGeneration::of(&model).with_prompt([Message::new("user", CANARY)]);
    texts.push(format!("{:?}", generation()));
    let open = generation().start().unwrap();
    open.add_text(CANARY).unwrap();
    open.add_tool_call(ToolCall::new(
        "call",
        "tool",
        json!({ "q": CANARY }).to_string(),
    ))
    .unwrap();
    texts.push(format!("{open:?} {:?}", *open));
    open.end().unwrap();
    let failed = || ExceptionRaised::new("Error", CANARY).with_stacktrace(CANARY);
    let event = Event::new(Id::from("event"), Timestamp::from_unix_nanos(1), failed());
    let plain = || Span::builder(SpanDetails::Plain).with_event(event.clone());
    texts.push(format!("{:?}", plain()));
    let span = plain().start().unwrap();
    span.add_event(failed()).unwrap();
    texts.push(format!("{span:?}"));
    span.end().unwrap();
    trace.end().unwrap();
    texts.push(format!("{memory:?} {:?}", memory.spans()));
    texts.push(format!("{:?}", memory.expect_tree("other").unwrap_err()));
    texts.extend(listener.0.lock().unwrap().drain(..));
    assert!(memory.spans().len() > 2);
    texts
}
