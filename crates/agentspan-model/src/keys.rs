//! Attribute and baggage keys, each literal in this one place.
//!
//! [`Sensitivity`] classifies the values of attributes.
//!
//! Keys without a note come from the [GenAI semantic conventions] or the general OpenTelemetry
//! ones; the rest are those of `microsoft-agents-a365-observability-core` 0.1.0 and 2.0.0, those of
//! [OpenInference], and our own, which begin with `agentspec`.
//!
//! [GenAI semantic conventions]: https://opentelemetry.io/docs/specs/semconv/gen-ai/
//! [OpenInference]: https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md

mod content;
mod context;
pub(crate) mod dialects;
mod events;
mod harmless;
mod sensitivity;
mod vocabularies;

pub(crate) use vocabularies::AWS_BEDROCK;

pub use content::CONTENT;
pub use dialects::is_of_agent_convention;
pub use events::is_known_event;
pub use sensitivity::Sensitivity;

/// `service.name`: the name of the program, an attribute of the resource.
pub const SERVICE_NAME: &str = "service.name";
/// `service.namespace`: what the program belongs to, an attribute of the resource.
pub const SERVICE_NAMESPACE: &str = "service.namespace";
/// `error.type`: the class of an error, for example the name of its type.
pub const ERROR_TYPE: &str = "error.type";
/// `_OTHER`: the [`ERROR_TYPE`] of an error whose class is not known, as the [convention] says.
///
/// [convention]: https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/
pub const ERROR_TYPE_OTHER: &str = "_OTHER";
/// `level`: that of a `tracing` event, as `tracing-opentelemetry` writes it.
pub const LEVEL: &str = "level";
/// `target`: that of a `tracing` event, as `tracing-opentelemetry` writes it.
pub const TARGET: &str = "target";
/// `otel.component.name`: which part of an OpenTelemetry pipeline a metric is about.
pub const OTEL_COMPONENT_NAME: &str = "otel.component.name";
/// `error.message`: the text of an error.
pub const ERROR_MESSAGE: &str = "error.message";
/// `server.address`: the host that a request went to.
pub const SERVER_ADDRESS: &str = "server.address";
/// `server.port`: its port.
pub const SERVER_PORT: &str = "server.port";
/// `http.request.method`: the method of a request, `_OTHER` if it is not one of the usual ones.
pub const HTTP_REQUEST_METHOD: &str = "http.request.method";
/// `http.route`: the pattern that the path of a request matches.
pub const HTTP_ROUTE: &str = "http.route";
/// `http.response.status_code`: the status of an answer.
pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";
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

