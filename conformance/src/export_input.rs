//! The input of an export: spans, tokens and scripted answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use agentspan_agent365::error::BoxError;
use agentspan_agent365::token::TokenQuery;
use agentspan_agent365::{AccessToken, TokenResolver, token_from_async_fn};
use agentspan_discovery::Environment;
use agentspan_model::agent365::environment::A365_OBSERVABILITY_DOMAIN_OVERRIDE;
use agentspan_testkit::Answer;
use serde::Deserialize;
use serde_json::json;

use crate::typed_value::{TypedPairs, TypedValue, after_calls};
use crate::vector_span::VectorScope;
use crate::{Failure, VectorSpan};

/// One call of the exporter, and what surrounds it.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ExportInput {
    /// The name of the cloud, which may not exist.
    pub cluster_category: String,
    /// Whether requests go to the path of services.
    pub use_s2s_endpoint: bool,
    /// How long bodies may become, in bytes; only version 2 has such a limit.
    #[serde(default)]
    pub max_payload_bytes: Option<i64>,
    /// The variable of the environment that names another host; only version 2 reads it.
    #[serde(default)]
    pub domain_override: Option<String>,
    #[serde(default)]
    tokens: Vec<TokenFor>,
    default_token: TokenAnswer,
    /// Whether spans are kept for another try; only version 3 can.
    #[serde(default)]
    pub durable_delivery: bool,
    /// Which kinds of resolvers there are; only version 3 has several.
    #[serde(default)]
    pub resolver: ResolverKind,
    /// What the service does, request by request.
    pub responses: Vec<Response>,
    /// Whether the exporter was shut down before.
    #[serde(default)]
    pub shutdown_before_export: bool,
    /// What is exported.
    pub spans: Vec<VectorSpan>,
}

#[derive(Clone, Debug, Deserialize)]
struct TokenFor {
    agent_id: String,
    tenant_id: String,
    agentic_user_id: Option<String>,
    answer: TokenAnswer,
}

/// What a resolver is asked with.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::exhaustive_enums,
    reason = "the vectors have no other resolvers"
)]
pub enum ResolverKind {
    /// With agent and tenant.
    #[default]
    Simple,
    /// With the agentic user, too.
    Contextual,
    /// The contextual one wins.
    Both,
    /// There is none.
    None,
}

/// A call of a token resolver.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "runners compare it")]
pub struct TokenCall {
    /// The agent.
    pub agent: String,
    /// Its tenant.
    pub tenant: String,
    /// The user that it acts as, for a contextual resolver.
    pub agentic_user: Option<String>,
}

/// What the token resolver does.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the vectors have no other answers")]
pub enum TokenAnswer {
    /// It returns this.
    Token(Option<String>),
    /// It returns something to be awaited, which gives this.
    AsyncToken(Option<String>),
    /// It fails with this message.
    Raises(String),
    /// It does these, call by call, and then the last for ever.
    Sequence(Vec<Self>),
}

/// What the service does with one request.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Response {
    /// The status, unless there is an error.
    pub status: Option<u16>,
    /// The headers beside those that the service sends by itself.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: String,
    /// The class of the HTTP client's error.
    pub error: Option<String>,
    #[serde(default, rename = "message")]
    _message: Option<String>,
}

/// The calls of a token resolver.
pub type TokenCalls = Arc<Mutex<Vec<TokenCall>>>;

impl ExportInput {
    /// The answer of the resolver to a call after others.
    pub(crate) fn token(&self, call: &TokenCall, before: &[TokenCall]) -> &TokenAnswer {
        let is_meant = |token: &&TokenFor| {
            let is_user =
                token.agentic_user_id.is_none() || token.agentic_user_id == call.agentic_user;
            token.agent_id == call.agent && token.tenant_id == call.tenant && is_user
        };
        let answer = self.tokens.iter().find(is_meant);
        let answer = answer.map_or(&self.default_token, |token| &token.answer);
        let TokenAnswer::Sequence(answers) = answer else {
            return answer;
        };
        let number = before.iter().filter(|other| *other == call).count();
        answers.get(number).or(answers.last()).unwrap_or(answer)
    }

