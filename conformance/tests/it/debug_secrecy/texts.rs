//! Texts of `Debug`, of types with the canary wherever they hold contents.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use agentspan_model::agent365::contract::ObservedSpan;
use agentspan_model::agent365::mapping::{Mcp, Recorded};
use agentspan_model::agent365::{
    AgentDetails, AgentId, ChatMessage, ExecuteToolCallArguments, ExecuteToolCallResult,
    GuardrailDecision, GuardrailDetails, GuardrailTarget, InferenceCallDetails,
    InferenceOperationType, InputMessages, InvokeAgentDetails, MessagePart, MessageRole, Modality,
    OutputMessage, OutputMessages, Request, RequestParameters, Response, ToolCallContainer,
    ToolCallDetails, ToolCallIdentifier, ToolCallResource, ToolCallResultOutcome,
    ToolCallResultPagination, ToolCallResultPolicy, ToolCallResultResource, ToolCallResultSecurity,
    ToolCallResultSensitivity,
};
use agentspan_model::agentspec::{
    Component, DocumentReader, HookCall, Json, JsonObject, LlmConfig, MASK, RecordedHook,
    Sensitive, Timestamp, ToolCall,
};
use agentspan_model::attribute::AttributeValue;
use agentspan_model::mapping::normal::{NormalSpan, Outline, SourceEvent, SourceSpan, SourceValue};
use agentspan_model::mapping::{EventRebuilder, Exchange, PlacedSpan, SpanRebuilder};
use agentspan_model::mcp::McpRequest;
use agentspan_otel::turn_context::{OutputLog, TurnActivity};
use agentspan_otel::{
    AgentContext, ApplyGuardrailScope, ExecuteToolScope, Feedback, InferenceScope,
    InvokeAgentScope, McpScope, OutputScope, ScopeTracer, SpanRef, TurnContext,
};
use agentspan_processor::execution::Fields;
use agentspan_record::{Attributes, Enrichment, FinishedSpan};
use conformance::SHIPPED_VECTORS;
use opentelemetry::trace::{
    Event, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanEvents, SpanLinks};
use serde_json::{Map, Value, json};

use super::CANARY;

mod live;

pub(super) fn with_canaries() -> Vec<String> {
    let mut texts = of_agent365();
    let hooks = hooks();
    assert!(hooks.len() > 100, "{}", hooks.len());
    for hook in &hooks {
        texts.push(format!("{hook:?}"));
        texts.push(format!("{:?}", hook.line()));
    }
    texts.extend(of_payloads());
    texts.extend(of_records(&hooks));
    texts.extend(of_sources());
    texts.extend(of_scopes());
    texts.push(of_feedback());
    texts.extend(live::of_agent_spec());
    texts.extend(of_documents());
    texts
}

fn object() -> Map<String, Value> {
    [("text".to_owned(), json!(CANARY))].into_iter().collect()
}

fn parts() -> Vec<MessagePart> {
    let canary = || CANARY.to_owned();
    let object = object();
    vec![
        MessagePart::text(CANARY),
        MessagePart::Reasoning { content: canary() },
        MessagePart::Blob {
            content: canary(),
            mime_type: None,
            modality: Modality::Image,
        },
        MessagePart::Uri {
            uri: canary(),
            mime_type: None,
            modality: Modality::Image,
        },
        MessagePart::ToolCall {
            arguments: Some(json!({ "q": CANARY })),
            id: None,
            name: "tool".into(),
        },
        MessagePart::ToolCallResponse {
            id: None,
            response: Some(json!(CANARY)),
        },
        MessagePart::ServerToolCall {
            id: None,
            name: "tool".into(),
            server_tool_call: object.clone(),
        },
        MessagePart::ServerToolCallResponse {
            id: None,
            server_tool_call_response: object.clone(),
        },
        MessagePart::Generic {
            part_type: "other".into(),
            data: object.clone(),
        },
    ]
}

/// What a tool is called with and gives back, in the schema of Agent 365, with the canary in all texts.
fn payloads() -> (ExecuteToolCallArguments, ExecuteToolCallResult) {
    let outcome = || {
        ToolCallResultOutcome::new()
            .with_message(CANARY)
            .with_extension_data(object())
    };
    let container = || ToolCallContainer::new().with_uri(CANARY);
    let identifier = || ToolCallIdentifier::new().with_value(CANARY);
    let resource = ToolCallResource::new()
        .with_name(CANARY)
        .with_identifiers([identifier()])
        .with_container(container());
    let resulting = ToolCallResultResource::new()
        .with_outcome(outcome())
        .with_sensitivity(ToolCallResultSensitivity::new().with_label_id(CANARY))
        .with_policy(ToolCallResultPolicy::new().with_name(CANARY))
        .with_security(ToolCallResultSecurity::new().with_extension_data(object()))
        .with_data(object());
    let arguments = ExecuteToolCallArguments::new()
        .with_resources([resource])
        .with_parameters(object());
    let result = ExecuteToolCallResult::new()
        .with_outcome(outcome())
        .with_resources([resulting])
        .with_data(object())
        .with_pagination(ToolCallResultPagination::new().with_next_cursor(CANARY));
    (arguments, result)
}

