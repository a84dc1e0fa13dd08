//! An agent on the crate `genai`, captured unchanged: two lines of ours, and `main` checks what arrives.
//!
//! The crate makes the spans of calls of models, and helps a program with those of agents and tools. The agent asks
//! for tools, of which one fails, has a second agent read the results, and streams an answer, all in one trace.

mod model;
mod received;
mod stage;

use futures::StreamExt as _;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, Tool, ToolCall, ToolResponse};
use genai::otel::agent::{AgentSpan, ExecuteToolSpan, execute_tool_span, set_error};
use genai::resolver::{AuthData, Endpoint, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};
use serde_json::json;
use tracing::Instrument as _;

use crate::model::Script;
use crate::received::Expected;

pub(crate) type AnyError = Box<dyn std::error::Error>;

const MODEL: &str = "gpt-4o";

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let expected = Expected {
        names: &[
            "chat gpt-4o",
            "chat gpt-4o",
            "chat gpt-4o",
            "execute_tool trains",
            "execute_tool weather",
            "invoke_agent clerk",
            "invoke_agent travel",
        ],
        spans_of_traces: &[7],
        tokens: &[47, 80, 100],
    };
    stage::capture(&expected, &Script::Alone, async |model| {
        let agent = AgentSpan::invoke_agent()
            .internal()
            .with_name("travel")
            .start();
        travel(&client(model)?).instrument(agent).await
    })
    .await
}

fn client(model: String) -> Result<Client, AnyError> {
    let target = move |target: ServiceTarget| {
        Ok::<_, genai::resolver::Error>(ServiceTarget {
            endpoint: Endpoint::from_owned(format!("{model}/")),
            auth: AuthData::from_single("no-key"),
            model: ModelIden::new(AdapterKind::OpenAI, target.model.model_name),
        })
    };
    let resolver = ServiceTargetResolver::from_resolver_fn(target);
    Ok(Client::builder()
        .with_service_target_resolver(resolver)
        .build()?)
}

async fn travel(client: &Client) -> Result<(), AnyError> {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let tools = ["weather", "trains"].map(|name| Tool::new(name).with_schema(schema.clone()));
    let mut request = ChatRequest::new(vec![
        ChatMessage::system("Answer in one sentence. CANARY-preamble"),
        ChatMessage::user("How do I get to Genoa? CANARY-prompt"),
    ])
    .with_tools(tools);

    let answer = client.exec_chat(MODEL, request.clone(), None).await?;
    let calls = answer.into_tool_calls();
    request = request.append_message(calls.clone());
    for call in &calls {
        let result = run_tool(call);
        request = request.append_message(ToolResponse::new(call.call_id.clone(), result));
    }

    let clerk = AgentSpan::invoke_agent()
        .internal()
        .with_name("clerk")
        .start();
    let read = client.exec_chat(MODEL, request.clone(), None);
    let answer = read.instrument(clerk).await?;
    println!("{}", answer.first_text().unwrap_or_default());

    let options = ChatOptions::default()
        .with_capture_usage(true)
        .with_capture_content(true);
    let request = request.append_message(ChatMessage::user("And in one word? CANARY-prompt"));
    let stream = client.exec_chat_stream(MODEL, request, Some(&options));
    let mut stream = stream.await?.stream;
    while let Some(event) = stream.next().await {
        event?;
    }
    Ok(())
}

fn run_tool(call: &ToolCall) -> String {
    let span = execute_tool_span(call);
    span.in_scope(|| match call.fn_name.as_str() {
        "weather" => {
            let result = "dry in Genoa, CANARY-result".to_owned();
            ExecuteToolSpan::record_result(&span, &result);
            result
        }
        _ => {
            set_error(&span, "NoTimetable");
            "no timetable, CANARY-error".to_owned()
        }
    })
}
