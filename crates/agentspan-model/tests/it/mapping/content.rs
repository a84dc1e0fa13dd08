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

const MODEL: &str =
    r#"{"id":"m","name":"main","model_id":"gpt-4o","component_type":"OpenAiConfig"}"#;

/// A generation with these events, each `(type, timestamp, members)`.
fn generation(model: &str, events: &[(&str, u64, &str)]) -> Span {
    let events: Vec<_> = events
        .iter()
        .enumerate()
        .map(|(n, (of, time, members))| {
            format!(
                r#"{{"id":"e{n}","timestamp":{time},"llm_config":{model},"request_id":"r",{members},"type":"{of}"}}"#
            )
        })
        .collect();
    let events = events.join(",");
    let text = format!(
        r#"{{"id":"s","start_time":1,"events":[{events}],"llm_config":{model},"type":"LlmGenerationSpan"}}"#
    );
    Span::from_json(&text).unwrap()
}

const ASKED: &str = r#""prompt":[{"content":"hi","role":"user"}],"tools":[]"#;
const ANSWERED: &str = r#""content":"ok","tool_calls":[],"completion_id":"c""#;

#[test]
fn h07_the_result_of_a_tool_names_its_call_in_open_inference() {
    let asked = r#""prompt":[{"id":"m-1","content":"hi","role":"user"},{"id":"call-7","content":"21 degrees","sender":"weather","role":"tool"}],"tools":[]"#;
    let span = generation(MODEL, &[("LlmGenerationRequest", 1, asked)]);
    let shown = Shown::of_span(&clear(Rendering::OpenInference), &span);
    shown.check("llm.input_messages.1.message.tool_call_id", "call-7");
    assert!(
        !shown
            .0
            .contains_key("llm.input_messages.0.message.tool_call_id")
    );
}

#[test]
fn h07_an_empty_id_names_no_call() {
    let asked = r#""prompt":[{"id":"","content":"21 degrees","sender":"weather","role":"tool"}],"tools":[]"#;
    let span = generation(MODEL, &[("LlmGenerationRequest", 1, asked)]);
    let shown = Shown::of_span(&clear(Rendering::OpenInference), &span);
    shown.check("llm.input_messages.0.message.role", "tool");
    let key = "llm.input_messages.0.message.tool_call_id";
    assert!(!shown.0.contains_key(key));
}

