//! Spans that were sent, as they stand in the requests.

use std::time::Duration;

use agentspan_agent365::{AccessToken, Delivery, token_from_fn};
use agentspan_model::agent365::Profile;
use agentspan_testkit::{RecordedRequest, Service};
use opentelemetry_sdk::trace::SpanExporter as _;
use serde_json::{Value, json};

use crate::{Failure, VectorSpan};

/// Longer than any case takes.
pub(super) const WHILE: Duration = Duration::from_secs(60);

/// The attributes of each span, by key.
type Attributes = Vec<Vec<(String, Value)>>;

/// What arrived of some spans.
pub(super) struct Sent {
    /// Name and attributes of each, in the form of the vectors.
    pub(super) spans: Vec<Value>,
}

impl Sent {
    /// Sends the spans with or without the input of invoked agents.
    pub(super) fn of(spans: &[VectorSpan], without_input: bool) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::from(error.to_string());
        let service = Service::start().map_err(|error| failed(&error))?;
        let resolver = token_from_fn(|_| Ok(Some(AccessToken::new("token")?)));
        let mut builder = Delivery::builder(resolver)
            .with_profile(Profile::V3)
            .with_loopback_endpoint(service.url());
        if without_input {
            builder = builder.without_invoke_agent_input();
        }
        let delivery = builder.build().map_err(|error| failed(&error))?;
        let mut exporter = delivery.exporter();
        if let Some(span) = spans.first() {
            exporter.set_resource(&span.to_resource().map_err(|error| failed(&error))?);
        }
        let batch = spans.iter().map(VectorSpan::to_span_data);
        let batch = batch
            .collect::<Result<_, _>>()
            .map_err(|error| failed(&error))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| failed(&error))?;
        let exported = runtime.block_on(exporter.export(batch));
        exported.map_err(|error| failed(&error))?;
        delivery.shutdown(WHILE).map_err(|error| failed(&error))?;
        let mut sent = Vec::new();
        for request in service.requests() {
            sent.extend(spans_of(&request)?);
        }
        let shown = sent.iter().map(|span| {
            let attributes = typed_pairs(&span["attributes"]);
            json!({"name": span["name"], "attributes": attributes})
        });
        Ok(Self {
            spans: shown.collect(),
        })
    }
}

/// The attributes of all spans in a request.
pub(super) fn attributes_of(request: &RecordedRequest) -> Result<Attributes, Failure> {
    let spans = spans_of(request)?.into_iter();
    let attributes = spans.map(|span| match &span["attributes"] {
        Value::Object(members) => members.clone().into_iter().collect(),
        _ => Vec::new(),
    });
    Ok(attributes.collect())
}

fn spans_of(request: &RecordedRequest) -> Result<Vec<Value>, Failure> {
    let body: Value = serde_json::from_slice(&request.body)?;
    let members = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let resources = members(&body, "resourceSpans").into_iter();
    let scopes = resources.flat_map(|resource| members(&resource, "scopeSpans"));
    Ok(scopes.flat_map(|scope| members(&scope, "spans")).collect())
}

/// The attributes of a body, whose values have no types there but those of JSON.
fn typed_pairs(attributes: &Value) -> Value {
    let members = attributes.as_object().into_iter().flatten();
    let pairs = members.map(|(key, value)| {
        let typed = match value {
            Value::String(_) => json!({ "string": value }),
            Value::Bool(_) => json!({ "bool": value }),
            Value::Number(number) if number.is_i64() => json!({ "int": value }),
            Value::Number(_) => json!({ "double": value }),
            _ => json!({ "array": value }),
        };
        json!([key, typed])
    });
    pairs.collect()
}