/// The prefix of the keys of the GenAI conventions.
pub(crate) const GEN_AI_PREFIX: &str = "gen_ai.";
/// `gen_ai.system`: the system that produced the span; Agent 365 0.1.0 writes a constant.
pub const GEN_AI_SYSTEM: &str = "gen_ai.system";
/// `gen_ai.operation.name`.
pub const GEN_AI_OPERATION_NAME: &str = "gen_ai.operation.name";
/// `gen_ai.provider.name`.
pub const GEN_AI_PROVIDER_NAME: &str = "gen_ai.provider.name";
/// `mcp.method.name`: the method of a message of the Model Context Protocol, such as `tools/call`.
pub const MCP_METHOD_NAME: &str = "mcp.method.name";
/// `mcp.protocol.version`: the version of that protocol.
pub const MCP_PROTOCOL_VERSION: &str = "mcp.protocol.version";
/// `mcp.resource.uri`: the address of a resource, which is content.
pub const MCP_RESOURCE_URI: &str = "mcp.resource.uri";
/// `mcp.session.id`: the session that a message belongs to.
pub const MCP_SESSION_ID: &str = "mcp.session.id";
/// `jsonrpc.request.id`: the id of a request and its answer.
pub const JSONRPC_REQUEST_ID: &str = "jsonrpc.request.id";
/// `jsonrpc.protocol.version`: the version of JSON-RPC, where it is not `2.0`.
pub const JSONRPC_PROTOCOL_VERSION: &str = "jsonrpc.protocol.version";
/// `rpc.response.status_code`: the code of an error that a call was answered with.
pub const RPC_RESPONSE_STATUS_CODE: &str = "rpc.response.status_code";
/// `network.transport`: `pipe` for standard input and output, `tcp` for HTTP.
pub const NETWORK_TRANSPORT: &str = "network.transport";
/// `network.protocol.name`: `http`, for instance.
pub const NETWORK_PROTOCOL_NAME: &str = "network.protocol.name";
/// `network.protocol.version`: the version of that protocol.
pub const NETWORK_PROTOCOL_VERSION: &str = "network.protocol.version";
/// `gen_ai.prompt.name`: the name of a prompt.
pub const GEN_AI_PROMPT_NAME: &str = "gen_ai.prompt.name";
/// `gen_ai.request.model`.
pub const GEN_AI_REQUEST_MODEL: &str = "gen_ai.request.model";
/// `gen_ai.request.max_tokens`.
pub const GEN_AI_REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
/// `gen_ai.request.temperature`.
pub const GEN_AI_REQUEST_TEMPERATURE: &str = "gen_ai.request.temperature";
/// `gen_ai.request.top_p`.
pub const GEN_AI_REQUEST_TOP_P: &str = "gen_ai.request.top_p";
/// `gen_ai.request.top_k`.
pub const GEN_AI_REQUEST_TOP_K: &str = "gen_ai.request.top_k";
/// `gen_ai.request.seed`.
pub const GEN_AI_REQUEST_SEED: &str = "gen_ai.request.seed";
/// `gen_ai.request.frequency_penalty`.
pub const GEN_AI_REQUEST_FREQUENCY_PENALTY: &str = "gen_ai.request.frequency_penalty";
/// `gen_ai.request.presence_penalty`.
pub const GEN_AI_REQUEST_PRESENCE_PENALTY: &str = "gen_ai.request.presence_penalty";
/// `gen_ai.request.stop_sequences`.
pub const GEN_AI_REQUEST_STOP_SEQUENCES: &str = "gen_ai.request.stop_sequences";
/// `gen_ai.request.choice.count`: how many answers are asked for, if that is not one.
pub const GEN_AI_REQUEST_CHOICE_COUNT: &str = "gen_ai.request.choice.count";
/// `gen_ai.data_source.id`: the data that an agent draws on.
pub const GEN_AI_DATA_SOURCE_ID: &str = "gen_ai.data_source.id";
/// `gen_ai.request.stream`: whether the answer is streamed.
pub const GEN_AI_REQUEST_STREAM: &str = "gen_ai.request.stream";
/// `gen_ai.response.time_to_first_chunk`: in seconds, from the request to the first part of the answer.
pub const GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";
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
/// `gen_ai.usage.cache_creation.input_tokens`; conventions 0.1.0 call it
/// [`GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS`].
pub const GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS: &str =
    "gen_ai.usage.cache_creation.input_tokens";
/// `gen_ai.usage.reasoning.output_tokens`: those of the output that a model used to reason.
pub const GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: &str = "gen_ai.usage.reasoning.output_tokens";
/// `gen_ai.output.type`: the form that the answer was asked for in, such as `text` or `json`.
pub const GEN_AI_OUTPUT_TYPE: &str = "gen_ai.output.type";
/// `gen_ai.token.type`.
pub const GEN_AI_TOKEN_TYPE: &str = "gen_ai.token.type";
/// `gen_ai.choice`.
pub const GEN_AI_CHOICE: &str = "gen_ai.choice";
/// `gen_ai.system.message`, as are the next three: events of the conventions up to 1.36, of one message each.
pub const GEN_AI_SYSTEM_MESSAGE_EVENT: &str = "gen_ai.system.message";
/// `gen_ai.user.message`.
pub const GEN_AI_USER_MESSAGE_EVENT: &str = "gen_ai.user.message";
/// `gen_ai.assistant.message`.
pub const GEN_AI_ASSISTANT_MESSAGE_EVENT: &str = "gen_ai.assistant.message";
/// `gen_ai.tool.message`.
pub const GEN_AI_TOOL_MESSAGE_EVENT: &str = "gen_ai.tool.message";
/// `gen_ai.client.inference.operation.details`: the event that may hold what an inference span does not.
pub const GEN_AI_INFERENCE_DETAILS_EVENT: &str = "gen_ai.client.inference.operation.details";
/// `gen_ai.usage.cost`: a number. No version of the conventions has it; Langfuse and others read it.
pub const GEN_AI_USAGE_COST: &str = "gen_ai.usage.cost";
/// `gen_ai.evaluation.result`: the event that holds an evaluation.
pub const GEN_AI_EVALUATION_RESULT: &str = "gen_ai.evaluation.result";
/// `gen_ai.evaluation.name`: what is evaluated.
pub const GEN_AI_EVALUATION_NAME: &str = "gen_ai.evaluation.name";
/// `gen_ai.evaluation.score.value`: a number.
pub const GEN_AI_EVALUATION_SCORE_VALUE: &str = "gen_ai.evaluation.score.value";
/// `gen_ai.evaluation.score.label`: one of few words.
pub const GEN_AI_EVALUATION_SCORE_LABEL: &str = "gen_ai.evaluation.score.label";
/// `gen_ai.evaluation.explanation`: content.
pub const GEN_AI_EVALUATION_EXPLANATION: &str = "gen_ai.evaluation.explanation";
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

