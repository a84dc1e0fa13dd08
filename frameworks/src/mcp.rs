//! An agent that calls tools over the Model Context Protocol with rmcp, and the server that has
//! them. Both are traced: the client's spans, and the server's below them, in one trace.
//!
//! Fails unless everything arrives: at two receivers of OTLP, one of which may see no contents, and
//! at a service that stands for Agent 365.

use std::error::Error;
use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::model::agent365::Profile;
use agentspan::model::agentspec::Disclosure;
use agentspan::model::mcp::{McpRequest, McpTransport};
use agentspan::prelude::*;
use agentspan::{Destination, Otlp};
use agentspan_testkit::{Answer, Service};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ServerCapabilities,
    ServerConfig,
};
use rmcp::service::{Peer, RequestContext, RoleClient, RoleServer, ServiceError};
use rmcp::{ErrorData, ServerHandler, ServiceExt as _};
use serde_json::json;

type AnyError = Box<dyn Error + Send + Sync>;

const DEADLINE: Duration = Duration::from_secs(30);

/// What all contents hold.
const CANARY: &str = "CANARY";

/// A server with a tool that answers, one that fails, and no other.
struct Weather;

impl ServerHandler for Weather {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let request = McpRequest::tool(call.name.clone())
            .with_request_id(&context.id)
            .with_transport(McpTransport::Stdio);
        let scope = McpScope::server(&request)
            .with_meta(&context.meta.0.0)
            .start();
        scope
            .run_infallible(|scope| async move {
                match &*call.name {
                    "get-weather" => Ok(said("rain")),
                    "get-tides" => {
                        scope.record_tool_error();
                        let text = ContentBlock::text(format!("{CANARY}: no tides"));
                        Ok(CallToolResult::error(vec![text]).into())
                    }
                    _ => {
                        let error = ErrorData::invalid_params("no such tool", None);
                        scope.record_rpc_error(error.code.0, &error.message);
                        Err(error)
                    }
                }
            })
            .await
    }
}

fn said(weather: &str) -> CallToolResponse {
    let text = ContentBlock::text(format!("{CANARY}-result: {weather}"));
    CallToolResult::success(vec![text]).into()
}

/// Calls a tool as an agent does, in a span of the call.
async fn call(server: &Peer<RoleClient>, tool: &'static str) -> Result<CallToolResult, ServiceError> {
    let arguments = json!({"city": format!("{CANARY}-arguments")});
    let details = ToolCallDetails::new(tool).with_arguments(arguments.to_string());
    let request = McpRequest::tool_call(details).with_transport(McpTransport::Stdio);
    McpScope::client(&request)
        .start()
        .run_infallible(|scope| async move {
            let mut params = CallToolRequestParams::new(tool);
            params.arguments = arguments.as_object().cloned();
            scope.inject_meta(&mut params.meta.get_or_insert_default().0.0);
            let result = server.call_tool(params).await;
            match &result {
                Ok(result) if result.is_error == Some(true) => scope.record_tool_error(),
                Ok(result) => scope.record_tool_result(&json!(result.content)),
                Err(ServiceError::McpError(error)) => {
                    scope.record_rpc_error(error.code.0, &error.message);
                }
                Err(error) => scope.record_error(error),
            }
            result
        })
        .await
}

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let profile = match std::env::args().nth(1).as_deref() {
        Some("v0.1") => Profile::V0_1,
        Some("v2") | None => Profile::V2,
        Some("v3") => Profile::V3,
        Some(other) => return Err(format!("{other:?} is no generation of Agent 365").into()),
    };
    let (masked, clear) = (Service::start()?, Service::start()?);
    let agent365 = Service::builder()
        .then_repeat(Answer::status(200))
        .start()?;
    let token = token_from_async_fn(|_| async { Ok(Some(AccessToken::new("a-token")?)) });
    let delivery = Delivery::builder(token)
        .with_profile(profile)
        .with_loopback_endpoint(agent365.url());
    let otlp = |service: &Service| {
        let otlp = Otlp::new().with_endpoint(format!("{}/v1/traces", service.url()));
        Destination::otlp_http(otlp)
    };
    let telemetry = agentspan::configure()
        .with_environment(&Environment::default())
        .with_service_name("weather")
        .with_delivery(delivery)
        .with_destination(otlp(&masked)?.with_name("masked"))
        .with_destination(
            otlp(&clear)?
                .with_name("clear")
                .with_disclosure(Disclosure::Clear),
        )
        .with_switches_on()
        .install()?;

    run().await?;

    telemetry.shutdown_async(DEADLINE).await?;
    println!("{}", telemetry.report());
    for service in [&masked, &clear] {
        check(&spans(service)?)?;
    }
    expect(!holds(&masked, CANARY), "a content arrived where none may")?;
    for content in ["CANARY-arguments", "CANARY-result"] {
        expect(holds(&clear, content), "a content did not arrive")?;
        expect(holds(&agent365, content), "Agent 365 got no contents")?;
    }
    for name in ["tools/call get-weather", "tools/call get-tides"] {
        expect(holds(&agent365, name), "Agent 365 got no tool")?;
    }
    Ok(())
}

