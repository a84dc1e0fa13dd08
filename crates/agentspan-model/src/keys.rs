//! Attribute and baggage keys, each literal in this one place.
//!
//! Names without a note come from the [GenAI semantic conventions] or the general OpenTelemetry ones;
//! the rest are those of `microsoft-agents-a365-observability-core` 0.1.0.
//!
//! [GenAI semantic conventions]: https://opentelemetry.io/docs/specs/semconv/gen-ai/

/// `service.name`: the name of the program, an attribute of the resource.
pub const SERVICE_NAME: &str = "service.name";
/// `service.namespace`: what the program belongs to, an attribute of the resource.
pub const SERVICE_NAMESPACE: &str = "service.namespace";
/// `error.type`: the class of an error, for example the name of its type.
pub const ERROR_TYPE: &str = "error.type";
/// `error.message`: the text of an error.
pub const ERROR_MESSAGE: &str = "error.message";
/// `server.address`: the host that a request went to.
pub const SERVER_ADDRESS: &str = "server.address";
/// `server.port`: its port.
pub const SERVER_PORT: &str = "server.port";
/// `session.id`: the session that a request belongs to.
pub const SESSION_ID: &str = "session.id";
/// `az.namespace`: the Azure resource provider's namespace (Azure SDK conventions).
pub const AZ_NAMESPACE: &str = "az.namespace";

/// `exception`: the name of the event that records an exception.
pub const EXCEPTION_EVENT: &str = "exception";
/// `exception.type`.
pub const EXCEPTION_TYPE: &str = "exception.type";
/// `exception.message`.
pub const EXCEPTION_MESSAGE: &str = "exception.message";
/// `exception.stacktrace`.
pub const EXCEPTION_STACKTRACE: &str = "exception.stacktrace";
/// `exception.escaped`: whether the exception left the span's scope, written as text.
pub const EXCEPTION_ESCAPED: &str = "exception.escaped";

/// `gen_ai.system`: the system that produced the span; Agent 365 0.1.0 writes a constant.
pub const GEN_AI_SYSTEM: &str = "gen_ai.system";
/// `gen_ai.operation.name`.
pub const GEN_AI_OPERATION_NAME: &str = "gen_ai.operation.name";
/// `gen_ai.provider.name`.
pub const GEN_AI_PROVIDER_NAME: &str = "gen_ai.provider.name";
/// `gen_ai.request.model`.
pub const GEN_AI_REQUEST_MODEL: &str = "gen_ai.request.model";
/// `gen_ai.request.max_tokens`.
pub const GEN_AI_REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
/// `gen_ai.request.temperature`.
pub const GEN_AI_REQUEST_TEMPERATURE: &str = "gen_ai.request.temperature";
/// `gen_ai.request.top_p`.
pub const GEN_AI_REQUEST_TOP_P: &str = "gen_ai.request.top_p";
/// `gen_ai.response.id`.
pub const GEN_AI_RESPONSE_ID: &str = "gen_ai.response.id";
/// `gen_ai.response.finish_reasons`.
pub const GEN_AI_RESPONSE_FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// `gen_ai.response.model`.
pub const GEN_AI_RESPONSE_MODEL: &str = "gen_ai.response.model";
/// `gen_ai.usage.input_tokens`.
pub const GEN_AI_USAGE_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// `gen_ai.usage.output_tokens`.
pub const GEN_AI_USAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// `gen_ai.token.type`.
pub const GEN_AI_TOKEN_TYPE: &str = "gen_ai.token.type";
/// `gen_ai.choice`.
pub const GEN_AI_CHOICE: &str = "gen_ai.choice";
/// `gen_ai.system_instructions`.
pub const GEN_AI_SYSTEM_INSTRUCTIONS: &str = "gen_ai.system_instructions";
/// `gen_ai.input.messages`.
pub const GEN_AI_INPUT_MESSAGES: &str = "gen_ai.input.messages";
/// `gen_ai.output.messages`.
pub const GEN_AI_OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
/// `gen_ai.event.content`: the response of a scope; also the result of a tool call (Agent 365 0.1.0).
pub const GEN_AI_EVENT_CONTENT: &str = "gen_ai.event.content";
/// `gen_ai.conversation.id`.
pub const GEN_AI_CONVERSATION_ID: &str = "gen_ai.conversation.id";
/// `gen_ai.conversation.item.link` (Agent 365).
pub const GEN_AI_CONVERSATION_ITEM_LINK: &str = "gen_ai.conversation.item.link";
/// `gen_ai.task.id` (Agent 365).
pub const GEN_AI_TASK_ID: &str = "gen_ai.task.id";

