//! The scope of an agent's answer.

use agentspan_model::agent365::mapping::{self, Recorded};
use agentspan_model::agent365::{AgentDetails, Request, Response, TenantDetails, UserDetails};

use crate::scope::Scope;
use crate::scope::start_options::{StartOptions, start_options};

/// The kind of [`OutputScope`].
#[derive(Debug)]
#[non_exhaustive]
pub struct OutputKind;

/// An agent answers: the span `output_messages {agent id}`, of kind `CLIENT`.
///
/// A scope of [`Profile::V2`](agentspan_model::agent365::Profile::V2). 0.1.0 has none like it; with
/// `V0_1` the span has what all scopes of 0.1.0 write, and the answer.
///
/// The answer is set at once, or again by
/// [`record_output_messages`](Scope::<Output>::record_output_messages): collect what is streamed before.
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
    /// Starts a scope for an answer of `agent`, on behalf of `tenant`.
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

    /// Records the answer, in place of the one that was there.
    pub fn record_output_messages(&self, response: &Response) {
        self.record(Recorded::Response(response));
    }
}

/// Starts an [`OutputScope`].
///
/// Nothing is copied before the scope starts, and nothing at all while scopes are switched off.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct OutputScopeBuilder<'a> {
    known: mapping::Output<'a>,
    options: StartOptions<'a>,
}

impl<'a> OutputScopeBuilder<'a> {
    /// The agent that answers. Its id is in the span's name.
    ///
    /// By default it is the agent of baggage or of the scope around this one, whose name, description and
    /// other details this scope then has, too, where nothing else says them.
    pub fn with_agent(mut self, agent: impl Into<Option<&'a AgentDetails>>) -> Self {
        self.known.agent = agent.into();
        self
    }

    /// The tenant; its id wins over that of the agent's details.
    pub fn with_tenant(mut self, tenant: impl Into<Option<&'a TenantDetails>>) -> Self {
        self.known.tenant = tenant.into();
        self
    }

    /// The request that is answered, of which the conversation is written.
    pub fn with_request(mut self, request: impl Into<Option<&'a Request>>) -> Self {
        self.known.request = request.into();
        self
    }

    /// The person who is answered.
    pub fn with_user(mut self, user: impl Into<Option<&'a UserDetails>>) -> Self {
        self.known.user = user.into();
        self
    }

    start_options!(OutputKind);
}