/// `gen_ai.tool.call.arguments`.
pub const GEN_AI_TOOL_CALL_ARGUMENTS: &str = "gen_ai.tool.call.arguments";
/// `gen_ai.tool.call.result`.
pub const GEN_AI_TOOL_CALL_RESULT: &str = "gen_ai.tool.call.result";
/// `gen_ai.tool.definitions`.
pub const GEN_AI_TOOL_DEFINITIONS: &str = "gen_ai.tool.definitions";
/// `gen_ai.workflow.name`.
pub const GEN_AI_WORKFLOW_NAME: &str = "gen_ai.workflow.name";

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

/// `telemetry.sdk.name`, as are the next two: which SDK made a span. Agent 365 2.0.0 writes them on spans.
pub const TELEMETRY_SDK_NAME: &str = "telemetry.sdk.name";
/// `telemetry.sdk.language`.
pub const TELEMETRY_SDK_LANGUAGE: &str = "telemetry.sdk.language";
/// `telemetry.sdk.version`.
pub const TELEMETRY_SDK_VERSION: &str = "telemetry.sdk.version";
/// `user.id`: the person who called.
pub const USER_ID: &str = "user.id";
/// `user.name`.
pub const USER_NAME: &str = "user.name";
/// `user.email`.
pub const USER_EMAIL: &str = "user.email";
/// `client.address`: the IP address that the person called from.
pub const CLIENT_ADDRESS: &str = "client.address";
/// `gen_ai.agent.version`.
pub const GEN_AI_AGENT_VERSION: &str = "gen_ai.agent.version";
/// `gen_ai.usage.cache_read.input_tokens`.
pub const GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
/// `gen_ai.usage.cache_write.input_tokens` (Agent 365).
pub const GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: &str = "gen_ai.usage.cache_write.input_tokens";

