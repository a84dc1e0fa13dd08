//! The scope of the invocation of an agent.

use agentspan_model::agent365::mapping::{self, Recorded};
use agentspan_model::agent365::{
    AgentDetails, CallerDetails, InvokeAgentDetails, Request, RequestParameters,
    ResponseParameters, TenantDetails, UserDetails,
};
use agentspan_model::keys;

use crate::message_source::{InputMessageSource, OutputMessageSource};
use crate::scope::Scope;
use crate::scope::start_options::{StartOptions, span_kind_option, start_options};
use crate::turn_context::{TurnContext, turn_attributes};

/// The kind of [`InvokeAgentScope`].
#[derive(Debug)]
#[non_exhaustive]
pub struct InvokeAgentKind;

/// The invocation of an agent: the span `invoke_agent {agent name}`, of kind `CLIENT`.
///
/// ```
/// use agentspan_model::agent365::{
///     AgentDetails, AgentId, ExecutionType, InvokeAgentDetails, Request, TenantDetails, TenantId,
/// };
/// use agentspan_otel::InvokeAgentScope;
///
/// # async fn answer(question: &str) -> Result<String, std::io::Error> { Ok(question.to_owned()) }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let agent = AgentDetails::new(AgentId::parse("agent-1")?).with_name("Weather");
/// let tenant = TenantDetails::new(TenantId::parse("tenant-1")?);
/// let request = Request::new("Will it rain?", ExecutionType::HumanToAgent);
/// let details = InvokeAgentDetails::new(agent).with_session_id("session-1");
///
/// let scope = InvokeAgentScope::builder(&details)
///     .with_tenant(&tenant)
///     .with_request(&request)
///     .start();
/// let answer = scope
///     .run(|scope| async move {
///         scope.record_input_messages(&["Will it rain?"]);
///         let answer = answer("Will it rain?").await?;
///         scope.record_response(&answer);
///         Ok::<_, std::io::Error>(answer)
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
pub type InvokeAgentScope = Scope<InvokeAgentKind>;

impl Scope<InvokeAgentKind> {
    /// Starts a scope with an agent and a tenant, without further options.
    #[must_use = "the scope ends when it is dropped"]
    pub fn start(details: &InvokeAgentDetails, tenant: &TenantDetails) -> Self {
        Self::builder(details).with_tenant(tenant).start()
    }

    /// A builder for a scope with options.
    pub fn builder(details: &InvokeAgentDetails) -> InvokeAgentScopeBuilder<'_> {
        InvokeAgentScopeBuilder {
            known: mapping::InvokeAgent::new(details),
            options: StartOptions::default(),
        }
    }

    /// Records the agent's input: a text, a list of texts, or [`InputMessages`].
    ///
    /// 0.1.0 writes texts as a JSON array, 2.0.0 as messages with the role `user`.
    ///
    /// [`InputMessages`]: agentspan_model::agent365::InputMessages
    pub fn record_input_messages<M: InputMessageSource + ?Sized>(&self, messages: &M) {
        self.set(keys::GEN_AI_INPUT_MESSAGES, |profile| {
            messages.input_messages_text(profile).into()
        });
    }

    /// Records the agent's answer: a text, a list of texts, or [`OutputMessages`].
    ///
    /// 0.1.0 writes texts as a JSON array, 2.0.0 as messages with the role `assistant`.
    ///
    /// [`OutputMessages`]: agentspan_model::agent365::OutputMessages
    pub fn record_output_messages<M: OutputMessageSource + ?Sized>(&self, messages: &M) {
        self.set(keys::GEN_AI_OUTPUT_MESSAGES, |profile| {
            messages.output_messages_text(profile).into()
        });
    }

    /// Records the caller, the agent, the tenant and the channel of a turn of a conversation, and
    /// its text as the input, as `populate` of `microsoft-opentelemetry` 1.5.0 does. Values of the
    /// scope and of the baggage take precedence over the turn.
    ///
    /// ```
    /// use agentspan_otel::{InvokeAgentScope, TurnContext};
    ///
    /// # fn example(scope: &InvokeAgentScope) -> Result<(), serde_json::Error> {
    /// let turn: TurnContext = serde_json::from_str(
    ///     r#"{"activity": {"type": "message", "text": "Will it rain?", "channelId": "msteams"}}"#,
    /// )?;
    /// scope.record_turn_context(&turn);
    /// # Ok(())
    /// # }
    /// ```
    pub fn record_turn_context(&self, turn: &TurnContext) {
        let Some(core) = self.core_that_takes_attributes() else {
            return;
        };
        for attribute in turn_attributes(turn, core.profile()) {
            core.set_free_attribute(attribute);
        }
        let text = turn
            .activity
            .as_ref()
            .and_then(|activity| activity.text.as_deref());
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.record_input_messages(text);
        }
    }

    /// Records the agent's answer as the only output message.
    pub fn record_response(&self, response: &str) {
        self.record_output_messages(response);
    }

    /// Records the tokens and the finish reasons of the answer. Values that `parameters` do not set
    /// stay unchanged. 0.1.0 and 2.0.0 do not write them.
    pub fn record_response_parameters(&self, parameters: &ResponseParameters) {
        self.record(Recorded::ResponseParameters(parameters));
    }
}

/// Starts an [`InvokeAgentScope`].
///
/// The builder copies nothing until the scope starts, and nothing at all while scopes are off.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct InvokeAgentScopeBuilder<'a> {
    known: mapping::InvokeAgent<'a>,
    options: StartOptions<'a>,
}

impl<'a> InvokeAgentScopeBuilder<'a> {
    /// Sets the request that the agent works on.
    pub fn with_request(mut self, request: impl Into<Option<&'a Request>>) -> Self {
        self.known.request = request.into();
        self
    }

    /// Sets the calling agent, if an agent calls.
    pub fn with_caller_agent(mut self, caller: impl Into<Option<&'a AgentDetails>>) -> Self {
        self.known.caller_agent = caller.into();
        self
    }

    /// Sets the calling person or service. With 2.0.0, this is another form of
    /// [`with_user`](Self::with_user), which writes the id and the name.
    pub fn with_caller(mut self, caller: impl Into<Option<&'a CallerDetails>>) -> Self {
        self.known.caller = caller.into();
        self
    }

    /// Sets the calling person. With 0.1.0, this is another form of
    /// [`with_caller`](Self::with_caller), which writes the id and the name.
    pub fn with_user(mut self, user: impl Into<Option<&'a UserDetails>>) -> Self {
        self.known.user = user.into();
        self
    }

    /// Sets the parameters of the request, besides messages. 0.1.0 and 2.0.0 do not write them.
    pub fn with_request_parameters(
        mut self,
        parameters: impl Into<Option<&'a RequestParameters>>,
    ) -> Self {
        self.known.request_parameters = parameters.into();
        self
    }

    /// Sets the parameters of the answer, if they are known at the start; otherwise, use
    /// [`Scope::record_response_parameters`]. 0.1.0 and 2.0.0 do not write them.
    pub fn with_response_parameters(
        mut self,
        parameters: impl Into<Option<&'a ResponseParameters>>,
    ) -> Self {
        self.known.response_parameters = parameters.into();
        self
    }

    span_kind_option!("CLIENT");
    start_options!(InvokeAgentKind);
}
