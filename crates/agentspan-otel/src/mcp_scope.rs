//! The scope of a message of the Model Context Protocol.

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

/// The `error.type` of a call whose result says that the tool failed.
const TOOL_ERROR: &str = "tool_error";

/// The kind of [`McpScope`].
#[derive(Debug)]
#[non_exhaustive]
pub struct McpKind;

/// A request or a notification of the Model Context Protocol: the span `{method} {tool or prompt}`,
/// after the [conventions], such as `tools/call get-weather`.
///
/// The side that sends it starts [`client`](Scope::client), a span of kind `CLIENT`, and writes the
/// trace into `_meta` of the parameters. The side that answers starts [`server`](Scope::server), a
/// span of kind `SERVER` below that of the client, whatever connection the message came through.
///
/// A call of a tool is an `execute_tool` span, too, with arguments and result, and reaches Agent
/// 365 as one. Inside of an [`ExecuteToolScope`] or an Agent Spec `ToolExecutionSpan` of the same
/// tool, the client's scope makes no second span, as the conventions ask for: it joins that one,
/// which takes the attributes of the message, its result and its errors, and ends when it would
/// anyway. A second message, such as another try, has a span of its own, and so has each if
/// [`with_own_span`](McpScopeBuilder::with_own_span) says so.
///
/// [`AgentMetrics`](crate::AgentMetrics) measures messages; [`McpSessions`](crate::McpSessions)
/// does so for sessions.
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
    /// A builder for the scope of the side that sends a message, and waits for the answer.
    pub fn client(request: &McpRequest) -> McpScopeBuilder<'_> {
        McpScopeBuilder::new(request, SpanKind::Client)
    }

    /// A builder for the scope of the side that answers a message.
    pub fn server(request: &McpRequest) -> McpScopeBuilder<'_> {
        McpScopeBuilder::new(request, SpanKind::Server)
    }

    /// Records what a tool gave back, as JSON. It is content: a destination that masks contents
    /// does not show it.
    pub fn record_tool_result(&self, result: &Value) {
        match result {
            Value::Object(result) => self.record(Recorded::ToolResultObject(result)),
            Value::String(text) => self.record(Recorded::ToolResult(text)),
            other => self.record(Recorded::ToolResult(&other.to_string())),
        }
    }

    /// Records that the result of a call says that the tool failed (`isError`). What it says is
    /// content.
    pub fn record_tool_error(&self) {
        self.record_error_as(TOOL_ERROR, "the tool failed");
    }

    /// Records that the answer is an error of JSON-RPC.
    pub fn record_rpc_error(&self, code: i32, message: &str) {
        let code = code.to_string();
        self.set(keys::RPC_RESPONSE_STATUS_CODE, |_| code.clone().into());
        self.record_error_as(&code, message);
    }
}

impl ExecuteToolScope {
    /// Says that the tool is called with a message of the Model Context Protocol, where no
    /// [`McpScope`] is started around the message, which says the same. The message takes the trace
    /// along with [`inject_meta`](Scope::inject_meta) of this scope.
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
    /// Writes the ids of the span, and the baggage that [`Propagation::new`] lets out, into the
    /// `_meta` object of a message of the Model Context Protocol. As
    /// [`inject_headers`](Self::inject_headers).
    pub fn inject_meta(&self, meta: &mut Map<String, Value>) {
        Propagation::new().inject_meta(&self.context(), meta);
    }
}

/// Starts an [`McpScope`].
///
/// Nothing is copied before the scope starts, and nothing at all while scopes are switched off.
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

    /// The agent that sends the message, or for which it is answered. By default that of baggage or
    /// of the scope around this one.
    pub fn with_agent(mut self, agent: impl Into<Option<&'a AgentDetails>>) -> Self {
        self.known.agent = agent.into();
        self
    }

    /// The tenant; its id wins over that of the agent's details.
    pub fn with_tenant(mut self, tenant: impl Into<Option<&'a TenantDetails>>) -> Self {
        self.known.tenant = tenant.into();
        self
    }

    /// The `_meta` object of a message that was received. Its trace is the parent, its baggage
    /// comes along, and the span that is current, such as that of the HTTP request, is linked.
    /// Without a trace in it, the current span is the parent.
    pub fn with_meta(mut self, meta: impl Into<Option<&'a Map<String, Value>>>) -> Self {
        self.meta = meta.into();
        self
    }

    /// The tracer that makes the span, in place of the default.
    pub fn with_tracer(mut self, tracer: &'a ScopeTracer) -> Self {
        self.tracer = Some(tracer);
        self
    }

    /// The context that gives parent and baggage, in place of the current one.
    pub fn with_parent(mut self, parent: &'a Context) -> Self {
        self.parent = Some(parent);
        self
    }

    /// Makes a span of its own, also inside of a span that executes the same tool.
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