/// All parts of these payloads.
fn of_payloads() -> Vec<String> {
    let (arguments, result) = payloads();
    let mut texts = vec![
        format!("{arguments:?} {:?}", arguments.resources),
        format!("{result:?} {:?}", result.pagination),
    ];
    for resource in arguments.resources.iter().flatten() {
        texts.push(format!(
            "{:?} {:?}",
            resource.container, resource.identifiers
        ));
    }
    for resource in result.resources.iter().flatten() {
        let ToolCallResultResource {
            outcome,
            sensitivity,
            policy,
            security,
            ..
        } = resource;
        texts.push(format!(
            "{resource:?} {outcome:?} {sensitivity:?} {policy:?} {security:?}"
        ));
    }
    texts
}

fn of_agent365() -> Vec<String> {
    let canary = || CANARY.to_owned();
    let (object, parts) = (object(), parts());
    let chat = ChatMessage::new(MessageRole::User, parts.clone());
    let answer = OutputMessage::new(MessageRole::Assistant, parts);
    let inputs = InputMessages::from(vec![chat.clone()]);
    let outputs = OutputMessages::from(vec![answer.clone()]);
    let inference = InferenceCallDetails::new(InferenceOperationType::Chat, "model", "provider");
    let (_, result) = payloads();
    vec![
        format!(
            "{:?}",
            RequestParameters::new()
                .with_system_instructions([CANARY])
                .with_stop_sequences([CANARY])
        ),
        format!("{chat:?}"),
        format!("{answer:?}"),
        format!("{inputs:?}"),
        format!("{outputs:?}"),
        format!(
            "{:?}",
            Request::new(inputs.clone(), None).with_payload(CANARY)
        ),
        format!("{:?}", Response::from(outputs.clone())),
        format!("{:?}", Response::from(object.clone())),
        format!("{:?}", Response::from(CANARY)),
        format!("{:?}", inference.with_thought_process(CANARY)),
        format!("{:?}", ToolCallDetails::new("tool").with_arguments(CANARY)),
        format!(
            "{:?}",
            [
                Recorded::ThoughtProcess(CANARY),
                Recorded::InferenceResponse(CANARY),
                Recorded::ToolResult(CANARY),
                Recorded::ToolResultObject(&object),
                Recorded::Response(&Response::from(CANARY)),
                Recorded::Decision {
                    decision: &GuardrailDecision::Deny,
                    reason: Some(CANARY)
                },
                Recorded::GuardrailInput(&inputs),
                Recorded::TypedToolResult(&result),
                Recorded::GuardrailOutput(CANARY),
            ]
        ),
        format!(
            "{:?}",
            ToolCallDetails::new("tool").with_argument_object(&object)
        ),
        format!(
            "{:?}",
            GuardrailDetails::new(GuardrailTarget::LlmInput, GuardrailDecision::Deny)
                .with_decision_reason(CANARY)
        ),
        format!(
            "{:?}",
            [
                AttributeValue::Str(CANARY),
                AttributeValue::JsonArrayText(&[canary()]),
                AttributeValue::JsonArrayOfStrs(&[CANARY]),
                AttributeValue::StrList(&[CANARY]),
                AttributeValue::InputMessages(&inputs),
                AttributeValue::OutputMessages(&outputs),
                AttributeValue::JsonObjectText(&object),
            ]
        ),
    ]
}

/// The recorded events and spans of Agent Spec, with the canary wherever the reference masks something.
fn hooks() -> Vec<RecordedHook> {
    let cases = |name: &str| {
        let text = fs::read_to_string(Path::new(SHIPPED_VECTORS).join(name)).unwrap();
        let mut file: Value = serde_json::from_str(&text).unwrap();
        let cases = file["cases"].as_array_mut().map(std::mem::take);
        cases.unwrap().into_iter().filter_map(|case| {
            let expected = &case["expected"];
            let mut shown = expected["unmasked"].clone();
            let masked = &expected["masked"];
            (shown.is_object() && masked.is_object()).then(|| {
                hide(&mut shown, masked);
                shown
            })
        })
    };
    let start = |span: Value| json!({ "hook": "on_start", "async": false, "span": span, "parent_id": null });
    let root = json!({ "id": "s", "name": "s", "description": "", "start_time": 1, "end_time": null,
                       "events": [], "metadata": {}, "type": "RootSpan" });
    let spans = cases("agentspec_spans.json").map(start);
    let events = cases("agentspec_events.json").map(
        |event| json!({ "hook": "on_event", "async": false, "span": root.clone(), "event": event }),
    );
    let lines = spans.chain(events);
    lines
        .filter_map(|line| RecordedHook::from_json(&line.to_string()).ok())
        .collect()
}

