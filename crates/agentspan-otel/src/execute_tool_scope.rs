//! The scope of the execution of a tool.

use agentspan_model::agent365::mapping::{self, Recorded};
use agentspan_model::agent365::{
    AgentDetails, ExecuteToolCallResult, Request, TenantDetails, ToolCallDetails, UserDetails,
};
use serde_json::{Map, Value};

use crate::scope::Scope;
use crate::scope::start_options::{StartOptions, agent_option, span_kind_option, start_options};

/// The kind of [`ExecuteToolScope`].
#[derive(Debug)]
#[non_exhaustive]
pub struct ExecuteToolKind;

/// The execution of a tool: the span `execute_tool {tool name}`, of kind `INTERNAL`.
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
    /// Starts a scope for a call by `agent` of `tenant`.
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

    /// Records the result of the tool, as `gen_ai.event.content`, or with 2.0.0 as
    /// `gen_ai.tool.call.result`.
    pub fn record_response(&self, response: &str) {
        self.record(Recorded::ToolResult(response));
    }

    /// Like [`record_response`](Self::record_response), for an object, which is written as JSON.
    pub fn record_response_object(&self, response: &Map<String, Value>) {
        self.record(Recorded::ToolResultObject(response));
    }

    /// Like [`record_response`](Self::record_response), for a result in the schema of Agent 365,
    /// which is written as JSON. For arguments in that schema, see
    /// [`ToolCallDetails::with_typed_arguments`].
    pub fn record_typed_response(&self, response: &ExecuteToolCallResult) {
        self.record(Recorded::TypedToolResult(response));
    }
}

/// Starts an [`ExecuteToolScope`].
///
/// The builder copies nothing until the scope starts, and nothing at all while scopes are off.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct ExecuteToolScopeBuilder<'a> {
    known: mapping::ExecuteTool<'a>,
    options: StartOptions<'a>,
}

impl<'a> ExecuteToolScopeBuilder<'a> {
    agent_option!("Sets the agent that calls the tool.");

    /// Sets the request that caused the call: its conversation and channel. 0.1.0 does not write
    /// it.
    pub fn with_request(mut self, request: impl Into<Option<&'a Request>>) -> Self {
        self.known.request = request.into();
        self
    }

    /// Sets the person for whom the tool is called. 0.1.0 does not write it.
    pub fn with_user(mut self, user: impl Into<Option<&'a UserDetails>>) -> Self {
        self.known.user = user.into();
        self
    }

    span_kind_option!("INTERNAL");
    start_options!(ExecuteToolKind);
}
