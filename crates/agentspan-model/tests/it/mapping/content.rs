//! Names, values and who sees content, for what a reader of the conventions looks for.

use agentspan_model::agent365::{Identity, Profile};
use agentspan_model::agentspec::{Event, Span};
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};

use super::instances;
use super::shown::Shown;

fn span_with_events(span_type: &str) -> Span {
    let mut span = Span::from_json(&instances::span_of(span_type).to_string()).unwrap();
    for (host, event) in instances::events() {
        if host == span_type && event["type"] != "ExceptionRaised" {
            span = span.with_event(Event::from_json(&event.to_string()).unwrap());
        }
    }
    span
}

fn clear(rendering: Rendering) -> Mapping {
    Mapping::new(rendering).with_capture(ContentCapture::SpanOnly)
}

#[test]
fn a_generation_has_the_attributes_of_the_gen_ai_conventions() {
    let mapping = clear(Rendering::GenAi);
    let span = span_with_events("LlmGenerationSpan");
    assert_eq!(mapping.span_name(&span), "chat gpt-4o");
    let shown = Shown::of_span(&mapping, &span);
    for (key, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-4o"),
        ("gen_ai.request.max_tokens", "I64(10)"),
        ("gen_ai.request.temperature", "F64(0.75)"),
        ("gen_ai.response.id", "c-1"),
        (
            "gen_ai.response.finish_reasons",
            r#"StrList(["tool_call"])"#,
        ),
        ("gen_ai.usage.input_tokens", "I64(12)"),
        ("gen_ai.usage.output_tokens", "I64(5)"),
        (
            "gen_ai.input.messages",
            r#"[{"role":"user","name":"Ann","parts":[{"type":"text","content":"How is the weather?"}]}]"#,
        ),
        (
            "gen_ai.output.messages",
            concat!(
                r#"[{"role":"assistant","parts":[{"type":"text","content":"I look."},{"type":"tool_call","#,
                r#""id":"call-1","name":"get_weather","arguments":{"city":"Oslo"}}],"finish_reason":"tool_call"}]"#,
            ),
        ),
        (
            "gen_ai.tool.definitions",
            concat!(
                r#"[{"type":"function","name":"ServerTool name","description":"ServerTool description","#,
                r#""parameters":{"type":"object","properties":{"city":{"title":"city","type":"string"}},"#,
                r#""required":["city"]}}]"#,
            ),
        ),
    ] {
        shown.check(key, value);
    }
}

#[test]
fn a_generation_has_the_flat_messages_of_open_inference() {
    let shown = Shown::of_span(
        &clear(Rendering::OpenInference),
        &span_with_events("LlmGenerationSpan"),
    );
    for (key, value) in [
        ("openinference.span.kind", "LLM"),
        ("llm.model_name", "gpt-4o"),
        ("llm.input_messages.0.message.role", "user"),
        (
            "llm.input_messages.0.message.content",
            "How is the weather?",
        ),
        ("llm.output_messages.0.message.role", "assistant"),
        (
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name",
            "get_weather",
        ),
        ("llm.token_count.total", "I64(17)"),
        ("output.value", "I look."),
        ("output.mime_type", "text/plain"),
        ("input.mime_type", "application/json"),
        ("graph.node.id", "OpenAiConfig-id"),
        ("graph.node.parent_id", "parent component"),
        (
            "llm.invocation_parameters",
            r#"{"max_tokens":10,"temperature":0.75,"top_p":0.125,"seed":7}"#,
        ),
    ] {
        shown.check(key, value);
    }
}

#[test]
fn a_tool_has_its_call_in_each_vocabulary() {
    let span = span_with_events("ToolExecutionSpan");
    for (rendering, key, value) in [
        (
            Rendering::GenAi,
            "gen_ai.tool.call.arguments",
            r#"{"city":"Oslo"}"#,
        ),
        (
            Rendering::GenAi,
            "gen_ai.tool.call.result",
            r#"{"weather":"rain"}"#,
        ),
        (Rendering::GenAi, "gen_ai.tool.call.id", "call-1"),
        (
            Rendering::Agent365(Profile::V0_1),
            "gen_ai.tool.arguments",
            r#"{"city":"Oslo"}"#,
        ),
        (
            Rendering::Agent365(Profile::V0_1),
            "gen_ai.event.content",
            r#"{"weather":"rain"}"#,
        ),
        (
            Rendering::Agent365(Profile::V2),
            "gen_ai.tool.call.result",
            r#"{"weather":"rain"}"#,
        ),
        (
            Rendering::OpenInference,
            "tool.parameters",
            r#"{"city":"Oslo"}"#,
        ),
        (
            Rendering::OpenInference,
            "output.value",
            r#"{"weather":"rain"}"#,
        ),
    ] {
        Shown::of_span(&clear(rendering), &span).check(key, value);
    }
}

