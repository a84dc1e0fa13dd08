//! What has to arrive at the receivers.

use std::collections::BTreeMap;

use agentspan_testkit::Service;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;
use serde_json::Value;

use crate::AnyError;

/// What all contents hold.
const CANARY: &str = "CANARY";

/// What the agent does.
pub(crate) struct Expected {
    /// The names of its spans, sorted.
    pub(crate) names: &'static [&'static str],
    /// How many spans its traces have, sorted.
    pub(crate) spans_of_traces: &'static [usize],
    /// The input tokens of its calls of models, sorted.
    pub(crate) tokens: &'static [i64],
}

/// Fails unless everything is where it should be, and nothing where it should not be.
pub(crate) fn check(
    expected: &Expected,
    masked: &Service,
    clear: &Service,
    agent365: &Service,
) -> Result<(), AnyError> {
    for service in [masked, clear] {
        check_spans(expected, &spans(service)?)?;
    }
    expect(!holds(masked, CANARY), "a content arrived where none may")?;
    for content in ["preamble", "prompt", "arguments", "result", "answer"] {
        let text = format!("{CANARY}-{content}");
        expect(holds(clear, &text), &format!("{text} did not arrive"))?;
    }
    check_parts(&spans(clear)?)?;
    check_agent365(expected, agent365)
}

fn check_spans(expected: &Expected, spans: &[Span]) -> Result<(), AnyError> {
    let mut names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    expect(names == expected.names, &format!("{names:?}"))?;
    let mut traces: BTreeMap<&[u8], usize> = BTreeMap::new();
    for span in spans {
        *traces.entry(&span.trace_id).or_default() += 1;
        for (key, id) in [
            ("microsoft.tenant.id", "tenant-1"),
            ("tenant.id", "tenant-1"),
            ("gen_ai.agent.id", "agent-1"),
        ] {
            let found = value(span, key);
            // Each generation of Agent 365 has one key for the tenant.
            let is_of_other = key.ends_with("tenant.id") && found.is_none();
            let is_said = found == Some(&AnyValue::StringValue(id.to_owned()));
            expect(
                is_said || is_of_other,
                &format!("{key} of {} is {found:?}", span.name),
            )?;
        }
        let tenants = ["microsoft.tenant.id", "tenant.id"].map(|key| value(span, key).is_some());
        expect(tenants.contains(&true), "a span has no tenant")?;
    }
    let mut sizes: Vec<_> = traces.into_values().collect();
    sizes.sort_unstable();
    expect(
        sizes == expected.spans_of_traces,
        &format!("traces of {sizes:?} spans"),
    )?;
    let mut tokens = Vec::new();
    for call in calls(spans) {
        expect(call.kind() == SpanKind::Client, "the kind of a call")?;
        match value(call, "gen_ai.usage.input_tokens") {
            Some(AnyValue::IntValue(count)) => tokens.push(*count),
            other => return Err(format!("tokens are {other:?}").into()),
        }
    }
    tokens.sort_unstable();
    expect(tokens == expected.tokens, &format!("tokens are {tokens:?}"))?;
    let failed = spans
        .iter()
        .filter(|span| span.name == "execute_tool trains");
    for tool in failed {
        let code = tool.status.as_ref().map(|status| status.code());
        expect(
            code == Some(StatusCode::Error),
            &format!("the tool that failed says {code:?}"),
        )?;
    }
    Ok(())
}

fn calls(spans: &[Span]) -> impl Iterator<Item = &Span> {
    spans.iter().filter(|span| span.name.starts_with("chat"))
}

/// Whatever the framework writes, messages are a list of roles and parts.
fn check_parts(spans: &[Span]) -> Result<(), AnyError> {
    for call in calls(spans) {
        for key in ["gen_ai.input.messages", "gen_ai.output.messages"] {
            let Some(AnyValue::StringValue(text)) = value(call, key) else {
                return Err(format!("{key} is missing").into());
            };
            let messages: Vec<Value> = serde_json::from_str(text)?;
            let has_parts =
                |message: &Value| message["role"].is_string() && message["parts"].is_array();
            expect(!messages.is_empty() && messages.iter().all(has_parts), text)?;
        }
    }
    Ok(())
}

/// Agent 365 gets all spans, with contents, as its contract asks, in requests of the identity.
fn check_agent365(expected: &Expected, service: &Service) -> Result<(), AnyError> {
    let mut names = Vec::new();
    for request in service.requests() {
        // 0.1.0 has no tenant there.
        expect(request.path().contains("agent-1"), request.path())?;
        collect_names(&request.json()?, &mut names);
    }
    let arrived = names.len() == expected.names.len();
    expect(arrived, &format!("Agent 365 got {names:?}"))?;
    expect(holds(service, "CANARY-prompt"), "Agent 365 got no contents")
}

/// The names of all spans in a body.
fn collect_names(body: &Value, names: &mut Vec<String>) {
    match body {
        Value::Object(fields) => {
            if let (Some(name), true) = (fields.get("name"), fields.contains_key("spanId")) {
                names.push(name.to_string());
            }
            fields
                .values()
                .for_each(|field| collect_names(field, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        _ => {}
    }
}

fn spans(service: &Service) -> Result<Vec<Span>, AnyError> {
    let mut spans = Vec::new();
    for request in service.requests() {
        let request = ExportTraceServiceRequest::decode(&*request.body)?;
        let scopes = request
            .resource_spans
            .into_iter()
            .flat_map(|of_resource| of_resource.scope_spans);
        spans.extend(scopes.flat_map(|of_scope| of_scope.spans));
    }
    Ok(spans)
}

fn value<'a>(span: &'a Span, key: &str) -> Option<&'a AnyValue> {
    let attribute = span
        .attributes
        .iter()
        .find(|attribute| attribute.key == key)?;
    attribute.value.as_ref()?.value.as_ref()
}

fn holds(service: &Service, text: &str) -> bool {
    let requests = service.requests();
    let mut bodies = requests.iter().map(|request| &request.body);
    bodies.any(|body| body.windows(text.len()).any(|part| part == text.as_bytes()))
}

fn expect(is_so: bool, otherwise: &str) -> Result<(), AnyError> {
    if is_so { Ok(()) } else { Err(otherwise.into()) }
}
