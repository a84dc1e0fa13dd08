//! The differences between the generations of the Agent 365 contract.

use crate::agent365::Profile;
use crate::agentspec::{LlmGenerationResponse, Message};
use crate::attribute::AttributeValue::{self, DecimalText, I64, JsonArrayOfStrs, Str};
use crate::attribute::KeyVisitor;
use crate::json_writer::to_json;
use crate::keys;
use crate::mapping::messages::{Answer, OneText, Prompt};
use crate::mapping::story::Story;

/// The differences between generations of the contract.
#[derive(Clone, Copy)]
pub(in crate::mapping) struct Words {
    pub(in crate::mapping) tool_arguments: &'static str,
    pub(in crate::mapping) tool_result: &'static str,
    messages: MessageForm,
    pub(in crate::mapping) tokens: fn(i64) -> AttributeValue<'static>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum MessageForm {
    /// A list of texts.
    Texts,
    /// A list of messages with a role and parts, as the GenAI conventions have it.
    Parts,
}

impl Words {
    pub(in crate::mapping) fn of(profile: Profile) -> Self {
        match profile {
            Profile::V0_1 => Self {
                tool_arguments: keys::GEN_AI_TOOL_ARGUMENTS,
                tool_result: keys::GEN_AI_EVENT_CONTENT,
                messages: MessageForm::Texts,
                tokens: DecimalText,
            },
            Profile::V2 | Profile::V3 | Profile::Direct => Self {
                tool_arguments: keys::GEN_AI_TOOL_CALL_ARGUMENTS,
                tool_result: keys::GEN_AI_TOOL_CALL_RESULT,
                messages: MessageForm::Parts,
                tokens: I64,
            },
        }
    }

    /// Whether messages are written as texts, without roles and parts.
    pub(in crate::mapping) fn has_texts_only(self) -> bool {
        self.messages == MessageForm::Texts
    }

    /// Shows a message of one text.
    pub(super) fn visit_message(
        self,
        key: &'static str,
        role: &'static str,
        text: &str,
        finish_reason: Option<&'static str>,
        visitor: &mut dyn KeyVisitor,
    ) {
        match self.messages {
            MessageForm::Texts => visitor.visit_key(key.into(), JsonArrayOfStrs(&[text])),
            MessageForm::Parts => {
                let messages = to_json(&OneText {
                    role,
                    text,
                    finish_reason,
                });
                visitor.visit_key(key.into(), Str(&messages));
            }
        }
    }

    pub(super) fn visit_prompt(self, prompt: &[Message], visitor: &mut dyn KeyVisitor) {
        let key = keys::GEN_AI_INPUT_MESSAGES.into();
        match (self.messages, prompt) {
            (MessageForm::Texts, [one]) => {
                visitor.visit_key(key, JsonArrayOfStrs(&[one.content.as_str()]));
            }
            (MessageForm::Texts, prompt) => {
                let texts: Vec<&str> = prompt.iter().map(|m| m.content.as_str()).collect();
                visitor.visit_key(key, JsonArrayOfStrs(&texts));
            }
            (MessageForm::Parts, prompt) => visitor.visit_key(key, Str(&to_json(&Prompt(prompt)))),
        }
    }

    /// Shows the answer of a model, unless it is withheld or has nothing to say.
    pub(super) fn visit_answer(
        self,
        response: &LlmGenerationResponse,
        story: &Story<'_>,
        visitor: &mut dyn KeyVisitor,
    ) {
        let Some(text) = story.show(&response.content, Option::as_deref).shown() else {
            return;
        };
        let key = keys::GEN_AI_OUTPUT_MESSAGES.into();
        match (self.messages, text) {
            (MessageForm::Texts, Some(text)) => visitor.visit_key(key, JsonArrayOfStrs(&[text])),
            (MessageForm::Texts, None) => {}
            (MessageForm::Parts, _) => {
                visitor.visit_key(key, Str(&to_json(&Answer::of(response, story))));
            }
        }
    }
}
