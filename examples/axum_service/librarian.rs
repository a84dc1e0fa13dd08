//! The agent: looks a question up, and lets a model write the answer.

use agentspan::prelude::*;
use agentspan::tower::{ClientLayer, ClientService, Layer as _, Service as _};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::AnyError;
use crate::caller::Caller;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LibrarianError {
    /// The model cannot be reached, or its answer cannot be read.
    #[error("the model cannot be asked")]
    Model(#[source] AnyError),
    /// The model refuses to answer.
    #[error("the model answers with status {0}")]
    Status(u16),
}

/// An agent that works for many tenants.
#[derive(Clone, Debug)]
pub(crate) struct Librarian {
    model_url: String,
    /// Its requests carry the trace, so that the model's own telemetry goes on with it.
    http: ClientService<Client<HttpConnector, Full<Bytes>>>,
}

impl Librarian {
    pub(crate) fn new(model_url: &str) -> Self {
        Self {
            model_url: format!("{model_url}/v1/chat/completions"),
            http: ClientLayer::new().layer(Client::builder(TokioExecutor::new()).build_http()),
        }
    }

    /// Answers one question, traced as one invocation of the agent.
    pub(crate) async fn answer(
        &self,
        caller: &Caller,
        question: &str,
    ) -> Result<String, LibrarianError> {
        let invocation = InvokeAgentDetails::new(caller.agent.clone());
        let request = Request::new(question, ExecutionType::HumanToAgent);
        InvokeAgentScope::builder(&invocation)
            .with_tenant(&caller.tenant)
            .with_request(&request)
            .start()
            .run(|scope| async move {
                scope.record_input_messages(question);
                let books = find_books(caller, question);
                let answer = self.ask_model(caller, question, &books).await?;
                scope.record_response(&answer);
                Ok(answer)
            })
            .await
    }

    async fn ask_model(
        &self,
        caller: &Caller,
        question: &str,
        books: &str,
    ) -> Result<String, LibrarianError> {
        let call = InferenceCallDetails::new(InferenceOperationType::Chat, "scripted-1", "openai");
        InferenceScope::start(&call, &caller.agent, &caller.tenant)
            .run(|scope| async move {
                let prompt = format!("{question} On the shelves: {books}");
                scope.record_input_messages(&prompt);
                let body = json!({"messages": [{"role": "user", "content": prompt}]});
                let reply = self.post(&body).await?;
                let text = reply["choices"][0]["message"]["content"].as_str();
                let text = text.unwrap_or_default().to_owned();
                scope.record_output_messages(&text);
                Ok(text)
            })
            .await
    }

    async fn post(&self, body: &Value) -> Result<Value, LibrarianError> {
        let request = hyper::Request::post(&self.model_url).body(Full::from(body.to_string()));
        let request = request.map_err(|error| LibrarianError::Model(error.into()))?;
        // hyper's client is always ready.
        let response = self.http.clone().call(request).await;
        let response = response.map_err(|error| LibrarianError::Model(error.into()))?;
        if !response.status().is_success() {
            return Err(LibrarianError::Status(response.status().as_u16()));
        }
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| LibrarianError::Model(error.into()))?;
        serde_json::from_slice(&body.to_bytes())
            .map_err(|error| LibrarianError::Model(error.into()))
    }
}

/// The agent's tool.
fn find_books(caller: &Caller, question: &str) -> String {
    let details = ToolCallDetails::new("find_books").with_arguments(question);
    ExecuteToolScope::start(&details, &caller.agent, &caller.tenant).in_scope_infallible(|scope| {
        let books = if question.contains("crabs") {
            "A Cast of Crabs"
        } else {
            "none"
        };
        scope.record_response(books);
        books.to_owned()
    })
}
