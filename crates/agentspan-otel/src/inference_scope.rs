//! The scope of a call to a language model.

use agentspan_model::agent365::{
    AgentDetails, InferenceCallDetails, Request, TenantDetails, json_array_text, mapping,
};
use agentspan_model::keys;
use opentelemetry::Context;

use crate::scope::Scope;
use crate::scope::core::StartOptions;
use crate::tracer::ScopeTracer;

/// The kind of [`InferenceScope`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Inference;

/// A language model is called: the span `{operation} {model}`, of kind `CLIENT`.
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
pub type InferenceScope = Scope<Inference>;

impl Scope<Inference> {
    /// Starts a scope for a call by `agent`, on behalf of `tenant`.
    #[must_use = "the scope ends when it is dropped"]
    pub fn start(
        call: &InferenceCallDetails,
        agent: &AgentDetails,
        tenant: &TenantDetails,
    ) -> Self {
        Self::builder(call).agent(agent).tenant(tenant).start()
    }

    /// A builder for a scope with options.
    pub fn builder(call: &InferenceCallDetails) -> InferenceScopeBuilder<'_> {
        InferenceScopeBuilder {
            known: mapping::Inference::new(call),
            options: StartOptions::default(),
        }
    }

    /// Records what the model was given, as the text of a JSON array.
    pub fn record_input_messages<S: AsRef<str>>(&self, messages: &[S]) {
        self.set(keys::GEN_AI_INPUT_MESSAGES, || {
            json_array_text(messages).into()
        });
    }

    /// Records what the model answered, as the text of a JSON array.
    pub fn record_output_messages<S: AsRef<str>>(&self, messages: &[S]) {
        self.set(keys::GEN_AI_OUTPUT_MESSAGES, || {
            json_array_text(messages).into()
        });
    }

    /// Records the number of tokens that went in; written as text, as 0.1.0 does.
    pub fn record_input_tokens(&self, tokens: i64) {
        self.set(keys::GEN_AI_USAGE_INPUT_TOKENS, || {
            tokens.to_string().into()
        });
    }

    /// Records the number of tokens that came out; written as text, as 0.1.0 does.
    pub fn record_output_tokens(&self, tokens: i64) {
        self.set(keys::GEN_AI_USAGE_OUTPUT_TOKENS, || {
            tokens.to_string().into()
        });
    }

    /// Records why the model stopped, one reason for each answer. An empty list is left out.
    pub fn record_finish_reasons<S: AsRef<str>>(&self, reasons: &[S]) {
        if !reasons.is_empty() {
            self.set(keys::GEN_AI_RESPONSE_FINISH_REASONS, || {
                json_array_text(reasons).into()
            });
        }
    }

    /// Records how the model came to its answer.
    pub fn record_thought_process(&self, thought_process: &str) {
        self.set(keys::GEN_AI_AGENT_THOUGHT_PROCESS, || {
            thought_process.to_owned().into()
        });
    }

    /// Records the answer as `gen_ai.event.content`. Output messages have their own method,
    /// [`record_output_messages`](Self::record_output_messages).
    pub fn record_response(&self, response: &str) {
        self.set(keys::GEN_AI_EVENT_CONTENT, || response.to_owned().into());
    }
}

/// Starts an [`InferenceScope`].
///
/// Nothing is copied before the scope starts, and nothing at all if its span is not recorded.
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct InferenceScopeBuilder<'a> {
    known: mapping::Inference<'a>,
    options: StartOptions<'a>,
}

impl<'a> InferenceScopeBuilder<'a> {
    /// The agent that calls the model.
    pub fn agent(mut self, agent: impl Into<Option<&'a AgentDetails>>) -> Self {
        self.known.agent = agent.into();
        self
    }

    /// The tenant; its id wins over that of the agent's details.
    pub fn tenant(mut self, tenant: impl Into<Option<&'a TenantDetails>>) -> Self {
        self.known.tenant = tenant.into();
        self
    }

    /// The request that the call is made for; its content becomes the input message.
    pub fn request(mut self, request: impl Into<Option<&'a Request>>) -> Self {
        self.known.request = request.into();
        self
    }

    /// The tracer that makes the span, in place of the default.
    pub fn tracer(mut self, tracer: &'a ScopeTracer) -> Self {
        self.options.tracer = Some(tracer);
        self
    }

    /// The context that gives parent and baggage, in place of the current one.
    pub fn parent(mut self, parent: &'a Context) -> Self {
        self.options.parent = Some(parent);
        self
    }

    /// Starts the scope.
    #[must_use = "the scope ends when it is dropped"]
    pub fn start(self) -> InferenceScope {
        Scope::from_known(&self.known, self.options)
    }
}
