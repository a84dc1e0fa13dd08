//! What a scope records while it is open.

use std::fmt;

use serde_json::{Map, Value};

use super::style::Style;
use super::{v0_1, v2};
use crate::agent365::{
    ExecuteToolCallResult, GuardrailDecision, InputMessages, Profile, Response, ResponseParameters,
};
use crate::attribute::AttributeVisitor;
use crate::masked::Masked;

/// Something that a scope records while it is open, and that generations write differently.
///
/// `Debug` masks contents.
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Recorded<'a> {
    /// The number of tokens that went in.
    InputTokens(i64),
    /// The number of tokens that came out.
    OutputTokens(i64),
    /// The number of tokens that were read from a cache; not written by 0.1.0.
    CacheReadInputTokens(i64),
    /// The number of tokens that were written to a cache; not written by 0.1.0.
    CacheWriteInputTokens(i64),
    /// The name of the model that answered; not written by 0.1.0.
    ResponseModel(&'a str),
    /// What came with the answer of an agent; not written by 0.1.0 and 2.0.0.
    ResponseParameters(&'a ResponseParameters),
    /// How a model came to its answer.
    ThoughtProcess(&'a str),
    /// The answer of a model, as it is.
    InferenceResponse(&'a str),
    /// What a tool gave back.
    ToolResult(&'a str),
    /// What a tool gave back, as an object.
    ToolResultObject(&'a Map<String, Value>),
    /// What a tool gave back, in the schema of Agent 365.
    TypedToolResult(&'a ExecuteToolCallResult),
    /// The answer of an agent.
    Response(&'a Response),
    /// What a guardian decided after all; not written by 0.1.0.
    Decision {
        /// The decision.
        decision: &'a GuardrailDecision,
        /// Why, for people. `None` leaves a reason that was recorded before.
        reason: Option<&'a str>,
    },
    /// What a guardian was shown; not written by 0.1.0.
    GuardrailInput(&'a InputMessages),
    /// What a guardian made of the content; not written by 0.1.0.
    GuardrailOutput(&'a str),
}

impl fmt::Debug for Recorded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, shown): (_, &dyn fmt::Debug) = match self {
            Self::InputTokens(tokens) => ("InputTokens", tokens),
            Self::OutputTokens(tokens) => ("OutputTokens", tokens),
            Self::CacheReadInputTokens(tokens) => ("CacheReadInputTokens", tokens),
            Self::CacheWriteInputTokens(tokens) => ("CacheWriteInputTokens", tokens),
            Self::ResponseModel(model) => ("ResponseModel", model),
            Self::ResponseParameters(parameters) => ("ResponseParameters", parameters),
            Self::ThoughtProcess(_) => ("ThoughtProcess", &Masked),
            Self::InferenceResponse(_) => ("InferenceResponse", &Masked),
            Self::ToolResult(_) => ("ToolResult", &Masked),
            Self::ToolResultObject(_) => ("ToolResultObject", &Masked),
            Self::TypedToolResult(_) => ("TypedToolResult", &Masked),
            Self::Response(response) => ("Response", response),
            Self::Decision { decision, .. } => ("Decision", decision),
            Self::GuardrailInput(_) => ("GuardrailInput", &Masked),
            Self::GuardrailOutput(_) => ("GuardrailOutput", &Masked),
        };
        f.debug_tuple(name).field(shown).finish()
    }
}

impl Recorded<'_> {
    /// Shows the attributes that a generation writes for it.
    pub fn visit_attributes(self, profile: Profile, visitor: &mut impl AttributeVisitor) {
        match Style::of(profile) {
            Style::First => v0_1::recorded(self, visitor),
            Style::Later(row) => v2::recorded(self, row, visitor),
        }
    }
}
