//! What a turn costs the program in allocations when a queue takes it. A binary of its own: what dropped spans leave
//! is kept for all threads of a process, and other tests would take it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use agentspan_model::agentspec::{
    Agent, AgentExecutionSpan, Component, JsonObject, LlmConfig, LlmGenerationRequest,
    LlmGenerationResponse, LlmGenerationSpan, Message, Tool, ToolExecutionRequest,
    ToolExecutionResponse, ToolExecutionSpan,
};
use agentspan_processor::{BackgroundQueue, Span, SpanProcessor, Trace};
use allocation_counter::measure;

#[derive(Debug)]
struct Discard;

impl SpanProcessor for Discard {}

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
    let queue = BackgroundQueue::builder(Discard)
        .with_max_hooks(1 << 14)
        .build();
    let trace = Trace::builder()
        .with_processor(queue.clone())
        .start()
        .unwrap();
    let turn = Turn::new();
    let flush = || queue.flush(Duration::from_secs(60)).unwrap();
    // The buffer of the queue grows to what it needs, and its thread hands back what it has dropped.
    (0..300).for_each(|_| turn.run());
    flush();
    let turns = 50;
    // Where its thread is late, the buffer grows once more, which is not the work of a span.
    let once = || {
        flush();
        measure(|| (0..turns).for_each(|_| turn.run())).count_total
    };
    let counted = (0..10).map(|_| once()).min().unwrap_or_default();
    let spans = turns * Turn::SPANS;
    assert!(
        counted <= 2 * spans,
        "{counted} allocations for {spans} spans"
    );
    assert!(counted >= 2 * spans, "the counter is dead: {counted}");
    trace.end().unwrap();
    assert_eq!(queue.stats().dropped, 0);
}
