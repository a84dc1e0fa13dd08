//! The agent: it asks a scripted model, runs the requested tools, of which one fails, and asks again.

use std::time::{SystemTime, UNIX_EPOCH};

use agentspan::prelude::*;
use serde_json::{Value, json};

/// The question to the agent.
pub(super) const QUESTION: &str = "How many files are here, and what is on the roadmap?";

const MODEL: &str = "scripted-1";
const TENANT: &str = "e3064512-cc6d-4703-be71-a2ecaecaa98a";
const AGENT: &str = "a0000000-0000-0000-0000-00000000000a";

/// A call of a tool: its id, its name, its arguments.
type Call = (&'static str, &'static str, Value);

/// Answers the question, traced as one invocation of the agent.
pub(super) async fn answer() -> String {
    // Both ids can be parsed.
    let (Ok(tenant), Ok(agent)) = (TenantId::parse(TENANT), AgentId::parse(AGENT)) else {
        return String::new();
    };
    let tenant = TenantDetails::new(tenant);
    let agent = AgentDetails::new(agent)
        .with_name("Librarian")
        .with_description("Answers questions about a directory")
        .with_blueprint_id("b0000000-0000-0000-0000-00000000000b");
    let baggage = BaggageBuilder::for_profile(Profile::V2)
        .with_conversation_id("conversation-1")
        .with_channel_name("demo")
        .build();
    let request = Request::new(QUESTION, ExecutionType::HumanToAgent)
        .with_conversation_id("conversation-1")
        .with_channel(Channel::new().with_name("demo"));
    let invocation = InvokeAgentDetails::new(agent.clone());
    InvokeAgentScope::builder(&invocation)
        .with_tenant(&tenant)
        .with_request(&request)
        .start()
        .run_infallible(|scope| async move {
            scope.record_input_messages(&[QUESTION]);
            let mut messages = vec![QUESTION.to_owned()];
            for (id, name, arguments) in ask(&agent, &tenant, &messages) {
                let result = run_tool(&agent, &tenant, (id, name, arguments));
                messages.push(result.unwrap_or_else(|error| format!("error: {error}")));
            }
            let answer = sum_up(&agent, &tenant, &messages);
            scope.record_response(&answer);
            answer
        })
        .with_baggage(&baggage)
        .await
}

/// The first call of the model, which asks for three tools.
fn ask(agent: &AgentDetails, tenant: &TenantDetails, messages: &[String]) -> Vec<Call> {
    let calls = vec![
        ("call-1", "count_files", json!({"path": "."})),
        ("call-2", "read_clock", json!({})),
        (
            "call-3",
            "read_file",
            json!({"path": "roadmap-to-the-moon.md"}),
        ),
    ];
    let details = InferenceCallDetails::new(InferenceOperationType::Chat, MODEL, "openai");
    InferenceScope::start(&details, agent, tenant).in_scope_infallible(|scope| {
        scope.record_input_messages(messages);
        scope.record_input_tokens(212);
        scope.record_output_tokens(61);
        scope.record_finish_reasons(&["tool_calls"]);
        let names: Vec<String> = calls
            .iter()
            .map(|(_, name, _)| format!("{name}()"))
            .collect();
        scope.record_output_messages(&names);
        calls
    })
}

/// The second call of the model, which knows what the tools said.
fn sum_up(agent: &AgentDetails, tenant: &TenantDetails, messages: &[String]) -> String {
    let details = InferenceCallDetails::new(InferenceOperationType::Chat, MODEL, "openai");
    InferenceScope::start(&details, agent, tenant).in_scope_infallible(|scope| {
        scope.record_input_messages(messages);
        scope.record_input_tokens(330);
        scope.record_output_tokens(48);
        scope.record_finish_reasons(&["stop"]);
        let results = messages.get(1..).unwrap_or_default();
        let answer = format!("Here is what I found: {}.", results.join("; "));
        scope.record_output_messages(&[answer.as_str()]);
        answer
    })
}

fn run_tool(
    agent: &AgentDetails,
    tenant: &TenantDetails,
    (id, name, arguments): Call,
) -> Result<String, std::io::Error> {
    let details = ToolCallDetails::new(name)
        .with_call_id(id)
        .with_arguments(arguments.to_string())
        .with_type(ToolType::Function);
    ExecuteToolScope::start(&details, agent, tenant).in_scope(|scope| {
        let path = arguments.get("path").and_then(Value::as_str).unwrap_or(".");
        let result = match name {
            "count_files" => format!(
                "there are {} entries here",
                std::fs::read_dir(path)?.count()
            ),
            "read_clock" => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                format!(
                    "{} s have passed since 1970",
                    now.map_or(0, |now| now.as_secs())
                )
            }
            _ => std::fs::read_to_string(path)?,
        };
        scope.record_response(&result);
        Ok(result)
    })
}