/// `gen_ai.agent.id`: half of a span's identity, beside [`TENANT_ID`].
pub const GEN_AI_AGENT_ID: &str = "gen_ai.agent.id";
/// `gen_ai.agent.name`.
pub const GEN_AI_AGENT_NAME: &str = "gen_ai.agent.name";
/// `gen_ai.agent.description`.
pub const GEN_AI_AGENT_DESCRIPTION: &str = "gen_ai.agent.description";
/// `gen_ai.agent.type` (Agent 365).
pub const GEN_AI_AGENT_TYPE: &str = "gen_ai.agent.type";
/// `gen_ai.agent.thought.process` (Agent 365).
pub const GEN_AI_AGENT_THOUGHT_PROCESS: &str = "gen_ai.agent.thought.process";
/// `gen_ai.agent.userid` (Agent 365): the user tied to the agent instance.
pub const GEN_AI_AGENT_USER_ID: &str = "gen_ai.agent.userid";
/// `gen_ai.agent.user.id` (Agent 365): the agent's own user id, "AUID".
pub const GEN_AI_AGENT_AUID: &str = "gen_ai.agent.user.id";
/// `gen_ai.agent.upn` (Agent 365): the agent's user principal name.
pub const GEN_AI_AGENT_UPN: &str = "gen_ai.agent.upn";
/// `gen_ai.agent.applicationid` (Agent 365): the blueprint that the agent was made from.
pub const GEN_AI_AGENT_BLUEPRINT_ID: &str = "gen_ai.agent.applicationid";
/// `gen_ai.agent365.icon_uri` (Agent 365).
pub const GEN_AI_ICON_URI: &str = "gen_ai.agent365.icon_uri";

/// `gen_ai.tool.call.id`.
pub const GEN_AI_TOOL_CALL_ID: &str = "gen_ai.tool.call.id";
/// `gen_ai.tool.name`.
pub const GEN_AI_TOOL_NAME: &str = "gen_ai.tool.name";
/// `gen_ai.tool.description`.
pub const GEN_AI_TOOL_DESCRIPTION: &str = "gen_ai.tool.description";
/// `gen_ai.tool.arguments` (Agent 365).
pub const GEN_AI_TOOL_ARGUMENTS: &str = "gen_ai.tool.arguments";
/// `gen_ai.tool.type`.
pub const GEN_AI_TOOL_TYPE: &str = "gen_ai.tool.type";

