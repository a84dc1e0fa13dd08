//! The scope of a call to a language model.

use agentspan_model::agent365::mapping::{self, Recorded};
use agentspan_model::agent365::{
    AgentDetails, InferenceCallDetails, Request, TenantDetails, UserDetails, json_array_text,
};
use agentspan_model::keys;

use crate::message_source::{InputMessageSource, OutputMessageSource};
use crate::scope::Scope;
use crate::scope::start_options::{StartOptions, agent_option, start_options};

/// The kind of [`InferenceScope`].
#[derive(Debug)]
#[non_exhaustive]
pub struct InferenceKind;

/// A call of a language model: the span `{operation} {model}`, of kind `CLIENT`.
///
/// ```
/// use agentspan_model::agent365::{
///     AgentDetails, InferenceCallDetails, InferenceOperationType, TenantDetails,
/// };
/// use agentspan_otel::InferenceScope;
///
/// # async fn chat() -> Result<String, std::io::Error> { Ok(String::new()) }
/// # async fn example(agent: &AgentDetails, tenant: &TenantDetails) -> Result<(), std::io::Error> {
/// let call = InferenceCallDetails::new(InferenceOperationType::Chat, "gpt-4o", "openai");
/// let answer = InferenceScope::start(&call, agent, tenant)
///     .run(|scope| async move {
///         let answer = chat().await?;
///         scope.record_output_messages(&[&answer]);
///         scope.record_input_tokens(12);
///         scope.record_output_tokens(34);
///         scope.record_finish_reasons(&["stop"]);
///         Ok::<_, std::io::Error>(answer)
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
pub type InferenceScope = Scope<InferenceKind>;

impl Scope<InferenceKind> {
    /// Starts a scope for a call by `agent` of `tenant`.
    #[must_use = "the scope ends when it is dropped"]
    pub fn start(
        call: &InferenceCallDetails,
        agent: &AgentDetails,
        tenant: &TenantDetails,
    ) -> Self {
        Self::builder(call)
            .with_agent(agent)
            .with_tenant(tenant)
            .start()
    }

    /// A builder for a scope with options.
    pub fn builder(call: &InferenceCallDetails) -> InferenceScopeBuilder<'_> {
        InferenceScopeBuilder {
            known: mapping::Inference::new(call),
            options: StartOptions::default(),
        }
    }

    /// Records the model's input: a text, a list of texts, or [`InputMessages`].
    ///
    /// 0.1.0 writes texts as a JSON array, 2.0.0 as messages with the role `user`.
    ///
    /// [`InputMessages`]: agentspan_model::agent365::InputMessages
    pub fn record_input_messages<M: InputMessageSource + ?Sized>(&self, messages: &M) {
        self.set(keys::GEN_AI_INPUT_MESSAGES, |profile| {
            messages.input_messages_text(profile).into()
        });
    }

    /// Records the model's answer: a text, a list of texts, or [`OutputMessages`].
    ///
    /// 0.1.0 writes texts as a JSON array, 2.0.0 as messages with the role `assistant`.
    ///
    /// [`OutputMessages`]: agentspan_model::agent365::OutputMessages
    pub fn record_output_messages<M: OutputMessageSource + ?Sized>(&self, messages: &M) {
        self.set(keys::GEN_AI_OUTPUT_MESSAGES, |profile| {
            messages.output_messages_text(profile).into()
        });
    }

    /// Records the number of input tokens. 0.1.0 writes it as text.
    pub fn record_input_tokens(&self, tokens: i64) {
        self.record(Recorded::InputTokens(tokens));
    }

    /// Records the number of output tokens. 0.1.0 writes it as text.
    pub fn record_output_tokens(&self, tokens: i64) {
        self.record(Recorded::OutputTokens(tokens));
    }

    /// Records the number of tokens that were read from a cache. 0.1.0 does not write it.
    pub fn record_cache_read_input_tokens(&self, tokens: i64) {
        self.record(Recorded::CacheReadInputTokens(tokens));
    }

    /// Records the number of tokens that were written to a cache. 0.1.0 does not write it.
    pub fn record_cache_write_input_tokens(&self, tokens: i64) {
        self.record(Recorded::CacheWriteInputTokens(tokens));
    }

    /// Records the name of the model that answered. 0.1.0 does not write it.
    pub fn record_response_model(&self, model: &str) {
        self.record(Recorded::ResponseModel(model));
    }

    /// Records the finish reasons, one for each answer. An empty list is left out.
    pub fn record_finish_reasons<S: AsRef<str>>(&self, reasons: &[S]) {
        if !reasons.is_empty() {
            self.set(keys::GEN_AI_RESPONSE_FINISH_REASONS, |_| {
                json_array_text(reasons).into()
            });
        }
    }

    /// Records the model's reasoning.
    pub fn record_thought_process(&self, thought_process: &str) {
        self.record(Recorded::ThoughtProcess(thought_process));
    }

    /// Records the answer unchanged, as `gen_ai.event.content`, or with 2.0.0 in place of the
    /// output messages. For output messages, use
    /// [`record_output_messages`](Self::record_output_messages).
    pub fn record_response(&self, response: &str) {
        self.record(Recorded::InferenceResponse(response));
    }
}

/// Starts an [`InferenceScope`].
///
/// The builder copies nothing until the scope starts, and nothing at all while scopes are off.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct InferenceScopeBuilder<'a> {
    known: mapping::Inference<'a>,
    options: StartOptions<'a>,
}

impl<'a> InferenceScopeBuilder<'a> {
    agent_option!("Sets the agent that calls the model.");

    /// Sets the request that caused the call. Its content becomes the input message.
    pub fn with_request(mut self, request: impl Into<Option<&'a Request>>) -> Self {
        self.known.request = request.into();
        self
    }

    /// Sets the person for whom the model is called. 0.1.0 does not write it.
    pub fn with_user(mut self, user: impl Into<Option<&'a UserDetails>>) -> Self {
        self.known.user = user.into();
        self
    }

    start_options!(InferenceKind);
}
