//! The scope of an MCP message.

use agentspan_model::agent365::mapping::{self, Recorded};
use agentspan_model::agent365::{AgentDetails, Profile, TenantDetails};
use agentspan_model::keys;
use agentspan_model::mcp::McpRequest;
use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _};
use serde_json::{Map, Value};

use crate::execute_tool_scope::ExecuteToolScope;
use crate::propagation::Propagation;
use crate::scope::current_tool::{CurrentTool, SaidBy};
use crate::scope::latest::Standing;
use crate::scope::start_options::StartOptions;
use crate::scope::{EventAttributes, Scope};
use crate::switch::is_enabled;
use crate::tracer::{ScopeTracer, default_tracer};

/// The `error.type` of a call whose result reports a failure of the tool.
const TOOL_ERROR: &str = "tool_error";

/// The kind of [`McpScope`].
#[derive(Debug)]
#[non_exhaustive]
pub struct McpKind;

/// A request or a notification of the Model Context Protocol: the span `{method} {tool or prompt}`,
/// after the [conventions], such as `tools/call get-weather`.
///
/// The sender starts [`client`](Scope::client), a span of kind `CLIENT`, and writes the trace into
/// `_meta` of the parameters. The receiver starts [`server`](Scope::server), a span of kind
/// `SERVER`, which is a child of the client's span over any connection.
///
/// A call of a tool is also an `execute_tool` span, with arguments and result, and reaches Agent
/// 365 as such a span. Inside an [`ExecuteToolScope`] or an Agent Spec `ToolExecutionSpan` of the
/// same tool, the client's scope creates no second span, as the conventions require. Instead, it
/// adds the attributes of the message, its result and its errors to the span of the tool, whose end
/// does not change. A second message, such as a retry, has its own span. With
/// [`with_own_span`](McpScopeBuilder::with_own_span), each message has one.
///
/// [`AgentMetrics`](crate::AgentMetrics) measures messages, and [`McpSessions`](crate::McpSessions)
/// measures sessions.
///
/// ```
/// use agentspan_model::mcp::McpRequest;
/// use agentspan_otel::McpScope;
/// use serde_json::{Map, Value, json};
///
/// # async fn send(_: &Map<String, Value>) -> Result<Value, std::io::Error> { Ok(json!({})) }
/// # async fn example() -> Result<(), std::io::Error> {
/// let request = McpRequest::tool("get-weather").with_request_id(7);
/// let result = McpScope::client(&request)
///     .start()
///     .run(|scope| async move {
///         let mut meta = Map::new();
///         scope.inject_meta(&mut meta);
///         let result = send(&meta).await?;
///         match result["isError"].as_bool() {
///             Some(true) => scope.record_tool_error(),
///             _ => scope.record_tool_result(&result["content"]),
///         }
///         Ok::<_, std::io::Error>(result)
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// [conventions]: https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md
pub type McpScope = Scope<McpKind>;

impl Scope<McpKind> {
    /// A builder for the scope of the client, which sends a message and waits for the answer.
    pub fn client(request: &McpRequest) -> McpScopeBuilder<'_> {
        McpScopeBuilder::new(request, SpanKind::Client)
    }

    /// A builder for the scope of the server, which answers a message.
    pub fn server(request: &McpRequest) -> McpScopeBuilder<'_> {
        McpScopeBuilder::new(request, SpanKind::Server)
    }

    /// Records the result of a tool, as JSON. It is content, so a destination that masks contents
    /// does not show it.
    pub fn record_tool_result(&self, result: &Value) {
        match result {
            Value::Object(result) => self.record(Recorded::ToolResultObject(result)),
            Value::String(text) => self.record(Recorded::ToolResult(text)),
            other => self.record(Recorded::ToolResult(&other.to_string())),
        }
    }

    /// Records that the result of a call reports a failure of the tool (`isError`). The text of the
    /// result is content.
    pub fn record_tool_error(&self) {
        self.record_error_as(TOOL_ERROR, "the tool failed");
    }

    /// Records a JSON-RPC error as the answer.
    pub fn record_rpc_error(&self, code: i32, message: &str) {
        let code = code.to_string();
        self.set(keys::RPC_RESPONSE_STATUS_CODE, |_| code.clone().into());
        self.record_error_as(&code, message);
    }
}

impl ExecuteToolScope {
    /// Marks the tool as called over the Model Context Protocol. You only need this if no
    /// [`McpScope`] is started around the message. To propagate the trace, call
    /// [`inject_meta`](Scope::inject_meta) of this scope.
    ///
    /// ```
    /// # fn example(scope: &agentspan_otel::ExecuteToolScope) {
    /// use agentspan_model::mcp::McpRequest;
    ///
    /// scope.record_mcp_request(&McpRequest::tool("get-weather").with_request_id(7));
    /// let mut meta = serde_json::Map::new();
    /// scope.inject_meta(&mut meta);
    /// # }
    /// ```
    pub fn record_mcp_request(&self, request: &McpRequest) {
        let Some(core) = self.core_that_takes_attributes() else {
            return;
        };
        let mut attributes = EventAttributes::default();
        mapping::Mcp::new(request).visit_message(&mut attributes);
        for attribute in attributes.into_attributes() {
            core.set_attribute(attribute);
        }
    }
}

