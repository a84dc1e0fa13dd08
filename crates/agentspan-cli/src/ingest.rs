//! From what was sent or written to spans in the store.

mod agent_spec;
mod file;
mod place;

use std::sync::Arc;

use agentspan_model::agentspec::ReadError;
use serde_json::Value;

use crate::reading::list;
use crate::span::{Form, Group, Span};
use crate::store::Store;

pub(crate) use file::Files;
pub(crate) use place::Place;

use agent_spec::Hooks;

/// Why a piece of text is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IngestError {
    /// It is not JSON. The cause tells where.
    #[error("not JSON")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON of something else.
    #[error(
        "neither a request of OTLP or Agent 365 (resourceSpans), nor a line of an Agent Spec recording (hook), nor a span"
    )]
    Unknown,
    /// It is a line of a recording that cannot be read.
    #[error("not a recorded hook: {0}")]
    Hook(ReadError),
}

/// Reads spans of any source into a store.
#[derive(Debug, Default)]
pub(crate) struct Ingest {
    hooks: Hooks,
}

impl Ingest {
    /// Reads one JSON text: a request, a line of a recording, a span, or a list of those. Gives the number
    /// of spans that it has or is about.
    pub(crate) fn text(
        &mut self,
        text: &str,
        place: Option<&Place>,
        store: &mut Store,
    ) -> Result<usize, IngestError> {
        match serde_json::from_str::<Value>(text) {
            Ok(value) if value.get("hook").is_some() => self.hook(text, place, store),
            Ok(value) => self.value(&value, place, store),
            // Recordings hold `NaN`, and halves of characters, which JSON does not have.
            Err(_) if text.contains("\"hook\"") => self.hook(text, place, store),
            Err(error) => Err(IngestError::NotJson(error)),
        }
    }

    fn hook(
        &mut self,
        text: &str,
        place: Option<&Place>,
        store: &mut Store,
    ) -> Result<usize, IngestError> {
        let spans = self.hooks.line(text, place).map_err(IngestError::Hook)?;
        let count = spans.len();
        spans.into_iter().for_each(|span| store.insert(span));
        Ok(count)
    }

    fn value(
        &mut self,
        value: &Value,
        place: Option<&Place>,
        store: &mut Store,
    ) -> Result<usize, IngestError> {
        if let Value::Array(items) = value {
            let each = items.iter().map(|item| match item.get("hook") {
                Some(_) => self.hook(&item.to_string(), place, store),
                None => self.value(item, place, store),
            });
            return each.sum();
        }
        if value.get("resourceSpans").is_some_and(Value::is_array) {
            return Ok(body(value, None, place, store));
        }
        if let Some(inner) = value
            .get("body")
            .filter(|inner| inner.get("resourceSpans").is_some())
        {
            return Ok(body(inner, None, place, store));
        }
        let mut span = Span::of_json(value, None, &Arc::default()).ok_or(IngestError::Unknown)?;
        span.place = place.cloned();
        store.insert(span);
        Ok(1)
    }

    /// Shows what is known of Agent Spec spans that have not ended. Call it when nothing more has come for now.
    pub(crate) fn flush(&mut self, store: &mut Store) {
        self.hooks
            .flush()
            .into_iter()
            .for_each(|span| store.insert(span));
    }
}

/// Reads a request of OTLP or Agent 365, and gives the number of its spans. What has no ids is no span.
pub(crate) fn body(
    body: &Value,
    form: Option<Form>,
    place: Option<&Place>,
    store: &mut Store,
) -> usize {
    let mut count = 0;
    for resource_spans in list(body, "resourceSpans") {
        let resource = resource_spans.get("resource").cloned().unwrap_or_default();
        for scope_spans in list(resource_spans, "scopeSpans") {
            let group = Arc::new(Group {
                resource: resource.clone(),
                scope: scope_spans.get("scope").cloned().unwrap_or_default(),
            });
            for span in list(scope_spans, "spans") {
                if let Some(mut span) = Span::of_json(span, form, &group) {
                    span.place = place.cloned();
                    store.insert(span);
                    count += 1;
                }
            }
        }
    }
    count
}

/// The ids of the spans of a request, with those of their traces.
pub(crate) fn span_ids(body: &Value) -> Vec<(String, String)> {
    let scopes = list(body, "resourceSpans").flat_map(|resource| list(resource, "scopeSpans"));
    let spans = scopes.flat_map(|scope| list(scope, "spans"));
    let id = |span: &Value, name: &str| Some(span.get(name)?.as_str()?.to_lowercase());
    spans
        .filter_map(|span| Some((id(span, "traceId")?, id(span, "spanId")?)))
        .collect()
}

#[cfg(test)]
mod tests;
