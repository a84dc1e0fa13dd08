//! The counted facts of a span: which operation, of which model, with how many tokens.

use std::borrow::Cow;

use super::call::{self, Models};
use super::facts::{OperationName, Usage};
use super::failure::Failure;
use super::operation;
use super::reader::Reader;
use super::source::SourceSpan;
use super::tool;
use crate::keys;

/// The facts of a span beside its contents, borrowed from it: the same facts that
/// [`NormalSpan`](super::NormalSpan) has.
///
/// Counting operations and tokens needs no more, and reading it costs a small part.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outline<'a> {
    /// The operation.
    pub operation: OperationName,
    /// The name of the agent that does it, or for which it is done.
    pub agent_name: Option<Cow<'a, str>>,
    /// The name of the tool that is executed.
    pub tool_name: Option<&'a str>,
    /// The provider of the model, as the span has it: see [`provider_name`](super::provider_name).
    pub provider_said: Option<&'a str>,
    /// The model that was asked.
    pub request_model: Option<Cow<'a, str>>,
    /// The model that answered.
    pub response_model: Option<Cow<'a, str>>,
    /// The tokens that were used; none if they would repeat those of spans below it.
    pub usage: Usage,
    /// The class of the error, `_OTHER` for one that has none; `None` if nothing failed.
    pub error_type: Option<&'a str>,
}

impl<'a> Outline<'a> {
    /// The outline of a span, if it is one of an agent, a model or a tool in a convention that is
    /// known.
    #[must_use]
    pub fn read(span: &SourceSpan<'a>) -> Option<Self> {
        let reader = Reader::without_notes(span)?;
        let operation = operation::of(&reader)?;
        let Models { request, response } = call::models(&reader, &operation);
        let failure = Failure::of(&reader);
        Some(Self {
            agent_name: call::agent_name(&reader, &operation),
            tool_name: tool::name(&reader, &operation),
            provider_said: call::provider(&reader),
            request_model: request,
            response_model: response,
            usage: if operation.sums_up() {
                Usage::default()
            } else {
                call::usage(&reader)
            },
            error_type: failure.map(|it| it.class.unwrap_or(keys::ERROR_TYPE_OTHER)),
            operation,
        })
    }

    /// The model that was asked, or else the one that answered.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        let asked = self.request_model.as_deref();
        asked.or(self.response_model.as_deref())
    }

    /// Whether its usage repeats that of spans below it.
    #[must_use]
    pub fn is_sum(&self) -> bool {
        self.operation.sums_up()
    }
}
