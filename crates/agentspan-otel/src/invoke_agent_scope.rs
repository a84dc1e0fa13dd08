//! The scope of an agent's invocation.

use agentspan_model::agent365::{
    AgentDetails, CallerDetails, InvokeAgentDetails, Request, TenantDetails, json_array_text,
    mapping,
};
use agentspan_model::keys;
use opentelemetry::Context;

use crate::scope::Scope;
use crate::scope::core::StartOptions;
use crate::tracer::ScopeTracer;

/// The kind of [`InvokeAgentScope`].
#[derive(Debug)]
#[non_exhaustive]
pub struct InvokeAgent;

/// An agent is invoked: the span `invoke_agent {agent name}`, of kind `CLIENT`.
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
///     .tenant(&tenant)
///     .request(&request)
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
pub type InvokeAgentScope = Scope<InvokeAgent>;

impl Scope<InvokeAgent> {
    /// Starts a scope of which only agent and tenant are known.
    #[must_use = "the scope ends when it is dropped"]
    pub fn start(details: &InvokeAgentDetails, tenant: &TenantDetails) -> Self {
        Self::builder(details).tenant(tenant).start()
    }

    /// A builder for a scope of which more is known.
    pub fn builder(details: &InvokeAgentDetails) -> InvokeAgentScopeBuilder<'_> {
        InvokeAgentScopeBuilder {
            known: mapping::InvokeAgent::new(details),
            options: StartOptions::default(),
        }
    }

    /// Records what the agent was asked, as the text of a JSON array.
    pub fn record_input_messages<S: AsRef<str>>(&self, messages: &[S]) {
        self.set(keys::GEN_AI_INPUT_MESSAGES, || {
            json_array_text(messages).into()
        });
    }

    /// Records what the agent answered, as the text of a JSON array.
    pub fn record_output_messages<S: AsRef<str>>(&self, messages: &[S]) {
        self.set(keys::GEN_AI_OUTPUT_MESSAGES, || {
            json_array_text(messages).into()
        });
    }

    /// Records the agent's answer as the only output message.
    pub fn record_response(&self, response: &str) {
        self.record_output_messages(&[response]);
    }
}

/// Starts an [`InvokeAgentScope`].
///
/// Nothing is copied before the scope starts, and nothing at all if its span is not recorded.
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct InvokeAgentScopeBuilder<'a> {
    known: mapping::InvokeAgent<'a>,
    options: StartOptions<'a>,
}

impl<'a> InvokeAgentScopeBuilder<'a> {
    /// The tenant; its id wins over that of the agent's details.
    pub fn tenant(mut self, tenant: impl Into<Option<&'a TenantDetails>>) -> Self {
        self.known.tenant = tenant.into();
        self
    }

    /// The request that the agent works on.
    pub fn request(mut self, request: impl Into<Option<&'a Request>>) -> Self {
        self.known.request = request.into();
        self
    }

    /// The agent that called, if one did.
    pub fn caller_agent(mut self, caller: impl Into<Option<&'a AgentDetails>>) -> Self {
        self.known.caller_agent = caller.into();
        self
    }

    /// The person or service that called.
    pub fn caller(mut self, caller: impl Into<Option<&'a CallerDetails>>) -> Self {
        self.known.caller = caller.into();
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
    pub fn start(self) -> InvokeAgentScope {
        Scope::from_known(&self.known, self.options)
    }
}
