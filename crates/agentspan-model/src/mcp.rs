//! Messages of the [Model Context Protocol](https://modelcontextprotocol.io), with the fields that
//! spans record.

use std::fmt;

use crate::agent365::open_text::open_text;
use crate::agent365::{Endpoint, ToolCallDetails};
use crate::masked::Masked;

/// The method that calls a tool.
const TOOLS_CALL: &str = "tools/call";
/// The method that gets a prompt.
const PROMPTS_GET: &str = "prompts/get";
/// The method that reads a resource.
const RESOURCES_READ: &str = "resources/read";

open_text! {
    /// The transport between client and server, a value of `network.transport`.
    pub enum McpTransport {
        /// Standard input and output of a child process.
        Stdio = "pipe",
        /// HTTP, streamable or with server-sent events.
        Http = "tcp",
    }
}

/// A request or a notification of the Model Context Protocol.
///
/// `Debug` masks the arguments of a tool and the address of a resource.
///
/// ```
/// use agentspan_model::mcp::{McpRequest, McpTransport};
///
/// let request = McpRequest::tool("get-weather")
///     .with_request_id(7)
///     .with_transport(McpTransport::Stdio);
/// assert_eq!(request.method(), "tools/call");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a request does nothing until a span is started for it"]
pub struct McpRequest {
    method: String,
    target: Target,
    request_id: Option<String>,
    session_id: Option<String>,
    protocol_version: Option<String>,
    transport: Option<McpTransport>,
    server: Option<Endpoint>,
}

/// The subject of a request.
#[derive(Clone, PartialEq, Eq)]
enum Target {
    Nothing,
    Tool(Box<ToolCallDetails>),
    Prompt(String),
    Resource(String),
}

impl McpRequest {
    /// A message with this method, such as `tools/list` or `notifications/initialized`.
    pub fn new(method: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            target: Target::Nothing,
            request_id: None,
            session_id: None,
            protocol_version: None,
            transport: None,
            server: None,
        }
    }

    /// A call of the tool with this name: `tools/call`.
    pub fn tool(name: impl Into<String>) -> Self {
        Self::tool_call(ToolCallDetails::new(name))
    }

    /// A call of a tool with more details, such as its arguments: `tools/call`.
    pub fn tool_call(call: ToolCallDetails) -> Self {
        Self {
            target: Target::Tool(Box::new(call)),
            ..Self::new(TOOLS_CALL)
        }
    }

    /// A request for the prompt with this name: `prompts/get`.
    pub fn prompt(name: impl Into<String>) -> Self {
        Self {
            target: Target::Prompt(name.into()),
            ..Self::new(PROMPTS_GET)
        }
    }

    /// A request for the resource at this address: `resources/read`.
    pub fn resource(uri: impl Into<String>) -> Self {
        Self::new(RESOURCES_READ).with_resource(uri)
    }

    /// Sets the resource of another message, such as `resources/subscribe`.
    pub fn with_resource(mut self, uri: impl Into<String>) -> Self {
        self.target = Target::Resource(uri.into());
        self
    }

    /// Sets the id of the request, a number or a text. A notification has none.
    pub fn with_request_id(mut self, id: impl fmt::Display) -> Self {
        self.request_id = Some(id.to_string());
        self
    }

    /// Sets the session of the message.
    pub fn with_session_id(mut self, id: impl Into<String>) -> Self {
        self.session_id = Some(id.into());
        self
    }

    /// Sets the version of the protocol, such as `2025-11-25`.
    pub fn with_protocol_version(mut self, version: impl Into<String>) -> Self {
        self.protocol_version = Some(version.into());
        self
    }

    /// How the message travels.
    pub fn with_transport(mut self, transport: impl Into<McpTransport>) -> Self {
        self.transport = Some(transport.into());
        self
    }

    /// The host and the port of the server.
    pub fn with_server(mut self, server: Endpoint) -> Self {
        self.server = Some(server);
        self
    }

    /// The method, such as `tools/call`.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The tool call, if the message is one.
    #[must_use]
    pub fn as_tool_call(&self) -> Option<&ToolCallDetails> {
        match &self.target {
            Target::Tool(call) => Some(call),
            _ => None,
        }
    }

    pub(crate) fn prompt_name(&self) -> Option<&str> {
        match &self.target {
            Target::Prompt(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn resource_uri(&self) -> Option<&str> {
        match &self.target {
            Target::Resource(uri) => Some(uri),
            _ => None,
        }
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    pub(crate) fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// The version of the protocol, if it is known.
    #[must_use]
    pub fn protocol_version(&self) -> Option<&str> {
        self.protocol_version.as_deref()
    }

    /// The transport, if it is known.
    #[must_use]
    pub fn transport(&self) -> Option<&McpTransport> {
        self.transport.as_ref()
    }

    /// The host and the port of the server, if they are known.
    #[must_use]
    pub fn server(&self) -> Option<&Endpoint> {
        self.server.as_ref()
    }
}

impl fmt::Debug for McpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpRequest")
            .field("method", &self.method)
            .field("target", &self.target)
            .field("request_id", &self.request_id)
            .field("session_id", &self.session_id)
            .field("protocol_version", &self.protocol_version)
            .field("transport", &self.transport)
            .field("server", &self.server)
            .finish()
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Tool(call) => call.fmt(f),
            Self::Prompt(name) => f.debug_tuple("Prompt").field(name).finish(),
            Self::Resource(_) => f.debug_tuple("Resource").field(&Masked).finish(),
        }
    }
}
