//! The attributes of the span of an MCP message, after the
//! [conventions](https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md).

use super::ExecuteTool;
use crate::agent365::{AgentDetails, Profile, TenantDetails};
use crate::attribute::AttributeValue::{I64, Str};
use crate::attribute::AttributeVisitor;
use crate::keys;
use crate::mcp::{McpRequest, McpTransport};

/// The data of an MCP message when it is sent or received.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Mcp<'a> {
    /// The message.
    pub request: &'a McpRequest,
    /// The agent that sends the message, or for which the message is answered.
    pub agent: Option<&'a AgentDetails>,
    /// The tenant. Its id takes precedence over the tenant id in the agent's details.
    pub tenant: Option<&'a TenantDetails>,
}

impl<'a> Mcp<'a> {
    /// Only the message.
    #[must_use]
    pub fn new(request: &'a McpRequest) -> Self {
        Self {
            request,
            agent: None,
            tenant: None,
        }
    }

    /// The name of the span: the method, and the tool or the prompt of the message.
    #[must_use]
    pub fn span_name(&self) -> String {
        let method = self.request.method();
        let tool = self.request.as_tool_call();
        let tool = tool.map(|call| call.tool_name.as_str());
        match tool.or(self.request.prompt_name()) {
            Some(target) => [method, " ", target].concat(),
            None => method.to_owned(),
        }
    }

    /// Passes the attributes of the start to a visitor. A call of a tool also has the attributes of
    /// an `execute_tool` span.
    pub fn visit_attributes(&self, profile: Profile, visitor: &mut impl AttributeVisitor) {
        if let Some(call) = self.request.as_tool_call() {
            let mut tool = ExecuteTool::new(call);
            tool.agent = self.agent;
            tool.tenant = self.tenant;
            tool.visit_attributes(profile, visitor);
        } else {
            self.visit_identity(profile, visitor);
        }
        self.visit_message(visitor);
    }

    /// Shows what only this protocol has.
    pub fn visit_message(&self, visitor: &mut impl AttributeVisitor) {
        let request = self.request;
        visitor.visit(keys::MCP_METHOD_NAME, Str(request.method()));
        for (key, value) in [
            (keys::GEN_AI_PROMPT_NAME, request.prompt_name()),
            (keys::MCP_RESOURCE_URI, request.resource_uri()),
            (keys::JSONRPC_REQUEST_ID, request.request_id()),
            (keys::MCP_PROTOCOL_VERSION, request.protocol_version()),
            (keys::MCP_SESSION_ID, request.session_id()),
            (
                keys::NETWORK_TRANSPORT,
                request.transport().map(McpTransport::as_str),
            ),
        ] {
            if let Some(value) = value {
                visitor.visit(key, Str(value));
            }
        }
        // A tool may name its endpoint itself.
        let of_tool = request
            .as_tool_call()
            .and_then(|call| call.endpoint.as_ref());
        if let Some(server) = request.server().filter(|_| of_tool.is_none()) {
            visitor.visit(keys::SERVER_ADDRESS, Str(&server.host));
            if let Some(port) = server.port {
                visitor.visit(keys::SERVER_PORT, I64(port.into()));
            }
        }
    }

    fn visit_identity(&self, profile: Profile, visitor: &mut impl AttributeVisitor) {
        if let Some(agent) = self.agent {
            visitor.visit(keys::GEN_AI_AGENT_ID, Str(agent.agent_id.as_str()));
        }
        let tenant = self.tenant.map(|tenant| &tenant.tenant_id);
        if let Some(tenant) = tenant.or_else(|| self.agent?.tenant_id.as_ref()) {
            visitor.visit(profile.tenant_id_key(), Str(tenant.as_str()));
        }
    }
}
