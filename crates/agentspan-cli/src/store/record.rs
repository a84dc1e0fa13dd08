//! A span as bytes: the form in which packs hold it.

use std::path::Path;
use std::sync::Arc;

use agentspan_model::mapping::normal::Usage;
use prost::Message;

use super::head::Head;
use crate::facts::{Facts, Generation, Kind};
use crate::group::Group;
use crate::place::Place;
use crate::span::{Form, Span};

const STATUSES: [&str; 4] = ["", "unset", "ok", "error"];

/// What spans share with others, and what is therefore not written.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) group: Arc<Group>,
    /// The file from which they were read.
    pub(super) path: Option<Arc<Path>>,
}

impl Origin {
    pub(super) fn of(span: &Span) -> Self {
        Self {
            group: Arc::clone(&span.group),
            path: span.place.as_ref().map(|place| Arc::clone(&place.path)),
        }
    }

    pub(super) fn is_of(&self, span: &Span) -> bool {
        let path = span.place.as_ref().map(|place| &*place.path);
        Arc::ptr_eq(&self.group, &span.group) && self.path.as_deref() == path
    }
}

/// The rest of a span.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Record {
    #[prost(string, tag = "1")]
    json: String,
    #[prost(string, optional, tag = "2")]
    dump: Option<String>,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, optional, tag = "4")]
    parent_id: Option<String>,
    #[prost(fixed64, tag = "5")]
    start: u64,
    #[prost(fixed64, optional, tag = "6")]
    end: Option<u64>,
    #[prost(bool, tag = "7")]
    is_error: bool,
    #[prost(enumeration = "Form", tag = "8")]
    form: i32,
    /// The number of its [`Origin`] in the pack.
    #[prost(uint32, tag = "9")]
    origin: u32,
    #[prost(uint64, tag = "10")]
    line: u64,
    #[prost(enumeration = "Kind", tag = "11")]
    kind: i32,
    #[prost(string, optional, tag = "12")]
    operation: Option<String>,
    #[prost(string, optional, tag = "13")]
    agent: Option<String>,
    #[prost(string, optional, tag = "14")]
    agent_id: Option<String>,
    #[prost(string, optional, tag = "15")]
    tenant: Option<String>,
    #[prost(string, optional, tag = "16")]
    conversation: Option<String>,
    #[prost(string, optional, tag = "17")]
    model: Option<String>,
    #[prost(string, optional, tag = "18")]
    tool: Option<String>,
    #[prost(string, optional, tag = "19")]
    call: Option<String>,
    #[prost(int64, optional, tag = "20")]
    input: Option<i64>,
    #[prost(int64, optional, tag = "21")]
    output: Option<i64>,
    #[prost(int64, optional, tag = "22")]
    cache_read: Option<i64>,
    #[prost(int64, optional, tag = "23")]
    cache_write: Option<i64>,
    #[prost(int64, optional, tag = "24")]
    reasoning: Option<i64>,
    #[prost(int64, optional, tag = "25")]
    cost: Option<i64>,
    #[prost(bool, tag = "26")]
    is_sum: bool,
    #[prost(string, optional, tag = "27")]
    error: Option<String>,
    #[prost(string, optional, tag = "28")]
    asked: Option<String>,
    #[prost(string, optional, tag = "29")]
    answered: Option<String>,
    #[prost(bool, tag = "30")]
    is_masked: bool,
    #[prost(uint64, tag = "31")]
    events: u64,
    #[prost(fixed64, repeated, tag = "32")]
    event_times: Vec<u64>,
    #[prost(uint64, tag = "33")]
    chunks: u64,
    #[prost(fixed64, optional, tag = "34")]
    first_chunk: Option<u64>,
    #[prost(string, optional, tag = "35")]
    note: Option<String>,
    #[prost(uint32, tag = "36")]
    status: u32,
    #[prost(enumeration = "Generation", tag = "37")]
    generation: i32,
}

impl Record {
    /// The rest of a span, whose origin has this number.
    pub(super) fn of(span: Span, origin: u32) -> Self {
        let Span {
            trace_id: _,
            span_id: _,
            parent_id,
            name,
            start,
            end,
            is_error,
            form,
            facts,
            group: _,
            json,
            dump,
            place,
        } = span;
        let Facts {
            kind,
            operation,
            agent,
            agent_id,
            tenant,
            conversation,
            model,
            tool,
            call,
            usage,
            cost,
            is_sum,
            error,
            asked,
            answered,
            is_masked,
            events,
            event_times,
            chunks,
            first_chunk,
            note,
            status,
            generation,
            is_refused: _,
        } = facts;
        Self {
            json: json.into(),
            dump: dump.map(Into::into),
            name,
            parent_id,
            start,
            end,
            is_error,
            form: form.into(),
            origin,
            line: place.map_or(0, |place| place.line as u64),
            kind: kind.into(),
            operation,
            agent,
            agent_id,
            tenant,
            conversation,
            model,
            tool,
            call,
            input: usage.input,
            output: usage.output,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write,
            reasoning: usage.reasoning,
            cost,
            is_sum,
            error,
            asked,
            answered,
            is_masked,
            events: events as u64,
            event_times,
            chunks: chunks as u64,
            first_chunk,
            note,
            status: status_number(status),
            generation: generation.into(),
        }
    }

    /// The span of a trace, with its head. `None` if a number in it says nothing.
    pub(super) fn into_span(self, trace_id: &str, head: Head, origins: &[Origin]) -> Option<Span> {
        let origin = origins.get(usize::try_from(self.origin).ok()?)?;
        let line = usize::try_from(self.line).ok()?;
        let place = |path: &Arc<Path>| Place {
            path: Arc::clone(path),
            line,
        };
        let mut usage = Usage::default();
        usage.input = self.input;
        usage.output = self.output;
        usage.cache_read = self.cache_read;
        usage.cache_write = self.cache_write;
        usage.reasoning = self.reasoning;
        Some(Span {
            trace_id: trace_id.to_owned(),
            span_id: head.id,
            parent_id: self.parent_id,
            name: self.name,
            start: self.start,
            end: self.end,
            is_error: self.is_error,
            form: self.form.try_into().ok()?,
            group: Arc::clone(&origin.group),
            json: self.json.into_boxed_str(),
            dump: self.dump.map(String::into_boxed_str),
            place: origin.path.as_ref().map(place),
            facts: Facts {
                kind: self.kind.try_into().ok()?,
                operation: self.operation,
                agent: self.agent,
                agent_id: self.agent_id,
                tenant: self.tenant,
                conversation: self.conversation,
                model: self.model,
                tool: self.tool,
                call: self.call,
                usage,
                cost: self.cost,
                is_sum: self.is_sum,
                error: self.error,
                asked: self.asked,
                answered: self.answered,
                is_masked: self.is_masked,
                events: usize::try_from(self.events).ok()?,
                event_times: self.event_times,
                chunks: usize::try_from(self.chunks).ok()?,
                first_chunk: self.first_chunk,
                note: self.note,
                status: STATUSES.get(self.status as usize).copied()?,
                generation: self.generation.try_into().ok()?,
                is_refused: head.is_refused,
            },
        })
    }
}

/// The number of a state. One that is not in the list is unset.
fn status_number(status: &str) -> u32 {
    let found = STATUSES.iter().position(|one| *one == status);
    found.and_then(|at| at.try_into().ok()).unwrap_or(1)
}