    /// A call for the token of an agent, which may act as a user. `None` if nobody is asked.
    pub(crate) fn token_call(
        &self,
        tenant: &str,
        agent: &str,
        agentic_user: Option<&str>,
    ) -> Option<TokenCall> {
        let agentic_user = match self.resolver {
            ResolverKind::None => return None,
            ResolverKind::Simple => None,
            ResolverKind::Contextual | ResolverKind::Both => agentic_user.map(str::to_owned),
        };
        Some(TokenCall {
            agent: agent.to_owned(),
            tenant: tenant.to_owned(),
            agentic_user,
        })
    }

    /// Calls in the form of the vectors.
    #[must_use]
    pub fn show_calls(&self, calls: &[TokenCall]) -> serde_json::Value {
        let show = |call: &TokenCall| match self.resolver {
            ResolverKind::Simple | ResolverKind::None => json!([call.agent, call.tenant]),
            ResolverKind::Contextual | ResolverKind::Both => json!({
                "agent_id": call.agent,
                "agentic_user_id": call.agentic_user,
                "tenant_id": call.tenant,
            }),
        };
        calls.iter().map(show).collect()
    }

    /// A resolver that gives these answers and notes its calls.
    pub fn resolver(&self, calls: &TokenCalls) -> impl TokenResolver + use<> {
        let (input, calls) = (self.clone(), Arc::clone(calls));
        let answer = move |query: &TokenQuery| -> Result<Option<AccessToken>, BoxError> {
            let identity = &query.identity;
            let (tenant, agent) = (identity.tenant.as_str(), identity.agent.as_str());
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(call) = input.token_call(tenant, agent, query.agentic_user.as_deref()) else {
                return Ok(None);
            };
            let answer = input.token(&call, &calls);
            calls.push(call);
            match answer {
                TokenAnswer::Sequence(_) => Err("a sequence in a sequence".into()),
                TokenAnswer::Token(token) | TokenAnswer::AsyncToken(token) => match token {
                    Some(token) => Ok(Some(AccessToken::new(token.as_str())?)),
                    None => Ok(None),
                },
                TokenAnswer::Raises(message) => Err(message.clone().into()),
            }
        };
        // At once, so that identities keep the order in which they come.
        token_from_async_fn(move |query| std::future::ready(answer(&query)))
    }

    /// All answers that the resolver may give.
    pub(crate) fn token_answers(&self) -> impl Iterator<Item = &TokenAnswer> {
        let listed = self.tokens.iter().map(|token| &token.answer);
        let all = listed.chain([&self.default_token]);
        all.flat_map(|answer| match answer {
            TokenAnswer::Sequence(answers) => answers.as_slice(),
            answer => std::slice::from_ref(answer),
        })
    }

    /// The environment in which the exporter is made.
    #[must_use]
    pub fn environment(&self) -> Environment {
        let domain = self.domain_override.iter();
        domain
            .map(|domain| (A365_OBSERVABILITY_DOMAIN_OVERRIDE, domain.as_str()))
            .collect()
    }

    /// The spans as the SDK for Rust can hold them: values that it has no form for are not set,
    /// what exceeds its limits is left out, and a span without a scope has one without a name.
    #[must_use]
    pub fn rust_spans(&self) -> Vec<VectorSpan> {
        let mut spans = self.spans.clone();
        spans.iter_mut().for_each(rust_span);
        spans.iter_mut().for_each(keep_to_limits);
        spans
    }

    /// Whether a span has more than the SDK holds.
    pub(crate) fn exceeds_limits(&self) -> bool {
        let lists = self.spans.iter().flat_map(|span| {
            let of_events = span.events.iter().filter_map(|e| e.attributes.as_ref());
            let of_links = span.links.iter().filter_map(|l| l.attributes.as_ref());
            of_events.chain(of_links).chain([&span.attributes])
        });
        let mut sizes = lists.map(|pairs| after_calls(pairs).len());
        let mut spans = self.spans.iter();
        sizes.any(|size| size > SDK_LIMIT)
            || spans.any(|span| span.events.len().max(span.links.len()) > SDK_LIMIT)
    }

    /// All attribute lists.
    pub(crate) fn attribute_lists(&self) -> impl Iterator<Item = &TypedPairs> {
        self.spans.iter().flat_map(|span| {
            let events = span
                .events
                .iter()
                .filter_map(|event| event.attributes.as_ref());
            let links = span
                .links
                .iter()
                .filter_map(|link| link.attributes.as_ref());
            [&span.attributes, &span.resource]
                .into_iter()
                .chain(events)
                .chain(links)
        })
    }
}

