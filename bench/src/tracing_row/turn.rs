//! A turn of an agent, as a framework traces it.

use std::hint::black_box;

use tracing::field::Empty;
use tracing::info_span;

/// How many spans a turn has.
pub(super) const SPANS: usize = 5;

const MESSAGES: &str = r#"[{"role":"user","parts":[{"type":"text","content":"Will it rain in Seattle tomorrow, and how much of it?"}]}]"#;

pub(super) fn turn() {
    let _request = info_span!("POST /chat", http.request.method = "POST").entered();
    let agent = info_span!(
        "invoke_agent",
        gen_ai.operation.name = "invoke_agent",
        gen_ai.agent.name = black_box("weather"),
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
    );
    agent.in_scope(|| {
        chat();
        execute_tool();
        chat();
    });
    agent.record("gen_ai.usage.input_tokens", black_box(200_u64));
    agent.record("gen_ai.usage.output_tokens", black_box(84_u64));
}

fn chat() {
    let span = info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = black_box("openai"),
        gen_ai.request.model = black_box("gpt-4o"),
        gen_ai.response.id = Empty,
        gen_ai.response.model = Empty,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        gen_ai.input.messages = Empty,
        gen_ai.output.messages = Empty,
    );
    span.in_scope(|| {
        span.record("gen_ai.input.messages", black_box(MESSAGES));
        span.record("gen_ai.response.id", black_box("chatcmpl-1"));
        span.record("gen_ai.response.model", black_box("gpt-4o-2024-11-20"));
        span.record("gen_ai.usage.input_tokens", black_box(100_u64));
        span.record("gen_ai.usage.output_tokens", black_box(42_u64));
        span.record("gen_ai.output.messages", black_box(MESSAGES));
    });
}

fn execute_tool() {
    let span = info_span!(
        "execute_tool",
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = black_box("forecast"),
        gen_ai.tool.call.id = black_box("call_1"),
        gen_ai.tool.call.arguments = black_box(r#"{"city":"Seattle"}"#),
        gen_ai.tool.call.result = Empty,
    );
    span.in_scope(|| span.record("gen_ai.tool.call.result", black_box("rain, 4 mm")));
}