/// `microsoft.tenant.id` (Agent 365 2.0.0, as are all keys of `microsoft`): [`TENANT_ID`], renamed.
pub const MICROSOFT_TENANT_ID: &str = "microsoft.tenant.id";
/// `microsoft.session.id`: [`SESSION_ID`], renamed.
pub const MICROSOFT_SESSION_ID: &str = "microsoft.session.id";
/// `microsoft.session.description`.
pub const MICROSOFT_SESSION_DESCRIPTION: &str = "microsoft.session.description";
/// `microsoft.conversation.item.link`: [`GEN_AI_CONVERSATION_ITEM_LINK`], renamed.
pub const MICROSOFT_CONVERSATION_ITEM_LINK: &str = "microsoft.conversation.item.link";
/// `microsoft.channel.name`: [`GEN_AI_EXECUTION_SOURCE_NAME`], renamed.
pub const MICROSOFT_CHANNEL_NAME: &str = "microsoft.channel.name";
/// `microsoft.channel.link`: [`GEN_AI_EXECUTION_SOURCE_DESCRIPTION`], renamed.
pub const MICROSOFT_CHANNEL_LINK: &str = "microsoft.channel.link";
/// `microsoft.agent.user.id`: [`GEN_AI_AGENT_AUID`], renamed.
pub const MICROSOFT_AGENT_USER_ID: &str = "microsoft.agent.user.id";
/// `microsoft.agent.user.email`: the mail address of the agent's own user.
pub const MICROSOFT_AGENT_USER_EMAIL: &str = "microsoft.agent.user.email";
/// `microsoft.a365.agent.blueprint.id`: [`GEN_AI_AGENT_BLUEPRINT_ID`], renamed.
pub const MICROSOFT_AGENT_BLUEPRINT_ID: &str = "microsoft.a365.agent.blueprint.id";
/// `microsoft.a365.agent.platform.id`: the platform that the agent runs on.
pub const MICROSOFT_AGENT_PLATFORM_ID: &str = "microsoft.a365.agent.platform.id";
/// `microsoft.a365.agent.thought.process`: [`GEN_AI_AGENT_THOUGHT_PROCESS`], renamed.
pub const MICROSOFT_AGENT_THOUGHT_PROCESS: &str = "microsoft.a365.agent.thought.process";
/// `microsoft.a365.caller.agent.id`.
pub const MICROSOFT_CALLER_AGENT_ID: &str = "microsoft.a365.caller.agent.id";
/// `microsoft.a365.caller.agent.name`.
pub const MICROSOFT_CALLER_AGENT_NAME: &str = "microsoft.a365.caller.agent.name";
/// `microsoft.a365.caller.agent.user.id`.
pub const MICROSOFT_CALLER_AGENT_USER_ID: &str = "microsoft.a365.caller.agent.user.id";
/// `microsoft.a365.caller.agent.user.email`.
pub const MICROSOFT_CALLER_AGENT_USER_EMAIL: &str = "microsoft.a365.caller.agent.user.email";
/// `microsoft.a365.caller.agent.blueprint.id`.
pub const MICROSOFT_CALLER_AGENT_BLUEPRINT_ID: &str = "microsoft.a365.caller.agent.blueprint.id";
/// `microsoft.a365.caller.agent.platform.id`.
pub const MICROSOFT_CALLER_AGENT_PLATFORM_ID: &str = "microsoft.a365.caller.agent.platform.id";
/// `microsoft.a365.caller.agent.version`.
pub const MICROSOFT_CALLER_AGENT_VERSION: &str = "microsoft.a365.caller.agent.version";
/// `microsoft.guardian.id`: who evaluates content or an action.
pub const MICROSOFT_GUARDIAN_ID: &str = "microsoft.guardian.id";
/// `microsoft.guardian.name`.
pub const MICROSOFT_GUARDIAN_NAME: &str = "microsoft.guardian.name";
/// `microsoft.guardian.provider.name`.
pub const MICROSOFT_GUARDIAN_PROVIDER_NAME: &str = "microsoft.guardian.provider.name";
/// `microsoft.guardian.version`.
pub const MICROSOFT_GUARDIAN_VERSION: &str = "microsoft.guardian.version";
/// `microsoft.security.decision.type`: what a guardian decided.
pub const MICROSOFT_SECURITY_DECISION_TYPE: &str = "microsoft.security.decision.type";
/// `microsoft.security.decision.reason`.
pub const MICROSOFT_SECURITY_DECISION_REASON: &str = "microsoft.security.decision.reason";
/// `microsoft.security.decision.code`.
pub const MICROSOFT_SECURITY_DECISION_CODE: &str = "microsoft.security.decision.code";
/// `microsoft.security.target.type`: what a guardian looked at.
pub const MICROSOFT_SECURITY_TARGET_TYPE: &str = "microsoft.security.target.type";
/// `microsoft.security.target.id`.
pub const MICROSOFT_SECURITY_TARGET_ID: &str = "microsoft.security.target.id";
/// `microsoft.security.policy.id`.
pub const MICROSOFT_SECURITY_POLICY_ID: &str = "microsoft.security.policy.id";
/// `microsoft.security.policy.name`.
pub const MICROSOFT_SECURITY_POLICY_NAME: &str = "microsoft.security.policy.name";
/// `microsoft.security.policy.version`.
pub const MICROSOFT_SECURITY_POLICY_VERSION: &str = "microsoft.security.policy.version";
/// `microsoft.security.policy.decision.type`: what one policy decided, in a finding.
pub const MICROSOFT_SECURITY_POLICY_DECISION_TYPE: &str = "microsoft.security.policy.decision.type";
/// `microsoft.security.content.input.hash`.
pub const MICROSOFT_SECURITY_CONTENT_INPUT_HASH: &str = "microsoft.security.content.input.hash";
/// `microsoft.security.content.input.value`: what a guardian was shown.
pub const MICROSOFT_SECURITY_CONTENT_INPUT_VALUE: &str = "microsoft.security.content.input.value";
/// `microsoft.security.content.output.value`: what a guardian made of it.
pub const MICROSOFT_SECURITY_CONTENT_OUTPUT_VALUE: &str = "microsoft.security.content.output.value";
/// `microsoft.security.content.modified`.
pub const MICROSOFT_SECURITY_CONTENT_MODIFIED: &str = "microsoft.security.content.modified";
/// `microsoft.security.external_event_id`.
pub const MICROSOFT_SECURITY_EXTERNAL_EVENT_ID: &str = "microsoft.security.external_event_id";
/// `microsoft.security.finding`: the name of the event that records a finding.
pub const MICROSOFT_SECURITY_FINDING_EVENT: &str = "microsoft.security.finding";
/// `microsoft.security.risk.category`, in a finding.
pub const MICROSOFT_SECURITY_RISK_CATEGORY: &str = "microsoft.security.risk.category";
/// `microsoft.security.risk.severity`, in a finding.
pub const MICROSOFT_SECURITY_RISK_SEVERITY: &str = "microsoft.security.risk.severity";
/// `microsoft.security.risk.score`, in a finding.
pub const MICROSOFT_SECURITY_RISK_SCORE: &str = "microsoft.security.risk.score";
/// `microsoft.security.risk.metadata`, in a finding.
pub const MICROSOFT_SECURITY_RISK_METADATA: &str = "microsoft.security.risk.metadata";

