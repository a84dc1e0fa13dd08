//! Reads spans from requests and files into the store.

mod agent_spec;
mod file;

use std::sync::Arc;

use agentspan_model::agentspec::ReadError;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::Value;

use crate::judging::{Found, Request, RequestJudge, recorded_body};
use crate::place::Place;
use crate::reading::list;
use crate::shown::counted;
use crate::span::{Form, Span};
use crate::store::{Fit, Store};

pub(crate) use agent_spec::plain;
pub(crate) use file::Files;

use agent_spec::Hooks;

/// Why a piece of text is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IngestError {
    /// It is not JSON. The cause tells where.
    #[error("not JSON")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON of something else.
    #[error(
        "expected an OTLP or Agent 365 request (resourceSpans), a line of an Agent Spec recording (hook), or a span"
    )]
    Unknown,
    /// It is a line of a recording that cannot be read.
    #[error("invalid line of an Agent Spec recording: {0}")]
    Hook(ReadError),
    /// Spans of a request have no ids, so that they are in no trace. Its other spans were taken.
    #[error("{} without traceId or spanId", counted(*.0, "span"))]
    WithoutIds(usize),
    /// Something in a request or in a span has a wrong type. The rest of it was taken.
    #[error("{0}")]
    Misplaced(&'static str),
}

/// The numbers of spans that were kept and left out of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) spans: usize,
    /// Spans that are not kept, since they have no ids.
    pub(crate) without_ids: usize,
    /// Spans that are not kept, since the store is too small for them.
    pub(crate) too_large: usize,
}

impl Taken {
    fn count(&mut self, fit: Fit) {
        match fit {
            Fit::Kept => self.spans += 1,
            Fit::TooLarge => self.too_large += 1,
        }
    }

    fn all(self) -> Result<usize, IngestError> {
        match self.without_ids {
            0 => Ok(self.spans),
            count => Err(IngestError::WithoutIds(count)),
        }
    }
}

/// Reads spans of any source into a store.
#[derive(Debug, Default)]
pub(crate) struct Ingest {
    hooks: Hooks,
    requests: Option<RequestJudge>,
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
            Ok(value) => self.value(&value, Some(text), place, store),
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
        insert(spans, store);
        Ok(count)
    }

    fn value(
        &mut self,
        value: &Value,
        text: Option<&str>,
        place: Option<&Place>,
        store: &mut Store,
    ) -> Result<usize, IngestError> {
        if let Value::Array(items) = value {
            let each = items.iter().map(|item| match item.get("hook") {
                Some(_) => self.hook(&item.to_string(), place, store),
                None => self.value(item, None, place, store),
            });
            // All are read, whatever is wrong with one of them.
            return each.collect::<Vec<_>>().into_iter().sum();
        }
        if value.get("resourceSpans").is_some_and(Value::is_array) {
            self.judge_request(&Request::of_body(value, text), place);
            return request(value, place, store);
        }
        if let Some(inner) = recorded_body(value) {
            self.judge_request(&Request::recorded(value, &inner), place);
            return request(&inner, place, store);
        }
        let mut span = Span::of_json(value, None, &Arc::default()).ok_or(IngestError::Unknown)?;
        span.facts.is_refused = span.is_refused(value, store.package());
        span.place = place.cloned();
        store.insert(span);
        misread(value).map_or(Ok(1), |what| Err(IngestError::Misplaced(what)))
    }

    fn judge_request(&mut self, request: &Request<'_>, place: Option<&Place>) {
        if let Some(judge) = &mut self.requests {
            judge.judge(request, place);
        }
    }

    /// Judges recordings of Agent Spec from now on.
    fn judge(&mut self) {
        self.hooks.judge();
    }

    /// Takes the findings in requests and in recordings.
    fn take_found(&mut self) -> Vec<Found> {
        let of_requests = self.requests.take().map(RequestJudge::into_found);
        let mut found = of_requests.unwrap_or_default();
        found.extend(self.hooks.take_found());
        found
    }

    /// Shows what is known of Agent Spec spans that have not ended. Call it when nothing more has come for now.
    pub(crate) fn flush(&mut self, store: &mut Store) {
        insert(self.hooks.flush(), store);
    }
}

