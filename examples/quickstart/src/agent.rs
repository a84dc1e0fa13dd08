//! A small agent: it asks the model, runs all requested tools at once, and asks the model again.

use std::error::Error;

use agentspan::prelude::*;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::tools::{self, ToolError};

/// Errors of any kind that may move between tasks.
pub(crate) type AnyError = Box<dyn Error + Send + Sync>;

/// An agent, the tenant it works for, and the model it asks.
#[derive(Clone)]
pub(crate) struct Agent {
    pub(crate) details: AgentDetails,
    pub(crate) tenant: TenantDetails,
    model_url: String,
    http: Client<HttpConnector, Full<hyper::body::Bytes>>,
}

impl Agent {
    pub(crate) fn new(details: AgentDetails, tenant: TenantDetails, model_url: &str) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self {
            details,
            tenant,
            model_url: format!("{model_url}/v1/chat/completions"),
            http,
        }
    }

    /// Answers one question, traced as one invocation of the agent.
    pub(crate) async fn answer(&self, question: &str) -> Result<String, AnyError> {
        let invocation = InvokeAgentDetails::new(self.details.clone());
        let request = Request::new(question, ExecutionType::HumanToAgent);
        InvokeAgentScope::builder(&invocation)
            .with_tenant(&self.tenant)
            .with_request(&request)
            .start()
            .run(|scope| async move {
                scope.record_input_messages(&[question]);
                let mut messages = vec![json!({"role": "user", "content": question})];
                loop {
                    let reply = self.ask_model(&messages).await?;
                    let calls = reply["tool_calls"].as_array().cloned().unwrap_or_default();
                    if calls.is_empty() {
                        let answer = reply["content"].as_str().unwrap_or_default().to_owned();
                        scope.record_response(&answer);
                        return Ok::<_, AnyError>(answer);
                    }
                    messages.push(reply);
                    messages.extend(self.run_tools(&calls).await?);
                }
            })
            .await
    }

    /// One call of the model.
    async fn ask_model(&self, messages: &[Value]) -> Result<Value, AnyError> {
        let call = InferenceCallDetails::new(InferenceOperationType::Chat, "scripted-1", "openai");
        InferenceScope::start(&call, &self.details, &self.tenant)
            .run(|scope| async move {
                let prompts: Vec<String> = messages.iter().map(Value::to_string).collect();
                scope.record_input_messages(&prompts);
                let mut completion = self
                    .post(&json!({"model": "scripted-1", "messages": messages}))
                    .await?;
                let usage = &completion["usage"];
                scope.record_input_tokens(usage["prompt_tokens"].as_i64().unwrap_or(0));
                scope.record_output_tokens(usage["completion_tokens"].as_i64().unwrap_or(0));
                let choice = completion["choices"][0].take();
                scope.record_finish_reasons(&[choice["finish_reason"]
                    .as_str()
                    .unwrap_or("unknown")]);
                scope.record_output_messages(&[choice["message"].to_string()]);
                Ok::<_, AnyError>(choice["message"].clone())
            })
            .await
    }

    /// Runs the tools at the same time, each in a task of its own. A tool that fails tells the
    /// model so.
    #[expect(
        clippy::disallowed_methods,
        reason = "an application may start tasks; the library must not"
    )]
    async fn run_tools(&self, calls: &[Value]) -> Result<Vec<Value>, AnyError> {
        let tasks: Vec<_> = calls
            .iter()
            .map(|call| tokio::spawn(self.clone().run_tool(call.clone()).with_agent_context()))
            .collect();
        let mut messages = Vec::new();
        for (call, task) in calls.iter().zip(tasks) {
            let content = task
                .await?
                .unwrap_or_else(|error| format!("error: {error}"));
            messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": content}));
        }
        Ok(messages)
    }

    async fn run_tool(self, call: Value) -> Result<String, ToolError> {
        let name = call["function"]["name"].as_str().unwrap_or_default();
        let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
        let details = ToolCallDetails::new(name)
            .with_arguments(arguments)
            .with_call_id(call["id"].as_str().unwrap_or_default())
            .with_type(ToolType::Function);
        ExecuteToolScope::start(&details, &self.details, &self.tenant)
            .run(|scope| async move {
                let result =
                    tools::run(name, &serde_json::from_str(arguments).unwrap_or_default()).await?;
                scope.record_response(&result);
                Ok(result)
            })
            .await
    }

    async fn post(&self, body: &Value) -> Result<Value, AnyError> {
        let request = hyper::Request::post(&self.model_url)
            .header("content-type", "application/json")
            .body(Full::from(body.to_string()))?;
        let response = self.http.request(request).await?;
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok(serde_json::from_slice(&bytes)?)
    }
}