/// `gen_ai.client.operation.duration`: a metric's name.
pub const GEN_AI_CLIENT_OPERATION_DURATION: &str = "gen_ai.client.operation.duration";
/// `gen_ai.client.token.usage`: a metric's name.
pub const GEN_AI_CLIENT_TOKEN_USAGE: &str = "gen_ai.client.token.usage";

/// `openinference.span.kind` (OpenInference), as are all keys up to [`GRAPH_NODE_PARENT_ID`].
pub const OPENINFERENCE_SPAN_KIND: &str = "openinference.span.kind";
/// `input.value`.
pub const INPUT_VALUE: &str = "input.value";
/// `input.mime_type`.
pub const INPUT_MIME_TYPE: &str = "input.mime_type";
/// `output.value`.
pub const OUTPUT_VALUE: &str = "output.value";
/// `output.mime_type`.
pub const OUTPUT_MIME_TYPE: &str = "output.mime_type";
/// `metadata`: a JSON object.
pub const METADATA: &str = "metadata";
/// `agent.name`.
pub const AGENT_NAME: &str = "agent.name";
/// `llm.model_name`.
pub const LLM_MODEL_NAME: &str = "llm.model_name";
/// `llm.provider`.
pub const LLM_PROVIDER: &str = "llm.provider";
/// `llm.invocation_parameters`: a JSON object.
pub const LLM_INVOCATION_PARAMETERS: &str = "llm.invocation_parameters";
/// `llm.finish_reason`.
pub const LLM_FINISH_REASON: &str = "llm.finish_reason";
/// `llm.input_messages`: what the keys of the messages of a prompt begin with.
pub const LLM_INPUT_MESSAGES: &str = "llm.input_messages";
/// `llm.output_messages`: what the keys of the messages of an answer begin with.
pub const LLM_OUTPUT_MESSAGES: &str = "llm.output_messages";
/// `llm.tools`: what the keys of the tools that a model may call begin with.
pub const LLM_TOOLS: &str = "llm.tools";
/// `llm.token_count.prompt`.
pub const LLM_TOKEN_COUNT_PROMPT: &str = "llm.token_count.prompt";
/// `llm.token_count.completion`.
pub const LLM_TOKEN_COUNT_COMPLETION: &str = "llm.token_count.completion";
/// `llm.token_count.total`.
pub const LLM_TOKEN_COUNT_TOTAL: &str = "llm.token_count.total";
/// `llm.cost.total`: a number.
pub const LLM_COST_TOTAL: &str = "llm.cost.total";
/// `evaluations.0.evaluation.name`: what an `EVALUATOR` judges of the span that it links to.
pub const EVALUATION_NAME: &str = "evaluations.0.evaluation.name";
/// `evaluations.0.evaluation.score`: a number.
pub const EVALUATION_SCORE: &str = "evaluations.0.evaluation.score";
/// `evaluations.0.evaluation.label`: one of few words.
pub const EVALUATION_LABEL: &str = "evaluations.0.evaluation.label";
/// `evaluations.0.evaluation.explanation`: content.
pub const EVALUATION_EXPLANATION: &str = "evaluations.0.evaluation.explanation";
/// `evaluations.0.evaluation.annotator_kind`: `HUMAN`, `LLM` or `CODE`.
pub const EVALUATION_ANNOTATOR_KIND: &str = "evaluations.0.evaluation.annotator_kind";
/// `message.role`, after the index of a message.
pub const MESSAGE_ROLE: &str = "message.role";
/// `message.content`, after the index of a message.
pub const MESSAGE_CONTENT: &str = "message.content";
/// `message.name`, after the index of a message.
pub const MESSAGE_NAME: &str = "message.name";
/// `message.tool_call_id`: the call that the message of a tool answers.
pub const MESSAGE_TOOL_CALL_ID: &str = "message.tool_call_id";
/// `message.tool_calls`, after the index of a message.
pub const MESSAGE_TOOL_CALLS: &str = "message.tool_calls";
/// `tool_call.id`, also after the index of a tool call.
pub const TOOL_CALL_ID: &str = "tool_call.id";
/// `tool_call.function.name`, also after the index of a tool call.
pub const TOOL_CALL_FUNCTION_NAME: &str = "tool_call.function.name";
/// `tool_call.function.arguments`, also after the index of a tool call.
pub const TOOL_CALL_FUNCTION_ARGUMENTS: &str = "tool_call.function.arguments";
/// `tool.json_schema`, also after the index of a tool.
pub const TOOL_JSON_SCHEMA: &str = "tool.json_schema";
/// `tool.name`.
pub const TOOL_NAME: &str = "tool.name";
/// `tool.description`.
pub const TOOL_DESCRIPTION: &str = "tool.description";
/// `tool.parameters`.
pub const TOOL_PARAMETERS: &str = "tool.parameters";
/// `graph.node.id`.
pub const GRAPH_NODE_ID: &str = "graph.node.id";
/// `graph.node.name`.
pub const GRAPH_NODE_NAME: &str = "graph.node.name";
/// `graph.node.parent_id`.
pub const GRAPH_NODE_PARENT_ID: &str = "graph.node.parent_id";