/// An invocation of an agent that calls three tools.
async fn run() -> Result<(), AnyError> {
    let (of_server, of_client) = tokio::io::duplex(4096);
    let (server, client) = tokio::try_join!(
        async { Weather.serve(of_server).await.map_err(AnyError::from) },
        async { ().serve(of_client).await.map_err(AnyError::from) },
    )?;
    let agent = InvokeAgentDetails::new(AgentDetails::new(AgentId::parse("agent-1")?));
    let tenant = TenantDetails::new(TenantId::parse("tenant-1")?);
    let peer = client.peer();
    InvokeAgentScope::start(&agent, &tenant)
        .run(|_| async move {
            call(peer, "get-weather").await?;
            let tides = call(peer, "get-tides").await?;
            assert_eq!(tides.is_error, Some(true));
            let missing = call(peer, "get-moon").await;
            assert!(matches!(missing, Err(ServiceError::McpError(_))));
            Ok::<_, ServiceError>(())
        })
        .await?;
    client.cancel().await?;
    server.waiting().await?;
    Ok(())
}

/// Each call is a span of the client below the agent, and a span of the server below that.
fn check(spans: &[Span]) -> Result<(), AnyError> {
    let mut names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    let expected = [
        "invoke_agent",
        "tools/call get-moon",
        "tools/call get-moon",
        "tools/call get-tides",
        "tools/call get-tides",
        "tools/call get-weather",
        "tools/call get-weather",
    ];
    expect(names == expected, &format!("{names:?}"))?;
    let agent = spans.iter().find(|span| span.name == "invoke_agent");
    let agent = agent.ok_or("no agent")?;
    let calls = || spans.iter().filter(|span| span.name != "invoke_agent");
    for client in calls().filter(|span| span.kind() == SpanKind::Client) {
        expect(client.parent_span_id == agent.span_id, "a client is elsewhere")?;
        let mut below = calls().filter(|span| span.parent_span_id == client.span_id);
        let server = below.next().ok_or("a call has no span of the server")?;
        expect(below.next().is_none(), "a call has several spans of the server")?;
        expect(server.kind() == SpanKind::Server, "the kind of a server's span")?;
        expect(server.trace_id == client.trace_id, "two traces")?;
        for (key, value) in [
            ("mcp.method.name", "tools/call"),
            ("gen_ai.operation.name", "execute_tool"),
            ("network.transport", "pipe"),
        ] {
            for span in [client, server] {
                expect(text(span, key) == Some(value), &format!("{key} of {}", span.name))?;
            }
        }
        let error = match client.name.as_str() {
            "tools/call get-tides" => Some("tool_error"),
            "tools/call get-moon" => Some("-32602"),
            _ => None,
        };
        for span in [client, server] {
            let found = text(span, "error.type");
            expect(found == error, &format!("{found:?} of {}", span.name))?;
        }
    }
    Ok(())
}

fn text<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;

    let attribute = span.attributes.iter().find(|it| it.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn spans(service: &Service) -> Result<Vec<Span>, AnyError> {
    let mut spans = Vec::new();
    for request in service.requests() {
        let request = ExportTraceServiceRequest::decode(&*request.body)?;
        let scopes = request.resource_spans.into_iter();
        let scopes = scopes.flat_map(|of_resource| of_resource.scope_spans);
        spans.extend(scopes.flat_map(|of_scope| of_scope.spans));
    }
    Ok(spans)
}

fn holds(service: &Service, text: &str) -> bool {
    let requests = service.requests();
    let mut bodies = requests.iter().map(|request| &request.body);
    bodies.any(|body| body.windows(text.len()).any(|part| part == text.as_bytes()))
}

fn expect(is_so: bool, otherwise: &str) -> Result<(), AnyError> {
    if is_so { Ok(()) } else { Err(otherwise.into()) }
}
