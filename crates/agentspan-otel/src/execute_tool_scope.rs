//! The scope of a tool's execution.

use agentspan_model::agent365::mapping::{self, Recorded};
use agentspan_model::agent365::{
    AgentDetails, ExecuteToolCallResult, Request, TenantDetails, ToolCallDetails, UserDetails,
};
use serde_json::{Map, Value};

use crate::scope::Scope;
use crate::scope::start_options::{StartOptions, span_kind_option, start_options};

/// The kind of [`ExecuteToolScope`].
#[derive(Debug)]
#[non_exhaustive]
pub struct ExecuteToolKind;

/// A tool is executed: the span `execute_tool {tool name}`, of kind `INTERNAL`.
///
/// ```
/// use agentspan_model::agent365::{AgentDetails, TenantDetails, ToolCallDetails};
/// use agentspan_otel::ExecuteToolScope;
///
/// # fn example(agent: &AgentDetails, tenant: &TenantDetails) -> Result<(), std::io::Error> {
/// let call = ToolCallDetails::new("read_file").with_arguments(r#"{"path":"README.md"}"#);
/// let text = ExecuteToolScope::start(&call, agent, tenant).in_scope(|scope| {
///     let text = std::fs::read_to_string("README.md")?;
///     scope.record_response(&text);
///     Ok::<_, std::io::Error>(text)
/// })?;
/// # Ok(())
/// # }
/// ```
pub type ExecuteToolScope = Scope<ExecuteToolKind>;

impl Scope<ExecuteToolKind> {
    /// Starts a scope for a call by `agent`, on behalf of `tenant`.
    #[must_use = "the scope ends when it is dropped"]
    pub fn start(call: &ToolCallDetails, agent: &AgentDetails, tenant: &TenantDetails) -> Self {
        Self::builder(call)
            .with_agent(agent)
            .with_tenant(tenant)
            .start()
    }

    /// A builder for a scope with options.
    pub fn builder(call: &ToolCallDetails) -> ExecuteToolScopeBuilder<'_> {
        ExecuteToolScopeBuilder {
            known: mapping::ExecuteTool::new(call),
            options: StartOptions::default(),
        }
    }

    /// Records what the tool gave back: as `gen_ai.event.content`, with 2.0.0 as
    /// `gen_ai.tool.call.result`.
    pub fn record_response(&self, response: &str) {
        self.record(Recorded::ToolResult(response));
    }

    /// As [`record_response`](Self::record_response), for an object, which is written as JSON.
    pub fn record_response_object(&self, response: &Map<String, Value>) {
        self.record(Recorded::ToolResultObject(response));
    }

    /// As [`record_response`](Self::record_response), for a result in the schema of Agent 365, which is written as
    /// JSON. [`ToolCallDetails::with_typed_arguments`] takes arguments in that schema.
    pub fn record_typed_response(&self, response: &ExecuteToolCallResult) {
        self.record(Recorded::TypedToolResult(response));
    }
}

/// Starts an [`ExecuteToolScope`].
///
/// Nothing is copied before the scope starts, and nothing at all while scopes are switched off.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct ExecuteToolScopeBuilder<'a> {
    known: mapping::ExecuteTool<'a>,
    options: StartOptions<'a>,
}

impl<'a> ExecuteToolScopeBuilder<'a> {
    /// The agent that calls the tool.
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

    /// The request that the tool is called for: its conversation and channel. Not written by 0.1.0.
    pub fn with_request(mut self, request: impl Into<Option<&'a Request>>) -> Self {
        self.known.request = request.into();
        self
    }

    /// The person for whom the tool is called. Not written by 0.1.0.
    pub fn with_user(mut self, user: impl Into<Option<&'a UserDetails>>) -> Self {
        self.known.user = user.into();
        self
    }

    span_kind_option!("INTERNAL");
    start_options!(ExecuteToolKind);
}