impl<K> Scope<K> {
    /// Writes the ids of the span, and the baggage that [`Propagation::new`] allows, into the
    /// `_meta` object of an MCP message. Like [`inject_headers`](Self::inject_headers).
    pub fn inject_meta(&self, meta: &mut Map<String, Value>) {
        if let Some(context) = self.context_to_pass_on() {
            Propagation::new().inject_meta(context, meta);
        }
    }
}

/// Starts an [`McpScope`].
///
/// The builder copies nothing until the scope starts, and nothing at all while scopes are off.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct McpScopeBuilder<'a> {
    known: mapping::Mcp<'a>,
    kind: SpanKind,
    meta: Option<&'a Map<String, Value>>,
    tracer: Option<&'a ScopeTracer>,
    parent: Option<&'a Context>,
    joins: bool,
}

impl<'a> McpScopeBuilder<'a> {
    fn new(request: &'a McpRequest, kind: SpanKind) -> Self {
        Self {
            known: mapping::Mcp::new(request),
            joins: kind == SpanKind::Client,
            kind,
            meta: None,
            tracer: None,
            parent: None,
        }
    }

    /// Sets the agent that sends the message, or for which the message is answered. The default is
    /// the agent of the baggage or of the enclosing scope.
    pub fn with_agent(mut self, agent: impl Into<Option<&'a AgentDetails>>) -> Self {
        self.known.agent = agent.into();
        self
    }

    /// Sets the tenant. Its id takes precedence over the tenant id in the agent's details.
    pub fn with_tenant(mut self, tenant: impl Into<Option<&'a TenantDetails>>) -> Self {
        self.known.tenant = tenant.into();
        self
    }

    /// Sets the `_meta` object of a received message. Its trace becomes the parent, its baggage is
    /// used, and the current span, such as the span of the HTTP request, becomes a link. If it has
    /// no trace, the current span is the parent.
    pub fn with_meta(mut self, meta: impl Into<Option<&'a Map<String, Value>>>) -> Self {
        self.meta = meta.into();
        self
    }

    /// Sets the tracer of the span, in place of the default.
    pub fn with_tracer(mut self, tracer: &'a ScopeTracer) -> Self {
        self.tracer = Some(tracer);
        self
    }

    /// Sets the context of the parent and the baggage, in place of the current context.
    pub fn with_parent(mut self, parent: &'a Context) -> Self {
        self.parent = Some(parent);
        self
    }

    /// Creates a separate span even inside a span that executes the same tool.
    pub fn with_own_span(mut self) -> Self {
        self.joins = false;
        self
    }

    /// Starts the scope.
    #[must_use = "the scope ends when it is dropped"]
    pub fn start(self) -> McpScope {
        let around = self.parent.cloned().unwrap_or_else(Context::current);
        if let Some(joined) = self.join(&around) {
            return joined;
        }
        let mut links = Vec::new();
        let mut parent = around.clone();
        if let Some(meta) = self.meta {
            parent = Propagation::new().extract_meta(&around, meta);
            let ambient = around.span().span_context().clone();
            if ambient.is_valid() && ambient != *parent.span().span_context() {
                links.push(Link::with_context(ambient));
            }
        }
        let options = StartOptions {
            tracer: self.tracer,
            // As for all scopes, the parent is decided at the first poll where nothing says it.
            parent: (self.parent.is_some() || self.meta.is_some()).then_some(&parent),
            kind: Some(self.kind),
            links: &links,
            ..StartOptions::default()
        };
        Scope::from_known(&self.known, options)
    }

    /// The scope that says its part of the span that executes the tool, if that is current.
    fn join(&self, around: &Context) -> Option<McpScope> {
        let request = self.known.request;
        let call = request.as_tool_call().filter(|_| self.joins)?;
        if !is_enabled() {
            return None;
        }
        let profile = self
            .tracer
            .map_or_else(default_profile, ScopeTracer::profile);
        let (span, said_by) = CurrentTool::claim(around, &call.tool_name, request.method())?;
        let mut message = EventAttributes::default();
        self.known.visit_message(&mut message);
        for attribute in message.into_attributes() {
            span.set(attribute, Standing::Own);
        }
        if matches!(said_by, SaidBy::Attributes) {
            let mut of_call = EventAttributes::default();
            mapping::ExecuteTool::new(call).visit_attributes(profile, &mut of_call);
            for attribute in of_call.into_attributes() {
                span.set(attribute, Standing::Filling);
            }
        }
        Some(Scope::joined(span, around.clone(), profile))
    }
}

fn default_profile() -> Profile {
    default_tracer().profile()
}
