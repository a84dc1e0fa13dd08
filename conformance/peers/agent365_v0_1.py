"""What version 0.1.0 of the reference package has in a form of its own, for `agent365.py`."""

from urllib.parse import urlparse

from microsoft_agents_a365.observability import core
from microsoft_agents_a365.observability.core.agent_details import AgentDetails
from microsoft_agents_a365.observability.core.exporters.agent365_exporter import Agent365Exporter
from microsoft_agents_a365.observability.core.models.agent_type import AgentType
from microsoft_agents_a365.observability.core.models.caller_details import CallerDetails

from agent365_before_v3 import configure, flush, get_tracer, note_outcome  # what the driver uses


def exporter(given, token_resolver):
    return Agent365Exporter(
        token_resolver,
        cluster_category=given["cluster_category"],
        use_s2s_endpoint=given["use_s2s_endpoint"],
    )


def member(enumeration, value):
    return enumeration[value] if value is not None else None


def endpoint(url):
    return urlparse(url) if url is not None else None


def agent(fields):
    if fields is None:
        return None
    return AgentDetails(**{**fields, "agent_type": member(AgentType, fields.get("agent_type"))})


def tenant(fields):
    return core.TenantDetails(**fields) if fields is not None else None


def request(fields):
    if fields is None:
        return None
    source = fields.get("source_metadata")
    return core.Request(
        **{
            **fields,
            "execution_type": member(core.ExecutionType, fields.get("execution_type")),
            "source_metadata": core.SourceMetadata(**source) if source is not None else None,
        }
    )


def start_invoke_agent(given):
    details = given["invoke_agent_details"]
    caller = given.get("caller_details")
    return core.InvokeAgentScope.start(
        core.InvokeAgentDetails(
            agent(details["details"]), endpoint(details.get("endpoint")), details.get("session_id")
        ),
        tenant(given.get("tenant_details")),
        request(given.get("request")),
        agent(given.get("caller_agent_details")),
        CallerDetails(**caller) if caller is not None else None,
    )


def start_execute_tool(given):
    details = given["details"]
    return core.ExecuteToolScope.start(
        core.ToolCallDetails(**{**details, "endpoint": endpoint(details.get("endpoint"))}),
        agent(given.get("agent_details")),
        tenant(given.get("tenant_details")),
    )


def start_inference(given):
    details = given["details"]
    operation = core.InferenceOperationType[details["operationName"]]
    return core.InferenceScope.start(
        core.InferenceCallDetails(**{**details, "operationName": operation}),
        agent(given.get("agent_details")),
        tenant(given.get("tenant_details")),
        request(given.get("request")),
    )


START = {
    "invoke_agent": start_invoke_agent,
    "execute_tool": start_execute_tool,
    "inference": start_inference,
}


def setter_arguments(call):
    return call["args"]


def call_arguments(_method, arguments):
    return arguments
