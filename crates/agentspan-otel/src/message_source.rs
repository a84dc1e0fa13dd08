//! Values that can be recorded as messages: a text, a list of texts, or structured messages.

use agentspan_model::agent365::{InputMessages, OutputMessages, Profile};

/// A value that can be recorded as the input of a model or an agent: a text, a list of texts, or
/// [`InputMessages`].
pub trait InputMessageSource {
    /// The value of `gen_ai.input.messages`.
    fn input_messages_text(&self, profile: Profile) -> String;
}

/// A value that can be recorded as the output of a model or an agent: a text, a list of texts, or
/// [`OutputMessages`].
pub trait OutputMessageSource {
    /// The value of `gen_ai.output.messages`.
    fn output_messages_text(&self, profile: Profile) -> String;
}

impl InputMessageSource for InputMessages {
    fn input_messages_text(&self, profile: Profile) -> String {
        profile.input_messages_text(self)
    }
}

impl OutputMessageSource for OutputMessages {
    fn output_messages_text(&self, profile: Profile) -> String {
        profile.output_messages_text(self)
    }
}

macro_rules! texts {
    ($([$($generics:tt)*] $type:ty, $this:ident => $texts:expr;)*) => {
        $(
            impl<$($generics)*> InputMessageSource for $type {
                fn input_messages_text(&self, profile: Profile) -> String {
                    let $this = self;
                    profile.input_texts($texts)
                }
            }

            impl<$($generics)*> OutputMessageSource for $type {
                fn output_messages_text(&self, profile: Profile) -> String {
                    let $this = self;
                    profile.output_texts($texts)
                }
            }
        )*
    };
}

texts! {
    [] str, text => &[text];
    [] String, text => &[text];
    [S: AsRef<str>] [S], texts => texts;
    [S: AsRef<str>] Vec<S>, texts => texts;
    [S: AsRef<str>, const N: usize] [S; N], texts => texts;
}