/// Puts the canary where `masked` says that something is sensitive.
fn hide(shown: &mut Value, masked: &Value) {
    if masked.as_str() == Some(MASK) {
        return fill(shown);
    }
    match (shown, masked) {
        (Value::Object(shown), Value::Object(masked)) => {
            for (key, shown) in shown {
                hide(shown, &masked[key]);
            }
        }
        (Value::Array(shown), Value::Array(masked)) => {
            for (shown, masked) in shown.iter_mut().zip(masked) {
                hide(shown, masked);
            }
        }
        _ => {}
    }
}

/// The canary in place of each text.
fn fill(value: &mut Value) {
    match value {
        Value::String(text) => CANARY.clone_into(text),
        Value::Object(members) => members.values_mut().for_each(fill),
        Value::Array(items) => items.iter_mut().for_each(fill),
        _ => {}
    }
}

fn of_records(hooks: &[RecordedHook]) -> Vec<String> {
    let mut texts = Vec::new();
    let mut exchange = Exchange::default();
    for hook in hooks {
        if let HookCall::OnEvent(recorded, event) = &hook.call {
            let span = &recorded.span;
            texts.push(format!("{event:?}"));
            exchange.hear(event);
            texts.push(format!("{:?}", event.details));
            let mut placed = PlacedSpan::new(span.clone());
            placed.first_input = Some(CANARY.to_owned());
            placed.last_output = Some(CANARY.to_owned());
            texts.push(format!("{placed:?} {:?}", placed.in_trace()));
            let span = FinishedSpan::of_agent_spec(data(), Arc::new(placed));
            texts.push(format!("{span:?}"));
        }
    }
    let mut event = EventRebuilder::new(Timestamp::from_unix_nanos(1));
    event.attribute("agentspec.event.inputs", AttributeValue::Str(CANARY));
    texts.push(format!("{event:?} {exchange:?}"));
    let mut rebuilder = SpanRebuilder::new();
    rebuilder.attribute("agentspec.span.metadata", AttributeValue::Str(CANARY));
    rebuilder.event(event);
    texts.push(format!("{rebuilder:?}"));
    let attribute = || KeyValue::new("key", CANARY);
    texts.push(format!("{:?}", Attributes(vec![attribute()])));
    texts.push(format!(
        "{:?}",
        Enrichment::none().with_attribute(attribute())
    ));
    texts.push(format!("{:?}", Sensitive::new(CANARY)));
    texts.push(format!("{:?}", Fields::new().with("key", CANARY)));
    let panicked = agentspan_queue::contain::call(|| assert!(CANARY.is_empty(), "{CANARY}"));
    texts.push(format!("{panicked:?}"));
    texts
}