/// The store counts those that do not fit.
fn insert(spans: Vec<Span>, store: &mut Store) {
    for span in spans {
        store.insert(span);
    }
}

/// Reads a request of a file.
fn request(value: &Value, place: Option<&Place>, store: &mut Store) -> Result<usize, IngestError> {
    let taken = body(value, None, place, store);
    let scopes = list(value, "resourceSpans").flat_map(|of| list(of, "scopeSpans"));
    let mut spans = scopes.flat_map(|of| list(of, "spans"));
    let wrong = misplaced(value).or_else(|| spans.find_map(misread));
    wrong.map_or_else(|| taken.all(), |what| Err(IngestError::Misplaced(what)))
}

/// Finds a member of a span that is there and has a wrong type, without which the span looks like another one.
/// Times are judged by a rule of `check`.
fn misread(span: &Value) -> Option<&'static str> {
    let member = |name: &str| span.get(name).filter(|member| !member.is_null());
    let is_array = |name: &str| member(name).is_none_or(Value::is_array);
    if !is_array("attributes") && !member("attributes").is_some_and(Value::is_object) {
        Some("the attributes of a span are neither an array nor an object")
    } else if !is_array("events") || !is_array("links") {
        Some("the events or the links of a span are not an array")
    } else {
        None
    }
}

/// Finds a member of a request that has a wrong type or is in a wrong place. Unknown members do not
/// count, since OTLP may get new ones.
pub(crate) fn misplaced(body: &Value) -> Option<&'static str> {
    let has_list = |of: &Value, name: &str| {
        let member = of.get(name);
        of.is_object() && member.is_none_or(|member| member.is_array() || member.is_null())
    };
    let mut resources = list(body, "resourceSpans");
    let mut scopes = list(body, "resourceSpans").flat_map(|of| list(of, "scopeSpans"));
    if !body.is_object() {
        Some("not a request: expected a JSON object with an array resourceSpans")
    } else if !has_list(body, "resourceSpans") {
        Some("resourceSpans is not an array")
    } else if resources.any(|of| !has_list(of, "scopeSpans")) {
        Some("an element of resourceSpans is not an object with an array scopeSpans")
    } else if scopes.any(|of| !has_list(of, "spans")) {
        Some("an element of scopeSpans is not an object with an array spans")
    } else {
        None
    }
}

/// Reads a request of OTLP or Agent 365.
pub(crate) fn body(
    body: &Value,
    form: Option<Form>,
    place: Option<&Place>,
    store: &mut Store,
) -> Taken {
    let mut taken = Taken::default();
    for resource_spans in list(body, "resourceSpans") {
        let resource = resource_spans.get("resource").unwrap_or(&Value::Null);
        for scope_spans in list(resource_spans, "scopeSpans") {
            let scope = scope_spans.get("scope").unwrap_or(&Value::Null);
            let group = store.group(resource, scope);
            for json in list(scope_spans, "spans") {
                let Some(mut span) = Span::of_json(json, form, &group) else {
                    taken.without_ids += 1;
                    continue;
                };
                span.facts.is_refused = span.is_refused(json, store.package());
                span.place = place.cloned();
                taken.count(store.insert(span));
            }
        }
    }
    taken
}

/// Reads a request of OTLP in protobuf.
///
/// Each span is kept as soon as it is read: what its resource takes can only be freed with it.
///
/// # Errors
///
/// Something in it cannot be written as JSON.
pub(crate) fn otlp(
    request: ExportTraceServiceRequest,
    store: &mut Store,
) -> Result<Taken, serde_json::Error> {
    let mut taken = Taken::default();
    for resource_spans in request.resource_spans {
        let resource = serde_json::to_value(&resource_spans.resource)?;
        for scope_spans in resource_spans.scope_spans {
            let scope = serde_json::to_value(&scope_spans.scope)?;
            let group = store.group(&resource, &scope);
            for span in scope_spans.spans {
                match Span::of_otlp(span, &group, store.package())? {
                    Some(span) => taken.count(store.insert(span)),
                    None => taken.without_ids += 1,
                }
            }
        }
    }
    Ok(taken)
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
