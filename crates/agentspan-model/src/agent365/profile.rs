//! Generations of the Agent 365 contract.

use super::contract::RuleSet;
use super::messages::{input_texts_to_json, output_texts_to_json};
use super::{InferenceOperationType, InputMessages, OutputMessages, json_array_text};
use crate::keys;

/// A generation of the Agent 365 contract.
///
/// Keys, names, value types and wire formats differ between generations. Code that depends on them
/// asks the profile; no other code compares profiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// `microsoft-agents-a365-observability-core` 0.1.0. The default.
    #[default]
    V0_1,
    /// `microsoft-agents-a365-observability-core` 2.0.0.
    V2,
    /// `microsoft-opentelemetry` 1.5.0 for Python, the successor of the packages above.
    V3,
    /// The contract that Microsoft documents for senders without an SDK ("direct OpenTelemetry
    /// integration" and the attribute reference, November 2026), which Rust programs are: the
    /// operations and attributes of the reference, the JSON of OTLP with every value as a string,
    /// and the route that the token allows. Baggage, switches of scopes and free attributes are
    /// those of [`V3`](Self::V3).
    Direct,
}

/// The package that defines how a turn of a conversation maps to baggage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TurnRules {
    /// `from_turn_context` of `microsoft-agents-a365-observability-core` 0.1.0.
    Core,
    /// `populate` of `microsoft-agents-a365-observability-hosting` 2.0.0.
    Hosting,
    /// The hosting of `microsoft-opentelemetry` 1.5.0, which accepts any form of the product in a
    /// channel's data.
    Successor,
}

/// How the variables of the environment switch scopes on and off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SwitchRules {
    /// The first variable that is set decides; if none is set, scopes are off: 0.1.0 and 2.0.0.
    FirstDecides,
    /// If any variable says no, scopes are off. Otherwise, the first variable that is set can
    /// switch them on, and if it does not, the program decides: `microsoft-opentelemetry` 1.5.0.
    NoWins,
}

/// The words and forms that differ between generations, one row for each.
#[derive(Debug)]
struct Words {
    turn_rules: TurnRules,
    system: Option<&'static str>,
    tenant_id_key: &'static str,
    session_id_key: &'static str,
    chat: &'static str,
    text_completion: &'static str,
    generate_content: &'static str,
    texts: TextsForm,
    left_out: &'static [&'static str],
    rules: RuleSet,
    free_attributes: FreeAttributes,
    switch_rules: SwitchRules,
}

/// Which of two free attributes with one key stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FreeAttributes {
    First,
    Last,
}

/// How plain texts are written where messages belong.
#[derive(Clone, Copy, Debug)]
enum TextsForm {
    /// A JSON list of texts.
    List,
    /// Messages with a role and parts.
    Messages,
}

static V0_1: Words = Words {
    turn_rules: TurnRules::Core,
    system: Some("az.ai.agent365"),
    tenant_id_key: keys::TENANT_ID,
    session_id_key: keys::SESSION_ID,
    chat: "Chat",
    text_completion: "TextCompletion",
    generate_content: "GenerateContent",
    texts: TextsForm::List,
    left_out: &[],
    rules: RuleSet::PackageFilter,
    free_attributes: FreeAttributes::Last,
    switch_rules: SwitchRules::FirstDecides,
};

const V2_WORDS: Words = Words {
    turn_rules: TurnRules::Hosting,
    system: None,
    tenant_id_key: keys::MICROSOFT_TENANT_ID,
    session_id_key: keys::MICROSOFT_SESSION_ID,
    chat: "chat",
    text_completion: "text_completion",
    generate_content: "generate_content",
    texts: TextsForm::Messages,
    left_out: &[],
    rules: RuleSet::PackageFilter,
    free_attributes: FreeAttributes::Last,
    switch_rules: SwitchRules::FirstDecides,
};

static V2: Words = V2_WORDS;

/// The words of 2.0.0 are still those of 1.5.0 of the successor, whose exporter sends fewer operations.
static V3: Words = Words {
    left_out: &[
        "text_completion",
        "generate_content",
        "TextCompletion",
        "GenerateContent",
    ],
    free_attributes: FreeAttributes::First,
    switch_rules: SwitchRules::NoWins,
    turn_rules: TurnRules::Successor,
    ..V2_WORDS
};

/// The attribute reference has one operation for all calls to models. What it says nothing of is as in the newest
/// package, so that a program records the same with either.
static DIRECT: Words = Words {
    text_completion: "chat",
    generate_content: "chat",
    rules: RuleSet::AttributeReference,
    free_attributes: FreeAttributes::First,
    switch_rules: SwitchRules::NoWins,
    turn_rules: TurnRules::Successor,
    ..V2_WORDS
};