#[test]
fn agent_365_takes_the_identity_that_it_is_given_and_not_the_id_of_the_component() {
    let span = span_with_events("AgentExecutionSpan");
    for (profile, tenant_key) in [
        (Profile::V0_1, "tenant.id"),
        (Profile::V2, "microsoft.tenant.id"),
    ] {
        let mapping = clear(Rendering::Agent365(profile));
        let nobody = Shown::of_span(&mapping, &span);
        assert_eq!(nobody.0.get("gen_ai.agent.id"), None);
        let identity = Identity::parse("tenant-1", "agent-1").unwrap();
        let shown = Shown::of_span(&mapping.with_identity(identity), &span);
        shown.check("gen_ai.agent.id", "agent-1");
        shown.check(tenant_key, "tenant-1");
        shown.check("gen_ai.operation.name", "invoke_agent");
        shown.check("gen_ai.agent.name", "Agent name");
    }
}

#[test]
fn version_0_1_writes_lists_of_texts_and_version_2_writes_parts() {
    let span = span_with_events("LlmGenerationSpan");
    let v0_1 = Shown::of_span(&clear(Rendering::Agent365(Profile::V0_1)), &span);
    v0_1.check("gen_ai.operation.name", "Chat");
    v0_1.check("gen_ai.input.messages", r#"["How is the weather?"]"#);
    v0_1.check("gen_ai.usage.input_tokens", "DecimalText(12)");
    v0_1.check("gen_ai.system", "az.ai.agent365");
    let v2 = Shown::of_span(&clear(Rendering::Agent365(Profile::V2)), &span);
    v2.check("gen_ai.operation.name", "chat");
    v2.check("gen_ai.usage.input_tokens", "I64(12)");
    assert_eq!(v2.0.get("gen_ai.system"), None);
    assert!(v2.0["gen_ai.input.messages"].starts_with(r#"[{"role":"user""#));
}

#[test]
fn content_is_where_the_switch_puts_it() {
    let span = span_with_events("LlmGenerationSpan");
    let prompt = "How is the weather?";
    for (capture, on_span, on_event) in [
        (ContentCapture::NoContent, false, false),
        (ContentCapture::SpanOnly, true, false),
        (ContentCapture::EventOnly, false, true),
        (ContentCapture::SpanAndEvent, true, true),
    ] {
        for rendering in [Rendering::GenAi, Rendering::OpenInference] {
            let mapping = Mapping::new(rendering).with_capture(capture);
            let shown = Shown::of_span(&mapping, &span);
            assert_eq!(shown.contains(prompt), on_span, "{capture:?}");
            let shown = Shown::of_event(&mapping, &span.events[0], &span);
            assert_eq!(shown.contains(prompt), on_event, "{capture:?}");
        }
    }
}

#[test]
fn open_inference_says_that_content_was_left_out() {
    let mapping = Mapping::new(Rendering::OpenInference);
    for span_type in [
        "LlmGenerationSpan",
        "ToolExecutionSpan",
        "AgentExecutionSpan",
    ] {
        let shown = Shown::of_span(&mapping, &span_with_events(span_type));
        shown.check("input.value", "__REDACTED__");
        shown.check("output.value", "__REDACTED__");
    }
}

#[test]
fn a_failure_is_named_by_its_type_and_its_message_only_if_content_is_shown() {
    let exception = instances::events()
        .into_iter()
        .find(|(_, event)| event["type"] == "ExceptionRaised")
        .unwrap()
        .1;
    let event = Event::from_json(&exception.to_string()).unwrap();
    let span = span_with_events("ToolExecutionSpan").with_event(event.clone());
    for (capture, description, message) in [
        (ContentCapture::NoContent, "ValueError", "** MASKED **"),
        (ContentCapture::SpanAndEvent, "no such city", "no such city"),
    ] {
        let mapping = Mapping::new(Rendering::GenAi).with_capture(capture);
        let failure = mapping.failure(&span).unwrap();
        assert_eq!(failure.status_description(), description);
        assert_eq!(mapping.event_name(&event), "exception");
        Shown::of_span(&mapping, &span).check("error.type", "ValueError");
        let shown = Shown::of_event(&mapping, &event, &span);
        shown.check("exception.type", "ValueError");
        shown.check("exception.message", message);
    }
}

#[test]
fn a_span_that_nobody_named_is_named_after_its_component() {
    let mut instance = instances::span_of("NodeExecutionSpan");
    instance["name"] = serde_json::json!("NodeExecutionSpan");
    let span = Span::from_json(&instance.to_string()).unwrap();
    let mapping = Mapping::new(Rendering::GenAi);
    assert_eq!(mapping.span_name(&span), "LlmNode name");
    let named = span.with_name("step two");
    assert_eq!(mapping.span_name(&named), "step two");
}