/// `agentspan.truncated.keys`: the keys of the attributes that were cut, or left out, to make a span short
/// enough, the largest first. Ours.
pub const AGENTSPAN_TRUNCATED_KEYS: &str = "agentspan.truncated.keys";
/// `agentspan.truncated.count`: how many cuts that were, events, links and names included. Ours.
pub const AGENTSPAN_TRUNCATED_COUNT: &str = "agentspan.truncated.count";
/// `agentspan.recording.run`: the name of the run in a recording of several, as a resource's attribute. Ours.
pub const AGENTSPAN_RECORDING_RUN: &str = "agentspan.recording.run";
/// The prefix of all our keys.
pub const AGENTSPEC_PREFIX: &str = "agentspec.";
/// `agentspec.trace.id`: the full id of an Agent Spec trace. All keys of `agentspec` are ours.
pub const AGENTSPEC_TRACE_ID: &str = "agentspec.trace.id";
/// `agentspec.trace.name`.
pub const AGENTSPEC_TRACE_NAME: &str = "agentspec.trace.name";
/// `agentspec.span.id`: the full id of an Agent Spec span.
pub const AGENTSPEC_SPAN_ID: &str = "agentspec.span.id";
/// `agentspec.span.parent_id`: the full id of its parent.
pub const AGENTSPEC_SPAN_PARENT_ID: &str = "agentspec.span.parent_id";
/// `agentspec.span.parent_component_id`: the id of the component that the nearest ancestor with a component executes.
pub const AGENTSPEC_SPAN_PARENT_COMPONENT_ID: &str = "agentspec.span.parent_component_id";
/// `agentspec.span.type`: the type of an Agent Spec span, for instance `ToolExecutionSpan`.
pub const AGENTSPEC_SPAN_TYPE: &str = "agentspec.span.type";
/// `agentspec.span.name`, if it is not that of its type.
pub const AGENTSPEC_SPAN_NAME: &str = "agentspec.span.name";
/// `agentspec.span.description`, if there is one.
pub const AGENTSPEC_SPAN_DESCRIPTION: &str = "agentspec.span.description";
/// `agentspec.span.metadata`: a JSON object, if it is not empty.
pub const AGENTSPEC_SPAN_METADATA: &str = "agentspec.span.metadata";
/// `agentspec.first_input`: what the first of the spans below was given, for a root, agent or flow that
/// was given nothing itself. Text, or the text of JSON.
pub const AGENTSPEC_FIRST_INPUT: &str = "agentspec.first_input";
/// `agentspec.last_output`: what came of the last of the spans below, as [`AGENTSPEC_FIRST_INPUT`].
pub const AGENTSPEC_LAST_OUTPUT: &str = "agentspec.last_output";
/// `agentspec.event.span_id`: the full id of the span of an event that came after the end of that span, and
/// is shown by another one.
pub const AGENTSPEC_EVENT_SPAN_ID: &str = "agentspec.event.span_id";
/// `agentspec.unfinished`: true on spans that nobody ended. Their end is the last time that is known of them.
pub const AGENTSPEC_UNFINISHED: &str = "agentspec.unfinished";
/// The name of an event that only keeps the place of an Agent Spec event, which is rendered later.
pub const AGENTSPEC_EVENT: &str = "agentspec.event";
/// `agentspec.event.id`: the full id of an Agent Spec event.
pub const AGENTSPEC_EVENT_ID: &str = "agentspec.event.id";
/// `agentspec.event.type`: the type of an Agent Spec event.
pub const AGENTSPEC_EVENT_TYPE: &str = "agentspec.event.type";
/// `agentspec.event.name`, if it is not that of its type.
pub const AGENTSPEC_EVENT_NAME: &str = "agentspec.event.name";
/// `agentspec.event.description`, if there is one.
pub const AGENTSPEC_EVENT_DESCRIPTION: &str = "agentspec.event.description";
/// `agentspec.event.metadata`: a JSON object, if it is not empty.
pub const AGENTSPEC_EVENT_METADATA: &str = "agentspec.event.metadata";
/// `agentspec.unknown`: a JSON object of the members of a span or an event that the model does not know.
pub const AGENTSPEC_UNKNOWN: &str = "agentspec.unknown";
/// `agentspec.agent`: the dump of a component, as JSON; in an event, a reference if it is that of the span.
pub const AGENTSPEC_AGENT: &str = "agentspec.agent";
/// `agentspec.flow`: as [`AGENTSPEC_AGENT`].
pub const AGENTSPEC_FLOW: &str = "agentspec.flow";
/// `agentspec.node`: as [`AGENTSPEC_AGENT`].
pub const AGENTSPEC_NODE: &str = "agentspec.node";
/// `agentspec.tool`: as [`AGENTSPEC_AGENT`].
pub const AGENTSPEC_TOOL: &str = "agentspec.tool";
/// `agentspec.llm_config`: as [`AGENTSPEC_AGENT`].
pub const AGENTSPEC_LLM_CONFIG: &str = "agentspec.llm_config";
/// `agentspec.managerworkers`: as [`AGENTSPEC_AGENT`].
pub const AGENTSPEC_MANAGERWORKERS: &str = "agentspec.managerworkers";
/// `agentspec.swarm`: as [`AGENTSPEC_AGENT`].
pub const AGENTSPEC_SWARM: &str = "agentspec.swarm";
/// `agentspec.inputs`: a JSON object.
pub const AGENTSPEC_INPUTS: &str = "agentspec.inputs";
/// `agentspec.outputs`: a JSON object.
pub const AGENTSPEC_OUTPUTS: &str = "agentspec.outputs";
/// `agentspec.prompt`: a JSON list of messages.
pub const AGENTSPEC_PROMPT: &str = "agentspec.prompt";
/// `agentspec.tools`: a JSON list of the dumps of tools.
pub const AGENTSPEC_TOOLS: &str = "agentspec.tools";
/// `agentspec.tool_calls`: a JSON list of calls.
pub const AGENTSPEC_TOOL_CALLS: &str = "agentspec.tool_calls";
/// `agentspec.llm_generation_config`: a JSON object.
pub const AGENTSPEC_LLM_GENERATION_CONFIG: &str = "agentspec.llm_generation_config";
/// `agentspec.state_snapshot`: a JSON object.
pub const AGENTSPEC_STATE_SNAPSHOT: &str = "agentspec.state_snapshot";
/// `agentspec.extra_state`: a JSON object.
pub const AGENTSPEC_EXTRA_STATE: &str = "agentspec.extra_state";
/// `agentspec.content`: text, or a JSON object in events about people.
pub const AGENTSPEC_CONTENT: &str = "agentspec.content";
/// `agentspec.branch_selected`: text.
pub const AGENTSPEC_BRANCH_SELECTED: &str = "agentspec.branch_selected";
/// `agentspec.request_id`: text.
pub const AGENTSPEC_REQUEST_ID: &str = "agentspec.request_id";
/// `agentspec.completion_id`: text.
pub const AGENTSPEC_COMPLETION_ID: &str = "agentspec.completion_id";
/// `agentspec.tool_execution_request_id`: text.
pub const AGENTSPEC_TOOL_EXECUTION_REQUEST_ID: &str = "agentspec.tool_execution_request_id";
/// `agentspec.execution_confirmed`: a Boolean.
pub const AGENTSPEC_EXECUTION_CONFIRMED: &str = "agentspec.execution_confirmed";
/// `agentspec.input_tokens`: a number.
pub const AGENTSPEC_INPUT_TOKENS: &str = "agentspec.input_tokens";
/// `agentspec.output_tokens`: a number.
pub const AGENTSPEC_OUTPUT_TOKENS: &str = "agentspec.output_tokens";
/// `agentspec.exception_type`: text.
pub const AGENTSPEC_EXCEPTION_TYPE: &str = "agentspec.exception_type";
/// `agentspec.exception_message`: text.
pub const AGENTSPEC_EXCEPTION_MESSAGE: &str = "agentspec.exception_message";
/// `agentspec.exception_stacktrace`: text.
pub const AGENTSPEC_EXCEPTION_STACKTRACE: &str = "agentspec.exception_stacktrace";
/// `agentspec.conversation_id`: text.
pub const AGENTSPEC_CONVERSATION_ID: &str = "agentspec.conversation_id";

