//! Judges requests to Agent 365 as a whole: their routes, lengths and identities.

use agentspan_model::agent365::contract::{Finding, Judge, Route, RuleId, observed_spans};
use agentspan_model::received::ReceivedJson;
use serde_json::Value;

use super::found::{Found, Titles};
use super::rules::Rules;
use super::spans::Sending;
use crate::place::Place;
use crate::reading::{list, number, text};

/// Where the target of a recorded request stands: what tests and proxies write.
const TARGETS: [&str; 5] = ["wire_target", "target", "path", "wire_url", "url"];

/// A text of JSON that is a request, or has one as its `body`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// The path with its query, or the URL.
    target: Option<&'a str>,
    /// How long the body is on its way.
    bytes: usize,
    body: &'a Value,
    /// It was recorded as a request, with more than its body. A body by itself may not have been sent yet.
    is_recorded: bool,
}

impl<'a> Request<'a> {
    /// A body by itself, as its text has it.
    pub(crate) fn of_body(body: &'a Value, text: Option<&str>) -> Self {
        Self {
            target: None,
            bytes: length(body, text),
            body,
            is_recorded: false,
        }
    }

    /// A recorded request. The length is what its headers say, or that of its body.
    pub(crate) fn recorded(record: &'a Value, body: &'a Value) -> Self {
        let mut targets = TARGETS.into_iter();
        let target = targets.find_map(|name| record.get(name)?.as_str());
        let as_text = record.get("body").and_then(Value::as_str);
        Self {
            target,
            bytes: content_length(record).unwrap_or_else(|| length(body, as_text)),
            body,
            is_recorded: true,
        }
    }

    /// Whether it goes to Agent 365, as far as that can be seen.
    fn is_of_agent365(&self, sending: Sending) -> bool {
        match self.target.map(Route::parse) {
            Some(route) => route.agent.is_some(),
            // The standard form without a target may be what an exporter is given.
            None => is_flat(self.body) || sending == Sending::AsItStands,
        }
    }
}

/// How long a body is: its text, unless that was laid out for people.
fn length(body: &Value, text: Option<&str>) -> usize {
    let in_one_line = text.filter(|text| !text.trim().contains('\n'));
    in_one_line.map_or_else(|| body.to_string().len(), str::len)
}

/// The value of the header `content-length`, unless the body was compressed.
fn content_length(record: &Value) -> Option<usize> {
    let headers = record.get("headers")?.as_object()?;
    let named = |wanted: &str| {
        let mut headers = headers.iter();
        headers.find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then_some(value))
    };
    if named("content-encoding").is_some_and(|encoding| encoding != "identity") {
        return None;
    }
    let length = named("content-length")?;
    number(length)?.try_into().ok()
}

/// Whether the attributes of the spans are objects, which only Agent 365 knows.
fn is_flat(body: &Value) -> bool {
    let scopes = list(body, "resourceSpans").flat_map(|resource| list(resource, "scopeSpans"));
    let mut spans = scopes.flat_map(|scope| list(scope, "spans"));
    spans.any(|span| span.get("attributes").is_some_and(Value::is_object))
}

/// Judges requests while files are read.
#[derive(Debug)]
pub(crate) struct RequestJudge {
    judges: Vec<Judge<'static>>,
    sending: Sending,
    titles: Titles,
    found: Vec<Found>,
}

impl RequestJudge {
    pub(crate) fn new(rules: &[Rules], sending: Sending) -> Self {
        let judges = rules.iter().filter_map(|rules| rules.judge());
        Self {
            judges: judges.collect(),
            sending,
            titles: Titles::default(),
            found: Vec::new(),
        }
    }

    pub(crate) fn into_found(self) -> Vec<Found> {
        self.found
    }

    pub(crate) fn judge(&mut self, request: &Request<'_>, place: Option<&Place>) {
        if self.judges.is_empty() || !request.is_of_agent365(self.sending) {
            return;
        }
        let spans = observed_spans(request.body);
        for judge in &self.judges {
            let judge = match request.target {
                Some(target) => judge.with_route(Route::parse(target)),
                None => *judge,
            };
            let of_spans = spans.iter().flat_map(|span| {
                let findings = judge.judge_route(span).into_iter();
                findings.map(|finding| (finding, span.name()))
            });
            let of_request = judge.judge_request(request.bytes, &spans).into_iter();
            let is_shown = |finding: &Finding| request.is_recorded || finding.rule != RuleId::R29;
            let of_request = of_request.filter(is_shown);
            let all = of_request.map(|finding| (finding, "")).chain(of_spans);
            for (finding, name) in all {
                let Some(about) = self.titles.of(finding.rule) else {
                    continue;
                };
                self.found.push(Found {
                    about,
                    level: finding.level,
                    attribute: finding.attribute,
                    name: name.to_owned(),
                    place: place.cloned(),
                    span: finding.span,
                });
            }
        }
    }
}

/// The body of a recorded request, which may be a text. `None` for what is none.
pub(crate) fn recorded_body(record: &Value) -> Option<Value> {
    let body = record.get("body")?;
    let is_request = |body: &Value| body.get("resourceSpans").is_some();
    match body {
        Value::String(_) => {
            // Python writes `NaN`, too.
            let read = ReceivedJson::read(text(record, "body").as_bytes());
            Some(read.value).filter(|body| read.is_whole && is_request(body))
        }
        body => Some(body.clone()).filter(is_request),
    }
}
