//! A span in the form in which it is sent.

use super::attribute::Attribute;
use super::operation::Operation;
use crate::agent365::mapping::APPLY_GUARDRAIL;
use crate::keys;
use crate::mapping::normal::SourceValue;

/// The wire format of spans in a request. Senders have seen the service accept both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "sources know these two, and a third would be a change for every sender"
)]
pub enum Wire {
    /// OTLP/JSON as OpenTelemetry defines it, for senders without an SDK. Attributes are a list of keys and values. The
    /// documentation wants each value as a string: numbers and booleans as their text, and here arrays as JSON
    /// text. Times are decimal text, kinds and statuses are numbers, and a root has no parent.
    Standard,
    /// The flat form of the packages: attributes are an object with typed values, kinds and statuses are names, times
    /// are numbers, and a root has the parent `null`.
    Flat,
}

/// The form of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldForm {
    /// As a name, such as `CLIENT`.
    Name,
    /// As a number.
    Number,
}

/// A span in the form in which it is sent, borrowed. Ids are texts, because a file may hold
/// malformed ids.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedSpan<'a> {
    pub(super) name: &'a str,
    pub(super) trace_id: &'a str,
    pub(super) span_id: &'a str,
    pub(super) parent: Option<&'a str>,
    pub(super) start: Option<u64>,
    pub(super) end: Option<u64>,
    pub(super) wire: Option<Wire>,
    pub(super) kind: Option<FieldForm>,
    pub(super) status: Option<FieldForm>,
    pub(super) is_error: bool,
    pub(super) attributes: Vec<(&'a str, SourceValue<'a>)>,
}

impl<'a> ObservedSpan<'a> {
    /// A span without ids, times and attributes.
    #[must_use]
    pub fn new(name: &'a str) -> Self {
        Self {
            name,
            trace_id: "",
            span_id: "",
            parent: None,
            start: None,
            end: None,
            wire: None,
            kind: None,
            status: None,
            is_error: false,
            attributes: Vec::new(),
        }
    }

    /// Sets the ids of the trace and of the span, as they are sent.
    #[must_use]
    pub fn with_ids(mut self, trace_id: &'a str, span_id: &'a str) -> Self {
        self.trace_id = trace_id;
        self.span_id = span_id;
        self
    }

    /// Sets the id of the parent. An empty id counts as none.
    #[must_use]
    pub fn with_parent(mut self, span_id: &'a str) -> Self {
        self.parent = Some(span_id).filter(|id| !id.is_empty());
        self
    }

    /// Sets the start and end times, in nanoseconds since the Unix epoch.
    #[must_use]
    pub fn with_times(mut self, start: u64, end: u64) -> Self {
        self.start = Some(start);
        self.end = Some(end);
        self
    }

    /// Sets the wire format of the span. Rules about wire formats do not apply to a span without
    /// one.
    #[must_use]
    pub fn with_wire(mut self, wire: Wire) -> Self {
        self.wire = Some(wire);
        self
    }

    /// Removes the wire format, for a span that an exporter writes again.
    #[must_use]
    pub fn without_wire(mut self) -> Self {
        (self.wire, self.kind, self.status) = (None, None, None);
        self
    }

    /// Sets the forms of the kind and the status code.
    #[must_use]
    pub fn with_forms(mut self, kind: FieldForm, status: FieldForm) -> Self {
        self.kind = Some(kind);
        self.status = Some(status);
        self
    }

    /// Marks the status as an error.
    #[must_use]
    pub fn with_error(mut self) -> Self {
        self.is_error = true;
        self
    }

    /// Adds an attribute. If a key occurs twice, the last value counts.
    pub fn attribute(&mut self, key: &'a str, value: SourceValue<'a>) {
        self.attributes.push((key, value));
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The id of the trace.
    #[must_use]
    pub fn trace_id(&self) -> &'a str {
        self.trace_id
    }

    /// The id of the span.
    #[must_use]
    pub fn span_id(&self) -> &'a str {
        self.span_id
    }

    /// The id of the parent.
    #[must_use]
    pub fn parent_span_id(&self) -> Option<&'a str> {
        self.parent
    }

    /// The start and end times, if both are known, in nanoseconds since the Unix epoch.
    pub(crate) fn times(&self) -> Option<(u64, u64)> {
        self.start.zip(self.end)
    }

    /// The attributes, in the order in which they were added.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a str, &SourceValue<'a>)> {
        self.attributes.iter().map(|(key, value)| (*key, value))
    }

    /// The documented operation of the span.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        Operation::named(self.text(keys::GEN_AI_OPERATION_NAME)?)
    }

    /// Whether the service, or an exporter before it, accepts the span: its operation is documented
    /// or exported by the packages, and it has a tenant and an agent.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        let operation = self.text(keys::GEN_AI_OPERATION_NAME);
        operation.is_some_and(|name| Operation::named(name).is_some() || is_exported(name))
            && self.text(keys::MICROSOFT_TENANT_ID).is_some()
            && self.text(keys::GEN_AI_AGENT_ID).is_some()
    }

    /// Whether the operation failed: the status is an error, or the span has an error type.
    pub(super) fn has_failed(&self) -> bool {
        self.is_error || self.text(keys::ERROR_TYPE).is_some()
    }

    /// Whether the span describes an agent, a tool or a model: it has an operation, a name that
    /// begins with an operation, or an attribute that only spans with an operation have.
    pub(super) fn is_of_an_agent(&self) -> bool {
        let names_operation = || {
            let first = self.name.split(' ').next().unwrap_or_default();
            Operation::named(first).is_some()
        };
        let is_told = |(key, _): &(&str, SourceValue<'_>)| OF_AN_OPERATION.contains(key);
        self.value(keys::GEN_AI_OPERATION_NAME).is_some()
            || names_operation()
            || self.attributes.iter().any(is_told)
    }

    pub(crate) fn value(&self, key: &str) -> Option<&SourceValue<'a>> {
        let mut attributes = self.attributes.iter().rev();
        attributes
            .find(|(found, _)| *found == key)
            .map(|(_, value)| value)
    }

    /// The text of an attribute, unless it is blank.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        match self.value(key)? {
            SourceValue::Text(text) => Some(*text).filter(|text| !text.trim().is_empty()),
            _ => None,
        }
    }

    /// Whether an attribute has a value that is not blank.
    pub(super) fn has(&self, attribute: &Attribute) -> bool {
        match self.value(attribute.key) {
            None => false,
            Some(SourceValue::Text(text)) => !text.trim().is_empty(),
            Some(SourceValue::Texts(texts)) => !texts.is_empty(),
            Some(_) => true,
        }
    }
}

/// Attributes that no baggage sets, so that a span with one of them is a span of an operation.
const OF_AN_OPERATION: [&str; 8] = [
    keys::GEN_AI_INPUT_MESSAGES,
    keys::GEN_AI_OUTPUT_MESSAGES,
    keys::GEN_AI_PROVIDER_NAME,
    keys::GEN_AI_REQUEST_MODEL,
    keys::GEN_AI_TOOL_CALL_ID,
    keys::GEN_AI_TOOL_NAME,
    keys::GEN_AI_USAGE_INPUT_TOKENS,
    keys::GEN_AI_USAGE_OUTPUT_TOKENS,
];

/// Whether the packages export spans of an operation that is not documented.
pub(super) fn is_exported(operation: &str) -> bool {
    const NAMES: [&str; 6] = [
        "Chat",
        "TextCompletion",
        "GenerateContent",
        "text_completion",
        "generate_content",
        APPLY_GUARDRAIL,
    ];
    NAMES.contains(&operation)
}
