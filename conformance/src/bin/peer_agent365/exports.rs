//! Does one export with our exporter.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use agentspan_agent365::{AccessToken, Agent365Exporter, BoxError, TokenResolver, token_from_fn};
use agentspan_discovery::ClusterCategory;
use agentspan_model::agent365::Identity;
use agentspan_testkit::{Answer, Service};
use conformance::{Json, VectorSpan};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use serde::Deserialize;

use crate::arrived::{object, text};

/// The input of `export_v0_1.json` and `retry_v0_1.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    cluster_category: String,
    use_s2s_endpoint: bool,
    tokens: Vec<TokenEntry>,
    default_token: TokenAnswer,
    responses: Vec<Response>,
    #[serde(default)]
    shutdown_before_export: bool,
    pub(crate) spans: Vec<VectorSpan>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenEntry {
    agent_id: String,
    tenant_id: String,
    answer: TokenAnswer,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum TokenAnswer {
    Token(Option<String>),
    Raises(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Response {
    status: Option<u16>,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    error: Option<String>,
    #[serde(rename = "message")]
    _message: Option<String>,
}

/// Why an input is not run.
pub(crate) type LeftOut = String;

impl Input {
    /// What the service plays for it.
    ///
    /// # Errors
    ///
    /// For errors that no service can cause in a moment, such as a time-out of 30 seconds.
    pub(crate) fn answers(&self) -> Result<Vec<Answer>, LeftOut> {
        let answers = self.responses.iter().map(|response| {
            match (response.status, response.error.as_deref()) {
                (Some(status), None) => {
                    let answer = Answer::status(status).body(response.body.clone());
                    let headers = response.headers.iter();
                    Ok(headers.fold(answer, |answer, (name, value)| answer.header(name, value)))
                }
                (None, Some("ConnectionError")) => Ok(Answer::reset()),
                _ => Err("an answer that no service gives at once".to_owned()),
            }
        });
        answers.collect()
    }

    /// The cloud.
    ///
    /// # Errors
    ///
    /// For one that does not exist: our builder takes a type.
    pub(crate) fn cluster(&self) -> Result<ClusterCategory, LeftOut> {
        let cluster = self.cluster_category.parse();
        cluster.map_err(|_| "a cluster category that does not exist".to_owned())
    }

    /// The spans as the SDK for Rust has them.
    ///
    /// # Errors
    ///
    /// For spans that it has no form for, and for several resources in one batch.
    pub(crate) fn span_data(&self) -> Result<Vec<SpanData>, LeftOut> {
        let mut resources = self.spans.iter().map(|span| &span.resource);
        let first = resources.next();
        if resources.any(|resource| Some(resource) != first) {
            return Err("spans of several providers in one batch".to_owned());
        }
        let spans = self.spans.iter();
        spans
            .map(|span| span.to_span_data().map_err(|error| error.to_string()))
            .collect()
    }
}

/// Exports the spans to `service` and returns the result in the form of the vectors.
pub(crate) fn export(
    input: &Input,
    cluster: ClusterCategory,
    spans: Vec<SpanData>,
    service: &Service,
) -> Result<Json, Box<dyn Error>> {
    let calls: Arc<Mutex<Vec<Json>>> = Arc::default();
    let resolver = resolver(input, Arc::clone(&calls));
    let mut exporter = exporter(resolver, cluster, input.use_s2s_endpoint, service)?;
    if let Some(span) = input.spans.first() {
        exporter.set_resource(&span.to_resource()?);
    }
    if input.shutdown_before_export {
        exporter.shutdown()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let result = match runtime.block_on(exporter.export(spans)) {
        Ok(()) => "SUCCESS",
        Err(_) => "FAILURE",
    };
    // A second shutdown says that there was one already.
    let _ = exporter.shutdown();
    let calls = std::mem::take(&mut *calls.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(object([
        ("result", text(result)),
        ("token_resolver_calls", Json::Array(calls)),
    ]))
}

/// An exporter that takes `service` for every host of the world.
///
/// It sends one request after the other, as the reference does, so that the answers of the service
/// meet the same requests.
pub(crate) fn exporter(
    resolver: impl TokenResolver,
    cluster: ClusterCategory,
    service_to_service: bool,
    service: &Service,
) -> Result<Agent365Exporter, Box<dyn Error>> {
    let address: SocketAddr = service.addr();
    let builder = Agent365Exporter::builder(resolver)
        .with_cluster_category(cluster)
        .with_connect_to(address)
        .with_root_certificates(service.root_certificates())
        .with_concurrency(1);
    let builder = if service_to_service {
        builder.with_service_to_service()
    } else {
        builder
    };
    Ok(builder.build()?)
}

fn resolver(input: &Input, calls: Arc<Mutex<Vec<Json>>>) -> impl TokenResolver + use<> {
    let (tokens, default) = (input.tokens.clone(), input.default_token.clone());
    token_from_fn(move |identity: &Identity| {
        let (agent, tenant) = (identity.agent.as_str(), identity.tenant.as_str());
        let call = Json::Array(vec![text(agent), text(tenant)]);
        calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(call);
        let entry = tokens
            .iter()
            .rfind(|entry| entry.agent_id == agent && entry.tenant_id == tenant);
        match entry.map_or(&default, |entry| &entry.answer) {
            TokenAnswer::Token(None) => Ok(None),
            TokenAnswer::Token(Some(token)) => Ok(Some(AccessToken::new(token.clone())?)),
            TokenAnswer::Raises(message) => Err(BoxError::from(io::Error::other(message.clone()))),
        }
    })
}