impl Response {
    /// The value of the header `Retry-After`.
    pub(crate) fn retry_after(&self) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the body says that spans are rejected.
    pub(crate) fn rejects(&self) -> bool {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        let rejected = &body["partialSuccess"]["rejectedSpans"];
        rejected.as_u64().is_some_and(|rejected| rejected > 0)
    }

    /// Whether the service never answers.
    pub(crate) fn is_silence(&self) -> bool {
        self.error.as_deref() == Some("ReadTimeout")
    }

    /// Whether the head says 200, and the body breaks off.
    pub(crate) fn breaks_off(&self) -> bool {
        self.error.as_deref() == Some("ChunkedEncodingError")
    }

    /// The answer that the service plays for it.
    ///
    /// Errors of connecting are played once the request was read, so that it is known where it went;
    /// that they are retried when nothing was read is tested beside the exporter.
    ///
    /// # Errors
    ///
    /// [`Failure::Other`] if it is neither a status nor an error.
    pub fn answer(&self) -> Result<Answer, Failure> {
        match (self.status, self.error.as_deref()) {
            (Some(status), None) => {
                let answer = Answer::status(status).body(self.body.clone());
                let headers = self.headers.iter();
                Ok(headers.fold(answer, |answer, (name, value)| answer.header(name, value)))
            }
            (None, Some("ReadTimeout")) => Ok(Answer::hang()),
            (None, Some(_)) if self.breaks_off() => Ok(Answer::status(200).truncated(10)),
            (None, Some("ConnectTimeout" | "SSLError")) => Ok(Answer::close()),
            (None, Some(_)) => Ok(Answer::reset()),
            _ => Err("a response is a status or an error".into()),
        }
    }
}

/// Brings a span into the form that the SDK for Rust can hold.
pub(crate) fn rust_span(span: &mut VectorSpan) {
    keep_rust_values(&mut span.attributes);
    keep_rust_values(&mut span.resource);
    for event in &mut span.events {
        event.attributes.iter_mut().for_each(keep_rust_values);
    }
    for link in &mut span.links {
        link.attributes.iter_mut().for_each(keep_rust_values);
    }
    // Python's SDK drops it, too, and says so in its log.
    if span.status.code != "ERROR" {
        span.status.description = None;
    }
    // The SDK's times are never missing; the epoch stands for what was not set.
    span.start_time_unix_nano.get_or_insert(0);
    span.end_time_unix_nano.get_or_insert(0);
    span.scope.get_or_insert(VectorScope {
        name: String::new(),
        version: None,
    });
}

/// How many attributes, events and links a span of the SDK holds, and how many attributes each of these.
pub(crate) const SDK_LIMIT: usize = 128;

/// Leaves out what came when the SDK's lists were full.
fn keep_to_limits(span: &mut VectorSpan) {
    let of_events = span.events.iter_mut().filter_map(|e| e.attributes.as_mut());
    let of_links = span.links.iter_mut().filter_map(|l| l.attributes.as_mut());
    for pairs in of_events.chain(of_links).chain([&mut span.attributes]) {
        if pairs.len() > SDK_LIMIT {
            *pairs = after_calls(pairs);
            pairs.truncate(SDK_LIMIT);
        }
    }
    span.events.truncate(SDK_LIMIT);
    span.links.truncate(SDK_LIMIT);
}

/// Removes what has no form in Rust. An empty array has: which type it is of does not show.
pub(crate) fn keep_rust_values(attributes: &mut TypedPairs) {
    for (_, value) in attributes.iter_mut() {
        if matches!(value, TypedValue::Array(items) if items.is_empty()) {
            *value = TypedValue::StringArray(Vec::new());
        }
    }
    attributes.retain(|(_, value)| has_rust_form(value));
}

/// Whether the SDK for Rust can hold the value.
pub(crate) fn has_rust_form(value: &TypedValue) -> bool {
    match value {
        TypedValue::Null(_) | TypedValue::Bigint(_) | TypedValue::Map(_) => false,
        TypedValue::Array(items) => items.is_empty(),
        _ => true,
    }
}
