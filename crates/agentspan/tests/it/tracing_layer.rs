//! Agents that emit `tracing` spans go through the facade to receivers on the loopback, unchanged (D8).

use std::collections::BTreeMap;
use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::model::agent365::{Identity, Profile};
use agentspan::model::agentspec::Disclosure;
use agentspan::tracing::TracingSettings;
use agentspan::{Destination, Otlp, Telemetry, configure};
use agentspan_testkit::Service;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use tracing::{field, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::process::has_its_own;

const WHILE: Duration = Duration::from_secs(30);
const SECRET: &str = "CANARY-4711";

/// As rig 0.44 writes it, with contents on and at `TRACE`.
fn rig() {
    info_span!("GET /health").in_scope(|| ());
    let agent = info_span!(
        parent: None,
        "invoke_agent",
        gen_ai.operation.name = "invoke_agent",
        gen_ai.agent.name = "clerk",
        gen_ai.prompt = SECRET,
    );
    agent.in_scope(|| {
        let chat = info_span!(
            target: "rig::agent_chat",
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = "openai",
            gen_ai.request.model = "gpt-4o",
            gen_ai.usage.input_tokens = field::Empty,
            gen_ai.input.messages = field::Empty,
            rig.completion_parent = true,
        );
        chat.in_scope(|| {
            tracing::trace!(target: "rig::completions", "OpenAI request: {SECRET}");
            tracing::error!("no answer to {SECRET}");
        });
        chat.record("gen_ai.usage.input_tokens", 47_u64);
        let messages = [
            r#"[{"role":"user","parts":[{"type":"text","content":""#,
            SECRET,
            r#""}]}]"#,
        ];
        chat.record("gen_ai.input.messages", messages.concat());
    });
}

fn receiver() -> (Service, Destination) {
    let service = Service::start().unwrap();
    let otlp = Otlp::new().with_endpoint(format!("{}/v1/traces", service.url()));
    (service, Destination::otlp_http(otlp).unwrap())
}

fn received(service: &Service) -> BTreeMap<String, Span> {
    let requests = service.requests().into_iter();
    let requests =
        requests.map(|request| ExportTraceServiceRequest::decode(&*request.body).unwrap());
    let scopes = requests
        .flat_map(|request| request.resource_spans)
        .flat_map(|resource| resource.scope_spans);
    let spans = scopes.flat_map(|scope| scope.spans);
    spans.map(|span| (span.name.clone(), span)).collect()
}

fn value(span: &Span, key: &str) -> Option<Value> {
    let attribute = span.attributes.iter().find(|found| found.key == key)?;
    attribute.value.as_ref()?.value.clone()
}

fn run(telemetry: &Telemetry, settings: TracingSettings) {
    let layer = telemetry.tracing_layer_with(settings);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), rig);
    telemetry.flush(WHILE).unwrap();
}

#[test]
fn d8_an_agent_of_a_framework_arrives_unchanged_with_identity_and_without_contents() {
    let name = "d8_an_agent_of_a_framework_arrives_unchanged_with_identity_and_without_contents";
    if !has_its_own(&format!("tracing_layer::{name}")) {
        return;
    }
    let ((masked, to_masked), (clear, to_clear)) = (receiver(), receiver());
    let telemetry = configure()
        .with_environment(&Environment::default())
        .with_profile(Profile::V2)
        .with_identity(Identity::parse("tenant-1", "agent-1").unwrap())
        .with_destination(to_masked)
        .with_destination(to_clear.with_disclosure(Disclosure::Clear))
        .install()
        .unwrap();
    let settings = TracingSettings::new().with_events(LevelFilter::TRACE);
    run(&telemetry, settings);
    for service in [&masked, &clear] {
        let spans = received(service);
        let names: Vec<_> = spans.keys().map(String::as_str).collect();
        assert_eq!(names, ["chat gpt-4o", "invoke_agent clerk"]);
        let (chat, agent) = (&spans["chat gpt-4o"], &spans["invoke_agent clerk"]);
        assert_eq!(chat.parent_span_id, agent.span_id);
        assert_eq!(chat.kind(), SpanKind::Client);
        let tokens = value(chat, "gen_ai.usage.input_tokens");
        assert_eq!(tokens, Some(Value::IntValue(47)));
        for span in [chat, agent] {
            let tenant = value(span, "microsoft.tenant.id");
            assert_eq!(tenant, Some(Value::StringValue("tenant-1".into())));
            let agent = value(span, "gen_ai.agent.id");
            assert_eq!(agent, Some(Value::StringValue("agent-1".into())));
        }
    }
    let holds = |service: &Service, text: &str| {
        let requests = service.requests();
        let mut bodies = requests.iter().map(|request| &request.body);
        bodies.any(|body| body.windows(text.len()).any(|part| part == text.as_bytes()))
    };
    assert!(!holds(&masked, SECRET));
    assert!(holds(&clear, SECRET));
    let report = telemetry.report().to_string();
    assert!(report.contains("2 accepted, 2 exported"), "{report}");
}

#[test]
fn a_disabled_sdk_captures_nothing() {
    if !has_its_own("tracing_layer::a_disabled_sdk_captures_nothing") {
        return;
    }
    let variables = [("OTEL_SDK_DISABLED", "true")].into_iter().collect();
    let telemetry = configure().with_environment(&variables).install().unwrap();
    let layer = telemetry.tracing_layer();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        assert!(info_span!("chat", gen_ai.operation.name = "chat").is_disabled());
    });
}
