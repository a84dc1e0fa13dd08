//! Who sees sensitive values.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use agentspan_model::agentspec::{
    Agent, AgentExecutionSpan, Component, Disclosure, Event, EventDetails, EventDump,
    ExceptionRaised, JsonObject, LlmConfig, LlmGenerationConfig, LlmGenerationRequest,
    LlmGenerationSpan, Message, Recording, StateSnapshotEmitted, Tool,
};
use agentspan_processor::{
    FanOut, HookError, InMemory, JsonLines, Span, SpanEvent, SpanProcessor, Trace,
};

use crate::recorder::span;

const SECRET: &str = "the-secret-of-the-user";

/// Looks for the secret wherever a processor can look.
#[derive(Debug)]
struct Spy {
    disclosure: Disclosure,
    found: Arc<Mutex<Vec<bool>>>,
}

impl Spy {
    fn look(&self, details: &EventDetails) {
        if let EventDetails::ExceptionRaised(raised) = details {
            let message = raised.exception_message.reveal();
            self.found
                .lock()
                .unwrap()
                .push(message.is_some_and(|message| message == SECRET));
        }
    }
}

impl SpanProcessor for Spy {
    fn disclosure(&self) -> Disclosure {
        self.disclosure
    }

    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        self.look(&event.details);
        self.look(&Span::clone(span).event(event.index()).unwrap().details);
        self.look(&span.to_record().events[0].details);
        Ok(())
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        span.events().for_each(|event| self.look(&event.details));
        Ok(())
    }
}

fn spy(disclosure: Disclosure) -> (Spy, Arc<Mutex<Vec<bool>>>) {
    let found = Arc::default();
    let spy = Spy {
        disclosure,
        found: Arc::clone(&found),
    };
    (spy, found)
}

fn tell_the_secret(processor: impl SpanProcessor + 'static) {
    let trace = Trace::builder().with_processor(processor).start().unwrap();
    let a = span("a").start().unwrap();
    a.add_event(ExceptionRaised::new("E", SECRET)).unwrap();
    a.end().unwrap();
    trace.end().unwrap();
}

#[test]
fn a_processor_sees_what_it_asked_for_and_no_more() {
    for (disclosure, sees) in [(Disclosure::Masked, false), (Disclosure::Clear, true)] {
        let (spy, found) = spy(disclosure);
        tell_the_secret(spy);
        assert_eq!(*found.lock().unwrap(), [sees; 4]);
    }
}

#[test]
fn behind_a_fan_out_each_target_sees_what_it_asked_for() {
    let ((masked, by_masked), (clear, by_clear)) =
        (spy(Disclosure::Masked), spy(Disclosure::Clear));
    tell_the_secret(FanOut::new().with_target(masked).with_target(clear));
    assert_eq!(*by_masked.lock().unwrap(), [false; 4]);
    assert_eq!(*by_clear.lock().unwrap(), [true; 4]);
}

#[test]
fn a_fan_out_does_not_widen_what_it_may_see_itself() {
    let (clear, found) = spy(Disclosure::Clear);
    let masked = FanOut::new().with_target(FanOut::new().with_target(clear));
    assert_eq!(masked.disclosure(), Disclosure::Clear);
    tell_the_secret(AlwaysMasked(masked));
    assert_eq!(*found.lock().unwrap(), [false; 4]);
}

#[derive(Debug)]
struct AlwaysMasked(FanOut);

impl SpanProcessor for AlwaysMasked {
    fn on_event(&self, event: &SpanEvent<'_>, span: &Span) -> Result<(), HookError> {
        self.0.on_event(event, span)
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        self.0.on_end(span)
    }
}

#[test]
fn no_debug_shows_a_secret() {
    let memory = InMemory::new().with_disclosure(Disclosure::Clear);
    let trace = Trace::builder()
        .with_processor(memory.clone())
        .start()
        .unwrap();
    let a = span("a").start().unwrap();
    a.add_event(ExceptionRaised::new("E", SECRET)).unwrap();
    let state = JsonObject::from_serialize(&serde_json::json!({"state": SECRET})).unwrap();
    a.add_event(StateSnapshotEmitted::new("c", state)).unwrap();
    let shown = format!(
        "{a:?} {:?} {:?} {:?} {trace:?} {memory:?} {:?}",
        a.event(0),
        a.events().collect::<Vec<_>>(),
        a.to_record(),
        memory.spans()
    );
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(shown.contains("** MASKED **"));
}