/// `gen_ai.client.operation.duration`: a histogram in seconds, how long an operation took; the GenAI semantic
/// conventions have it.
pub const METRIC_OPERATION_DURATION: &str = "gen_ai.client.operation.duration";
/// `gen_ai.client.token.usage`: a histogram in tokens (`{token}`), how many an operation used; the GenAI semantic
/// conventions have it.
pub const METRIC_TOKEN_USAGE: &str = "gen_ai.client.token.usage";
/// `gen_ai.client.inference.duration`: a histogram in seconds, how long a call of a model took;
/// release 0.1.0 of the GenAI conventions.
pub const METRIC_INFERENCE_DURATION: &str = "gen_ai.client.inference.duration";
/// `gen_ai.client.inference.usage.input_tokens`: a counter, as the next ones are.
pub const METRIC_INPUT_TOKENS: &str = "gen_ai.client.inference.usage.input_tokens";
/// `gen_ai.client.inference.usage.output_tokens`.
pub const METRIC_OUTPUT_TOKENS: &str = "gen_ai.client.inference.usage.output_tokens";
/// `gen_ai.client.inference.usage.cache_read.input_tokens`: a part of the input tokens.
pub const METRIC_CACHE_READ_TOKENS: &str = "gen_ai.client.inference.usage.cache_read.input_tokens";
/// `gen_ai.client.inference.usage.cache_write.input_tokens`: a part of the input tokens.
pub const METRIC_CACHE_WRITE_TOKENS: &str =
    "gen_ai.client.inference.usage.cache_write.input_tokens";