impl Profile {
    /// All generations, the oldest first.
    pub const ALL: [Self; 4] = [Self::V0_1, Self::V2, Self::V3, Self::Direct];

    fn words(self) -> &'static Words {
        match self {
            Self::V0_1 => &V0_1,
            Self::V2 => &V2,
            Self::V3 => &V3,
            Self::Direct => &DIRECT,
        }
    }

    /// A stable name, for command lines and settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V0_1 => "v0.1",
            Self::V2 => "v2",
            Self::V3 => "v3",
            Self::Direct => "direct",
        }
    }

    /// The generation with this [name](Self::name).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Whether the package's exporter skips spans of an operation that the exporter of the earlier
    /// package sends.
    pub(super) fn leaves_out(self, operation: &str) -> bool {
        self.words().left_out.contains(&operation)
    }

    /// The rule set for its spans.
    pub(super) fn rules(self) -> RuleSet {
        self.words().rules
    }

    /// The package that defines how a turn of a conversation maps to baggage. Core 2.0.0 leaves
    /// this to another package.
    #[must_use]
    pub fn turn_rules(self) -> TurnRules {
        self.words().turn_rules
    }

    /// How the variables of the environment switch scopes on and off.
    #[must_use]
    pub fn switch_rules(self) -> SwitchRules {
        self.words().switch_rules
    }

    /// The name and version of the instrumentation scope that Agent 365 scopes write, the same in all
    /// generations.
    ///
    /// The reference's tracer has an empty version, which differs from no version.
    #[must_use]
    pub fn instrumentation_scope(self) -> (&'static str, &'static str) {
        ("Agent365Sdk", "")
    }

    /// Whether this is the instrumentation scope of Agent 365 scopes, of any generation.
    #[must_use]
    pub fn is_instrumentation_scope(name: &str) -> bool {
        let mut all = Self::ALL.into_iter();
        all.any(|profile| profile.instrumentation_scope().0 == name)
    }

    /// The value of `gen_ai.system`, for a generation that writes it.
    #[must_use]
    pub fn system(self) -> Option<&'static str> {
        self.words().system
    }

    /// The key that holds the tenant, which is half of a span's identity.
    #[must_use]
    pub fn tenant_id_key(self) -> &'static str {
        self.words().tenant_id_key
    }

    /// Whether this is the `gen_ai.system` of Agent 365 scopes, of any generation, and so not a
    /// provider of models.
    #[must_use]
    pub fn is_system(name: &str) -> bool {
        let mut all = Self::ALL.into_iter();
        all.any(|profile| profile.system() == Some(name))
    }

    /// The key that holds the session.
    #[must_use]
    pub fn session_id_key(self) -> &'static str {
        self.words().session_id_key
    }

    /// Whether the first free attribute with a key stays. Otherwise, a later attribute with the
    /// same key replaces it.
    #[must_use]
    pub fn keeps_first_free_attribute(self) -> bool {
        self.words().free_attributes == FreeAttributes::First
    }

    /// The operation name of a call to a language model.
    #[must_use]
    pub fn inference_operation(self, operation: InferenceOperationType) -> &'static str {
        let words = self.words();
        match operation {
            InferenceOperationType::Chat => words.chat,
            InferenceOperationType::TextCompletion => words.text_completion,
            InferenceOperationType::GenerateContent => words.generate_content,
        }
    }

    /// The value of `gen_ai.input.messages` for plain texts.
    #[must_use]
    pub fn input_texts<S: AsRef<str>>(self, texts: &[S]) -> String {
        match self.words().texts {
            TextsForm::List => json_array_text(texts),
            TextsForm::Messages => input_texts_to_json(texts),
        }
    }

    /// The value of `gen_ai.output.messages` for plain texts.
    #[must_use]
    pub fn output_texts<S: AsRef<str>>(self, texts: &[S]) -> String {
        match self.words().texts {
            TextsForm::List => json_array_text(texts),
            TextsForm::Messages => output_texts_to_json(texts),
        }
    }

    /// The value of `gen_ai.input.messages`. Structured messages are the same in all generations.
    #[must_use]
    pub fn input_messages_text(self, messages: &InputMessages) -> String {
        match messages {
            InputMessages::Text(text) => self.input_texts(&[text]),
            InputMessages::Texts(texts) => self.input_texts(texts),
            InputMessages::Structured { .. } => messages.to_json_text(),
        }
    }

    /// The value of `gen_ai.output.messages`. Structured messages are the same in all generations.
    #[must_use]
    pub fn output_messages_text(self, messages: &OutputMessages) -> String {
        match messages {
            OutputMessages::Text(text) => self.output_texts(&[text]),
            OutputMessages::Texts(texts) => self.output_texts(texts),
            OutputMessages::Structured { .. } => messages.to_json_text(),
        }
    }
}
