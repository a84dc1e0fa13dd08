//! What a turn costs the program in allocations when a queue takes it. A binary of its own: what dropped spans leave
//! is kept for all threads of a process, and other tests would take it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use agentspan_model::agentspec::{
    Agent, AgentExecutionSpan, Component, JsonObject, LlmConfig, LlmGenerationRequest,
    LlmGenerationResponse, LlmGenerationSpan, Message, Tool, ToolExecutionRequest,
    ToolExecutionResponse, ToolExecutionSpan,
};
use agentspan_processor::{BackgroundQueue, HookError, Span, SpanProcessor, Trace};
use allocation_counter::measure;

/// Discards what it is shown, and holds the thread of its queue while it is closed.
#[derive(Clone, Debug, Default)]
struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    is_closed: bool,
    holds_thread: bool,
}

impl Gate {
    fn set_closed(&self, is_closed: bool) {
        self.0.0.lock().unwrap().is_closed = is_closed;
        self.0.1.notify_all();
    }

    fn wait_for_thread(&self) {
        let state = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(state, |state| !state.holds_thread));
    }
}

impl SpanProcessor for Gate {
    fn on_start(&self, _span: &Span) -> Result<(), HookError> {
        let mut state = self.0.0.lock().unwrap();
        state.holds_thread = state.is_closed;
        self.0.1.notify_all();
        let mut state = self.0.1.wait_while(state, |state| state.is_closed).unwrap();
        state.holds_thread = false;
        Ok(())
    }
}

/// What a program has in its hands.
struct Turn {
    agent: Agent,
    model: LlmConfig,
    tool: Tool,
    text: String,
    arguments: JsonObject,
}

impl Turn {
    const SPANS: u64 = 4;

    fn new() -> Self {
        let agent = Component::builder("Agent", "agent").build();
        let model = Component::builder("OpenAiConfig", "model").build();
        let tool = Component::builder("ServerTool", "tool").build();
        Self {
            agent: Agent::try_from(agent).unwrap(),
            model: LlmConfig::try_from(model).unwrap(),
            tool: Tool::try_from(tool).unwrap(),
            text: "what is asked, and what is answered".repeat(10),
            arguments: JsonObject::parse(r#"{"city": "Oslo"}"#).unwrap(),
        }
    }

    fn run(&self) {
        let agent = Span::builder(AgentExecutionSpan::new(self.agent.clone()));
        let agent = agent.start().unwrap();
        self.call_model();
        self.call_tool();
        self.call_model();
        agent.end().unwrap();
    }

    fn call_model(&self) {
        let span = Span::builder(LlmGenerationSpan::new(self.model.clone()));
        let span = span.start().unwrap();
        let prompt = vec![Message::new("user", self.text.as_str())];
        let request = LlmGenerationRequest::new(self.model.clone(), prompt, "request");
        span.add_event(request).unwrap();
        let response = LlmGenerationResponse::new(self.model.clone(), "request");
        span.add_event(response.with_content(self.text.as_str()))
            .unwrap();
        span.end().unwrap();
    }

    fn call_tool(&self) {
        let span = Span::builder(ToolExecutionSpan::new(self.tool.clone()));
        let span = span.start().unwrap();
        let (tool, arguments) = (self.tool.clone(), self.arguments.clone());
        let request = ToolExecutionRequest::new(tool.clone(), arguments.clone(), "request");
        span.add_event(request).unwrap();
        span.add_event(ToolExecutionResponse::new(tool, arguments, "request"))
            .unwrap();
        span.end().unwrap();
    }
}

/// The program allocates for what it copies, eight times a turn: of each call of the model the prompt, the list
/// that it is in and the answer, and of the tool the arguments and the result.
#[test]
fn a_turn_that_is_handed_to_a_queue_allocates_twice_for_a_span() {
    let gate = Gate::default();
    let queue = BackgroundQueue::builder(gate.clone())
        .with_max_hooks(1 << 14)
        .build();
    let trace = Trace::builder()
        .with_processor(queue.clone())
        .start()
        .unwrap();
    let turn = Turn::new();
    let flush = || queue.flush(Duration::from_secs(60)).unwrap();
    // While the thread is held, it takes nothing, and drops no span whose memory it would hand back under a lock that
    // a producer does not wait for.
    let while_held = |turns: u64| {
        flush();
        gate.set_closed(true);
        turn.run();
        gate.wait_for_thread();
        let counted = measure(|| (0..turns).for_each(|_| turn.run())).count_total;
        gate.set_closed(false);
        flush();
        counted
    };
    // The queue swaps two buffers. Each grows to what is needed, and dropped spans are kept.
    for _ in 0..2 {
        while_held(300);
    }
    let turns = 50;
    let counted = while_held(turns);
    let spans = turns * Turn::SPANS;
    assert!(
        counted <= 2 * spans,
        "{counted} allocations for {spans} spans"
    );
    assert!(counted >= 2 * spans, "the counter is dead: {counted}");
    trace.end().unwrap();
    assert_eq!(queue.stats().dropped, 0);
}