#[test]
fn h08_who_serves_a_model_goes_before_who_made_it() {
    let model = |members: &str, of: &str| {
        format!(r#"{{"id":"m","name":"m","model_id":"x",{members}"component_type":"{of}"}}"#)
    };
    for (members, of, provider) in [
        (
            r#""provider":"COHERE","compartment_id":"c","#,
            "OciGenAiConfig",
            "oci.genai",
        ),
        (
            r#""provider":"meta","api_provider":"aws_bedrock","#,
            "LlmConfig",
            "aws.bedrock",
        ),
        (r#""provider":"Mistral","#, "LlmConfig", "mistral_ai"),
        (r#""url":"u","#, "VllmConfig", "vllm"),
        (r#""url":"u","#, "OpenAiCompatibleConfig", "openai"),
    ] {
        let span = generation(&model(members, of), &[("LlmGenerationRequest", 1, ASKED)]);
        let shown = Shown::of_span(&clear(Rendering::GenAi), &span);
        shown.check("gen_ai.provider.name", provider);
    }
}

#[test]
fn h09_every_parameter_that_the_conventions_know_is_shown() {
    let parameters = r#"{"max_tokens":64,"temperature":0.2,"top_p":null,"seed":7,"top_k":40,"frequency_penalty":0.5,"presence_penalty":-0.25,"stop":["END"],"n":2}"#;
    let asked = format!(r#"{ASKED},"llm_generation_config":{parameters}"#);
    let span = generation(MODEL, &[("LlmGenerationRequest", 1, &asked)]);
    let shown = Shown::of_span(&clear(Rendering::GenAi), &span);
    for (key, value) in [
        ("gen_ai.request.max_tokens", "I64(64)"),
        ("gen_ai.request.temperature", "F64(0.2)"),
        ("gen_ai.request.seed", "I64(7)"),
        ("gen_ai.request.top_k", "F64(40.0)"),
        ("gen_ai.request.frequency_penalty", "F64(0.5)"),
        ("gen_ai.request.presence_penalty", "F64(-0.25)"),
        ("gen_ai.request.stop_sequences", r#"StrList(["END"])"#),
        ("gen_ai.request.choice.count", "I64(2)"),
    ] {
        shown.check(key, value);
    }
    assert!(!shown.0.contains_key("gen_ai.request.top_p"));
}

#[test]
fn h09_other_names_for_the_same_parameters_are_known() {
    let parameters = r#"{"max_completion_tokens":9,"stop_sequences":["END"],"stream":true}"#;
    let asked = format!(r#"{ASKED},"llm_generation_config":{parameters}"#);
    let span = generation(MODEL, &[("LlmGenerationRequest", 1, &asked)]);
    let shown = Shown::of_span(&clear(Rendering::GenAi), &span);
    shown.check("gen_ai.request.max_tokens", "I64(9)");
    shown.check("gen_ai.request.stop_sequences", r#"StrList(["END"])"#);
    shown.check("gen_ai.request.stream", "Bool(true)");
}

#[test]
fn h09_a_request_replaces_a_default_of_another_name() {
    let model = r#"{"id":"m","name":"m","model_id":"x","default_generation_parameters":{"max_tokens":10,"top_p":0.5},"component_type":"LlmConfig"}"#;
    let asked = format!(r#"{ASKED},"llm_generation_config":{{"max_completion_tokens":99}}"#);
    let span = generation(model, &[("LlmGenerationRequest", 1, &asked)]);
    let shown = Shown::of_span(&clear(Rendering::GenAi), &span);
    shown.check("gen_ai.request.max_tokens", "I64(99)");
    shown.check("gen_ai.request.top_p", "F64(0.5)");
}

#[test]
fn h09_whole_numbers_may_be_written_as_floats() {
    let shown = |parameters: &str| {
        let asked = format!(r#"{ASKED},"llm_generation_config":{parameters}"#);
        let span = generation(MODEL, &[("LlmGenerationRequest", 1, &asked)]);
        Shown::of_span(&clear(Rendering::GenAi), &span)
    };
    let whole = shown(r#"{"seed":7.0,"n":2.0}"#);
    whole.check("gen_ai.request.seed", "I64(7)");
    whole.check("gen_ai.request.choice.count", "I64(2)");
    let other = shown(r#"{"seed":7.5,"n":1.0}"#);
    for key in ["seed", "choice.count"] {
        assert!(
            !other.0.contains_key(&format!("gen_ai.request.{key}")),
            "{key}"
        );
    }
}

#[test]
fn h09_a_number_that_no_float_holds_costs_no_other_parameter() {
    let parameters = r#"{"frequency_penalty":1e999,"seed":7,"stop":["END"],"n":{"of":1e999}}"#;
    let asked = format!(r#"{ASKED},"llm_generation_config":{parameters}"#);
    let span = generation(MODEL, &[("LlmGenerationRequest", 1, &asked)]);
    let shown = Shown::of_span(&clear(Rendering::GenAi), &span);
    shown.check("gen_ai.request.seed", "I64(7)");
    shown.check("gen_ai.request.stop_sequences", r#"StrList(["END"])"#);
    assert!(!shown.0.contains_key("gen_ai.request.frequency_penalty"));
}

#[test]
fn h10_the_first_chunk_is_the_earliest() {
    let chunk = r#""content":"o","tool_calls":[]"#;
    let shown = |asked_at, chunks_at: [u64; 2]| {
        let [one, two] = chunks_at.map(|at| ("LlmGenerationChunkReceived", at, chunk));
        let span = generation(
            MODEL,
            &[("LlmGenerationRequest", asked_at, ASKED), one, two],
        );
        Shown::of_span(&clear(Rendering::GenAi), &span)
    };
    let key = "gen_ai.response.time_to_first_chunk";
    shown(1, [600_000_001, 500_000_001]).check(key, "F64(0.5)");
    // The clock was set back.
    let before = shown(600_000_001, [500_000_001, 700_000_001]);
    assert!(!before.0.contains_key(key));
}

#[test]
fn h10_a_streamed_answer_says_so_and_when_it_began() {
    let chunk = r#""content":"o","tool_calls":[]"#;
    let span = generation(
        MODEL,
        &[
            ("LlmGenerationRequest", 1, ASKED),
            ("LlmGenerationChunkReceived", 500_000_001, chunk),
            ("LlmGenerationChunkReceived", 600_000_001, chunk),
            ("LlmGenerationResponse", 700_000_001, ANSWERED),
        ],
    );
    let shown = Shown::of_span(&clear(Rendering::GenAi), &span);
    shown.check("gen_ai.request.stream", "Bool(true)");
    shown.check("gen_ai.response.time_to_first_chunk", "F64(0.5)");
    shown.check("gen_ai.response.id", "c");
    let whole = generation(
        MODEL,
        &[
            ("LlmGenerationRequest", 1, ASKED),
            ("LlmGenerationResponse", 2, ANSWERED),
        ],
    );
    let shown = Shown::of_span(&clear(Rendering::GenAi), &whole);
    assert!(!shown.0.contains_key("gen_ai.request.stream"));
}

#[test]
fn h10_what_was_streamed_is_shown_if_the_answer_never_came() {
    let first = r#""content":"It is ","tool_calls":[],"completion_id":"c-1","output_tokens":2"#;
    let second = r#""content":"sun","tool_calls":[{"call_id":"k","tool_name":"t","arguments":"{}"}],"output_tokens":3"#;
    let span = generation(
        MODEL,
        &[
            ("LlmGenerationRequest", 1, ASKED),
            ("LlmGenerationChunkReceived", 2, first),
            ("LlmGenerationChunkReceived", 3, second),
        ],
    );
    let shown = Shown::of_span(&clear(Rendering::GenAi), &span);
    shown.check("gen_ai.response.id", "c-1");
    shown.check("gen_ai.usage.output_tokens", "I64(5)");
    shown.check(
        "gen_ai.output.messages",
        r#"[{"role":"assistant","parts":[{"type":"text","content":"It is sun"},{"type":"tool_call","id":"k","name":"t","arguments":{}}],"finish_reason":"error"}]"#,
    );
    assert!(!shown.0.contains_key("gen_ai.response.finish_reasons"));
    let shown = Shown::of_span(&clear(Rendering::OpenInference), &span);
    shown.check("output.value", "It is sun");
    let shown = Shown::of_span(&clear(Rendering::Agent365(Profile::V0_1)), &span);
    shown.check("gen_ai.output.messages", r#"["It is sun"]"#);
    let shown = Shown::of_span(&Mapping::new(Rendering::GenAi), &span);
    assert!(!shown.contains("It is sun"));
}

#[test]
fn h10_a_call_that_was_streamed_in_parts_is_one_call() {
    let part = |id: &str, name: &str, arguments: &str| {
        let arguments = serde_json::Value::from(arguments);
        format!(
            r#""content":"","tool_calls":[{{"call_id":"{id}","tool_name":"{name}","arguments":{arguments}}}]"#
        )
    };
    let parts = [
        part("k", "", ""),
        part("k", "weather", r#"{"city""#),
        part("other", "t", "{}"),
        part("k", "weather", r#":"Bern"}"#),
        part("other", "t", "{}"),
    ];
    let mut events = vec![("LlmGenerationRequest", 1, ASKED)];
    events.extend(
        parts
            .iter()
            .map(|part| ("LlmGenerationChunkReceived", 2, part.as_str())),
    );
    let span = generation(MODEL, &events);
    let shown = Shown::of_span(&clear(Rendering::GenAi), &span);
    let other = r#"{"type":"tool_call","id":"other","name":"t","arguments":{}}"#;
    shown.check(
        "gen_ai.output.messages",
        &format!(
            r#"[{{"role":"assistant","parts":[{{"type":"tool_call","id":"k","name":"weather","arguments":{{"city":"Bern"}}}},{other},{other}],"finish_reason":"error"}}]"#
        ),
    );
}

#[test]
fn all_spans_of_a_trace_are_of_one_session_in_open_inference() {
    for span in instances::spans() {
        let span = Span::from_json(&span.to_string()).unwrap();
        let shown = Shown::of_span(&Mapping::new(Rendering::OpenInference), &span);
        shown.check("session.id", "trace");
    }
}

#[test]
fn events_that_users_have_defined_have_their_own_names() {
    let name = |event: &str| {
        let event = format!(r#"{{"id":"e","timestamp":1,{event}}}"#);
        let event = Event::from_json(&event).unwrap();
        Mapping::new(Rendering::GenAi).event_name(&event).to_owned()
    };
    assert_eq!(name(r#""type":"Event","name":"cache hit""#), "cache hit");
    assert_eq!(name(r#""type":"Event""#), "Event");
    assert_eq!(name(r#""type":"CacheHit","name":"hit 7""#), "hit 7");
    assert_eq!(name(r#""type":"CacheHit","name":"""#), "CacheHit");
    let known = r#""type":"AgentExecutionStart","name":"begin","inputs":{},"agent":{"id":"a","name":"a","component_type":"Agent"}"#;
    assert_eq!(name(known), "AgentExecutionStart");
}
