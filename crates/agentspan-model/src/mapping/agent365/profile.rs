//! What differs between the generations of the Agent 365 contract.

use crate::agent365::{Profile, json_array_text};
use crate::agentspec::{LlmGenerationResponse, Message};
use crate::attribute::AttributeValue::{self, DecimalText, I64};
use crate::json_writer::to_json;
use crate::keys;
use crate::mapping::messages::{Answer, OneText, Prompt};
use crate::mapping::story::Story;

/// What differs between generations of the contract.
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
            Profile::V2 => Self {
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

    /// A message of one text.
    pub(super) fn message(
        self,
        role: &'static str,
        text: &str,
        finish_reason: Option<&'static str>,
    ) -> String {
        match self.messages {
            MessageForm::Texts => json_array_text(&[text]),
            MessageForm::Parts => to_json(&OneText {
                role,
                text,
                finish_reason,
            }),
        }
    }

    pub(super) fn prompt(self, prompt: &[Message]) -> String {
        match self.messages {
            MessageForm::Texts => {
                let texts: Vec<&str> = prompt.iter().map(|m| m.content.as_str()).collect();
                json_array_text(&texts)
            }
            MessageForm::Parts => to_json(&Prompt(prompt)),
        }
    }

    /// The answer of a model, which is withheld or has something to say.
    pub(super) fn answer(
        self,
        response: &LlmGenerationResponse,
        story: &Story<'_>,
    ) -> Option<String> {
        let text = story.show(&response.content, Option::as_deref).shown()?;
        match self.messages {
            MessageForm::Texts => text.map(|text| json_array_text(&[text])),
            MessageForm::Parts => Some(to_json(&Answer::of(response, story))),
        }
    }
}