/// `gen_ai.client.inference.usage.reasoning.output_tokens`: a part of the output tokens.
pub const METRIC_REASONING_TOKENS: &str = "gen_ai.client.inference.usage.reasoning.output_tokens";
/// `gen_ai.invoke_agent.duration`: a histogram in seconds.
pub const METRIC_INVOKE_AGENT_DURATION: &str = "gen_ai.invoke_agent.duration";
/// `gen_ai.execute_tool.duration`: a histogram in seconds.
pub const METRIC_EXECUTE_TOOL_DURATION: &str = "gen_ai.execute_tool.duration";
/// `mcp.client.operation.duration`: a histogram in seconds, how long a message of the Model Context
/// Protocol took until its answer was there; the GenAI semantic conventions have it, and the next ones.
pub const METRIC_MCP_CLIENT_OPERATION_DURATION: &str = "mcp.client.operation.duration";
/// `mcp.server.operation.duration`: how long it took to answer such a message.
pub const METRIC_MCP_SERVER_OPERATION_DURATION: &str = "mcp.server.operation.duration";
/// `mcp.client.session.duration`: how long a session lasted, as the client saw it.
pub const METRIC_MCP_CLIENT_SESSION_DURATION: &str = "mcp.client.session.duration";
/// `mcp.server.session.duration`: how long a session lasted, as the server saw it.
pub const METRIC_MCP_SERVER_SESSION_DURATION: &str = "mcp.server.session.duration";
/// `agentspan.destination.span.accepted`: a counter in spans (`{span}`), those that a destination was given. This
/// name is ours, as are all that follow.
pub const METRIC_SPANS_ACCEPTED: &str = "agentspan.destination.span.accepted";
/// `agentspan.destination.span.exported`: a counter in spans (`{span}`), those that it took or that its service
/// acknowledged.
pub const METRIC_SPANS_EXPORTED: &str = "agentspan.destination.span.exported";
/// `agentspan.destination.span.dropped`: a counter in spans (`{span}`), those that it lost, by
/// [`ERROR_TYPE`].
pub const METRIC_SPANS_DROPPED: &str = "agentspan.destination.span.dropped";
/// `agentspan.destination.span.queue.size`: an up-down counter in spans (`{span}`), those that wait or are in
/// flight.
pub const METRIC_SPANS_QUEUE_SIZE: &str = "agentspan.destination.span.queue.size";
/// `agentspan.destination.span.queue.memory`: an up-down counter in bytes (`By`), the estimated memory of
/// those.
pub const METRIC_SPANS_QUEUE_MEMORY: &str = "agentspan.destination.span.queue.memory";
/// `agentspan.destination.span.cut`: a counter in spans (`{span}`), those of which something was cut because it
/// was beyond their limits.
pub const METRIC_SPANS_CUT: &str = "agentspan.destination.span.cut";
/// `agentspan.span.evicted`: a counter in spans (`{span}`), those that were exported as unfinished while they were
/// open, because open spans held too much memory.
pub const METRIC_SPANS_EVICTED: &str = "agentspan.span.evicted";
/// `agentspan.destination.hook.accepted`: a counter in hooks (`{hook}`), the calls that a destination was given.
pub const METRIC_HOOKS_ACCEPTED: &str = "agentspan.destination.hook.accepted";
/// `agentspan.destination.hook.exported`: a counter in hooks (`{hook}`), those that it took.
pub const METRIC_HOOKS_EXPORTED: &str = "agentspan.destination.hook.exported";
/// `agentspan.destination.hook.dropped`: a counter in hooks (`{hook}`), those that it lost, by [`ERROR_TYPE`].
pub const METRIC_HOOKS_DROPPED: &str = "agentspan.destination.hook.dropped";
/// `agentspan.destination.hook.queue.size`: an up-down counter in hooks (`{hook}`), those that wait or
/// are in flight.
pub const METRIC_HOOKS_QUEUE_SIZE: &str = "agentspan.destination.hook.queue.size";
