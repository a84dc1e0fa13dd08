//! The data that a scope records while it is open.

use std::fmt;

use serde_json::{Map, Value};

use super::style::Style;
use super::{v0_1, v2};
use crate::agent365::{
    ExecuteToolCallResult, GuardrailDecision, InputMessages, Profile, Response, ResponseParameters,
};
use crate::attribute::AttributeVisitor;
use crate::masked::Masked;

/// Data that a scope records while it is open, and that generations write differently.
///
/// `Debug` masks contents.
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Recorded<'a> {
    /// The number of input tokens.
    InputTokens(i64),
    /// The number of output tokens.
    OutputTokens(i64),
    /// The number of tokens that were read from a cache; not written by 0.1.0.
    CacheReadInputTokens(i64),
    /// The number of tokens that were written to a cache; not written by 0.1.0.
    CacheWriteInputTokens(i64),
    /// The name of the model that answered; not written by 0.1.0.
    ResponseModel(&'a str),
    /// The parameters of an agent's answer; not written by 0.1.0 and 2.0.0.
    ResponseParameters(&'a ResponseParameters),
    /// The reasoning of a model.
    ThoughtProcess(&'a str),
    /// The answer of a model, unchanged.
    InferenceResponse(&'a str),
    /// The result of a tool.
    ToolResult(&'a str),
    /// The result of a tool, as an object.
    ToolResultObject(&'a Map<String, Value>),
    /// The result of a tool, in the schema of Agent 365.
    TypedToolResult(&'a ExecuteToolCallResult),
    /// The answer of an agent.
    Response(&'a Response),
    /// The final decision of a guardian; not written by 0.1.0.
    Decision {
        /// The decision.
        decision: &'a GuardrailDecision,
        /// The reason, for people. `None` keeps an earlier reason.
        reason: Option<&'a str>,
    },
    /// The input of a guardian; not written by 0.1.0.
    GuardrailInput(&'a InputMessages),
    /// The output of a guardian; not written by 0.1.0.
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
    /// Passes the attributes of a generation to a visitor.
    pub fn visit_attributes(self, profile: Profile, visitor: &mut impl AttributeVisitor) {
        match Style::of(profile) {
            Style::First => v0_1::recorded(self, visitor),
            Style::Later(row) => v2::recorded(self, row, visitor),
        }
    }
}
