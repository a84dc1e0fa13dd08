//! D7: each destination gets its own vocabulary, whoever made the span and whatever the profile of Agent 365 is.
//!
//! Scopes and a span as rig writes it go through the facade to receivers on the loopback.

use std::collections::BTreeMap;
use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::model::agent365::{
    AgentDetails, AgentId, InferenceCallDetails, InferenceOperationType, InvokeAgentDetails,
    Profile, TenantDetails, TenantId, ToolCallDetails,
};
use agentspan::model::agentspec::Disclosure;
use agentspan::model::mapping::{Rendering, TracingNoise};
use agentspan::otel::{ExecuteToolScope, InferenceScope, InvokeAgentScope, ScopeTracer};
use agentspan::prelude::*;
use agentspan::{Destination, Otlp, configure};
use agentspan_testkit::{Answer, Service};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prost::Message as _;

use crate::process::has_its_own;

const WHILE: Duration = Duration::from_secs(30);

/// What the scopes of an agent, a model and a tool write.
fn scopes(tracer: &ScopeTracer) {
    let tenant = TenantDetails::new(TenantId::parse("tenant-1").unwrap());
    let agent = AgentDetails::new(AgentId::parse("agent-1").unwrap())
        .with_name("Clerk")
        .with_conversation_id("conversation-1");
    let details = InvokeAgentDetails::new(agent.clone());
    let invoked = InvokeAgentScope::builder(&details).with_tenant(&tenant);
    invoked
        .with_tracer(tracer)
        .start()
        .in_scope_infallible(|scope| {
            scope.record_input_messages("Will it rain?");
            scope.record_response("No.");
        });
    let call = InferenceCallDetails::new(InferenceOperationType::Chat, "gpt-4o", "OpenAI");
    let call = call.with_input_tokens(11).with_output_tokens(7);
    let call = call.with_finish_reasons(["stop"]);
    let inference = InferenceScope::builder(&call)
        .with_agent(&agent)
        .with_tenant(&tenant);
    inference
        .with_tracer(tracer)
        .start()
        .in_scope_infallible(|scope| {
            scope.record_input_messages("Will it rain?");
            scope.record_output_messages("No.");
        });
    let call = ToolCallDetails::new("get_weather").with_call_id("call-1");
    let call = call.with_arguments(r#"{"city":"Lima"}"#);
    let tool = ExecuteToolScope::builder(&call)
        .with_agent(&agent)
        .with_tenant(&tenant);
    tool.with_tracer(tracer)
        .start()
        .in_scope_infallible(|scope| scope.record_response("dry"));
}

/// A span of a model's call as rig and `tracing-opentelemetry` write it.
fn rig(provider: &SdkTracerProvider) {
    let tracer = provider.tracer("rig");
    let mut span = tracer.start("chat");
    for (key, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-4o-mini"),
        ("gen_ai.usage.input_tokens", "47"),
        ("gen_ai.usage.input_tokens", "48"),
        (
            "gen_ai.input.messages",
            r#"[{"role":"user","parts":[{"type":"text","content":"Umbrella?"}]}]"#,
        ),
        ("code.file.path", "engine.rs"),
        ("microsoft.tenant.id", "tenant-1"),
        ("tenant.id", "tenant-1"),
        ("gen_ai.agent.id", "agent-1"),
    ] {
        span.set_attribute(KeyValue::new(key, value));
    }
    span.set_attribute(KeyValue::new("app.step", "3"));
    span.end();
}

/// The spans of the scopes of a profile, and of rig, as a receiver of OTLP gets them, by name.
fn received(
    profile: Profile,
    customise: impl FnOnce(Destination) -> Destination,
) -> BTreeMap<String, Span> {
    let service = Service::start().unwrap();
    let otlp = Otlp::new().with_endpoint(format!("{}/v1/traces", service.url()));
    let destination = Destination::otlp_http(otlp).unwrap();
    let destination = destination.with_disclosure(Disclosure::Clear);
    let processor = configure()
        .with_environment(&Environment::default())
        .with_profile(profile)
        .with_destination(customise(destination))
        .with_switches_on()
        .into_processor()
        .unwrap();
    let queue = processor.queues()[0].clone();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    scopes(&ScopeTracer::with_profile(&provider, profile));
    rig(&provider);
    queue.flush(WHILE).unwrap();
    let requests = service.requests().into_iter();
    let requests =
        requests.map(|request| ExportTraceServiceRequest::decode(&*request.body).unwrap());
    let scopes = requests
        .flat_map(|request| request.resource_spans)
        .flat_map(|resource| resource.scope_spans);
    let spans = scopes.flat_map(|scope| scope.spans);
    spans.map(|span| (span.name.clone(), span)).collect()
}

/// Attributes by key, as text that shows the type.
fn attributes(span: &Span) -> BTreeMap<&str, String> {
    let shown = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => format!("int {number}"),
        Value::BoolValue(truth) => format!("bool {truth}"),
        Value::DoubleValue(number) => format!("double {number}"),
        Value::ArrayValue(values) => format!("list of {}", values.values.len()),
        other => format!("{other:?}"),
    };
    let attributes = span.attributes.iter();
    let attributes = attributes.map(|attribute| {
        let value = attribute.value.as_ref().unwrap().value.as_ref().unwrap();
        (attribute.key.as_str(), shown(value))
    });
    attributes.collect()
}