#[test]
fn recordings_are_masked_unless_somebody_says_otherwise() {
    for (disclosure, shows) in [(Disclosure::Masked, false), (Disclosure::Clear, true)] {
        let bytes = crate::recordings::Bytes::default();
        tell_the_secret(JsonLines::to_writer(bytes.clone()).with_disclosure(disclosure));
        assert_eq!(bytes.text().contains(SECRET), shows);
    }
}

#[test]
fn a_masked_copy_holds_what_a_masked_dump_shows_and_nothing_else() {
    let recorded = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/vectors/agentspec_events.json"
    ));
    let recorded: serde_json::Value = serde_json::from_str(recorded).unwrap();
    let mut compared = 0;
    for case in recorded["cases"].as_array().unwrap() {
        let Some(unmasked) = case["expected"].get("unmasked") else {
            continue;
        };
        let event = Event::from_json(&unmasked.to_string()).unwrap();
        let text = |dump: EventDump<'_>| serde_json::to_string(&dump).unwrap();
        assert_eq!(
            text(event.masked().dump(Disclosure::Clear)),
            text(event.dump(Disclosure::Masked)),
            "{}",
            case["name"]
        );
        compared += 1;
    }
    assert!(compared > 40, "{compared}");
}

/// Sees values in clear when it is asked first, and counts how often that is.
#[derive(Debug, Default)]
struct Asked(AtomicUsize);

impl SpanProcessor for Asked {
    fn disclosure(&self) -> Disclosure {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Disclosure::Clear,
            _ => Disclosure::Masked,
        }
    }

    fn on_start(&self, span: &Span) -> Result<(), HookError> {
        assert_eq!(span.disclosure(), Disclosure::Clear);
        Ok(())
    }

    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        self.on_start(span)
    }
}

#[test]
fn a_trace_asks_a_processor_once_what_it_is_to_see() {
    let asked = Arc::new(Asked::default());
    let trace = Trace::builder().with_processor(Arc::clone(&asked));
    let trace = trace.start().unwrap();
    let failures = trace.trace().clone();
    span("a").start().unwrap().end().unwrap();
    trace.end().unwrap();
    assert_eq!(failures.hook_failures(), 0);
    assert_eq!(asked.0.load(Ordering::Relaxed), 1);
}

/// An agent whose every text is the secret, and a model, a tool and events of the same kind.
fn tell_everything(processor: impl SpanProcessor + 'static) {
    let secret = JsonObject::from_serialize(&serde_json::json!({"note": SECRET})).unwrap();
    let model = Component::builder("OpenAiConfig", "main model")
        .with_text("model_id", "gpt-4o")
        .with_text("url", SECRET);
    let model = LlmConfig::try_from(model.build()).unwrap();
    let tool = Component::builder("ServerTool", "clock").with_description(SECRET);
    let agent = Component::builder("Agent", "Clerk")
        .with_text("system_prompt", SECRET)
        .with_component("llm_config", model.clone());
    let trace = Trace::builder().with_processor(processor).start().unwrap();
    let run = AgentExecutionSpan::new(Agent::try_from(agent.build()).unwrap());
    let run = Span::builder(run)
        .with_description(SECRET)
        .with_metadata(secret)
        .start()
        .unwrap();
    let call = Span::builder(LlmGenerationSpan::new(model.clone()))
        .start()
        .unwrap();
    let parameters = LlmGenerationConfig::new()
        .with_max_tokens(12)
        .with_parameter("stop", serde_json::json!(SECRET));
    let request = LlmGenerationRequest::new(model, vec![Message::new("user", SECRET)], "r-1")
        .with_tools([Tool::try_from(tool.build()).unwrap()])
        .with_llm_generation_config(parameters);
    call.add_event(request).unwrap();
    call.end().unwrap();
    run.end().unwrap();
    trace.end().unwrap();
}

#[test]
fn a7_masked_lines_hold_no_prompt_of_an_agent_and_read_back() {
    for (disclosure, shows) in [(Disclosure::Masked, false), (Disclosure::Clear, true)] {
        let bytes = crate::recordings::Bytes::default();
        tell_everything(JsonLines::to_writer(bytes.clone()).with_disclosure(disclosure));
        let text = bytes.text();
        assert_eq!(text.contains(SECRET), shows, "{text}");
        for kept in ["Clerk", "gpt-4o", "clock", "\"max_tokens\":12"] {
            assert!(text.contains(kept), "{kept} is lost: {text}");
        }
        let hooks: Result<Vec<_>, _> = Recording::new(text.as_bytes()).collect();
        assert_eq!(hooks.unwrap().len(), 9);
    }
    let by_default = crate::recordings::Bytes::default();
    tell_everything(JsonLines::to_writer(by_default.clone()));
    assert!(!by_default.text().contains(SECRET));
}
