//! The scope of the answer of an agent.

use agentspan_model::agent365::mapping::{self, Recorded};
use agentspan_model::agent365::{AgentDetails, Request, Response, TenantDetails, UserDetails};

use crate::scope::Scope;
use crate::scope::start_options::{StartOptions, agent_option, start_options};

/// The kind of [`OutputScope`].
#[derive(Debug)]
#[non_exhaustive]
pub struct OutputKind;

/// The answer of an agent: the span `output_messages {agent id}`, of kind `CLIENT`.
///
/// This scope exists since [`Profile::V2`](agentspan_model::agent365::Profile::V2). With `V0_1`,
/// the span has the attributes that all scopes of 0.1.0 write, and the answer.
///
/// The answer is set at the start, or replaced by
/// [`record_output_messages`](Scope::<Output>::record_output_messages). Collect a streamed answer
/// first.
///
/// ```
/// use agentspan_model::agent365::{AgentDetails, AgentId, Response};
/// use agentspan_otel::OutputScope;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let agent = AgentDetails::new(AgentId::parse("agent-1")?);
/// let answer = Response::from("It will rain.");
/// OutputScope::builder(&answer).with_agent(&agent).start().end();
/// # Ok(())
/// # }
/// ```
pub type OutputScope = Scope<OutputKind>;

impl Scope<OutputKind> {
    /// Starts a scope for an answer of `agent` of `tenant`.
    #[must_use = "the scope ends when it is dropped"]
    pub fn start(response: &Response, agent: &AgentDetails, tenant: &TenantDetails) -> Self {
        Self::builder(response)
            .with_agent(agent)
            .with_tenant(tenant)
            .start()
    }

    /// A builder for a scope with options.
    pub fn builder(response: &Response) -> OutputScopeBuilder<'_> {
        OutputScopeBuilder {
            known: mapping::Output::new(response),
            options: StartOptions::default(),
        }
    }

    /// Records the answer, and replaces an earlier answer.
    pub fn record_output_messages(&self, response: &Response) {
        self.record(Recorded::Response(response));
    }
}

/// Starts an [`OutputScope`].
///
/// The builder copies nothing until the scope starts, and nothing at all while scopes are off.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct OutputScopeBuilder<'a> {
    known: mapping::Output<'a>,
    options: StartOptions<'a>,
}

impl<'a> OutputScopeBuilder<'a> {
    agent_option!("Sets the answering agent. Its id is in the name of the span.");

    /// Sets the request that is answered. Only its conversation is written.
    pub fn with_request(mut self, request: impl Into<Option<&'a Request>>) -> Self {
        self.known.request = request.into();
        self
    }

    /// Sets the person who gets the answer.
    pub fn with_user(mut self, user: impl Into<Option<&'a UserDetails>>) -> Self {
        self.known.user = user.into();
        self
    }

    start_options!(OutputKind);
}