#[track_caller]
fn check(span: &Span, expected: &[(&str, &str)], absent: &[&str]) {
    let found = attributes(span);
    for (key, value) in expected {
        assert_eq!(
            found.get(key).map(String::as_str),
            Some(*value),
            "{key} of {}: {found:#?}",
            span.name
        );
    }
    for key in absent {
        assert_eq!(found.get(key), None, "{key} of {}", span.name);
    }
    assert_eq!(found.len(), span.attributes.len(), "a key is there twice");
}

#[test]
fn d7_a_receiver_of_otlp_gets_todays_gen_ai_whatever_the_profile_is() {
    if !has_its_own("d7_words::d7_a_receiver_of_otlp_gets_todays_gen_ai_whatever_the_profile_is") {
        return;
    }
    for profile in Profile::ALL {
        let spans = received(profile, |destination| destination);
        let chat = &spans["chat gpt-4o"];
        assert_eq!(chat.kind(), SpanKind::Client);
        let input = r#"[{"role":"user","parts":[{"type":"text","content":"Will it rain?"}]}]"#;
        check(
            chat,
            &[
                ("gen_ai.operation.name", "chat"),
                ("gen_ai.provider.name", "openai"),
                ("gen_ai.request.model", "gpt-4o"),
                ("gen_ai.usage.input_tokens", "int 11"),
                ("gen_ai.usage.output_tokens", "int 7"),
                ("gen_ai.response.finish_reasons", "list of 1"),
                ("gen_ai.agent.id", "agent-1"),
            ],
            &["gen_ai.system"],
        );
        let same = |text: &str, json: &str| {
            let parse = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(parse(text), parse(json), "{profile:?}");
        };
        same(&attributes(chat)["gen_ai.input.messages"], input);
        check(
            &spans["execute_tool get_weather"],
            &[
                ("gen_ai.tool.call.arguments", r#"{"city":"Lima"}"#),
                ("gen_ai.tool.call.result", "dry"),
                ("gen_ai.tool.call.id", "call-1"),
            ],
            &["gen_ai.tool.arguments", "gen_ai.event.content"],
        );
        let agent = &spans["invoke_agent Clerk"];
        check(
            agent,
            &[("gen_ai.conversation.id", "conversation-1")],
            &["gen_ai.system"],
        );
        same(&attributes(agent)["gen_ai.input.messages"], input);
        let rig = &spans["chat gpt-4o-mini"];
        assert_eq!(rig.kind(), SpanKind::Client);
        check(
            rig,
            &[
                ("gen_ai.usage.input_tokens", "int 48"),
                ("app.step", "3"),
                ("code.file.path", "engine.rs"),
            ],
            &[],
        );
    }
}

#[test]
fn d7_phoenix_gets_open_inference_for_scopes_and_for_rig() {
    if !has_its_own("d7_words::d7_phoenix_gets_open_inference_for_scopes_and_for_rig") {
        return;
    }
    for profile in Profile::ALL {
        let spans = received(profile, |destination| {
            destination
                .with_rendering(Rendering::OpenInference)
                .with_tracing_noise(TracingNoise::Dropped)
        });
        check(
            &spans["chat gpt-4o"],
            &[
                ("openinference.span.kind", "LLM"),
                ("input.value", "Will it rain?"),
                ("output.value", "No."),
                ("llm.input_messages.0.message.role", "user"),
                ("llm.input_messages.0.message.content", "Will it rain?"),
                ("llm.output_messages.0.message.role", "assistant"),
                ("llm.output_messages.0.message.content", "No."),
                ("llm.token_count.prompt", "int 11"),
                ("llm.token_count.completion", "int 7"),
                ("llm.token_count.total", "int 18"),
                ("llm.model_name", "gpt-4o"),
                ("llm.provider", "openai"),
                ("session.id", "conversation-1"),
            ],
            &[
                "gen_ai.input.messages",
                "gen_ai.usage.input_tokens",
                "gen_ai.operation.name",
            ],
        );
        check(
            &spans["invoke_agent Clerk"],
            &[
                ("openinference.span.kind", "AGENT"),
                ("agent.name", "Clerk"),
                ("input.value", "Will it rain?"),
                ("output.value", "No."),
            ],
            &["gen_ai.output.messages"],
        );
        check(
            &spans["execute_tool get_weather"],
            &[
                ("openinference.span.kind", "TOOL"),
                ("tool.name", "get_weather"),
                ("input.value", r#"{"city":"Lima"}"#),
                ("output.value", "dry"),
            ],
            &["gen_ai.tool.call.arguments", "gen_ai.event.content"],
        );
        check(
            &spans["chat gpt-4o-mini"],
            &[
                ("openinference.span.kind", "LLM"),
                ("input.value", "Umbrella?"),
                ("llm.token_count.prompt", "int 48"),
                ("app.step", "3"),
            ],
            &["gen_ai.usage.input_tokens", "code.file.path"],
        );
    }
}

#[test]
fn d7_the_words_of_agent_365_go_to_another_receiver_of_them() {
    if !has_its_own("d7_words::d7_the_words_of_agent_365_go_to_another_receiver_of_them") {
        return;
    }
    let rendering = Rendering::Agent365(Profile::V2);
    let spans = received(Profile::V0_1, |it| it.with_rendering(rendering));
    check(
        &spans["chat gpt-4o"],
        &[
            ("gen_ai.usage.input_tokens", "int 11"),
            ("gen_ai.response.finish_reasons", r#"["stop"]"#),
        ],
        &["gen_ai.system"],
    );
}

#[test]
fn a_masked_receiver_gets_no_content_in_any_words() {
    if !has_its_own("d7_words::a_masked_receiver_gets_no_content_in_any_words") {
        return;
    }
    for rendering in [
        Rendering::GenAi,
        Rendering::OpenInference,
        Rendering::Agent365(Profile::V0_1),
        Rendering::Agent365(Profile::V2),
    ] {
        for profile in Profile::ALL {
            let spans = received(profile, |destination| {
                destination
                    .with_rendering(rendering)
                    .with_disclosure(Disclosure::Masked)
            });
            let text = format!("{spans:?}");
            for content in ["Will it rain?", "Lima", "dry", "Umbrella", "No."] {
                assert!(!text.contains(content), "{rendering:?}: {content}");
            }
            assert_eq!(spans.len(), 4, "{rendering:?}");
        }
    }
}

/// What Agent 365 gets, as text.
fn delivered(profile: Profile) -> String {
    let service = Service::builder()
        .script([Answer::status(200)])
        .start()
        .unwrap();
    let delivery = Delivery::builder(token_from_fn(|_| Ok(Some(AccessToken::new("t")?))))
        .with_loopback_endpoint(service.url());
    let processor = configure()
        .with_environment(&Environment::default())
        .with_profile(profile)
        .with_delivery(delivery)
        .with_switches_on()
        .into_processor()
        .unwrap();
    let delivery = processor.delivery().unwrap().clone();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    rig(&provider);
    delivery.flush(WHILE).unwrap();
    let requests = service.requests().into_iter();
    let bodies = requests.map(|request| String::from_utf8(request.body.to_vec()).unwrap());
    bodies.collect()
}

#[test]
fn agent_365_gets_spans_of_rig_in_the_words_of_its_profile_without_noise() {
    for (profile, expected) in [
        (
            Profile::V0_1,
            [
                r#""name":"Chat gpt-4o-mini""#,
                r#""gen_ai.usage.input_tokens":"48""#,
                r#""gen_ai.input.messages":"[\"Umbrella?\"]""#,
            ],
        ),
        (
            Profile::V2,
            [
                r#""name":"chat gpt-4o-mini""#,
                r#""gen_ai.usage.input_tokens":48"#,
                r#""kind":"CLIENT""#,
            ],
        ),
    ] {
        let body = delivered(profile).replace("\": ", "\":");
        for text in expected {
            assert!(body.contains(text), "{text} in {body}");
        }
        assert!(!body.contains("code.file.path"), "{body}");
    }
}

#[test]
fn the_newest_conventions_are_a_switch_of_the_environment() {
    if !has_its_own("d7_words::the_newest_conventions_are_a_switch_of_the_environment") {
        return;
    }
    let names = |opt_in: &str, rendering: Option<Rendering>| {
        let service = Service::start().unwrap();
        let otlp = Otlp::new().with_endpoint(format!("{}/v1/traces", service.url()));
        let mut destination = Destination::otlp_http(otlp).unwrap();
        if let Some(rendering) = rendering {
            destination = destination.with_rendering(rendering);
        }
        let processor = configure()
            .with_environment(&Environment::from_iter([(
                "OTEL_SEMCONV_STABILITY_OPT_IN",
                opt_in,
            )]))
            .with_destination(destination)
            .with_switches_on()
            .into_processor()
            .unwrap();
        let queue = processor.queues()[0].clone();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .build();
        let mut span = provider.tracer("t").start("run");
        span.set_attribute(KeyValue::new("gen_ai.operation.name", "invoke_workflow"));
        span.set_attribute(KeyValue::new("gen_ai.agent.name", "travel"));
        span.end();
        queue.flush(WHILE).unwrap();
        let request = ExportTraceServiceRequest::decode(&*service.requests()[0].body).unwrap();
        let span = &request.resource_spans[0].scope_spans[0].spans[0];
        span.name.clone()
    };
    let newest = "http, gen_ai_latest_experimental";
    assert_eq!(names(newest, None), "invoke_agent travel");
    assert_eq!(names("http/dup", None), "invoke_workflow travel");
    let named = Some(Rendering::GenAi);
    assert_eq!(names(newest, named), "invoke_workflow travel");
}

#[test]
fn prices_of_the_program_are_costs_of_calls() {
    if !has_its_own("d7_words::prices_of_the_program_are_costs_of_calls") {
        return;
    }
    let priced = |rendering: Rendering| {
        received(Profile::V0_1, move |destination| {
            let destination = destination.with_rendering(rendering);
            destination.with_price(|usage, model| {
                let input = usage.input? == 11 && usage.output? == 7;
                (input && model == "gpt-4o").then_some(0.5)
            })
        })
    };
    for (rendering, key) in [
        (Rendering::GenAi, "gen_ai.usage.cost"),
        (Rendering::OpenInference, "llm.cost.total"),
    ] {
        let spans = priced(rendering);
        let costs = spans.iter().filter_map(|(name, span)| {
            let cost = attributes(span).remove(key)?;
            Some((name.as_str(), cost))
        });
        let costs: Vec<_> = costs.collect();
        assert_eq!(costs, [("chat gpt-4o", "double 0.5".to_owned())]);
    }
}
