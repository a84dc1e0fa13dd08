//! A span in the store: facts for lists, and the original span.

use std::borrow::Cow;
use std::sync::Arc;

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::{Judge, Level, ObservedSpan, observed_span};
use agentspan_model::keys;
use opentelemetry_proto::tonic::trace::v1 as proto;
use serde_json::Value;

use crate::delivered::{self, delivered, object};
use crate::facts::{Facts, Generation};
use crate::group::Group;
use crate::place::Place;
use crate::reading::{Reading, hexadecimal};

/// The form in which a span arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Form {
    /// OTLP, as OpenTelemetry defines it: attributes are a list.
    Otlp = 0,
    /// A request to Agent 365: attributes are an object.
    Agent365 = 1,
    /// A recording of Agent Spec. The span is rendered in the GenAI conventions.
    AgentSpec = 2,
}

impl Form {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
            Self::Agent365 => "agent365",
            Self::AgentSpec => "agentspec",
        }
    }
}

/// About what the indexes of a trace take for a span.
pub(crate) const INDEX_BYTES: usize = 24;

/// A span of any source.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// Lower-case hexadecimal digits, if the sender knows what an id is.
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) parent_id: Option<String>,
    pub(crate) name: String,
    /// Nanoseconds since the Unix epoch.
    pub(crate) start: u64,
    /// None while it runs.
    pub(crate) end: Option<u64>,
    pub(crate) is_error: bool,
    pub(crate) form: Form,
    pub(crate) facts: Facts,
    pub(crate) group: Arc<Group>,
    /// A span of OTLP's JSON, or of Agent 365's.
    pub(crate) json: Box<str>,
    /// The dump of an Agent Spec span, which `json` renders.
    pub(crate) dump: Option<Box<str>>,
    /// Where it was read, if that was a file.
    pub(crate) place: Option<Place>,
}

impl Span {
    /// A span of the JSON of a request. None if it has no ids.
    pub(crate) fn of_json(json: &Value, form: Option<Form>, group: &Arc<Group>) -> Option<Self> {
        let is_flat = json.get("attributes").is_some_and(Value::is_object);
        let by_attributes = if is_flat { Form::Agent365 } else { Form::Otlp };
        let (trace_id, span_id) = (id(json, "traceId")?, id(json, "spanId")?);
        Some(Self::new(
            trace_id,
            span_id,
            json,
            form.unwrap_or(by_attributes),
            group,
        ))
    }

    /// A span of the JSON of a request, with its ids.
    pub(crate) fn new(
        trace_id: String,
        span_id: String,
        json: &Value,
        form: Form,
        group: &Arc<Group>,
    ) -> Self {
        let ids = (trace_id, span_id, id(json, "parentSpanId"));
        Self::of_reading(ids, &Reading::of(json), json.to_string(), form, group)
    }

    /// A span of OTLP's protobuf, the same as one of its JSON. `None` if it has no ids.
    ///
    /// No tree of values is made of it: that would take most of the time.
    ///
    /// # Errors
    ///
    /// The span cannot be written as JSON.
    pub(crate) fn of_otlp(
        span: proto::Span,
        group: &Arc<Group>,
        package: Profile,
    ) -> Result<Option<Self>, serde_json::Error> {
        let id = |bytes: &[u8]| Some(hexadecimal(bytes)).filter(|id| !id.is_empty());
        let (Some(trace_id), Some(span_id)) = (id(&span.trace_id), id(&span.span_id)) else {
            return Ok(None);
        };
        let ids = (trace_id, span_id, id(&span.parent_span_id));
        let text = serde_json::to_string(&span)?;
        let mut reading = Reading::of_otlp(span);
        let mut span = Self::of_reading(ids, &reading, text, Form::Otlp, group);
        if span.is_sent(package) {
            reading.attributes = delivered(&reading, group, package);
            let observed = span.with_ids_of(reading.observed());
            span.facts.is_refused = breaks_a_rule(&observed, package);
        }
        Ok(Some(span))
    }

