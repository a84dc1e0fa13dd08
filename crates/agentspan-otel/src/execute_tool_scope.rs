//! The scope of a tool's execution.

use agentspan_model::agent365::{AgentDetails, TenantDetails, ToolCallDetails, mapping};
use agentspan_model::keys;
use opentelemetry::Context;

use crate::scope::Scope;
use crate::scope::core::StartOptions;
use crate::tracer::ScopeTracer;

/// The kind of [`ExecuteToolScope`].
#[derive(Debug)]
#[non_exhaustive]
pub struct ExecuteTool;

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
pub type ExecuteToolScope = Scope<ExecuteTool>;

impl Scope<ExecuteTool> {
    /// Starts a scope for a call by `agent`, on behalf of `tenant`.
    #[must_use = "the scope ends when it is dropped"]
    pub fn start(call: &ToolCallDetails, agent: &AgentDetails, tenant: &TenantDetails) -> Self {
        Self::builder(call).agent(agent).tenant(tenant).start()
    }

    /// A builder for a scope with options.
    pub fn builder(call: &ToolCallDetails) -> ExecuteToolScopeBuilder<'_> {
        ExecuteToolScopeBuilder {
            known: mapping::ExecuteTool::new(call),
            options: StartOptions::default(),
        }
    }

    /// Records what the tool gave back, as `gen_ai.event.content`.
    pub fn record_response(&self, response: &str) {
        self.set(keys::GEN_AI_EVENT_CONTENT, || response.to_owned().into());
    }
}

/// Starts an [`ExecuteToolScope`].
///
/// Nothing is copied before the scope starts, and nothing at all if its span is not recorded.
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct ExecuteToolScopeBuilder<'a> {
    known: mapping::ExecuteTool<'a>,
    options: StartOptions<'a>,
}

impl<'a> ExecuteToolScopeBuilder<'a> {
    /// The agent that calls the tool.
    pub fn agent(mut self, agent: impl Into<Option<&'a AgentDetails>>) -> Self {
        self.known.agent = agent.into();
        self
    }

    /// The tenant; its id wins over that of the agent's details.
    pub fn tenant(mut self, tenant: impl Into<Option<&'a TenantDetails>>) -> Self {
        self.known.tenant = tenant.into();
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
    pub fn start(self) -> ExecuteToolScope {
        Scope::from_known(&self.known, self.options)
    }
}