/// `gen_ai.caller.id` (Agent 365), as are all keys of callers.
pub const GEN_AI_CALLER_ID: &str = "gen_ai.caller.id";
/// `gen_ai.caller.name`.
pub const GEN_AI_CALLER_NAME: &str = "gen_ai.caller.name";
/// `gen_ai.caller.upn`.
pub const GEN_AI_CALLER_UPN: &str = "gen_ai.caller.upn";
/// `gen_ai.caller.userid`.
pub const GEN_AI_CALLER_USER_ID: &str = "gen_ai.caller.userid";
/// `gen_ai.caller.tenantid`.
pub const GEN_AI_CALLER_TENANT_ID: &str = "gen_ai.caller.tenantid";
/// `gen_ai.caller.agent.id`.
pub const GEN_AI_CALLER_AGENT_ID: &str = "gen_ai.caller.agent.id";
/// `gen_ai.caller.agent.name`.
pub const GEN_AI_CALLER_AGENT_NAME: &str = "gen_ai.caller.agent.name";
/// `gen_ai.caller.agent.applicationid`.
pub const GEN_AI_CALLER_AGENT_APPLICATION_ID: &str = "gen_ai.caller.agent.applicationid";
/// `gen_ai.caller.agent.type`.
pub const GEN_AI_CALLER_AGENT_TYPE: &str = "gen_ai.caller.agent.type";
/// `gen_ai.caller.agent.userid`.
pub const GEN_AI_CALLER_AGENT_USER_ID: &str = "gen_ai.caller.agent.userid";
/// `gen_ai.caller.agent.upn`.
pub const GEN_AI_CALLER_AGENT_UPN: &str = "gen_ai.caller.agent.upn";
/// `gen_ai.caller.agent.tenantid`.
pub const GEN_AI_CALLER_AGENT_TENANT_ID: &str = "gen_ai.caller.agent.tenantid";

/// `gen_ai.execution.type` (Agent 365).
pub const GEN_AI_EXECUTION_TYPE: &str = "gen_ai.execution.type";
/// `gen_ai.execution.payload` (Agent 365).
pub const GEN_AI_EXECUTION_PAYLOAD: &str = "gen_ai.execution.payload";
/// `gen_ai.execution.sourceMetadata.id` (Agent 365).
pub const GEN_AI_EXECUTION_SOURCE_ID: &str = "gen_ai.execution.sourceMetadata.id";
/// `gen_ai.channel.name` (Agent 365): the name of the source.
pub const GEN_AI_EXECUTION_SOURCE_NAME: &str = "gen_ai.channel.name";
/// `gen_ai.channel.link` (Agent 365): the description of the source.
pub const GEN_AI_EXECUTION_SOURCE_DESCRIPTION: &str = "gen_ai.channel.link";

/// `tenant.id` (Agent 365): half of a span's identity, beside [`GEN_AI_AGENT_ID`].
pub const TENANT_ID: &str = "tenant.id";
/// `microsoft.tenant.id` (Agent 365 2.0.0): the same, renamed.
pub const MICROSOFT_TENANT_ID: &str = "microsoft.tenant.id";
/// `operation.source` (Agent 365).
pub const OPERATION_SOURCE: &str = "operation.source";
/// `correlation.id` (Agent 365).
pub const CORRELATION_ID: &str = "correlation.id";
/// `hiring.manager.id` (Agent 365).
pub const HIRING_MANAGER_ID: &str = "hiring.manager.id";
/// `custom.parent.span.id` (Agent 365).
pub const CUSTOM_PARENT_SPAN_ID: &str = "custom.parent.span.id";
/// `custom.span.name` (Agent 365).
pub const CUSTOM_SPAN_NAME: &str = "custom.span.name";

/// `gen_ai.client.operation.duration`: a metric's name.
pub const GEN_AI_CLIENT_OPERATION_DURATION: &str = "gen_ai.client.operation.duration";
/// `gen_ai.client.token.usage`: a metric's name.
pub const GEN_AI_CLIENT_TOKEN_USAGE: &str = "gen_ai.client.token.usage";

/// The keys whose values hold what people, models and tools said.
///
/// Whatever shows attributes to somebody who did not ask for contents masks these.
pub const CONTENT: &[&str] = &[
    ERROR_MESSAGE,
    EXCEPTION_MESSAGE,
    EXCEPTION_STACKTRACE,
    GEN_AI_AGENT_THOUGHT_PROCESS,
    GEN_AI_CHOICE,
    GEN_AI_EVENT_CONTENT,
    GEN_AI_EXECUTION_PAYLOAD,
    GEN_AI_INPUT_MESSAGES,
    GEN_AI_OUTPUT_MESSAGES,
    GEN_AI_SYSTEM_INSTRUCTIONS,
    GEN_AI_TOOL_ARGUMENTS,
];
