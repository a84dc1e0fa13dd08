//! The input of a case: spans, tokens and scripted answers.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::VectorSpan;
use crate::typed_value::{TypedPairs, TypedValue};
use crate::vector_span::VectorScope;

/// One call of the exporter, and what surrounds it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Input {
    pub(super) cluster_category: String,
    pub(super) use_s2s_endpoint: bool,
    tokens: Vec<TokenFor>,
    default_token: TokenAnswer,
    pub(super) responses: Vec<Response>,
    #[serde(default)]
    pub(super) shutdown_before_export: bool,
    pub(super) spans: Vec<VectorSpan>,
}

#[derive(Clone, Debug, Deserialize)]
struct TokenFor {
    agent_id: String,
    tenant_id: String,
    answer: TokenAnswer,
}

/// What the token resolver does.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TokenAnswer {
    Token(Option<String>),
    Raises(String),
}

/// What the service does with one request.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Response {
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) body: String,
    pub(super) error: Option<String>,
    #[serde(default, rename = "message")]
    _message: Option<String>,
}

impl Input {
    /// The answer of the resolver for an identity.
    pub(super) fn token(&self, tenant: &str, agent: &str) -> &TokenAnswer {
        self.tokens
            .iter()
            .find(|token| token.agent_id == agent && token.tenant_id == tenant)
            .map_or(&self.default_token, |token| &token.answer)
    }

    /// All answers that the resolver may give.
    pub(super) fn token_answers(&self) -> impl Iterator<Item = &TokenAnswer> {
        let listed = self.tokens.iter().map(|token| &token.answer);
        listed.chain([&self.default_token])
    }

    /// The spans as the SDK for Rust can hold them: values that it has no form for are not set, and
    /// a span without a scope has one without a name.
    pub(super) fn rust_spans(&self) -> Vec<VectorSpan> {
        let mut spans = self.spans.clone();
        for span in &mut spans {
            keep_rust_values(&mut span.attributes);
            keep_rust_values(&mut span.resource);
            for event in &mut span.events {
                event.attributes.iter_mut().for_each(keep_rust_values);
            }
            for link in &mut span.links {
                link.attributes.iter_mut().for_each(keep_rust_values);
            }
            // The SDK's times are never missing; the epoch stands for what was not set.
            span.start_time_unix_nano.get_or_insert(0);
            span.end_time_unix_nano.get_or_insert(0);
            span.scope.get_or_insert(VectorScope {
                name: String::new(),
                version: None,
            });
        }
        spans
    }

    /// All attribute lists.
    pub(super) fn attribute_lists(&self) -> impl Iterator<Item = &TypedPairs> {
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

/// Removes what has no form in Rust. An empty array has: which type it is of does not show.
fn keep_rust_values(attributes: &mut TypedPairs) {
    for (_, value) in attributes.iter_mut() {
        if matches!(value, TypedValue::Array(items) if items.is_empty()) {
            *value = TypedValue::StringArray(Vec::new());
        }
    }
    attributes.retain(|(_, value)| has_rust_form(value));
}

/// Whether the SDK for Rust can hold the value.
pub(super) fn has_rust_form(value: &TypedValue) -> bool {
    match value {
        TypedValue::Null(_) | TypedValue::Bigint(_) | TypedValue::Map(_) => false,
        TypedValue::Array(items) => items.is_empty(),
        _ => true,
    }
}