    fn of_reading(
        (trace_id, span_id, parent_id): (String, String, Option<String>),
        reading: &Reading,
        json: String,
        form: Form,
        group: &Arc<Group>,
    ) -> Self {
        let given = |time: Option<u64>| time.filter(|time| *time > 0);
        Self {
            trace_id,
            span_id,
            parent_id,
            name: reading.name.clone(),
            start: reading.start.unwrap_or(0),
            end: given(reading.end),
            is_error: reading.is_error,
            form,
            facts: Facts::of(reading),
            group: Arc::clone(group),
            json: json.into_boxed_str(),
            dump: None,
            place: None,
        }
    }

    /// The span as an exporter would send it, for the rules of Agent 365. `json` is what
    /// [`as_delivered`](Self::as_delivered) gives.
    pub(crate) fn observed<'a>(&'a self, json: &'a Value) -> Option<ObservedSpan<'a>> {
        Some(self.with_ids_of(observed_span(json)?.without_wire()))
    }

    /// The observed span with the ids of this one.
    fn with_ids_of<'a>(&'a self, observed: ObservedSpan<'a>) -> ObservedSpan<'a> {
        let parent = self.parent_id.as_deref().unwrap_or_default();
        observed
            .with_ids(&self.trace_id, &self.span_id)
            .with_parent(parent)
    }

    /// Whether the service, or an exporter before it, would not take the span.
    ///
    /// Running spans are not sent. The rules of later generations say nothing of spans of the first one.
    pub(crate) fn is_refused(&self, json: &Value, package: Profile) -> bool {
        if !self.is_sent(package) {
            return false;
        }
        let json = self.delivered(json, package);
        let observed = self.observed(&json);
        observed.is_some_and(|span| breaks_a_rule(&span, package))
    }

    /// Whether the span would be sent: it has ended, and is judged.
    fn is_sent(&self, package: Profile) -> bool {
        self.is_judged(package) && self.end.is_some()
    }

    /// Whether the span is meant for Agent 365: it was sent there, a scope made it, or it has
    /// attributes that nobody else knows. The rules of later generations say nothing of spans of
    /// the first one.
    pub(crate) fn is_judged(&self, package: Profile) -> bool {
        let is_meant = self.form == Form::Agent365
            || self.facts.generation != Generation::None
            || delivered::is_of_a_scope(&self.group);
        is_meant && self.is_of_generation(package)
    }

    /// Whether the rules of a generation may say anything of the span.
    pub(crate) fn is_of_generation(&self, package: Profile) -> bool {
        let is_first = package.tenant_id_key() == keys::TENANT_ID;
        self.form != Form::AgentSpec && (is_first || self.facts.generation != Generation::First)
    }

    /// The span as the delivery of a generation sends it, as JSON. A request to Agent 365 stays as it is.
    pub(crate) fn as_delivered(&self, package: Profile) -> Value {
        let json = self.value();
        match self.delivered(&json, package) {
            Cow::Owned(delivered) => delivered,
            Cow::Borrowed(_) => json,
        }
    }

    fn delivered<'a>(&self, json: &'a Value, package: Profile) -> Cow<'a, Value> {
        if self.form == Form::Agent365 || !json.is_object() {
            return Cow::Borrowed(json);
        }
        let attributes = delivered(&Reading::of(json), &self.group, package);
        let mut json = json.clone();
        json["attributes"] = Value::Object(object(&attributes));
        Cow::Owned(json)
    }

    /// The span as it arrived, as JSON.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [&self.trace_id, &self.span_id, &self.name];
        let texts = texts.into_iter().chain(&self.parent_id);
        let texts: usize = texts.map(String::len).sum();
        let dump = self.dump.as_ref().map_or(0, |dump| dump.len());
        let all = texts + self.json.len() + dump + self.facts.bytes();
        size_of::<Self>() + INDEX_BYTES + all
    }
}

/// Whether the exporter of a generation, or the service behind it, would not take a span.
fn breaks_a_rule(span: &ObservedSpan<'_>, package: Profile) -> bool {
    let findings = Judge::of_package(package).judge_span(span);
    findings.iter().any(|finding| finding.level == Level::Error)
}

/// An id, which is not empty.
fn id(json: &Value, name: &str) -> Option<String> {
    let id = json.get(name).and_then(Value::as_str);
    id.filter(|id| !id.is_empty()).map(str::to_lowercase)
}