fn data() -> SpanData {
    let mut events = SpanEvents::default();
    events.events = vec![Event::new(
        CANARY,
        SystemTime::UNIX_EPOCH,
        vec![KeyValue::new("key", CANARY)],
        0,
    )];
    SpanData {
        span_context: SpanContext::new(
            TraceId::from(1),
            SpanId::from(1),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "name".into(),
        start_time: SystemTime::UNIX_EPOCH,
        end_time: SystemTime::UNIX_EPOCH,
        attributes: vec![KeyValue::new("key", CANARY)],
        dropped_attributes_count: 0,
        events,
        links: SpanLinks::default(),
        status: Status::error(CANARY),
        instrumentation_scope: InstrumentationScope::default(),
    }
}

fn of_sources() -> Vec<String> {
    let messages =
        json!([{ "role": "user", "parts": [{ "type": "text", "content": CANARY }] }]).to_string();
    let mut event = SourceEvent::new(CANARY);
    event.attribute("content", SourceValue::Text(CANARY));
    event.attribute("contents", SourceValue::Texts(vec![CANARY]));
    let mut span = SourceSpan::new("chat model").with_error(CANARY);
    for (key, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.input.messages", &messages),
        ("gen_ai.output.messages", &messages),
        ("gen_ai.system_instructions", CANARY),
        ("gen_ai.tool.call.arguments", CANARY),
        ("gen_ai.tool.call.result", CANARY),
    ] {
        span.attribute(key, SourceValue::Text(value));
    }
    span.event(event);
    let normal = NormalSpan::read(&span).unwrap();
    let outline = Outline::read(&span).unwrap();
    let messages = normal.input.reveal().unwrap();
    assert!(!messages.is_empty());
    let messages = format!("{messages:?} {:?}", normal.conversation());
    let mut observed = ObservedSpan::new("name");
    observed.attribute("gen_ai.input.messages", SourceValue::Text(CANARY));
    let activity: TurnActivity = serde_json::from_value(json!({
        "type": "message",
        "text": CANARY,
        "entities": [{ "text": CANARY }],
        "channel_data": { "text": CANARY },
        "from": { "id": "a" },
        "recipient": { "role": "agenticUser" },
        "conversation": { "id": "c" },
    }))
    .unwrap();
    assert!(activity.entities.is_some() && activity.channel_data.is_some());
    let turn = TurnContext::new(activity);
    let log = OutputLog::of(&turn).unwrap();
    vec![
        format!("{span:?}"),
        format!("{normal:?}"),
        format!("{outline:?}"),
        messages,
        format!("{observed:?}"),
        format!("{turn:?}"),
        format!("{log:?}"),
        format!("{:?}", McpRequest::resource(CANARY)),
        format!("{:?}", McpScope::client(&McpRequest::resource(CANARY))),
        format!("{:?}", Mcp::new(&McpRequest::resource(CANARY))),
    ]
}

fn of_feedback() -> String {
    let about: SpanRef = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        .parse()
        .unwrap();
    let feedback = Feedback::new(&SdkTracerProvider::builder().build(), &about);
    format!("{:?}", feedback.explained(CANARY))
}

fn of_scopes() -> Vec<String> {
    let request = Request::new(vec![ChatMessage::text(MessageRole::User, CANARY)], None);
    let agent = AgentDetails::new(AgentId::parse("agent").unwrap());
    let inference = InferenceCallDetails::new(InferenceOperationType::Chat, "model", "provider");
    let inference = inference.with_thought_process(CANARY);
    let tool = ToolCallDetails::new("tool").with_arguments(CANARY);
    let invoked = InvokeAgentDetails::new(agent.clone());
    let output = Response::from(CANARY);
    let guardrail = GuardrailDetails::new(GuardrailTarget::LlmInput, GuardrailDecision::Deny);
    let guardrail = guardrail.with_decision_reason(CANARY);
    let provider = SdkTracerProvider::builder().build();
    let tracer = ScopeTracer::new(&provider);
    let scope = InferenceScope::builder(&inference)
        .with_agent(&agent)
        .with_request(&request)
        .with_tracer(&tracer)
        .start();
    scope.record_input_messages(&[CANARY][..]);
    scope.record_response(CANARY);
    let active = scope.enter();
    let texts = vec![
        format!("{active:?} {scope:?} {:?}", AgentContext::current()),
        format!(
            "{:?}",
            InferenceScope::builder(&inference).with_request(&request)
        ),
        format!(
            "{:?}",
            ExecuteToolScope::builder(&tool).with_request(&request)
        ),
        format!(
            "{:?}",
            InvokeAgentScope::builder(&invoked).with_request(&request)
        ),
        format!("{:?}", OutputScope::builder(&output).with_request(&request)),
        format!(
            "{:?}",
            ApplyGuardrailScope::builder(&guardrail).with_request(&request)
        ),
    ];
    drop(active);
    texts
}

/// Documents, and what is wrong with them.
fn of_documents() -> Vec<String> {
    let mut texts = Vec::new();
    let component = format!(
        r#"{{"component_type":"OpenAiConfig","name":"m","id":"m","model_id":"m","api_key":"{CANARY}","metadata":{{"k":"{CANARY}"}}}}"#
    );
    let component = Component::from_json(&component).unwrap();
    texts.push(format!("{component:?} {:?}", LlmConfig::openai("m")));
    let json = Json::from_serialize(&CANARY).unwrap();
    let object = JsonObject::from_serialize(&json!({ "k": CANARY })).unwrap();
    texts.push(format!("{json:?} {object:?}"));
    texts.push(format!("{:?}", ToolCall::new("id", "tool", CANARY)));
    let secret = format!(
        r#"{{"component_type":"{CANARY}","name":7,"id":["{CANARY}"],"api_key":"{CANARY}"}}"#
    );
    for document in [
        &secret,
        &format!("\"{CANARY}\""),
        &format!("{{{CANARY}"),
        &format!("- {CANARY}: [{CANARY}"),
    ] {
        let read = DocumentReader::new().read(document);
        texts.push(format!("{:?}", read.err()));
        texts.push(format!("{:?}", RecordedHook::from_json(document).err()));
        texts.push(format!(
            "{:?}",
            DocumentReader::new().read_yaml(document).err()
        ));
    }
    texts
}
