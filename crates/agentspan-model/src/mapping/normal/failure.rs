//! The failure of a span.

use serde_json::Value;

use super::facts::ErrorFacts;
use super::lenient_json;
use super::reader::Reader;
use super::source::SourceEvent;
use crate::agentspec::Sensitive;
use crate::keys::{self, dialects};

/// The failure of a span, as its attributes and events state it first.
pub(super) struct Failure<'s, 'a> {
    /// The class of the error.
    pub(super) class: Option<&'a str>,
    exception: Option<&'s SourceEvent<'a>>,
    message_of_langfuse: Option<&'a str>,
}

impl<'s, 'a> Failure<'s, 'a> {
    /// `None` if nothing failed.
    pub(super) fn of(reader: &Reader<'s, 'a>) -> Option<Self> {
        let mut class = reader.text(&[keys::ERROR_TYPE]);
        // rig: a tool that failed has a span without a status.
        if reader.peek(dialects::GEN_AI_TOOL_CALL_OUTCOME) == Some("error") {
            let of_tool = reader.peek(dialects::GEN_AI_TOOL_ERROR_TYPE);
            let known = of_tool.filter(|name| *name != "other");
            class = class.or(known).or(Some(keys::ERROR_TYPE_OTHER));
        }
        // An error that a span recovered from is no failure of it: a retry that went well, for
        // instance.
        let is_exception = |e: &&_| !reader.span.is_ok && is_named_exception(e);
        let exception = reader.events().rfind(is_exception);
        let of_langfuse = reader.peek(dialects::LANGFUSE_LEVEL) == Some("ERROR");
        let has_failed =
            class.is_some() || reader.span.error.is_some() || exception.is_some() || of_langfuse;
        let of_exception = || {
            let name = exception?.text(keys::EXCEPTION_TYPE);
            name.filter(|name| !name.is_empty())
        };
        has_failed.then(|| Self {
            class: class.or_else(of_exception),
            exception,
            message_of_langfuse: reader
                .peek(dialects::LANGFUSE_STATUS_MESSAGE)
                .filter(|_| of_langfuse),
        })
    }
}

pub(super) fn read(reader: &Reader<'_, '_>) -> Option<ErrorFacts> {
    let failure = Failure::of(reader)?;
    let exception = failure.exception;
    let message = exception
        .and_then(|event| event.text(keys::EXCEPTION_MESSAGE))
        .or(reader.peek(keys::ERROR_MESSAGE))
        .or(reader.span.error)
        .or(failure.message_of_langfuse)
        .filter(|text| !text.is_empty());
    // genai has the status of the answer for its class.
    let of_class = || failure.class.and_then(status_code);
    let (answered, code) = answer(reader);
    let status_code = reader
        .peek_whole(keys::HTTP_RESPONSE_STATUS_CODE)
        .or(answered)
        .or_else(of_class);
    Some(ErrorFacts {
        status_code,
        code,
        message: message.map(|text| Sensitive::new(text.to_owned())),
        error_type: failure.class.map(str::to_owned),
    })
}

fn is_named_exception(event: &SourceEvent<'_>) -> bool {
    event.name == keys::EXCEPTION_EVENT
}

fn status_code(text: &str) -> Option<i64> {
    let code: i64 = text.parse().ok()?;
    (400..600).contains(&code).then_some(code)
}

/// LangChain keeps the provider's answer beside its own.
fn answer(reader: &Reader<'_, '_>) -> (Option<i64>, Option<String>) {
    let text = reader.peek(keys::OUTPUT_VALUE);
    let value: Option<Value> = text.and_then(lenient_json::parse);
    let place = "/generations/0/0/message/kwargs/response_metadata";
    let Some(metadata) = value.as_ref().and_then(|value| value.pointer(place)) else {
        return (None, None);
    };
    let status = metadata.get("status_code").and_then(Value::as_i64);
    let code = metadata.pointer("/body/error/code").and_then(Value::as_str);
    (status, code.map(str::to_owned))
}
